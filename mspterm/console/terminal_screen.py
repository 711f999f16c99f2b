"""A device's terminal, by its RMM, inside the console. Every key is the device's but those to
leave it and to scroll back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget

from mspterm.connectors.base import RemoteTerminal
from mspterm.console.commands import key_of, punctuation, shown
from mspterm.console.row_text import fit
from mspterm.console.vt import APPLICATION_KEYS, BRACKETED_PASTE, Vt
from mspterm.domain.reasons import Failed

_AT_ONCE = 4_096
"""Bytes drawn before keys are looked at again: a flood of output must not hold them up."""
_ARROWS = {"up": "A", "down": "B", "right": "C", "left": "D", "home": "H", "end": "F"}
_KEYS = {
    "enter": "\r", "tab": "\t", "shift+tab": "\x1b[Z", "backspace": "\x7f", "escape": "\x1b",
    "insert": "\x1b[2~", "delete": "\x1b[3~", "pageup": "\x1b[5~", "pagedown": "\x1b[6~",
    "f1": "\x1bOP", "f2": "\x1bOQ", "f3": "\x1bOR", "f4": "\x1bOS", "f5": "\x1b[15~", "f6": "\x1b[17~",
    "f7": "\x1b[18~", "f8": "\x1b[19~", "f9": "\x1b[20~", "f10": "\x1b[21~", "f11": "\x1b[23~",
    "f12": "\x1b[24~", "ctrl+space": "\0", "ctrl+@": "\0",
}  # fmt: skip


def key_bytes(key: str, character: str | None, *, application: bool) -> bytes:
    """What a terminal sends for a key; nothing for one that it has nothing for."""
    if key in _ARROWS:
        return f"\x1b{'O' if application else '['}{_ARROWS[key]}".encode()
    if key in _KEYS:
        return _KEYS[key].encode()
    *held, base = key.split("+")
    return _with_modifiers(frozenset(held), base) or (character.encode() if character else b"")


def _with_modifiers(held: frozenset[str], base: str) -> bytes:
    """As xterm sends them: a number for the modifiers of a key with a name, Ctrl as the control
    character, Alt as an escape before."""
    number = 1 + ("shift" in held) + 2 * ("alt" in held) + 4 * ("ctrl" in held)
    if held and base in _ARROWS:
        return f"\x1b[1;{number}{_ARROWS[base]}".encode()
    plain = _KEYS.get(base, "")
    if held and plain.endswith("~"):
        return f"{plain[:-1]};{number}~".encode()
    char = plain or punctuation().get(base, base)
    if "ctrl" in held and len(char) == 1 and "@" <= char.upper() <= "_":
        char = chr(ord(char.upper()) & 0x1F)
    elif "ctrl" in held:
        return b""
    return b"\x1b" + char.encode() if "alt" in held and len(char) == 1 else char.encode() if held else b""


def pasted(text: str, *, bracketed: bool) -> bytes:
    """A paste, without the escape that would end its brackets."""
    # A line ends with what Enter sends: a raw line feed is Ctrl+J to the device.
    plain = text.replace("\x1b", "").replace("\r\n", "\r").replace("\n", "\r")
    return (f"\x1b[200~{plain}\x1b[201~" if bracketed else plain).encode()


class TerminalView(Widget, can_focus=True):
    """The title in the first row, the device's screen below."""

    DEFAULT_CSS = "TerminalView { width: 1fr; height: 1fr; }"

    def __init__(self, terminal: RemoteTerminal, title: str) -> None:
        super().__init__()
        self._terminal = terminal
        self._title = title
        self.vt = Vt(80, 24)
        self.ended = False

    def on_resize(self, event: events.Resize) -> None:
        columns, rows = max(2, event.size.width), max(1, event.size.height - 1)
        # Without waiting for the device, which may take seconds to hear of it.
        self.vt.resize(columns, rows)
        if not self.ended:
            self.run_worker(self._tell_size(columns, rows), group="size", exclusive=True)
        self.refresh()

    async def _tell_size(self, columns: int, rows: int) -> None:
        try:
            await self._terminal.resize(columns, rows)
        except Failed:
            return  # the reader sees the end of it

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y == 0:
            text = self._head(width)
            return Strip([Segment(text, Style(reverse=True))]).adjust_cell_length(width, Style(reverse=True))
        cells = self.vt.row(y - 1, cursor=not self.ended)
        return Strip(cells).adjust_cell_length(width).apply_style(self.rich_style)

    def _head(self, width: int) -> str:
        """The way out is never what is cut."""
        leave = "Enter: back" if self.ended else f"{shown(key_of(self.app, 'leave_terminal'))}: leave"
        return f" {fit(self._title, max(1, width - len(leave) - 3))} {leave} "

    def redraw(self, rows: Iterable[int]) -> None:
        self.refresh(*(Region(0, row + 1, self.size.width, 1) for row in rows))

    async def follow(self) -> None:
        """Draws what comes until the session ends."""
        note = "The session has ended."
        try:
            while data := await self._terminal.read():
                for start in range(0, len(data), _AT_ONCE):
                    self.redraw(self.vt.feed(data[start : start + _AT_ONCE]))
                    await asyncio.sleep(0)
        except Failed as error:
            note = error.failure.sentence
        self.ended = True
        # Its last attributes may be black on black.
        self.redraw(self.vt.feed(f"\x1b[0m\r\n[{note}]\r\n".encode()))
        self.refresh()

    async def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        # Not by any key: what is typed into the last moment of a session must not close its end unread.
        if self.ended and event.key in ("enter", "escape"):
            self.screen.dismiss(None)
        elif not self.ended:
            application = self.vt.has(APPLICATION_KEYS)
            await self._send(key_bytes(event.key, event.character, application=application))

    async def on_paste(self, event: events.Paste) -> None:
        event.stop()
        if not self.ended:
            await self._send(pasted(event.text, bracketed=self.vt.has(BRACKETED_PASTE)))

    async def _send(self, data: bytes) -> None:
        try:
            if data:
                await self._terminal.write(data)
        except Failed:
            return  # the reader sees the end of it


class TerminalScreen(ModalScreen[None]):
    """Over everything, so that no key of the console's is heard."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+right_square_bracket", "leave", "Leave", priority=True, id="terminal.leave"),
        Binding("shift+pageup", "page(-1)", "Scroll up", priority=True, id="terminal.up"),
        Binding("shift+pagedown", "page(1)", "Scroll down", priority=True, id="terminal.down"),
    ]

    def __init__(self, terminal: RemoteTerminal, title: str) -> None:
        super().__init__()
        self.view = TerminalView(terminal, f"{title}   RECORDED there" if terminal.recorded else title)

    def compose(self) -> ComposeResult:
        yield self.view

    def on_mount(self) -> None:
        self.view.focus()
        # Without the terminal's end here: whoever pushed the screen closes it, however this one ends.
        self.run_worker(self.view.follow())

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_page(self, step: int) -> None:
        self.view.redraw(self.view.vt.page(step))
