"""The real console in every kind of terminal, and at every kind of end, with a filled store."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import sys
import termios
from collections.abc import Iterator
from dataclasses import replace
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
CONSOLE = [sys.executable, "-m", "mspterm"]
LIMIT_S = 5.0
SMALL, LARGE = (80, 24), (200, 50)
UNDONE = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?2004l", b"\x1b[<u", b"\x1b[?7h", b"\x1b[?1004l")
_SGR = re.compile(rb"\x1b\[([0-9;]*)m")
_AGE = re.compile(r" rt (now|\d+[sm])")


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home whose store holds COUNT tickets of a server that still answers."""
    rt = FakeRt()
    rt.add(*(_ticket(number) for number in range(1, COUNT + 1)))
    with RtServer(rt) as server:
        home = Home(tmp_path_factory.mktemp("home")).write(RT.format(url=server.url))
        assert home.run("tickets").returncode == 0
        yield home


@pytest.fixture
def filled(stored: Home, tmp_path: Path) -> Home:
    """The same for one console alone: the next one would come back to where it was left."""
    return _copied(stored, tmp_path)


def _copied(home: Home, to: Path) -> Home:
    return replace(home, path=Path(shutil.copytree(home.path, to, dirs_exist_ok=True)))


def _ticket(number: int) -> dict[str, Any]:
    """One that no other has to do with: no two make a group."""
    client = [{"id": "2", "name": "Client", "values": [f"Client {number}"]}]
    at = iso(NOW - number * timedelta(hours=1))
    return row(number, Subject=f"Paper order ({number})", CustomFields=client, Created=at, LastUpdated=at)


def opened(
    home: Home,
    size: tuple[int, int] = SMALL,
    *,
    ignore: tuple[signal.Signals, ...] = (),
    argv: list[str] | None = None,
    **env: str,
) -> Terminal:
    terminal = Terminal(argv or CONSOLE, size=size, env=home.env(**env), ignore=ignore)
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


COLOURS_8 = {*map(str, range(30, 38)), "39", *map(str, range(40, 48)), "49"}
TERMS: dict[str, tuple[str, set[str]]] = {
    "xterm-256color": ("truecolor", {"38;2", "48;2"}),
    "tmux-256color": ("", {"38;5", "48;5"}),
    "screen": ("", COLOURS_8),
    "linux": ("", COLOURS_8),
    "vt100": ("", set()),
}
"""TERM to COLORTERM and the colour codes that its terminfo has (`infocmp -1 TERM`); 39 and 49 undo them."""
ATTRIBUTES = {"0", "1", "2", "4", "7"}
"""What the least of them show beside colours: bold, faint, underlined, reversed."""
CASES = [(term, no_color) for no_color in ("", "1") for term in TERMS]
ENDS = ("quit", "SIGTERM", "SIGHUP", "exception")
WALK = ("j ", "?", "\x1b", ":", "\x1b", "\r", "\x1b")

# An exception of any kind inside of the running app, with a secret in its text.
_RAISES = """
import os
from mspterm.console.app import MsptermApp
def key_f12(self):
    raise RuntimeError("refused with " + os.environ["MSPTERM_SECRET_RT_TOKEN"])
MsptermApp.key_f12 = key_f12
from mspterm.main import main
import sys
sys.argv = ["mspterm"]
main()
"""


def first_screen(terminal: Terminal, size: tuple[int, int]) -> str:
    """At rest, as text, without its age: from a start of this size, or once it has been made so."""
    if terminal.size != size:
        terminal.resize(*size)
    terminal.wait_for(lambda: f"({COUNT})" in terminal.lines()[3] and _is_known(terminal))
    if size == LARGE:
        terminal.wait_for("Enter opens it and asks")
    terminal.settle(0.15)
    assert sum("Paper order" in line for line in terminal.lines()) >= size[1] - 8
    return _AGE.sub(" rt", terminal.text())


def _is_known(terminal: Terminal) -> bool:
    """Who acts, and with that what they may do."""
    *_, status, keys = terminal.lines()
    return "as Ines" in status and "(c " not in keys


