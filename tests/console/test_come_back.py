"""Leave and come back: what survives an end of any kind, and what quietly falls back."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mspterm.config.model import Console
from mspterm.console.drafts import Drafts
from mspterm.console.opened import OpenedTicket
from mspterm.console.place import KEEP_S, Place, PlaceFile
from mspterm.domain.row import StatusClass
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
LEFT = Place("mine", "printer", "updated", "rt:4", ("rt:10", "rt:4"))


def left(folder: Path, place: Place = LEFT, ago: timedelta = timedelta(minutes=1)) -> Path:
    PlaceFile(folder).write(place, NOW - ago)
    return folder


async def test_view_filter_sort_cursor_and_marks_come_back_and_are_said(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), left(tmp_path))) as (app, pilot):
        await until(pilot, app, "as left at")
        tabs, facts = screen_lines(app)[:2]
        assert "[2 Mine" in tabs
        assert "Esc undoes" in facts
        assert "/ printer" in facts
        assert "2 marked" in facts
        assert facts.endswith("by updated")
        assert app.main.queue.cursor_ref == "rt:4"
        assert app.main.targets() == ("rt:10", "rt:4")


async def test_escape_undoes_it_step_by_step(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), left(tmp_path))) as (app, pilot):
        await until(pilot, app, "as left at")
        await pilot.press("escape")
        assert app.main.queue.selected == frozenset()
        await pilot.press("escape")
        await pilot.pause()
        assert not app.main.filter_bar.filter.terms
        assert "as left at" in screen_lines(app)[1]
        await pilot.press("escape")
        await pilot.pause()
        assert "[6 All" in screen_lines(app)[0]
        assert screen_lines(app)[1] == " 12 tickets  by due and priority"


async def test_what_is_used_is_written_down_and_comes_back(tmp_path: Path) -> None:
    store = filled(tmp_path)
    async with console(session(store, tmp_path)) as (app, pilot):
        await pilot.press("2", "o", "/", *"harb", "enter", "space", "enter")
        await until(pilot, app, "#")
        assert isinstance(app.screen, OpenedTicket)
        opened = app.screen.ref
        # No end at all, as after SIGKILL: what stands on disk is what comes back.
        await pilot.pause(KEEP_S + 0.3)
        found = PlaceFile(tmp_path).read(NOW, 12)
    assert found is not None
    assert found.place == Place("mine", "harb", "due", opened, found.place.marked, (opened,))
    assert len(found.place.marked) == 1
    async with console(session(store, tmp_path)) as (app, _):
        assert isinstance(app.screen, OpenedTicket)
        assert app.screen.ref == opened


async def test_an_idle_console_writes_nothing(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (_, pilot):
        await pilot.pause(KEEP_S + 0.3)
        assert not PlaceFile(tmp_path).path.exists()


async def test_a_signal_keeps_what_was_open_and_a_quit_does_not(tmp_path: Path) -> None:
    store = filled(tmp_path)
    for status, opened in ((129, ("rt:1",)), (0, ())):
        PlaceFile(tmp_path).path.unlink(missing_ok=True)
        async with console(session(store, tmp_path)) as (app, pilot):
            await pilot.press("enter")
            await until(pilot, app, "#1 Printer")
            app.exit(return_code=status)
        found = PlaceFile(tmp_path).read(NOW, 12)
        assert found is not None
        assert found.place.open == opened


async def test_quit_keeps_the_last_second(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (_, pilot):
        await pilot.press("3", "q")
        await pilot.pause()
    found = PlaceFile(tmp_path).read(NOW, 12)
    assert found is not None
    assert found.place.view == "replied"


async def test_what_no_longer_exists_falls_back(tmp_path: Path) -> None:
    store = filled(tmp_path)
    gone = Place("night", "due:nonsense", "colour", "rt:99", ("rt:99", "rt:2"), ("rt:99", "rt:1"))
    async with console(session(store, left(tmp_path, gone))) as (app, _):
        assert app.screen is app.main
        assert "[6 All" in screen_lines(app)[0]
        assert app.main.queue.cursor_ref == "rt:1"
        assert app.main.queue.selected == {"rt:2"}
        assert app.main.sort == "default"


async def test_a_ticket_closed_meanwhile_is_no_longer_marked(tmp_path: Path) -> None:
    store = filled(tmp_path)
    store.tickets.upsert(
        [ticket(10, status_class=StatusClass.CLOSED, observed_at=NOW + timedelta(minutes=1))]
    )
    async with console(session(store, left(tmp_path))) as (app, _):
        assert app.main.queue.selected == {"rt:4"}


@pytest.mark.parametrize(("hours", "ago"), [(12, 13), (0, 0.01)])
async def test_longer_ago_or_not_wanted_it_opens_as_ever(tmp_path: Path, hours: int, ago: float) -> None:
    settings = replace(config(), console=Console(resume_hours=hours))
    made = session(filled(tmp_path), left(tmp_path, ago=timedelta(hours=ago)), settings)
    async with console(made) as (app, _):
        assert screen_lines(app)[1] == " 12 tickets  by due and priority"


async def test_an_unreadable_file_is_told_and_ignored(tmp_path: Path) -> None:
    PlaceFile(tmp_path).path.write_text("{half")
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        await until_told(pilot, app, "it starts afresh")
        assert "[6 All" in screen_lines(app)[0]


async def test_unsent_text_is_on_disk_while_it_is_typed_and_told_at_the_next_start(tmp_path: Path) -> None:
    store = filled(tmp_path)
    async with console(session(store, tmp_path), (100, 30)) as (app, pilot):
        await pilot.press("n")
        await until(pilot, app, "Send (ctrl+g)")
        await pilot.press(*"half a thought")
        for _ in range(200):
            if Drafts(tmp_path).find("note", ["rt:1"]) == "half a thought":
                break
            await pilot.pause(0.02)
        assert Drafts(tmp_path).find("note", ["rt:1"]) == "half a thought"
    made = session(store, tmp_path, clock=time.time)
    async with console(made) as (app, pilot):
        told = await until_told(pilot, app, "Unsent text is kept")
        assert told == "Unsent text is kept: Note rt:1. The same action there brings it back."


async def test_plain_start_says_nothing_of_it(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), left(tmp_path, Place("all")))) as (app, _):
        assert "as left at" not in screen_text(app)
        assert [text for _, text, _ in app.messages if "kept" in text] == []
