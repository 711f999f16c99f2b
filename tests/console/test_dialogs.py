"""Actions asked and confirmed: nothing is sent that wasn't meant, nothing typed is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input, TextArea
from textual.worker import Worker

from mspterm.console.dialogs import AskContext, ask
from mspterm.console.dialogs.ask import form_for
from mspterm.console.dialogs.form import FormDialog
from mspterm.console.dialogs.frame import Dialog
from mspterm.console.drafts import Drafts
from mspterm.desk.actions import BY_NAME
from mspterm.desk.planner import Planner
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import (
    Audience,
)
from mspterm.domain.handoff import HEADINGS
from mspterm.domain.reasons import Failure, Reason
from mspterm.domain.text import SafeText
from tests.console.pane_app import Room, a_room, shown, text, until, until_text

DEVICE = "mesh:OAK-DC01"


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return a_room(tmp_path)


class Asked:
    """A dialog that is open, and what it ends with."""

    def __init__(self, pilot: Pilot[None], worker: Worker[Any]) -> None:
        self.pilot = pilot
        self.worker = worker

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, words: str) -> None:
        await self.pilot.press(*words)

    async def end(self) -> Any:
        return await self.worker.wait()

    @property
    def text(self) -> str:
        return text(self.pilot.app)

    def entry(self, name: str) -> Input:
        return self.pilot.app.screen.query_one(f"#field-{name}").query_one(Input)

    @property
    def open(self) -> bool:
        return isinstance(self.pilot.app.screen, Dialog)


@asynccontextmanager
async def asking(
    room: Room, action: str, *refs: str, size: tuple[int, int] = (80, 24), **context: Any
) -> AsyncIterator[Asked]:
    async with shown(room, size=size) as pilot:
        about = AskContext(room.desk, Planner(room.desk), refs, **context)
        worker = room.app.run_worker(ask(room.app, BY_NAME[action], about))
        asked = Asked(pilot, worker)
        await until(pilot, lambda: asked.open and room.app.focused is not None)
        yield asked
        if not worker.is_finished:
            await asked.press("escape")


async def test_one_update_takes_all_of_it_in_one_go(room: Room) -> None:
    async with asking(room, "update", "rt:1") as asked:
        await until(asked.pilot, lambda: "choices" in room.rt.calls)
        await asked.type("Swapped it")
        await asked.press("tab", "tab")
        await asked.type("1h30")
        await asked.press("enter")
        await asked.type("res")
        await asked.press("enter")
        await asked.type("marc")
        await asked.press("enter", "2", "enter")
        await asked.type("tier")
        await asked.press("enter")
        await asked.type("2026-11-30T08:00Z")
        await asked.press("ctrl+g")
        assert await asked.end() == Wanted(
            text="Swapped it",
            audience=Audience.INTERNAL,
            minutes=90,
            status="resolved",
            owner="marcus",
            priority=2,
            queue="Tier 2",
            next_at=datetime(2026, 11, 30, 8, tzinfo=UTC),
        )


async def test_the_send_button_is_reached_by_tab(room: Room) -> None:
    async with asking(room, "note", "rt:1") as asked:
        await asked.type("Looked at it")
        await asked.press("tab", "tab", "enter")
        assert await asked.end() == Wanted(text="Looked at it")


async def test_the_audience_is_named_by_who_reads_it(room: Room) -> None:
    async with asking(room, "update", "rt:1") as asked:
        assert "The text is internal, read by technicians only" in asked.text
        await asked.press("tab")
        await asked.type("pub")
        await until_text(asked.pilot, "public, read by Dana Reyes <dana@oak.test>")
        await asked.press("shift+tab", "x", "ctrl+g")
        assert (await asked.end()).audience is Audience.PUBLIC


async def test_a_reply_says_that_the_client_reads_it(room: Room) -> None:
    async with asking(room, "reply", "rt:1") as asked:
        assert "public, read by Dana Reyes" in asked.text
        await asked.press("x", "ctrl+g")
        assert (await asked.end()).audience is Audience.PUBLIC


async def test_an_audience_that_the_server_does_not_have_is_not_offered(room: Room) -> None:
    async with asking(room, "update", "rt:1") as asked:
        await asked.press("tab")
        await asked.type("co-m")
        await asked.press("ctrl+g")
        assert "nothing is called co-m" in asked.text


async def test_what_cannot_be_done_stands_there_with_its_reason(room: Room) -> None:
    async with asking(room, "update", "rt:1") as asked:
        assert "not here: RT's scrips decide who gets mail" in asked.text


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        (["tab", *"zzz"], "'zzz' is no time worked"),
        ([], "Nothing is filled in yet."),
    ],
)
async def test_an_update_is_not_sent_with_anything_wrong(room: Room, keys: list[str], sentence: str) -> None:
    async with asking(room, "update", "rt:1") as asked:
        await asked.press("tab", *keys, "ctrl+g")
        assert asked.open
        assert f"! {sentence}" in asked.text


async def test_a_status_that_does_not_exist_is_refused_before_sending(room: Room) -> None:
    async with asking(room, "status", "rt:1") as asked:
        await until(asked.pilot, lambda: "choices" in room.rt.calls)
        await asked.press("ctrl+g")
        assert "Status is needed." in asked.text
        await asked.type("vanished")
        await asked.press("ctrl+g")
        assert "Status: nothing is called vanished" in asked.text
        await asked.press(*["backspace"] * 8, *"sta", "ctrl+g")
        assert await asked.end() == Wanted(status="stalled")


async def test_arrows_choose_without_typing(room: Room) -> None:
    async with asking(room, "status", "rt:1") as asked:
        await until(asked.pilot, lambda: "choices" in room.rt.calls)
        await asked.press("down", "down")
        assert asked.entry("status").value == "open"
        await asked.press("up", "ctrl+g")
        assert await asked.end() == Wanted(status="new")


async def test_with_the_server_away_the_last_known_choices_stand(room: Room) -> None:
    ticket = room.desk.store.tickets.get("rt:1")
    await Planner(room.desk).choices("rt", ticket)
    room.rt.away = Failure(Reason.OFFLINE, "rt does not answer.", "rt")
    async with asking(room, "status", "rt:1") as asked:
        await asked.type("stal")
        await asked.press("ctrl+g")
        assert await asked.end() == Wanted(status="stalled")


async def test_of_keys_typed_before_the_form_stood_there_only_letters_count(room: Room) -> None:
    async with shown(room) as pilot:
        about = AskContext(room.desk, Planner(room.desk), ("rt:1",), before=Wanted(text="kept"))
        ended: list[Any] = []

        def open_with_keys_waiting() -> None:
            room.app.push_screen(FormDialog(form_for(BY_NAME["note"], about)), ended.append)
            for key in ("d", "d", "enter", "ctrl+g", "escape"):
                room.app.post_message(events.Key(key, key if len(key) == 1 else None))

        room.app.call_later(open_with_keys_waiting)
        await until(pilot, lambda: isinstance(room.app.focused, TextArea))
        await pilot.pause()
        assert room.app.screen.query_one(TextArea).text == "ddkept"
        assert ended == []


async def test_escape_keeps_the_text_and_says_so(room: Room) -> None:
    async with asking(room, "note", "rt:1") as asked:
        await asked.type("Half a thought")
        await asked.press("escape")
        assert await asked.end() is None
        await until_text(asked.pilot, "Your text is kept")
    assert Drafts(room.desk.state_dir).find("note", ["rt:1"]) == "Half a thought"


async def test_what_was_filled_in_before_stands_there_again(room: Room) -> None:
    before = Wanted(text="Half a thought", minutes=15, status="stalled", audience=Audience.PUBLIC, priority=2)
    async with asking(room, "update", "rt:1", before=before, problem="rt says no.") as asked:
        assert "! rt says no." in asked.text
        await asked.press("ctrl+g")
        assert await asked.end() == before


async def test_a_console_that_ends_under_an_open_form_keeps_the_text(room: Room) -> None:
    async with shown(room) as pilot:
        context = AskContext(room.desk, Planner(room.desk), ("rt:1",))
        room.app.run_worker(ask(room.app, BY_NAME["note"], context))
        await until(pilot, lambda: isinstance(room.app.screen, Dialog) and room.app.focused is not None)
        await pilot.press(*"Half")
        room.app.exit()
        await pilot.pause()
    assert Drafts(room.desk.state_dir).find("note", ["rt:1"]) == "Half"


async def test_an_escalation_brings_the_five_parts_and_where_to(room: Room) -> None:
    async with asking(room, "escalate", "rt:1", size=(100, 50)) as asked:
        draft = asked.pilot.app.screen.query_one(TextArea).text
        assert all(f"## {heading}" in draft for heading in HEADINGS.values())
        assert "OAK-DC01: online" in draft
        assert "read by technicians only" in asked.text
        await asked.type("l2")
        await asked.press("ctrl+g")
        assert await asked.end() == Wanted(to="tier:2", text=draft.strip("\n"), audience=None, release=False)


async def test_an_escalation_may_release_the_owner(room: Room) -> None:
    async with asking(room, "escalate", "rt:1") as asked:
        await asked.type("l2")
        await asked.press("tab", "tab", "tab")
        await asked.type("nob")
        await asked.press("ctrl+g")
        assert (await asked.end()).release is True


async def test_an_untouched_handoff_is_no_draft(room: Room) -> None:
    async with asking(room, "escalate", "rt:1") as asked:
        await asked.press("escape")
        await asked.end()
    assert Drafts(room.desk.state_dir).find("escalate", ["rt:1"]) is None


async def test_a_new_ticket_by_keyboard_alone(room: Room) -> None:
    async with asking(room, "new") as asked:
        await asked.type("oa")
        await asked.press("enter")
        assert asked.entry("client").value == "Oak"
        await until_text(asked.pilot, "3 open at Oak")
        await asked.type("dan")
        await asked.press("down", "enter")
        await asked.type("Printer jams")
        await asked.press("enter", "down", "ctrl+g")
        found = await asked.end()
    assert (found.client, found.contact, found.summary) == ("Oak", "Dana Reyes", "Printer jams")
    assert (found.device, found.queue) == ("rt:asset:7", "Service Desk")


async def test_a_new_ticket_for_nobody_is_not_sent(room: Room) -> None:
    async with asking(room, "new") as asked:
        await asked.press("tab", "tab", *"Jam", "ctrl+g")
        assert "Client is needed." in asked.text


async def test_a_command_goes_to_the_ticket_that_the_device_was_opened_from(room: Room) -> None:
    async with asking(room, "run", DEVICE, attach="rt:1") as asked:
        assert "OAK-DC01 of Oak" in asked.text
        assert "● online" in asked.text
        await asked.type("uname -a")
        await asked.press("ctrl+g")
        assert await asked.end() == Wanted(command="uname -a", attach="rt:1")


async def test_several_tickets_are_named_and_so_are_all_their_readers(room: Room) -> None:
    async with asking(room, "reply", "rt:1", "rt:2", "rt:3") as asked:
        assert all(f"#{n} Ticket {n}" in asked.text for n in (1, 2, 3))
        assert "read by Dana Reyes" in asked.text
        assert "read by the client" in asked.text


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40), (200, 50)])
async def test_readers_and_buttons_are_on_screen_at_every_size(room: Room, size: tuple[int, int]) -> None:
    async with asking(room, "update", "rt:1", size=size) as asked:
        assert "Send (ctrl+g)" in asked.text
        assert "read by technicians only" in asked.text


async def test_a_hostile_ticket_is_text_in_a_form_too(room: Room) -> None:
    hostile = SafeText("[/b] [@click=app.exit]x[/]")
    known = replace(room.rt.tickets["1"], summary=hostile, status=hostile, observed_at=room.now())
    room.desk.store.tickets.upsert([known])
    async with asking(room, "update", "rt:1", size=(120, 40)) as asked:
        assert f"#1 {hostile}" in asked.text
        assert f"now: {hostile}" in asked.text
