"""An escalation in the console: proposed where the ticket is seen, filled in, and a call noted behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from bench.made_up import row
from mspterm.config.model import Client, Escalation, Guard, Team, Vendor
from mspterm.console.acting import Acting
from mspterm.console.columns import layout_for
from mspterm.console.dialogs.frame import Dialog
from mspterm.console.drafts import Drafts
from mspterm.console.row_text import changes_in, line_for, render
from mspterm.console.session import Running
from mspterm.console.theme import load_theme
from mspterm.console.ticket_screen import TicketScreen
from mspterm.desk.actions import BY_NAME
from mspterm.desk.perform import Performer
from mspterm.desk.planner import Planner
from mspterm.desk.sync import Sync
from mspterm.domain.action import Update
from mspterm.domain.route import call_line, move_line
from tests.console.pane_app import Room, a_room, detail, note, shown, text, until_text
from tests.desk.vendor import config

RULES = Escalation(
    tiers={"L2": Team(("Priya", "Tom"), {"Priya": "555 1"})},
    vendors={"dell": Vendor("Dell", "555 7", "PS-77", queues={"rt": "Vendors"})},
    tier_after={"L1": "1h"},
    handoff=("what", "tried"),
)

OAK = Client("Oak", excludes=("incident",), rate="USD 225", authoriser="Sam", authoriser_phone="555 8")


@pytest.fixture
def room(tmp_path: Path) -> Room:
    guard = Guard(verify_first=("ticket",))
    made = a_room(tmp_path, config=config(escalation=RULES, guard=guard, clients={"Oak": OAK}))
    made.rt.tickets["1"] = replace(made.rt.tickets["1"], tier="L1")
    ticket = made.rt.tickets["1"]
    made.desk.store.tickets.upsert([replace(ticket, observed_at=made.now())], finish=made.desk.finished)
    return made


@asynccontextmanager
async def acting(room: Room, action: str) -> AsyncIterator[tuple[Pilot[None], list[str]]]:
    """An action on rt:1 as the console carries it out."""
    told: list[str] = []
    desk = room.desk
    running = Running(desk, Planner(desk), Performer(desk), Sync(desk))

    def tell(text: str, role: str = "text") -> None:
        told.append(text)

    carries = Acting(
        room.app, running, Drafts(desk.state_dir), tell=tell, flying=lambda n: None, doing=lambda what: None
    )
    async with shown(room) as pilot:
        room.app.run_worker(carries.run(BY_NAME[action], ("rt:1",), None))
        yield pilot, told


async def dialog(pilot: Pilot[None], words: str) -> str:
    """The text of a dialog that stands there and takes keys."""
    await until_text(pilot, words)
    while not (isinstance(pilot.app.screen, Dialog) and pilot.app.focused is not None):
        await pilot.pause()
    return text(pilot.app)


def entry(pilot: Pilot[None], name: str) -> Input:
    return pilot.app.screen.query_one(f"#field-{name}").query_one(Input)


async def test_a_proposal_fills_in_where_to_and_why_and_the_refused_text_stays(room: Room) -> None:
    async with acting(room, "escalate") as (pilot, told):
        said = await dialog(pilot, "Escalate: ")
        assert entry(pilot, "to").value == "L2 (Tier 2)"
        assert entry(pilot, "reason").value == "it has been in L1 since 2026-11-24 01:10Z, longer than 1h"
        assert "read by: Priya, Tom; a board move wakes nobody: call Priya 555 1" in " ".join(said.split())
        await pilot.press("ctrl+g")
        said = await dialog(pilot, "can't leave L1 yet")
        assert "under What was tried" in " ".join(said.split())
        words = pilot.app.screen.query_one(TextArea)
        assert entry(pilot, "to").value in ("L2 (Tier 2)", "tier:2")
        words.text = words.text.replace(
            "## What was tried\n", "## What was tried\n\nRestarted the spooler twice\n"
        )
        await pilot.press("ctrl+g")
        await dialog(pilot, "this will happen")
        await pilot.press("enter")
        await dialog(pilot, "A board move wakes nobody")
        assert entry(pilot, "whom").value == "Priya"
        await pilot.press("tab", "tab", *"voi", "ctrl+g")
        await dialog(pilot, "this will happen")
        await pilot.press("enter")
        while len(told) < 2:
            await pilot.pause()
    moved, called = room.rt.written
    assert isinstance(moved, Update)
    assert isinstance(called, Update)
    assert (moved.queue, called.queue) == ("Tier 2", None)
    assert (moved.text or "").startswith(
        "ESCALATION (mspterm): L1 Service Desk -> L2 Tier 2\nWhy: it has been"
    )
    assert (called.text or "").startswith("CALL (mspterm): Priya, at 555 1: VOICEMAIL.")


async def test_a_vendor_s_number_and_contract_are_shown_and_its_case_is_asked(room: Room) -> None:
    async with acting(room, "escalate") as (pilot, _):
        await dialog(pilot, "Escalate: ")
        await pilot.press(*"vendor")
        await until_text(pilot, "call Dell 555 7, contract PS-77")
        await pilot.press("tab", "tab", *"C-9", "escape")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_ticket_shows_what_is_proposed_its_path_and_whether_to_verify(
    room: Room, size: tuple[int, int]
) -> None:
    up, call = (
        move_line("L1 Service Desk", "L2 Tier 2", down=False),
        call_line("Priya", "1", "busy", room.now()),
    )
    notes: list[Any] = [note("8", "internal", up, hours=0.5), note("9", "internal", call, hours=0.25)]
    room.rt.details["1"] = detail(room.rt, "1", *notes)
    async with shown(room, TicketScreen(room.desk, "rt:1"), size=size) as pilot:
        said = " ".join((await until_text(pilot, "called Priya: busy")).split())
    assert "escalate to L2? it has been in L1 since 2026-11-24 01:10Z, longer than 1h" in said
    assert "the agreement excludes incident; billable at USD 225, needs the OK of Sam (555 8)" in said
    assert "path L1 Service Desk" in said
    assert "→ L2 Tier 2" in said
    assert "account work (ticket): verify the caller first (Y)" in said


def test_the_row_s_mark_comes_at_its_instant_and_the_row_wakes_for_it() -> None:
    now, layout = 1_790_000_000.0, layout_for(120, 1)
    ticket = replace(row(1, now), escalate_at=now + 60, pending=0, due=None, customer_replied_at=None)

    def marks(at: float) -> str:
        return render(ticket, line_for(ticket, at), layout, load_theme("dark").roles).text[14:18]

    assert changes_in(replace(ticket, updated_at=now - 100_000), layout, now) == 60
    assert (marks(now + 59), marks(now + 60)) == ("    ", "   e")
    assert not line_for(ticket, now + 60).only_ticked(line_for(ticket, now + 59))
