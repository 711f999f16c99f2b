"""The key for the next ticket, the answer to why, and what was set aside."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot

from mspterm.connectors.rt.manifest import MANIFEST as RT
from mspterm.console.app import MsptermApp
from mspterm.console.next_ticket import next_row, set_aside, why_lines
from mspterm.domain.action import Outcome, State, Write
from mspterm.domain.reasons import Failure, Reason
from mspterm.domain.text import SafeText
from tests.console.console_desk import (
    NOW,
    Hands,
    console,
    filled,
    screen_lines,
    secrets,
    session,
    ticket,
    until,
    until_told,
)
from tests.desk.vendor import Clock, Vendor

__all__ = ["secrets"]
pytestmark = pytest.mark.usefixtures("secrets")


def test_what_is_set_aside_is_passed_over_until_it_changes(tmp_path: Path) -> None:
    clock = Hands()
    made = session(filled(tmp_path), tmp_path, clock=clock)
    made.board.load(made.store)
    first = next_row(made)
    assert first is not None
    assert first.number == "3"
    set_aside(made, "rt:3", "waits for the part")
    after = next_row(made)
    assert after is not None
    assert after.number == "6"
    assert "not your next: skipped: waits for the part" in why_lines(made, "rt:3")
    clock.at += timedelta(minutes=5)
    made.store.tickets.upsert([replace(ticket(3), updated_at=clock.at, observed_at=clock.at)])
    made.board.follow(made.store)
    assert next_row(made) == made.store.tickets.row("rt:3")


def test_what_was_set_aside_outlives_the_console(tmp_path: Path) -> None:
    store = filled(tmp_path)
    set_aside(session(store, tmp_path), "rt:3", "after lunch")
    other = session(store, tmp_path)
    other.board.load(store)
    found = next_row(other)
    assert found is not None
    assert found.number == "6"


async def test_g_goes_to_the_ticket_that_the_explanation_names_and_asks_to_claim_it(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path), (120, 40)) as (app, pilot):
        await pilot.press("2", "W")
        text = await until(pilot, app, "Why is this ticket here?")
        assert "not your next: you are working on it already" in text
        await pilot.press("escape", "g")
        await until_told(pilot, app, "Claim: No connection to 127.0.0.1:1;")
        assert app.main.queue.cursor_ref == "rt:3"
        assert "[6 All 12]" in screen_lines(app)[0]


async def test_g_opens_what_is_mine_and_has_an_answer(tmp_path: Path) -> None:
    store = filled(tmp_path)
    store.tickets.upsert([ticket(1, customer_replied_at=NOW, observed_at=NOW, priority=1)])
    async with console(session(store, tmp_path), (120, 40)) as (app, pilot):
        await pilot.press("g")
        await until(pilot, app, "#1 Printer 1")
        assert app.messages[-1][1] == "#1 is next: it is yours already."


async def test_g_says_why_nothing_is_next(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path, 2), tmp_path)) as (app, pilot):
        await pilot.press("g")
        await until_told(pilot, app, "Nothing is next for you")


async def test_skip_asks_for_a_reason(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path), (120, 40)) as (app, pilot):
        await pilot.press("down", "down", "z")
        await until(pilot, app, "why not now?")
        await pilot.press("enter")
        await until(pilot, app, "A reason is needed.")
        await pilot.press(*"vendor first", "enter")
        await until_told(pilot, app, "#3 is set aside until it changes: vendor first.")
        found = next_row(app.session)
        assert found is not None
        assert found.number == "6"


class QuickerMarcus(Vendor):
    """An RT where Marcus takes ticket 3 at the instant at which we do."""

    async def act(self, write: Write, *, mark: str) -> Outcome:
        if write.ref != "rt:3":
            return await super().act(write, mark=mark)
        self.tickets["3"] = replace(self.tickets["3"], assignee_id="marcus", assignee=SafeText("Marcus Bell"))
        sentence = "marcus changed the owner of rt:3 first, which decides; leave it to marcus."
        return Outcome(write.ref, State.FAILED, Failure(Reason.CONFLICT, sentence, self.name))


async def test_who_loses_the_race_for_a_ticket_is_told_and_asked_for_the_next(tmp_path: Path) -> None:
    made = session(filled(tmp_path), tmp_path)
    async with console(made, (120, 40)) as (app, pilot):
        assert made.running is not None
        rt = QuickerMarcus("rt", RT, Clock())
        rt.tickets = {str(n): ticket(n) for n in range(1, 13)}
        made.running.desk._connectors["rt"] = rt
        await pilot.press("g")
        await until(pilot, app, "rt:3 #3 Printer 3")
        await until_focus(pilot, app, "#send")
        await pilot.press("enter")
        await until_told(pilot, app, "marcus changed the owner of rt:3 first")
        await until(pilot, app, "rt:6 #6 Printer 6")
        await until_focus(pilot, app, "#send")
        await pilot.press("enter")
        await until_told(pilot, app, "rt:6 claim: done")
        assert [write.ref for write in rt.written] == ["rt:6"]
        row = made.store.tickets.row("rt:3")
        assert row is not None
        assert row.assignee_id == "marcus"


async def until_focus(pilot: Pilot[int], app: MsptermApp, selector: str) -> None:
    for _ in range(200):
        if app.focused is not None and app.focused.id == selector.removeprefix("#"):
            return
        await pilot.pause(0.02)
    raise AssertionError(f"{selector} never had the focus: {app.focused}")
