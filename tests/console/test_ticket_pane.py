"""A ticket on screen: the store at once, the server after it, and no stale answer in between."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region

from mspterm.console.line_view import LineView, line, wrap
from mspterm.console.ticket_pane import TicketPane
from mspterm.console.ticket_screen import TicketScreen
from mspterm.domain.reasons import Failure, Reason
from mspterm.domain.text import clean
from tests.console.pane_app import (
    Room,
    a_room,
    attachment,
    detail,
    lines,
    note,
    shown,
    text,
    until,
    until_text,
)

MAIL = "It still prints blank pages.\n\nOn Mon, Nov 23, 2026 Ines wrote:\n> Please restart it\n> and tell me"


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return a_room(tmp_path)


def screen(room: Room, ref: str = "rt:1") -> TicketScreen:
    return TicketScreen(room.desk, ref)


async def test_paints_the_store_while_the_server_has_not_answered(room: Room) -> None:
    room.desk.store.tickets.put_detail(detail(room.rt, "1", note("5", "internal", "Checked the toner")))
    room.rt.gate = asyncio.Event()
    async with shown(room, screen(room)) as pilot:
        await until(pilot, lambda: "ticket" in room.rt.calls)
        painted = text(room.app)
        assert "#1 Ticket 1" in painted
        assert "The printer prints blank pages." in painted
        assert "Checked the toner" in painted
        room.rt.details["1"] = detail(room.rt, "1", note("6", "internal", "Toner is new"))
        room.rt.gate.set()
        await until_text(pilot, "Toner is new")


async def test_ignores_a_late_answer_about_the_ticket_before(room: Room) -> None:
    room.rt.gate = asyncio.Event()
    room.rt.details["1"] = detail(room.rt, "1", note("5", "internal", "LATE ANSWER"))
    async with shown(room, screen(room)) as pilot:
        await until(pilot, lambda: room.rt.calls.count("ticket") == 1)
        room.app.screen.query_one(TicketPane).show("rt:2")
        await until(pilot, lambda: room.rt.calls.count("ticket") == 2)
        room.rt.gate.set()
        painted = await until_text(pilot, "Description of 2")
        assert "LATE ANSWER" not in painted
        assert "#2 Ticket 2" in painted


async def test_a_failure_names_its_reason_and_keeps_what_was_known(room: Room) -> None:
    room.desk.store.tickets.put_detail(detail(room.rt, "1", note("5", "internal", "Checked the toner")))
    room.now.pass_by(minutes=12)
    room.rt.away = Failure(Reason.OFFLINE, "rt does not answer; it is tried again.", "rt")
    async with shown(room, screen(room)) as pilot:
        painted = await until_text(pilot, "! as of 10m ago: rt does not answer")
        assert "Checked the toner" in painted


async def test_the_description_is_on_screen_and_the_newest_note_comes_first(room: Room) -> None:
    room.rt.details["1"] = detail(
        room.rt,
        "1",
        note("5", "public", "We are on it", hours=3, minutes=10),
        note("6", "customer", "Any news?", hours=1),
        note("7", "system", "Owner set", hours=2),
        attachments=(attachment("page.pdf", 123_456), attachment("log.txt", None)),
    )
    async with shown(room, screen(room)) as pilot:
        await until_text(pilot, "Any news?")
        rows = lines(room.app)

        def at(words: str) -> int:
            return next(i for i, row in enumerate(rows) if words in row)

        assert at("The printer prints blank pages.") < at("Any news?") < at("Owner set") < at("We are on it")
        assert "CUSTOMER Dana Reyes" in rows[at("Any news?") - 1]
        assert "PUBLIC Dana Reyes" in rows[at("We are on it") - 1]
        assert "10 min" in rows[at("We are on it") - 1]
        assert "page.pdf (123 KB), log.txt (size unknown)" in "\n".join(rows)


async def test_the_header_says_who_how_urgent_and_by_when(room: Room) -> None:
    async with shown(room, screen(room)) as pilot:
        painted = await until_text(pilot, "Description of 1")
        assert "Dana Reyes  +1 555 0100  dana@oak.test" in painted
        assert "owner nobody" in painted
        assert "to resolution (psa), " in painted
        assert "[1] OAK-DC01 ● online" in painted
        assert lines(room.app).index("Description of 1") <= 8


async def test_folds_quotes_and_v_shows_them(room: Room) -> None:
    room.rt.details["1"] = detail(room.rt, "1", note("5", "customer", MAIL))
    async with shown(room, screen(room)) as pilot:
        painted = await until_text(pilot, "… quoted reply, 3 lines (v shows)")
        assert "Please restart it" not in painted
        await pilot.press("v")
        assert "Please restart it" in text(room.app)
        await pilot.press("v")
        assert "Please restart it" not in text(room.app)


async def test_d_and_digits_open_the_device_and_other_tickets(room: Room) -> None:
    async with shown(room, screen(room)) as pilot:
        await until_text(pilot, "Last of Oak")
        await pilot.press("d")
        await pilot.press("1")
        await pilot.press("2")
        await pilot.pause()
        assert room.app.wanted[:2] == ["mesh:OAK-DC01", "mesh:OAK-DC01"]
        assert room.app.wanted[2] in {"rt:2", "rt:3"}


async def test_a_change_in_the_list_asks_for_the_conversation_again(room: Room) -> None:
    async with shown(room, screen(room)) as pilot:
        await until_text(pilot, "Description of 1")
        later = room.now()
        changed = replace(room.rt.tickets["1"], updated_at=later, observed_at=later)
        room.rt.tickets["1"] = changed
        room.rt.details["1"] = detail(room.rt, "1", note("9", "customer", "It works again"))
        room.desk.store.tickets.upsert([changed])
        await until_text(pilot, "It works again")
        assert room.rt.calls.count("ticket") == 2


async def test_hostile_text_is_shown_as_text(room: Room) -> None:
    hostile = clean("[/b] [@click=app.bell]x[/] \x1b]52;c;QQ==\x07 \u202eevil", multiline=True)
    room.rt.tickets["1"] = replace(room.rt.tickets["1"], summary=hostile, client=hostile, status=hostile)
    room.rt.details["1"] = detail(room.rt, "1", note("5", "customer", hostile), description=hostile)
    room.desk.store.tickets.upsert([replace(room.rt.tickets["1"], observed_at=room.now())])
    async with shown(room, screen(room), size=(120, 40)) as pilot:
        painted = await until_text(pilot, "CUSTOMER")
        assert painted.count("[/b] [@click=app.bell]x[/]") >= 4
        assert "\x1b" not in painted


async def test_scrolls_and_says_how_far_it_has_been_read(room: Room) -> None:
    notes = [note(str(n), "internal", f"Note number {n}", hours=n) for n in range(1, 40)]
    room.rt.details["1"] = detail(room.rt, "1", *notes)
    async with shown(room, screen(room)) as pilot:
        await until_text(pilot, "Note number 1")
        assert " of " in lines(room.app)[0]
        await pilot.press("end")
        assert "Note number 39" in text(room.app)
        assert lines(room.app)[0].startswith("#1 Ticket 1")
        await pilot.press("home")
        assert "The printer prints blank pages." in text(room.app)


class Watched(LineView):
    """Remembers which rows were to be painted again."""

    rows: ClassVar[list[int]] = []

    def refresh(self, *regions: Region, **options: Any) -> Self:
        self.rows.extend(region.y for region in regions)
        return super().refresh(*regions, **options)


async def test_only_lines_that_differ_are_painted_again() -> None:
    class Alone(App[None]):
        def compose(self) -> ComposeResult:
            yield Watched()

    async with Alone().run_test(size=(40, 10)) as pilot:
        view = pilot.app.query_one(Watched)
        view.set_lines([line(f"row {n}") for n in range(8)])
        await pilot.pause()
        view.rows.clear()
        view.set_lines([line("another" if n == 3 else f"row {n}") for n in range(8)])
        assert view.rows == [3]


@pytest.mark.parametrize(
    ("given", "width", "rows"),
    [
        ("one two three", 9, ["one two", "three"]),
        ("  indented line that is long", 14, ["  indented", "line that is", "long"]),
        ("abcdefghijklmnop", 8, ["abcdefgh", "ijklmnop"]),
        ("日本語日本語", 8, ["日本語日", "本語"]),
        ("a\n\nb", 8, ["a", "", "b"]),
    ],
)
def test_wraps_by_cells_at_spaces(given: str, width: int, rows: list[str]) -> None:
    assert [row.rstrip() for row in wrap(given, width)] == rows
