"""The real program in a real pty: first frame, bytes, hostile rows, refusals, the way out."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from mspterm.domain.text import SafeText
from mspterm.store.store import Store
from tests.console.console_desk import NOW, filled, ticket
from tests.terminal.pty_harness import Terminal, environment

ROOT = Path(__file__).resolve().parents[2]
_SGR = re.compile(rb"\x1b\[([0-9;]*)m")
HOSTILE = (
    "\x1b]52;c;cHduZWQ=\x07 \x1b]8;;https://evil.example\x07x \x9b31m \x1b]0;pwned\x07"
    " \u202egpj.exe [/b][@click=app.quit]"
)


@contextmanager
def program(
    folder: Path, *arguments: str, size: tuple[int, int] = (80, 24), settings: str = "", **env: str
) -> Iterator[Terminal]:
    """`mspterm` on a filled state directory, whose one server takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        config = folder / "config.toml"
        config.write_text(f'[connections.rt]\nkind = "rt"\nurl = "http://127.0.0.1:{port}"\n{settings}')
        own = {
            "MSPTERM_CONFIG": str(config),
            "MSPTERM_STATE_DIR": str(folder / "state"),
            "MSPTERM_SECRET_RT_TOKEN": "1-2-cafe0bad",
            "MSPTERM_SECRET_JOURNAL_KEY": "cafe0bad" * 8,
        }
        argv = [sys.executable, "-m", "mspterm", *arguments]
        with Terminal(argv, size=size, env=environment(**(own | env)), cwd=str(ROOT)) as terminal:
            yield terminal


@contextmanager
def queue(folder: Path, size: tuple[int, int] = (80, 24), **env: str) -> Iterator[Terminal]:
    """The console on forty stored tickets, at rest."""
    filled(folder / "state", 40).close()
    with program(folder, size=size, **env) as terminal:
        terminal.wait_for("[6 All 40]")
        terminal.wait_for("rt ")
        terminal.settle(1.0)
        yield terminal


def test_stored_queue_is_shown_titled_and_left_with_q(tmp_path: Path) -> None:
    with queue(tmp_path) as terminal:
        assert b"\x1b]0;mspterm\x07" in terminal.sent
        assert sum("prints blank" in row for row in terminal.lines()) >= 15
        terminal.send("q")
        assert terminal.wait_end() == 0
        assert b"\x1b[?1049l" in terminal.sent


def test_ctrl_c_leaves(tmp_path: Path) -> None:
    with queue(tmp_path) as terminal:
        terminal.send("\x03")
        assert terminal.wait_end() == 0


def test_cursor_costs_a_kilobyte_and_a_half_at_200x50_with_the_preview(tmp_path: Path) -> None:
    with queue(tmp_path, (200, 50)) as terminal:
        terminal.cost("\x1b[B", quiet=1.0)
        assert 0 < terminal.cost("\x1b[B", quiet=1.0) <= 1536
        assert "#3 Printer 3" in terminal.text()


def test_standing_still_sends_nothing(tmp_path: Path) -> None:
    with queue(tmp_path) as terminal:
        # On a host under load the last of the start may come late.
        assert 0 in (terminal.settle(quiet=1.5) for _ in range(3))


def test_another_process_s_change_costs_one_row(tmp_path: Path) -> None:
    with queue(tmp_path, (200, 50)) as terminal:
        other = Store(tmp_path / "state")
        other.tickets.upsert([replace(ticket(5), summary=SafeText("Changed elsewhere"), updated_at=NOW)])
        other.close()
        before = len(terminal.sent)
        terminal.wait_for("Changed elsewhere")
        terminal.settle()
        assert len(terminal.sent) - before <= 2048


def test_hostile_row_brings_no_sequence_of_its_own_to_any_screen(tmp_path: Path) -> None:
    store = filled(tmp_path / "state", 3)
    # Straight into the store, past the connectors' cleaning: the last gate must hold alone.
    store.tickets.upsert([ticket(1, summary=SafeText(HOSTILE), client=SafeText(HOSTILE), version="2")])
    store.close()
    with program(tmp_path, size=(120, 40)) as terminal:
        terminal.wait_for("[6 All 3]")
        terminal.settle(1.0)
        for keys in ("\r", "\x1b", "C", "\x1b", "/gpj\r", "n", "\x1b"):
            terminal.cost(keys, quiet=0.6)
        for sequence in (b"\x1b]52", b"\x1b]8", b"\x1b]0;pwned", "\x9b".encode(), "\u202e".encode()):
            assert sequence not in terminal.sent
        assert not terminal.ended()


def test_theme_of_the_config_that_is_not_there_is_told(tmp_path: Path) -> None:
    with program(tmp_path, settings='[console]\ntheme = "neon"\n') as terminal:
        assert terminal.wait_end() == 2
        assert b"There is no theme 'neon'" in terminal.sent


def test_wrong_config_is_told_with_its_line(tmp_path: Path) -> None:
    with program(tmp_path, settings="colour = 1\n") as terminal:
        assert terminal.wait_end() == 2
        text = terminal.sent.decode()
        assert "config.toml:4" in text
        assert "No such key" in text


def test_options_before_the_verb_open_the_console(tmp_path: Path) -> None:
    filled(tmp_path / "other", 2).close()
    with program(tmp_path, "--read-only", "--state-dir", str(tmp_path / "other")) as terminal:
        terminal.wait_for("[6 All 2]")
        terminal.wait_for("READ-ONLY")
        terminal.settle(0.5)
        terminal.send("q")
        assert terminal.wait_end() == 0


@pytest.mark.parametrize("arguments", [("--help",), ("--version",)])
def test_help_and_version_never_import_textual(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    code = (
        "import sys\nfrom mspterm.main import main\n"
        f"sys.argv = ['mspterm', *{arguments!r}]\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'textual', 'rich', 'httpx', 'asyncio', 'keyring', 'msgspec'} & set(sys.modules)\n"
        "print('HEAVY', sorted(heavy))"
    )
    with Terminal([sys.executable, "-c", code], env=environment(), cwd=str(ROOT)) as terminal:
        assert terminal.wait_end() == 0
        assert b"HEAVY []" in terminal.sent
