"""Ctrl+Z in a real pty: to the shell and back, and nowhere where there is no shell."""

from __future__ import annotations

import shutil
import sys
import termios
from pathlib import Path

import pytest

from tests.console.console_desk import filled
from tests.terminal.pty_harness import Terminal, environment

ROOT = Path(__file__).resolve().parents[2]
# Job control without a person: bash goes on when its job stops, as an interactive one does.
SHELL = 'set -m; "$0" -m mspterm; echo "STOPPED $?"; read line; fg; echo "ENDED $?"'


def console(folder: Path, *argv: str) -> Terminal:
    filled(folder / "state", 6).close()
    config = folder / "config.toml"
    config.write_text('[connections.rt]\nkind = "rt"\nurl = "http://127.0.0.1:1"\n')
    env = environment(
        MSPTERM_CONFIG=str(config),
        MSPTERM_STATE_DIR=str(folder / "state"),
        MSPTERM_SECRET_RT_TOKEN="1-2-cafe0bad",
        MSPTERM_SECRET_JOURNAL_KEY="cafe0bad" * 8,
    )
    return Terminal(argv, size=(80, 24), env=env, cwd=str(ROOT))


def started(terminal: Terminal) -> list[str]:
    """The rows, at rest."""
    terminal.wait_for("[6 All 6]")
    terminal.wait_for("! rt ")
    terminal.settle(0.5)
    return terminal.lines()[2:9]


def test_ctrl_z_gives_the_shell_a_terminal_in_order_and_fg_the_console_whole(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    with console(tmp_path, bash, "-c", SHELL, sys.executable) as terminal:
        before = started(terminal)
        terminal.send("\x1a")
        terminal.wait_for("STOPPED 1")
        terminal.settle(0.2)
        assert b"\nSTOPPED" in terminal.sent[-40:]
        assert b"\x1b[?1049l" in terminal.sent[terminal.sent.rindex(b"\x1b[?1049h") :]
        local = terminal.settings()[3]
        assert local & termios.ECHO
        assert local & termios.ICANON
        terminal.send("\r")
        terminal.wait_for(lambda: terminal.lines()[2:9] == before)
        terminal.settle(0.5)
        terminal.send("q")
        terminal.wait_for("ENDED 0")


def test_where_no_shell_is_behind_it_it_stays(tmp_path: Path) -> None:
    with console(tmp_path, sys.executable, "-m", "mspterm") as terminal:
        before = started(terminal)
        terminal.send("\x1a")
        terminal.wait_for("There is no shell behind this console")
        terminal.send("j")
        terminal.settle(0.3)
        assert terminal.lines()[2:9] == before
        terminal.send("q")
        assert terminal.wait_end() == 0
