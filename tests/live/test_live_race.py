"""Two technicians' desks on one RT, each after the next ticket at once: RT's history is the judge."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from mspterm.config.model import Config, Connection
from mspterm.connectors.rt.connector import RtConnector
from mspterm.desk.desk import Desk, utc_now
from mspterm.desk.look import ticket_now
from mspterm.desk.perform import Performer
from mspterm.desk.planner import Planner
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Consent, State, Update
from mspterm.domain.reasons import Reason
from mspterm.domain.secret import Secret
from mspterm.domain.triage import NextContext, next_for
from mspterm.net.pacer import FreePacer
from mspterm.secrets.chain import Credentials
from tests.conftest import LabRt

pytestmark = pytest.mark.live
LOGINS, PRESSES, FRESH = ("ines", "marcus"), 50, 60


class Technician:
    """One technician's desk and what the key for the next ticket does at it, on the tickets `among`."""

    def __init__(self, desk: Desk, login: str, among: frozenset[str]) -> None:
        self.desk, self.login, self.among = desk, login, among
        self.planner, self.performer = Planner(desk), Performer(desk)
        self.taken: list[str] = []
        self.lost = 0

    async def press(self) -> bool:
        """Whether a ticket was taken; one that the other was quicker at is left, for the next one."""
        while True:
            rows = [row for row in self.desk.store.tickets.active() if row.ref in self.among]
            row = next_for(rows, NextContext(self.desk.now().timestamp(), {"rt": frozenset({self.login})}))
            if row is None:
                return False
            plan = await self.planner.plan("claim", (row.ref,), Wanted())
            (result,) = await self.performer.perform(plan, Consent(plan_hash=plan.hash))
            if result.outcome.state is State.DONE:
                self.taken.append(row.ref)
                return True
            failure = result.outcome.failure
            assert failure is not None, result
            assert failure.reason is Reason.CONFLICT, result
            self.lost += 1
            await ticket_now(self.desk, row.ref)


def ask(lab: LabRt, path: str, body: Any = None, method: str | None = None) -> Any:
    """RT's REST, apart from what is tested."""
    headers = {"Authorization": f"token {lab.tokens['priya']}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{lab.url}/REST/2.0/{path}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def fresh(lab: LabRt) -> str:
    """A new ticket's id."""
    made = ask(lab, "ticket", {
        "Queue": "Service Desk", "Subject": f"race {uuid4()}", "Requestor": "dana@hvd.test",
        "Content": "It is slow", "ContentType": "text/plain",
    })  # fmt: skip
    return str(made["id"])


def entries(lab: LabRt, number: str) -> list[dict[str, Any]]:
    """What happened on a ticket, oldest first."""
    fields = "fields=Type,Field,Creator,OldValue,NewValue&fields[Creator]=Name&per_page=100"
    found: list[dict[str, Any]] = ask(lab, f"ticket/{number}/history?{fields}")["items"]
    return sorted(found, key=lambda entry: int(entry["id"]))


@pytest.fixture
async def desks(lab_rt: LabRt, tmp_path: Path) -> AsyncIterator[list[Technician]]:
    """Each technician's own desk, which knows the same fresh tickets and nothing else."""
    numbers = await asyncio.gather(*(asyncio.to_thread(fresh, lab_rt) for _ in range(FRESH)))
    async with AsyncExitStack() as stack:
        made = []
        for login in LOGINS:
            connection = Connection("rt", "rt", lab_rt.url, claim_status={"*": "open"})
            rt = RtConnector(
                connection, {"token": Secret(lab_rt.tokens[login])}, pacer=FreePacer(), now=utc_now
            )
            keys = Credentials({"MSPTERM_SECRET_JOURNAL_KEY": "cafe0bad" * 8})
            config = Config(connections={"rt": connection})
            desk = Desk(config, tmp_path / login, credentials=keys, connectors={"rt": rt})
            stack.push_async_callback(desk.aclose)
            made.append(Technician(desk, login, frozenset(f"rt:{number}" for number in numbers)))
        known = [(await rt.ticket(number)).ticket for number in numbers]
        for technician in made:
            technician.desk.store.tickets.upsert(known, finish=technician.desk.finished)
        yield made


async def test_two_technicians_never_get_the_same_ticket(lab_rt: LabRt, desks: list[Technician]) -> None:
    ines, marcus = desks
    for _ in range(PRESSES):
        await asyncio.gather(ines.press(), marcus.press())
    assert ines.lost + marcus.lost > 0, "they never met: this proves nothing"
    assert set(ines.taken).isdisjoint(marcus.taken)
    assert set(ines.taken) | set(marcus.taken) == ines.among
    histories = await asyncio.gather(
        *(asyncio.to_thread(entries, lab_rt, ref.partition(":")[2]) for ref in sorted(ines.among))
    )
    for ref, history in zip(sorted(ines.among), histories, strict=True):
        winner, loser = ("ines", "marcus") if ref in ines.taken else ("marcus", "ines")
        owners = [e["Creator"]["Name"] for e in history if (e["Type"], e.get("Field")) == ("Set", "Owner")]
        assert owners == [winner], ref
        assert [e for e in history if e["Creator"]["Name"] == loser] == [], ref


async def test_of_two_who_take_over_at_once_one_has_it_by_history_and_field(
    lab_rt: LabRt, desks: list[Technician]
) -> None:
    for ref in sorted(desks[0].among)[:5]:
        number = ref.partition(":")[2]
        await asyncio.to_thread(ask, lab_rt, f"ticket/{number}", {"Owner": "priya"}, "PUT")
        writes = [Update(ref, owner=t.login, expected_owner="priya") for t in desks]
        connectors = [await t.desk.connector("rt") for t in desks]
        outcomes = await asyncio.gather(*(c.act(w, mark="") for c, w in zip(connectors, writes, strict=True)))
        done = [t.login for t, o in zip(desks, outcomes, strict=True) if o.state is State.DONE]
        reasons = [o.failure.reason for o in outcomes if o.failure is not None]
        assert (len(done), reasons) == (1, [Reason.CONFLICT]), outcomes
        held = await asyncio.to_thread(ask, lab_rt, f"ticket/{number}")
        assert held["Owner"]["id"] == done[0]
