"""A suspected incident stops what would spoil evidence, and what isn't covered names who may allow it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mspterm.config.model import Client
from mspterm.desk.desk import Desk
from mspterm.desk.incidents import incidents, seen, turn, warning
from mspterm.desk.perform import Performer
from mspterm.desk.planner import Planner
from mspterm.desk.sync import Sync
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Ask, Consent, Refuse, State, Update, Verdict
from mspterm.domain.incident import ON
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Note, TicketDetail
from tests.desk.vendor import Clock, Vendor, a_desk, config, psa, rmm

OAK = Client(
    "Oak", incident_contact="Sam Reyes, 555", notice_h=24, coverage="never", rate="USD 225",
    authoriser="Dana Cole", authoriser_phone="556", excludes=("incident",),
)  # fmt: skip


@pytest.fixture
async def oak(tmp_path: Path) -> Desk:
    now = Clock()
    rt: Vendor = psa(now)
    rt.tickets["1"] = replace(rt.tickets["1"], device_refs=("mesh:OAK-DC01",))
    desk = a_desk(tmp_path, now, rt, rmm(now), config=config(clients={"Oak": OAK}))
    for name in ("rt", "mesh"):
        await Sync(desk).once(name)
    return desk


async def do(desk: Desk, switch: str) -> None:
    plan = await Planner(desk).plan("incident", ["rt:1"], Wanted(switch=switch))
    [result] = await Performer(desk).perform(plan, Consent(plan_hash=plan.hash))
    assert result.outcome.state is State.DONE


async def verdict(desk: Desk, action: str = "reboot") -> Verdict:
    plan = await Planner(desk).plan(action, ["mesh:OAK-DC01"], Wanted(command="id", attach="rt:1"))
    return await Performer(desk).judge(plan, Consent())


async def test_an_incident_refuses_reboot_and_command_until_it_is_lifted(oak: Desk) -> None:
    await do(oak, "on")
    for action in ("reboot", "run"):
        found = await verdict(oak, action)
        assert isinstance(found, Refuse)
        assert "rt:1 is a suspected security incident" in found.failure.sentence
    said = warning(oak, oak.store.tickets.get("rt:1"))  # type: ignore[arg-type]
    assert said is not None
    assert "tell Sam Reyes, 555; notice is due" in said
    await do(oak, "off")
    assert isinstance(await verdict(oak), Ask)
    await oak.aclose()


async def test_the_note_of_another_console_turns_it_here(oak: Desk) -> None:
    ticket = oak.store.tickets.get("rt:1")
    assert ticket is not None
    at = oak.now() - timedelta(hours=1)
    note = Note("9", at, SafeText("Marcus"), "internal", SafeText(ON))
    seen(oak, TicketDetail(ticket, SafeText("x"), notes=(note,)))
    assert incidents(oak) == {"rt:1": at}
    assert isinstance(await verdict(oak), Refuse)
    await oak.aclose()


async def test_two_processes_that_turn_it_at_once_lose_neither(oak: Desk) -> None:
    other, database = Desk(oak.config, oak.state_dir, now=oak.now), oak.store.database
    write = Update("rt:1", text=ON)

    def between(statement: str) -> None:
        # Before the lock is taken, and whatever was read before that is old by now.
        if statement == "BEGIN IMMEDIATE" and not incidents(other):
            turn(other, replace(write, ref="rt:2"), None)

    database.connection.set_trace_callback(between)
    turn(oak, write, None)
    database.connection.set_trace_callback(None)
    assert incidents(oak).keys() == {"rt:1", "rt:2"}
    await other.aclose()
    await oak.aclose()


async def test_what_is_not_covered_names_rate_and_authoriser(oak: Desk) -> None:
    found = await verdict(oak, "run")
    assert isinstance(found, Ask)
    [line] = [row for row in found.stake if row.startswith("coverage: ")]
    assert "billable at USD 225, needs the OK of Dana Cole (556)" in line
    plan = await Planner(oak).plan("time", ["rt:1"], Wanted(minutes=15))
    assert any(row.startswith("  coverage: ") and "Dana Cole (556)" in row for row in plan.lines)
    await oak.aclose()


async def test_a_caller_verification_is_an_internal_note(oak: Desk) -> None:
    wanted = Wanted(method="call back", number="555 0100", result="passed")
    plan = await Planner(oak).plan("verify", ["rt:1"], wanted)
    [write] = plan.writes
    assert isinstance(write, Update)
    assert write.text is not None
    assert write.text.endswith("by call back, number on file 555 0100: PASSED.")
    await oak.aclose()
