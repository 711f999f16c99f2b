"""The queue as a person sees and drives it."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mspterm.config.model import Config, View
from mspterm.domain.text import SafeText
from mspterm.store.store import Store
from tests.console.console_desk import (
    DEAD,
    NOW,
    Hands,
    config,
    console,
    filled,
    screen_lines,
    screen_text,
    secrets,
    session,
    ticket,
    until,
)

__all__ = ["secrets"]
pytestmark = pytest.mark.usefixtures("secrets")


async def test_queue_is_at_least_15_rows_high_at_80x24(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path, 40), tmp_path)) as (app, _):
        shown = [row for row in screen_lines(app) if "prints blank" in row]
        assert len(shown) >= 15
        assert len(screen_lines(app)) == 24


async def test_opens_on_all_with_counts_in_due_order(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, _):
        top = screen_lines(app)[0]
        assert "[6 All 12]" in top
        assert "2 Mine 4" in top
        assert "4 Unassigned 4" in top
        assert [r.number for r in app.main.queue.rows][:3] == ["1", "2", "3"]


async def test_number_keys_and_tab_change_the_view(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        await pilot.press("2")
        assert {r.assignee_id for r in app.main.queue.rows} == {"ines"}
        assert "[2 Mine 4]" in screen_lines(app)[0]
        await pilot.press("tab")
        assert "[3 Replied 0]" in screen_lines(app)[0]
        assert "No ticket in Customer replied; 12 in All." in screen_text(app)
        await pilot.press("[", "[")
        assert "[1 Fire 1]" in screen_lines(app)[0]


async def test_filter_narrows_while_typing_and_escape_drops_it(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        await pilot.press(*"/client:oak")
        assert {r.client for r in app.main.queue.rows} == {"Oakline Manufacturing"}
        await pilot.press("escape")
        assert len(app.main.queue.rows) == 12
        assert app.main.queue.has_focus


async def test_filter_kept_with_enter_is_shown_and_dropped_by_escape(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        await pilot.press(*"/owner:me", "enter")
        assert screen_lines(app)[1].startswith(" 4 of 12  / owner:me")
        await pilot.press("escape")
        assert screen_lines(app)[1].startswith(" 12 tickets")


async def test_wrong_field_is_told_beside_the_filter_and_the_last_filter_holds(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        await pilot.press(*"/client:oak")
        app.main.filter_bar.query_one("#text").value = "client:oak clint:x"  # type: ignore[attr-defined]
        await pilot.pause()
        assert "There is no field clint:; did you mean client:?" in screen_lines(app)[2]
        assert len(app.main.queue.rows) == 4


async def test_filtered_to_nothing_says_which_filter(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        await pilot.press(*"/zebra", "enter")
        assert '/ No ticket of All matches: "zebra". Esc drops the filter.' in screen_text(app)


async def test_marks_survive_a_filter_that_hides_them(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        await pilot.press("space", "space", *"/client:oak", "enter")
        assert "* 2 marked, 2 of them hidden" in screen_lines(app)[1]
        assert app.main.targets() == ("rt:1", "rt:2")
        await pilot.press("escape")
        assert app.main.queue.selected == frozenset()
        assert len(app.main.queue.rows) == 4


async def test_mark_all_marks_what_the_filter_shows(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        await pilot.press(*"/client:oak", "enter", "A")
        assert len(app.main.queue.selected) == 4


async def test_sort_goes_round(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        await pilot.press("o", "o", "o", "o")
        assert "by created" in screen_lines(app)[1]
        await pilot.press("o")
        clients = [r.client for r in app.main.queue.rows]
        assert clients == sorted(clients, key=str)


async def test_change_by_another_process_appears_with_the_mark_for_new(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        await pilot.press("m")
        other = Store(tmp_path)
        other.tickets.upsert([ticket(99, summary=SafeText("Ransomware note found"), observed_at=NOW)])
        text = await until(pilot, app, "Ransomware note found")
        assert "[6 All 13]" in text
        assert "+ 1 new" in text
        await pilot.press("m")
        assert "new" not in screen_lines(app)[1]


async def test_what_is_gone_leaves_the_queue(tmp_path: Path) -> None:
    store = filled(tmp_path)
    async with console(session(store, tmp_path)) as (app, pilot):
        Store(tmp_path).tickets.gone(["rt:5"])
        await until(pilot, app, "[6 All 11]")
        assert "Printer 5 " not in screen_text(app)


async def test_time_alone_sets_a_ticket_on_fire(tmp_path: Path) -> None:
    clock = Hands()
    async with console(session(filled(tmp_path), tmp_path, clock=clock)) as (app, pilot):
        assert "1 Fire 1" in screen_lines(app)[0]
        assert app.session.board.next_instant() == (NOW + timedelta(hours=1)).timestamp()
        clock.at = NOW + timedelta(hours=1, minutes=1)
        app.main.pass_time()
        await pilot.pause()
        assert "1 Fire 2" in screen_lines(app)[0]


async def test_loading_and_failed_do_not_look_alike(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        slow = replace(DEAD, url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        loading = session(Store(tmp_path / "a"), tmp_path, config(rt=slow))
        async with console(loading) as (app, pilot):
            assert "... Asking rt for the queue ..." in await until(pilot, app, "Asking rt for")
            assert "rt asking..." in screen_lines(app)[-2]
    async with console(session(Store(tmp_path / "b"), tmp_path)) as (app, pilot):
        assert "! No connection to 127.0.0.1:1;" in await until(pilot, app, "No connection to")
        assert "! rt offline, no data, again " in screen_lines(app)[-2]


async def test_no_connection_configured_says_what_to_do(tmp_path: Path) -> None:
    async with console(session(Store(tmp_path), tmp_path, Config())) as (app, _):
        assert "= No connection is configured. `mspterm init` sets one up." in screen_text(app)


async def test_views_of_the_config_are_tabs_and_a_bad_one_is_told(tmp_path: Path) -> None:
    views = (View("oak", "Oakline", "client:oak"), View("bad", "Bad", "clint:x"))
    async with console(session(filled(tmp_path), tmp_path, config(views=views)), (120, 24)) as (app, pilot):
        assert "7 Oakline 4" in screen_lines(app)[0]
        assert "Bad" not in screen_lines(app)[0]
        assert any("[views.bad] filter:" in text for _, text, _ in app.messages)
        await pilot.press("7")
        assert len(app.main.queue.rows) == 4


@pytest.mark.parametrize(
    ("size", "below", "beside"),
    [((80, 24), False, False), ((120, 40), True, False), ((200, 50), False, True)],
)
async def test_layout_by_size(tmp_path: Path, size: tuple[int, int], below: bool, beside: bool) -> None:
    async with console(session(filled(tmp_path), tmp_path), size) as (app, pilot):
        body = app.main.query_one("#body")
        assert (body.has_class("below"), body.has_class("beside")) == (below, beside)
        if below or beside:
            assert "Enter opens it" in await until(pilot, app, "Enter opens it")
            assert any("#1 Printer 1" in row for row in screen_lines(app))


async def test_small_terminal_still_has_rows_and_keys(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path), (60, 16)) as (app, _):
        lines = screen_lines(app)
        assert sum("Printer" in row for row in lines) >= 10
        assert "[6 All 12]" in lines[0]
        assert "? Help" in lines[-1]


async def test_markup_in_a_subject_stays_text(tmp_path: Path) -> None:
    store = filled(tmp_path, 1)
    store.tickets.upsert([ticket(2, summary=SafeText("[/b][@click=app.quit]x[/]"), observed_at=NOW)])
    async with console(session(store, tmp_path), (120, 40)) as (app, pilot):
        await pilot.press("down")
        text = await until(pilot, app, "#2 [/b][@click")
        assert text.count("[@click=app.quit]x[/]") == 2
