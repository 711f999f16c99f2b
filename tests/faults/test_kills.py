"""SIGKILL between any two steps of a write, with the server's record as judge."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mspterm.desk.journal import Journal
from mspterm.domain.secret import Secret
from mspterm.store.store import Store
from tests.faults.lab import rt_connection
from tests.faults.lane import Lane, lane
from tests.faults.life import KEY
from tests.faults.proxy import http

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a life is a fork")
STATES = ("queued", "sending", "sent", "confirmed", "failed", "uncertain", "cancelled")
SECRETS = {"token": "1-28-x"}
MOST = 400
"""More statements than one note costs."""


class SmallRt:
    """An RT with one ticket and the few paths that a note needs."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.instead: bytes | None = None
        """Answers every POST, which then does nothing; empty breaks the connection off."""
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(length[1])) if length else b""
            method, target = head.decode().split(" ")[:2]
            writer.write(self.answer(method, target.partition("?")[0], body))
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def answer(self, method: str, path: str, body: bytes) -> bytes:
        if method == "POST" and self.instead is not None:
            return self.instead
        if method == "POST":
            self.notes.append(json.loads(body)["Content"])
            number = len(self.notes) + 100
            return http(
                "201 Created", b'["Comments added"]', Location=f"{self.url}/REST/2.0/transaction/{number}"
            )
        found: Any = {"items": [], "count": 0, "per_page": 100, "page": 1}
        if path.endswith("/ticket/1"):
            return http("200 OK", json.dumps(self.ticket()).encode(), ETag=f'"{len(self.notes) + 100}"')
        if path.endswith("/tickets"):
            found["items"] = [self.ticket()]
        elif path.endswith("/history"):
            found["items"] = [self.entry(n) for n in range(len(self.notes), 0, -1)]
        elif path.endswith("/attachments"):
            named = re.search(r"transaction/(\d+)", path)
            which = [int(named[1]) - 100] if named else range(1, len(self.notes) + 1)
            found["items"] = [self.part(n) for n in which]
        elif "/user/" in path:
            found = {"id": "ines", "Name": "ines", "RealName": "Ines Duarte", "EmailAddress": "i@example.org"}
        elif path.endswith("/rt"):
            found = {"Version": "5.0.3"}
        return http("200 OK", json.dumps(found).encode())

    def ticket(self) -> dict[str, Any]:
        at = "2026-11-24T02:00:00Z"
        return {
            "id": 1, "Subject": "Down", "Status": "open", "Priority": "0", "Created": at, "LastUpdated": at,
            "Owner": {"id": "ines", "Name": "ines"}, "Queue": {"id": "1", "Name": "Service Desk"},
            "Requestor": [], "CustomFields": [], "_hyperlinks": [], "Due": None, "Starts": None, "Told": None,
            "Resolved": None, "TimeWorked": "0", "LastUpdatedBy": {"id": "ines", "Name": "ines"},
        }  # fmt: skip

    def entry(self, number: int) -> dict[str, Any]:
        return {
            "id": str(number + 100), "Type": "Comment", "Created": "2099-01-01T00:00:00Z", "TimeTaken": "0",
            "Creator": {"id": "ines", "Name": "ines", "RealName": "Ines Duarte"},
            "Field": None, "OldValue": None, "NewValue": None,
        }  # fmt: skip

    def part(self, number: int) -> dict[str, Any]:
        return {
            "id": str(number), "ContentType": "text/plain", "Filename": None, "Content": self.notes[number - 1],
            "TransactionId": str(number + 100),
        }  # fmt: skip


@pytest.fixture
async def rt() -> AsyncIterator[SmallRt]:
    small = SmallRt()
    server = await asyncio.start_server(small.serve, "127.0.0.1", 0)
    small.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield small
    server.close()


@pytest.fixture
async def a_lane() -> AsyncIterator[Lane]:
    async with lane() as made:
        yield made


def outcome(state: Path, text: str) -> tuple[str | None, str]:
    """What the outbox says of a note, and its intent."""
    store = Store(state)
    try:
        found = [i for s in STATES for i in store.intents.in_state(s)]
    finally:
        store.close()
    mine = [i for i in found if getattr(i.write, "text", None) == text]
    return (mine[0].state, mine[0].intent_id) if mine else (None, "")


