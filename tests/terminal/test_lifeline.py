"""A stuck loop, a hung thread and a crash in a real pty: the process ends and the terminal is put back.

Ends of the real console, whose loop runs, are in test_console_modes."""

from __future__ import annotations

import signal
import stat
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal.pty_harness import Terminal, environment

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 5.0
_UNDONE = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?2004l", b"\x1b[<u", b"\x1b[?7h", b"\x1b[?1004l")


class Started:
    """The queue app in a pty, with its state folder."""

    def __init__(self, folder: Path, *, ignore: tuple[signal.Signals, ...] = (), **env: str) -> None:
        self.folder = folder
        self.terminal = Terminal(
            [sys.executable, "-m", "bench.floor_app", "queue", "100"],
            size=(120, 30),
            env=environment(MSPTERM_STATE_DIR=str(folder), **env),
            cwd=str(ROOT),
            ignore=ignore,
        )
        self.terminal.wait_for("VPN drops")
        self.terminal.settle()

    def stick(self, key: str) -> None:
        self.terminal.send(key)
        self.terminal.wait_for(lambda: (self.folder / "stuck").exists())

    def assert_put_back(self) -> None:
        sent = bytes(self.terminal.sent)
        last_alt = sent.rindex(b"\x1b[?1049h")
        for sequence in _UNDONE:
            assert sequence in sent[last_alt:]
        local = self.terminal.settings()[3]
        assert local & termios.ECHO
        assert local & termios.ICANON
        assert local & termios.ISIG


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    app = Started(tmp_path)
    with app.terminal:
        yield app


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_a_signal_ends_it_with_its_status_and_the_terminal_put_back(
    started: Started, number: signal.Signals
) -> None:
    started.terminal.signal(number)
    assert started.terminal.wait_end(LIMIT_S) == 128 + number
    started.assert_put_back()


@pytest.mark.parametrize("key", ["b", "e"])
def test_a_signal_ends_it_while_the_loop_is_stuck(started: Started, key: str) -> None:
    started.stick(key)
    started.terminal.signal(signal.SIGTERM)
    assert started.terminal.wait_end(LIMIT_S) == 128 + signal.SIGTERM
    started.assert_put_back()


@pytest.mark.parametrize("ignore", [(), (signal.SIGHUP,)])
def test_it_ends_when_its_terminal_goes_away_while_the_loop_is_stuck(
    tmp_path: Path, ignore: tuple[signal.Signals, ...]
) -> None:
    app = Started(tmp_path, ignore=ignore)
    with app.terminal:
        app.stick("e")
        app.terminal.hang_up()
        assert app.terminal.wait_end(LIMIT_S) == 128 + signal.SIGHUP


def test_an_ignored_hangup_signal_stays_ignored(tmp_path: Path) -> None:
    app = Started(tmp_path, ignore=(signal.SIGHUP,))
    with app.terminal:
        app.terminal.signal(signal.SIGHUP)
        assert app.terminal.cost("\x1b[B") > 0
        assert not app.terminal.ended()


def test_quitting_waits_for_no_hung_thread(started: Started) -> None:
    started.stick("d")
    started.terminal.send("q")
    assert started.terminal.wait_end(LIMIT_S) == 0
    started.assert_put_back()


def test_an_interrupt_meant_for_the_editor_is_not_ours(started: Started) -> None:
    started.terminal.send("v")
    started.terminal.wait_for("VISITING")
    started.terminal.signal(signal.SIGINT)
    before = len(started.terminal.sent)
    started.terminal.send("\n")
    started.terminal.wait_for(lambda: b"VPN drops" in started.terminal.sent[before:])
    started.terminal.settle()
    started.terminal.send("q")
    assert started.terminal.wait_end(LIMIT_S) == 0


def test_a_crash_is_one_sentence_and_a_private_report_without_the_secret(started: Started) -> None:
    started.terminal.send("c")
    assert started.terminal.wait_end(LIMIT_S) == 1
    started.assert_put_back()
    tail = bytes(started.terminal.sent).rpartition(b"\x1b[?1004l")[2].decode()
    [report] = started.folder.glob("crash-*.txt")
    assert " ".join(tail.split()).startswith("mspterm stopped at RuntimeError.")
    assert "Traceback" not in tail
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    text = report.read_text()
    assert "RuntimeError: refused with ***" in text
    assert "tok-" not in text
