"""The real console in every kind of terminal, and at every kind of end, with a filled store."""

from __future__ import annotations

import re
import signal
import socket
import sys
import termios
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mspterm.console.filter_bar import FIELDS
from tests.connectors.fake_rt import NOW, FakeRt, iso, row
from tests.terminal.fake_rt_server import RtServer
from tests.terminal.pty_harness import Terminal
from tests.terminal.real_console import RT, Home

assert sys.platform != "win32"

COUNT = 300
LIMIT_S = 5.0
SMALL, LARGE = (80, 24), (200, 50)
UNDONE = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?2004l", b"\x1b[<u", b"\x1b[?7h", b"\x1b[?1004l")
_SGR = re.compile(rb"\x1b\[([0-9;]*)m")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home whose store holds COUNT tickets of a server that still answers."""
    rt = FakeRt()
    rt.add(*(_ticket(number) for number in range(1, COUNT + 1)))
    with RtServer(rt) as server:
        home = Home(tmp_path_factory.mktemp("home")).write(RT.format(url=server.url))
        assert home.run("tickets").returncode == 0
        yield home


def _ticket(number: int) -> dict[str, Any]:
    """One that no other has to do with: no two make a group."""
    client = [{"id": "2", "name": "Client", "values": [f"Client {number}"]}]
    at = iso(NOW - number * timedelta(hours=1))
    return row(number, Subject=f"Paper order ({number})", CustomFields=client, Created=at, LastUpdated=at)


def opened(
    home: Home, size: tuple[int, int] = SMALL, *, ignore: tuple[signal.Signals, ...] = (), **env: str
) -> Terminal:
    terminal = home.console(size, ignore=ignore, **env)
    terminal.wait_for(lambda: f"{COUNT} tickets" in terminal.text() and " rt " in terminal.lines()[-2])
    terminal.settle(0.15)
    return terminal


def codes(terminal: Terminal) -> set[str]:
    """Every SGR code; extended colours by their kind alone: `38;2`, `48;5`."""
    found: set[str] = set()
    for match in _SGR.finditer(bytes(terminal.sent)):
        numbers = iter(match[1].decode().split(";"))
        for code in numbers:
            if code in ("38", "48"):
                kind = next(numbers)
                code = f"{code};{kind}"
                for _ in range(3 if kind == "2" else 1):
                    next(numbers)
            found |= {code} - {""}
    return found


def colours(terminal: Terminal) -> set[str]:
    return {c for c in codes(terminal) if ";" in c or 30 <= int(c) <= 49 or 90 <= int(c) <= 107}


def assert_put_back(terminal: Terminal) -> None:
    sent = bytes(terminal.sent)
    tail = sent[sent.rindex(b"\x1b[?1049h") :]
    for sequence in UNDONE:
        assert sequence in tail
    local = terminal.settings()[3]
    assert local & termios.ECHO
    assert local & termios.ICANON
    assert local & termios.ISIG


TERMS = {
    "xterm-256color": ("truecolor", {"38;2", "48;2"}),
    "tmux-256color": ("", {"38;5", "48;5"}),
    "screen": ("", set()),
    "linux": ("", set()),
    "vt100": ("", set()),
}
"""TERM to COLORTERM and the extended colours that belong there."""


@pytest.mark.parametrize(
    ("term", "size"), [*((term, SMALL) for term in TERMS), ("xterm-256color", LARGE), ("linux", LARGE)]
)
def test_the_first_screen_in_the_colours_of_its_terminal(
    filled: Home, term: str, size: tuple[int, int]
) -> None:
    colorterm, extended = TERMS[term]
    with opened(filled, size, TERM=term, COLORTERM=colorterm) as terminal:
        assert sum("Paper order" in line for line in terminal.lines()) >= 15
        terminal.cost("j ", 0.1)
        assert {c for c in codes(terminal) if ";" in c} == extended
        assert colours(terminal)
        terminal.send("q")
        assert terminal.wait_end(LIMIT_S) == 0
        assert_put_back(terminal)


@pytest.mark.parametrize(
    ("term", "size"), [*((term, SMALL) for term in TERMS), ("xterm-256color", LARGE), ("linux", LARGE)]
)
def test_no_color_brings_no_colour_anywhere(filled: Home, term: str, size: tuple[int, int]) -> None:
    colorterm, _ = TERMS[term]
    with opened(filled, size, TERM=term, COLORTERM=colorterm, NO_COLOR="1") as terminal:
        assert sum("Paper order" in line for line in terminal.lines()) >= 15
        for keys in ("j ", "?", "\x1b", ":", "\x1b", "\r", "n"):
            terminal.cost(keys, 0.2)
        assert colours(terminal) == set()
        assert "7" in codes(terminal)


@pytest.mark.parametrize(("term", "no_color"), [("dumb", ""), ("dumb", "1"), ("", "")])
def test_a_terminal_that_can_draw_nothing_gets_a_sentence(filled: Home, term: str, no_color: str) -> None:
    with filled.console(SMALL, TERM=term, NO_COLOR=no_color) as terminal:
        assert terminal.wait_end() == 2
        said = " ".join(terminal.sent.decode().split())
        assert said.startswith(f"mspterm: The console can't be drawn on TERM={term or 'unset'}")
        assert "`mspterm tickets`" in said
        assert b"\x1b" not in terminal.sent


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_puts_the_terminal_back(filled: Home, number: signal.Signals) -> None:
    with opened(filled, LARGE) as terminal:
        terminal.send("\r")
        terminal.wait_for("as of")
        terminal.signal(number)
        assert terminal.wait_end(LIMIT_S) == 128 + number
        assert_put_back(terminal)


@pytest.mark.parametrize("ignore", [(), (signal.SIGHUP,)])
def test_it_ends_when_its_terminal_goes_away(filled: Home, ignore: tuple[signal.Signals, ...]) -> None:
    with opened(filled, ignore=ignore) as terminal:
        terminal.hang_up()
        assert terminal.wait_end(LIMIT_S) == 128 + signal.SIGHUP


def test_a_signal_ends_it_while_its_terminal_does_not_read(filled: Home) -> None:
    with opened(filled, LARGE) as terminal:
        terminal.send("\x1b[F\x1b[H" * 200)
        terminal.wait_stalled()
        terminal.signal(signal.SIGTERM)
        assert terminal.wait_end(LIMIT_S, reading=False) == 128 + signal.SIGTERM


def test_quitting_waits_for_no_vendor(filled: Home, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        home = Home(tmp_path).write(RT.format(url=f"http://127.0.0.1:{silent.getsockname()[1]}"))
        with home.console(SMALL) as terminal:
            terminal.wait_for("rt asking")
            terminal.settle(0.2)
            terminal.send("q")
            assert terminal.wait_end(LIMIT_S) == 0
            assert_put_back(terminal)


# What one write brings together, as a slow line does with fast typing


def test_what_is_typed_right_behind_the_filter_key_is_filtered_for(filled: Home) -> None:
    with opened(filled) as terminal:
        terminal.send("/(17)\r")
        terminal.wait_for(f"1 of {COUNT}")


def test_what_is_typed_right_behind_the_palette_key_is_looked_for(filled: Home) -> None:
    with opened(filled) as terminal:
        terminal.send(":connections\r")
        terminal.wait_for("Last in step")


def test_send_does_not_overtake_the_text(filled: Home) -> None:
    with opened(filled) as terminal:
        terminal.send("n")
        terminal.wait_for("Note: ")
        terminal.settle(0.2)
        terminal.send("all of it\x07")
        terminal.wait_for("this will happen")
        assert "all of it" in terminal.text()


def test_filter_by_hand_in_a_small_terminal(filled: Home) -> None:
    with opened(filled) as terminal:
        terminal.send("/")
        terminal.wait_for(FIELDS[:20])
        terminal.send("(299)")
        terminal.wait_for(lambda: sum("Paper order" in line for line in terminal.lines()) == 1)
