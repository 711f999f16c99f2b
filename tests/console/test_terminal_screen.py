"""A device's terminal in the console: keys go to the device, its output is cells of ours."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mspterm.console.session import Session
from mspterm.console.terminal_screen import TerminalScreen, key_bytes, pasted
from tests.console.console_desk import config, console, filled, screen_lines, secrets, session, until

__all__ = ["secrets"]


class Far:
    """A device: what it sends is put in `sends`, what it heard is in `heard`."""

    def __init__(self, *, recorded: bool = False) -> None:
        self.recorded = recorded
        self.sends: asyncio.Queue[bytes] = asyncio.Queue()
        self.heard = b""
        self.sizes: list[tuple[int, int]] = []

    async def read(self) -> bytes:
        return await self.sends.get()

    async def write(self, data: bytes) -> None:
        self.heard += data

    async def resize(self, columns: int, rows: int) -> None:
        self.sizes.append((columns, rows))

    async def aclose(self) -> None: ...


@pytest.fixture
def made(tmp_path: Path, secrets: None) -> Session:
    return session(filled(tmp_path), tmp_path)


async def test_output_is_drawn_and_every_key_is_the_devices(made: Session) -> None:
    far = Far(recorded=True)
    async with console(made) as (app, pilot):
        closed: list[None] = []
        await app.push_screen(TerminalScreen(far, "HVD-DC01: mesh's terminal"), closed.append)
        far.sends.put_nowait(b"\x1b]2;pwned\x07\x1b[32mC:\\>\x1b[0m ")
        await until(pilot, app, "C:\\>")
        assert "RECORDED" in screen_lines(app)[0]
        await pilot.press("d", "i", "r", "enter", "q", "c", "ctrl+c", "escape", "tab", "up", "question_mark")
        assert far.heard == b"dir\rqc\x03\x1b\t\x1b[A?"
        assert isinstance(app.screen, TerminalScreen)
        assert far.sizes[-1] == (80, 23)
        await pilot.press("ctrl+right_square_bracket")
        await pilot.pause()
        assert closed == [None]


async def test_its_own_keys_are_remapped_by_name(tmp_path: Path, secrets: None) -> None:
    far, settings = Far(), config(keys={"leave_terminal": "ctrl+q", "terminal_up": "f9"})
    async with console(session(filled(tmp_path), tmp_path, settings), (60, 16)) as (app, pilot):
        await app.push_screen(TerminalScreen(far, "HVD-DC01: a name that is longer than its room " * 2))
        far.sends.put_nowait(b"\r\n".join(b"line %d" % n for n in range(40)))
        await until(pilot, app, "line 39")
        assert screen_lines(app)[0].endswith("Ctrl+Q: leave")
        await pilot.press("ctrl+right_square_bracket", "q")
        assert far.heard == b"\x1dq"
        await pilot.press("f9")
        await until(pilot, app, "line 20")
        assert "line 39" not in "\n".join(screen_lines(app))
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert app.screen is app.main


async def test_the_end_stays_readable_until_it_is_left(made: Session) -> None:
    far = Far()
    async with console(made) as (app, pilot):
        await app.push_screen(TerminalScreen(far, "HVD-DC01"))
        far.sends.put_nowait(b"last words\r\n")
        far.sends.put_nowait(b"")
        text = await until(pilot, app, "The session has ended")
        assert "last words" in text
        await pilot.press("x")
        assert far.heard == b""
        await pilot.press("enter")
        await pilot.pause()
        assert not isinstance(app.screen, TerminalScreen)


async def test_a_resize_is_told_to_the_device(made: Session) -> None:
    far = Far()
    async with console(made) as (app, pilot):
        await app.push_screen(TerminalScreen(far, "HVD-DC01"))
        await pilot.resize_terminal(100, 30)
        for _ in range(100):
            if far.sizes[-1:] == [(100, 29)]:
                break
            await pilot.pause(0.02)
        assert far.sizes[-1] == (100, 29)


@pytest.mark.parametrize(
    ("key", "character", "application", "sent"),
    [
        ("a", "a", False, b"a"),
        ("ctrl+d", None, False, b"\x04"),
        ("up", None, True, b"\x1bOA"),
        ("f5", None, False, b"\x1b[15~"),
        ("alt+b", None, False, b"\x1bb"),
        ("é", "é", False, "é".encode()),
        ("f20", None, False, b""),
        ("ctrl+right_square_bracket", None, False, b"\x1d"),
        ("ctrl+backslash", None, False, b"\x1c"),
        ("ctrl+left", None, True, b"\x1b[1;5D"),
        ("shift+delete", None, False, b"\x1b[3;2~"),
        ("ctrl+alt+pageup", None, False, b"\x1b[5;7~"),
        ("alt+backspace", None, False, b"\x1b\x7f"),
        ("alt+full_stop", None, False, b"\x1b."),
        ("alt+enter", None, False, b"\x1b\r"),
        ("ctrl+alt+b", None, False, b"\x1b\x02"),
        ("question_mark", "?", False, b"?"),
        ("ctrl+1", None, False, b""),
    ],
)
def test_keys_as_a_terminal_sends_them(
    key: str, character: str | None, application: bool, sent: bytes
) -> None:
    assert key_bytes(key, character, application=application) == sent


def test_a_paste_cannot_end_its_own_brackets() -> None:
    assert pasted("a\nb\x1b[201~c", bracketed=True) == b"\x1b[200~a\rb[201~c\x1b[201~"
    assert pasted("a\r\nb", bracketed=False) == b"a\rb"
