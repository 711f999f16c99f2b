"""Keys, screens and actions of the whole console, with its one server gone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from mspterm.console.drafts import Drafts
from mspterm.domain.action import Audience, Update
from tests.console.console_desk import (
    NOW,
    config,
    console,
    filled,
    screen_lines,
    screen_text,
    secrets,
    session,
    ticket,
    until,
    until_told,
)

__all__ = ["secrets"]
pytestmark = pytest.mark.usefixtures("secrets")


async def test_q_and_ctrl_c_leave_the_queue(tmp_path: Path) -> None:
    for key in ("q", "ctrl+c"):
        async with console(session(filled(tmp_path / key), tmp_path / key)) as (app, pilot):
            await pilot.press(key)
            await pilot.pause()
            assert app.return_value == 0


async def test_quitting_while_a_write_is_on_its_way_asks(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        app.session.in_flight = 1
        await pilot.press("q")
        text = await until(pilot, app, "Leave")
        assert "it will be listed as uncertain" in text
        await pilot.press("escape")
        assert app.return_value is None
        await pilot.press("q", "down", "enter")
        await pilot.pause()
        assert app.return_value == 0


async def test_quitting_under_an_open_session_asks(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path), (120, 24)) as (app, pilot):
        app.session.sessions = 1
        app.look()
        assert "1 on devices" in screen_lines(app)[-2]
        await pilot.press("q")
        text = await until(pilot, app, "Leave?")
        assert "1 session on devices still open" in text
        assert "its end doesn't reach the journal" in text
        await pilot.press("enter")
        assert app.return_value is None


async def test_alarm_where_more_is_on_fire_and_for_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("STY", raising=False)
    store = filled(tmp_path)
    async with console(session(store, tmp_path)) as (app, pilot):
        sent: list[str] = []
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", sent.append)
        store.tickets.upsert([ticket(13, observed_at=NOW + timedelta(minutes=1))])
        app.changed()
        await until(pilot, app, "13 tickets")
        assert [s for s in sent if "\x07" in s and "]22;" not in s] == []
        store.tickets.upsert([ticket(14, priority=1, observed_at=NOW + timedelta(minutes=1))])
        app.changed()
        await until(pilot, app, "[6 All 14]")
        await pilot.pause()
        assert [s for s in sent if "\x07" in s and "]22;" not in s] == [
            # Textual rings no bell without a terminal.
            "\x1b]9;mspterm: 2 on fire\x07",
        ]


async def test_dialogs_keys_are_remapped_by_name_and_say_so(tmp_path: Path) -> None:
    settings = config(keys={"send": "ctrl+o", "cancel": "f12"})
    async with console(session(filled(tmp_path), tmp_path, settings), (120, 40)) as (app, pilot):
        await pilot.press("n")
        text = await until(pilot, app, "Send (ctrl+o)")
        assert "Cancel (f12)" in text
        await pilot.press(*"Done", "ctrl+g", "escape")
        assert app.screen.is_modal
        await pilot.press("ctrl+o")
        await until(pilot, app, "Enter or y sends")
        await pilot.press("f12")
        await until(pilot, app, "Done")
        await pilot.press("f12")
        await pilot.pause()
        assert app.screen is app.main


async def test_remapped_key_works_and_the_old_one_does_not(tmp_path: Path) -> None:
    settings = config(keys={"sort": "w", "down": "n,ctrl+n", "note": "ctrl+t"})
    async with console(session(filled(tmp_path), tmp_path, settings), (200, 24)) as (app, pilot):
        await pilot.press("o", "j")
        assert "by due and priority" in screen_lines(app)[1]
        assert app.main.queue.cursor_ref == "rt:1"
        await pilot.press("w", "n", "ctrl+n")
        assert app.main.queue.place[0] == 3
        assert screen_lines(app)[1].endswith(" by due")
        assert "Ctrl+T Note" in screen_lines(app)[-1]


async def test_swapped_keys_go_to_each_other(tmp_path: Path) -> None:
    settings = config(keys={"sort": "p", "preview": "o"})
    async with console(session(filled(tmp_path), tmp_path, settings)) as (app, pilot):
        await pilot.press("p")
        assert screen_lines(app)[1].endswith(" by due")
        assert not app.session.problems


async def test_clash_and_unknown_name_in_keys_are_told(tmp_path: Path) -> None:
    settings = config(keys={"claim": "u", "fliter": "z"})
    async with console(session(filled(tmp_path), tmp_path, settings)) as (app, _):
        told = [text for _, text, _ in app.messages]
        assert "[keys] fliter: there is no such command. Did you mean filter?" in told
        assert "[keys] claim: u is update's key already; claim keeps c." in told


async def test_read_only_says_so_and_no_action_starts(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path, read_only=True)) as (app, pilot):
        assert "READ-ONLY" in screen_lines(app)[-2]
        assert "(c Claim)" in screen_lines(app)[-1]
        await pilot.press("c")
        assert app.messages[-1][1] == "Claim: this session is read-only."
        assert app.session.store.intents.listed(app.session.now) == []


async def test_several_marked_bar_what_takes_one_ticket(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        await pilot.press("space", "space", "e")
        assert app.messages[-1][1] == "Escalate: one ticket at a time, and 2 are marked."


async def test_note_with_the_server_gone_waits_in_the_outbox(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path), (120, 40)) as (app, pilot):
        await pilot.press("n")
        await until(pilot, app, "Send (ctrl+g)")
        await pilot.press(*"Disk swapped", "ctrl+g")
        text = await until(pilot, app, "Enter or y sends")
        assert "internal, read by technicians only" in text
        await pilot.press("y")
        told = await until_told(pilot, app, "waits in the outbox")
        assert told.startswith("rt:1 note: queued. No connection to 127.0.0.1:1;")
        assert "^" in next(row for row in screen_lines(app) if "P3 1 " in row)
        listed = app.session.store.intents.listed(app.session.now)
        assert [i.state for i in listed] == ["queued"]
        write = listed[0].write
        assert isinstance(write, Update)
        assert (write.text, write.audience) == ("Disk swapped", Audience.INTERNAL)
        assert Drafts(tmp_path).find("note", ("rt:1",)) is None


async def test_claim_that_can_not_be_planned_is_told_whole(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        await pilot.press("c")
        await until_told(pilot, app, "Claim: No connection to 127.0.0.1:1;")
        assert app.session.store.intents.listed(app.session.now) == []


async def test_text_left_in_a_dialog_comes_back(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path), (120, 40)) as (app, pilot):
        await pilot.press("n")
        await until(pilot, app, "Send (ctrl+g)")
        await pilot.press(*"half a thought", "escape")
        await pilot.pause()
        await pilot.press("n")
        assert "half a thought" in await until(pilot, app, "half a thought")


async def test_confirmation_left_goes_back_to_the_text(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path), (120, 40)) as (app, pilot):
        await pilot.press("n")
        await until(pilot, app, "Send (ctrl+g)")
        await pilot.press(*"Not yet", "ctrl+g")
        await until(pilot, app, "Enter or y sends")
        await pilot.press("escape")
        text = await until(pilot, app, "ctrl+e: $EDITOR")
        assert "Not yet" in text
        assert app.session.store.intents.listed(app.session.now) == []


async def test_enter_opens_the_ticket_and_escape_comes_back(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        await pilot.press("down", "enter")
        assert "#2 Printer 2 prints blank pages" in await until(pilot, app, "#2 Printer")
        assert "Esc Back" in screen_lines(app)[-1]
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is app.main
        assert app.main.queue.cursor_ref == "rt:2"


async def test_action_in_an_opened_ticket_goes_to_it_whatever_is_marked(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path), (120, 40)) as (app, pilot):
        await pilot.press("space", "space", "enter")
        await until(pilot, app, "#3 Printer 3")
        await pilot.press("n")
        text = await until(pilot, app, "Send (ctrl+g)")
        assert "#3 Printer 3 prints blank pages, Oakline" in text
        assert "#1 Printer" not in text


async def test_palette_finds_a_command_by_its_words(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        await pilot.press(":", *"sort", "enter")
        await pilot.pause()
        assert screen_lines(app)[1].endswith(" by due")


async def test_palette_shows_why_an_action_can_not_be_done(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        await pilot.press("ctrl+p", *"reboot")
        assert "no RMM is configured" in await until(pilot, app, "no RMM is configured")


async def test_connections_screen_has_the_whole_sentence(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        await until(pilot, app, "rt offline")
        await pilot.press("%")
        text = await until(pilot, app, "Offline: No connection to 127.0.0.1:1;")
        assert "It is tried again at" in text
        await pilot.press("escape")
        assert app.screen is app.main


async def test_messages_keep_what_was_told(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        app.tell("[bold]not markup[/nor this]", "warning")
        await pilot.press("M")
        assert "[bold]not markup[/nor this]" in screen_text(app)


async def test_refresh_asks_every_connection(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        await pilot.press("R")
        assert app.messages[-1][1] == "Asking rt now."


async def test_every_screen_parses_in_sixteen_colours(tmp_path: Path) -> None:
    made = session(filled(tmp_path), tmp_path)
    async with console(made, env={"TERM": "screen"}) as (app, pilot):
        for keys in (("?", "escape"), ("C", "escape"), (":", "escape"), ("n",)):
            await pilot.press(*keys)
            await pilot.pause()
        assert "Send (ctrl+g)" in await until(pilot, app, "Send (ctrl+g)")
