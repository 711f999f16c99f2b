"""Every screen and dialog from 60x16 up: nothing outside the screen, the way on and the way out in view."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from mspterm.console.app import MsptermApp
from mspterm.console.bar import Bar
from mspterm.console.terminal_screen import TerminalScreen
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Contact
from tests.console.console_desk import console, filled, screen_lines, secrets, session, ticket, until
from tests.console.test_terminal_screen import Far

__all__ = ["secrets"]
pytestmark = pytest.mark.usefixtures("secrets")
SIZES = [(60, 16), (80, 24), (200, 50)]
_WIDE = SafeText("プリンター３が 白紙を出す cafe\u0301 " * 8)

OPENED: Sequence[tuple[tuple[str, ...], str, str]] = (
    # Keys, what is then on screen, and the key that leaves it.
    (("?",), "Actions", "escape"),
    (("C",), "rt", "escape"),
    (("M",), "Messages", "escape"),
    (("W",), "Why is this", "escape"),
    (("i",), "Client card", "escape"),
    ((":",), "A command", "escape"),
    (("y",), "Reference", "escape"),
    (("z",), "why not now", "escape"),
    (("n",), "Send", "escape"),
    (("u",), "Send", "escape"),
    (("e",), "Send", "escape"),
    (("N",), "Send", "escape"),
    (("enter",), "#1", "escape"),
)

_ENOUGH = ("?", ":", "u", "enter")


def clipped(widget: Widget) -> bool:
    """Whether it may stand outside because an ancestor scrolls."""
    return any(isinstance(a, Widget) and a.is_scrollable and a is not widget for a in widget.ancestors[:-2])


def misplaced(screen: Screen[Any]) -> list[str]:
    """Widgets that stick out of the screen, and bars that share a row with another."""
    shown = [w for w in screen.query("*") if w.display and w.size and not clipped(w)]
    out = [repr(w) for w in shown if not screen.region.contains_region(w.region)]
    rows = [w.region.y for w in shown if isinstance(w, Bar)]
    return out + [f"two bars in row {y}" for y in rows if rows.count(y) > 1]


def check(app: MsptermApp, where: object) -> None:
    screen, (width, height) = app.screen, app.size
    assert not misplaced(screen), where
    lines = [strip.text for strip in screen._compositor.render_strips()]
    assert len(lines) == height, where
    assert {cell_len(line) for line in lines} == {width}, where
    assert screen.focused is not None, where


def in_view(screen: Screen[Any]) -> bool:
    return screen.focused is not None and screen.find_widget(screen.focused).visible_region.area > 0


async def each(
    app: MsptermApp, pilot: Pilot[int], opened: Sequence[tuple[tuple[str, ...], str, str]]
) -> None:
    for keys, words, leave in opened:
        await pilot.press(*keys)
        await until(pilot, app, words)
        await pilot.pause()
        check(app, keys)
        await walk(app, pilot)
        await pilot.press(leave)
        await pilot.pause()
        assert app.screen is app.main, keys


async def walk(app: MsptermApp, pilot: Pilot[int]) -> None:
    """Through every field of a dialog: each is in view while it has the focus."""
    if not app.screen.query("#send"):
        return
    assert any("Cancel" in line for line in screen_lines(app))
    for _ in range(len(app.screen.focus_chain)):
        app.screen.focus_next()
        for _ in range(20):
            if in_view(app.screen):
                break
            await pilot.pause()
        assert in_view(app.screen), app.screen.focused
    check(app, "walked")


@pytest.mark.parametrize("size", SIZES)
async def test_everything_fits(tmp_path: Path, size: tuple[int, int]) -> None:
    store = filled(tmp_path, 40)
    contact = Contact(_WIDE, (SafeText("+1 555 0123"),))
    store.tickets.upsert([ticket(1, summary=_WIDE, client=_WIDE, contact=contact)])
    async with console(session(store, tmp_path), size) as (app, pilot):
        check(app, "queue")
        assert sum(" P3 " in line for line in screen_lines(app)) >= min(39, size[1] - 9)
        # The small one has all the trouble; of the others, a text, a menu, a form and a ticket.
        await each(app, pilot, OPENED if size == SIZES[0] else [o for o in OPENED if o[0][0] in _ENOUGH])
        await pilot.press("/")
        await pilot.press(*"owner:me p:")
        check(app, "filter")
        await pilot.press("escape")
        await app.push_screen(TerminalScreen(Far(recorded=True), f"{_WIDE}: mesh's terminal"))
        await pilot.pause()
        check(app, "terminal")
        assert "Ctrl+]: leave" in screen_lines(app)[0]


async def test_resizing_under_an_open_dialog(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path, 40), tmp_path), (200, 50)) as (app, pilot):
        await pilot.press("u")
        await until(pilot, app, "Send")
        for size in ((60, 16), (120, 40), (60, 16)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            check(app, size)
        await walk(app, pilot)