@pytest.mark.slow
async def test_a_kill_between_any_two_steps_loses_nothing_and_doubles_nothing(
    rt: SmallRt, a_lane: Lane, tmp_path: Path
) -> None:
    ends: Counter[str] = Counter()
    for number in range(1, MOST):
        state, text = tmp_path / str(number), f"note {number}"
        life = {"state": str(state), "connection": rt_connection(rt.url, 5), "secrets": SECRETS}
        note = {"do": "note", "ref": "rt:1", "text": text}
        first = await a_lane.live(**life, steps=[note], die_at=number)
        killed = first.status == -9
        then = await a_lane.live(**life, steps=[{"do": "flush"}])
        assert then.status == 0
        known, intent_id = outcome(state, text)
        if known == "uncertain":
            assert rt.notes.count(text) == 0, "what had arrived was found by itself"
            await a_lane.live(**life, steps=[{"do": "retry", "id": intent_id}])
            ends["decided"] += 1
            known, _ = outcome(state, text)
        there = rt.notes.count(text)
        # Never put on disk: the technician was never told otherwise, and nothing was sent.
        assert (known, there) in ({(None, 0), ("confirmed", 1)} if killed else {("confirmed", 1)}), (
            number,
            first.told,
        )
        found = Journal(state / "journal", Secret(KEY), None).verify()
        assert found.bad is None
        ends[f"{known} {there}"] += 1
        if not killed:
            break
    else:
        pytest.fail("a note costs more statements than this test knows of")
    assert ends["None 0"] > 3
    assert ends["decided"] >= 1
    assert ends["confirmed 1"] > 3


BUSY, FORBIDDEN = http("503 Unavailable", b""), http("403 Forbidden", b"")


@dataclass(frozen=True, slots=True)
class Death:
    """`instead` is what the server answers before the kill, `drops` what a person does then. `left` is
    what it is after the restart, and `there` how often the server has it."""

    instead: bytes | None
    left: str
    there: int
    drops: bool = False


DEATHS = {
    "queued": Death(BUSY, "confirmed", 1),
    "sending": Death(None, "uncertain", 0),
    "sent": Death(None, "confirmed", 1),
    "confirmed": Death(None, "confirmed", 1),
    "failed": Death(FORBIDDEN, "failed", 0),
    "uncertain": Death(b"", "uncertain", 0),
    "cancelled": Death(BUSY, "cancelled", 0, drops=True),
}
JOURNALLED = {"confirmed": "done"}


@pytest.mark.slow
async def test_a_kill_in_each_state_of_the_outbox_is_told_truly_after_it(
    rt: SmallRt, a_lane: Lane, tmp_path: Path
) -> None:
    for state in STATES:
        await dies_in(state, rt, a_lane, tmp_path / state)


async def dies_in(state: str, rt: SmallRt, a_lane: Lane, folder: Path) -> None:
    death, text = DEATHS[state], f"killed when {state}"
    life = {"state": str(folder), "connection": rt_connection(rt.url, 5), "secrets": SECRETS}
    note = {"do": "note", "ref": "rt:1", "text": text}
    rt.instead = death.instead
    if death.drops:
        await a_lane.live(**life, steps=[note])
        _, intent_id = outcome(folder, text)
        killed = await a_lane.live(
            **life, steps=[{"do": "drop", "id": intent_id, "arrived": False}], die_in=state
        )
    else:
        killed = await a_lane.live(**life, steps=[note, {"do": "look", "ref": "rt:1"}], die_in=state)
    assert killed.status == -9, state
    rt.instead = None
    # The next write completes the journal, where nothing is left to be sent.
    after = [{"do": "flush"}, {**note, "text": "the next one"}]
    assert [t["state"] for t in (await a_lane.live(**life, steps=after)).told] == ["done", "done"]
    left, intent_id = outcome(folder, text)
    assert (left, rt.notes.count(text)) == (death.left, death.there), state
    if left == "uncertain":
        await a_lane.live(**life, steps=[{"do": "retry", "id": intent_id}])
        left, _ = outcome(folder, text)
        assert (left, rt.notes.count(text)) == ("confirmed", 1)
    journal = Journal(folder / "journal", Secret(KEY), None)
    assert journal.verify().bad is None
    said = [r["state"] for _, _, r in journal.after("") if r["intent_id"] == intent_id]
    assert (said[0], said[-1]) == ("intent", JOURNALLED.get(left or "", left)), state