def end(terminal: Terminal, how: str) -> None:
    """Ends it, and looks at what is left: within LIMIT_S, its status, and the terminal as it was."""
    if how == "quit":
        terminal.send("q")
        status = 0
    elif how == "exception":
        terminal.send("\x1b[24~")
        status = 1
    else:
        terminal.signal(signal.Signals[how])
        status = 128 + signal.Signals[how]
    assert terminal.wait_end(LIMIT_S) == status
    assert_put_back(terminal)


@pytest.mark.parametrize(
    ("term", "no_color", "how"), [(*case, ENDS[n % len(ENDS)]) for n, case in enumerate(CASES)]
)
def test_the_first_screen_its_colours_and_its_end(
    filled: Home, expected: dict[tuple[int, int], str], term: str, no_color: str, how: str
) -> None:
    """Each TERM with colour and without, at both sizes, and each end over several of them."""
    colorterm, extended = TERMS[term]
    start, other = (SMALL, LARGE) if no_color else (LARGE, SMALL)
    argv = [sys.executable, "-c", _RAISES] if how == "exception" else None
    with opened(filled, start, argv=argv, TERM=term, COLORTERM=colorterm, NO_COLOR=no_color) as terminal:
        for size in (start, other):
            assert first_screen(terminal, size) == expected[size]
        for keys in WALK:
            terminal.cost(keys, 0.15)
        assert colours(terminal) <= (set() if no_color else extended)
        assert no_color or not extended or colours(terminal)
        assert "7" in codes(terminal) or not (no_color or term == "vt100")
        if extended <= COLOURS_8:
            assert codes(terminal) - colours(terminal) <= ATTRIBUTES
        end(terminal, how)
    if how == "exception":
        [report] = (filled.state / "crash").iterdir()
        assert "RuntimeError: refused with ***" in report.read_text()


@pytest.fixture(scope="module")
def expected(stored: Home, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[int, int], str]:
    """Both sizes of the first screen as a truecolor xterm shows them, each from a start of its own."""
    found = {}
    for size in (SMALL, LARGE):
        home = _copied(stored, tmp_path_factory.mktemp("expected"))
        with opened(home, size) as terminal:
            found[size] = first_screen(terminal, size)
    return found


@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize(("term", "no_color"), [("dumb", ""), ("dumb", "1"), ("", "")])
def test_a_terminal_that_can_draw_nothing_gets_a_sentence(
    filled: Home, term: str, no_color: str, size: tuple[int, int]
) -> None:
    with filled.console(size, TERM=term, NO_COLOR=no_color) as terminal:
        assert terminal.wait_end() == 2
        said = " ".join(terminal.sent.decode().split())
        assert said.startswith(f"mspterm: The console can't be drawn on TERM={term or 'unset'}")
        assert "`mspterm tickets`" in said
        assert b"\x1b" not in terminal.sent


def test_a_hang_up_signal_ends_it_on_an_open_ticket_and_puts_the_terminal_back(filled: Home) -> None:
    with opened(filled, LARGE) as terminal:
        terminal.send("\r")
        terminal.wait_for("as of")
        end(terminal, "SIGHUP")


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


def test_it_ends_when_a_terminal_that_does_not_read_goes_away(filled: Home) -> None:
    with opened(filled, LARGE, ignore=(signal.SIGHUP,)) as terminal:
        terminal.send("\x1b[F\x1b[H" * 200)
        terminal.wait_stalled()
        terminal.hang_up()
        assert terminal.wait_end(LIMIT_S, reading=False) == 128 + signal.SIGHUP


def test_quitting_waits_for_no_vendor(tmp_path: Path) -> None:
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
        terminal.wait_for(lambda: "this will happen" in terminal.text() and "all of it" in terminal.text())


def test_filter_by_hand_in_a_small_terminal(filled: Home) -> None:
    with opened(filled) as terminal:
        terminal.send("/")
        terminal.wait_for(FIELDS[:20])
        terminal.send("(299)")
        terminal.wait_for(lambda: sum("Paper order" in line for line in terminal.lines()) == 1)
