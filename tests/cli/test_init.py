"""The first run as somebody types it: a real terminal, a server that answers, a file that loads."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mspterm.config.load import load, loads
from mspterm.config.salvage import salvage
from tests.connectors.fake_rt import FakeRt

assert sys.platform != "win32"

from tests.terminal.fake_rt_server import RtServer  # noqa: E402
from tests.terminal.pty_harness import Terminal  # noqa: E402

SECRET, PASSPHRASE = "1-28-cafe0badcafe0bad", "CANARY passphrase"
CANARIES = (SECRET.encode(), PASSPHRASE.encode(), b"AGE-SECRET-KEY")


@pytest.fixture
def rt() -> Iterator[RtServer]:
    with RtServer(FakeRt()) as server:
        yield server


def environment(home: Path, **more: str) -> dict[str, str]:
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TERM": "xterm-256color"}
    env |= {"MSPTERM_STATE_DIR": str(home / "state"), "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"}
    return env | more


def init(home: Path, **more: str) -> Terminal:
    argv = [sys.executable, "-m", "mspterm", "init"]
    return Terminal(argv, env=environment(home, **more), size=(200, 60))


def answer(terminal: Terminal, asked: str, typed: str) -> None:
    """Waits for a prompt that is new, and answers it."""
    terminal.wait_for(lambda: asked in terminal.text().replace("\n", " "))
    terminal.settle(0.2)
    terminal.send(typed + "\r")


def config_of(home: Path) -> Path:
    return home / ".config" / "mspterm" / "config.toml"


def test_from_nothing_to_a_config_with_a_greeting(tmp_path: Path, rt: RtServer) -> None:
    pytest.importorskip("pyrage", reason="the extra `age` is not installed")
    with init(tmp_path) as terminal:
        answer(terminal, "Keep credentials in an age file", "y")
        answer(terminal, "Passphrase of the age file", PASSPHRASE)
        answer(terminal, "The same again", PASSPHRASE)
        answer(terminal, "Which do you use?", _number(terminal))
        answer(terminal, "Its name here", "desk")
        answer(terminal, "Address of the server", rt.url)
        answer(terminal, "token (not shown)", SECRET)
        terminal.wait_for("Hello, Ines. desk answers")
        answer(terminal, "Your name, for the journal", "")
        answer(terminal, "Write ", "y")
        assert terminal.wait_end() == 0
        shown = bytes(terminal.sent)
    file = config_of(tmp_path)
    config = load(file)
    assert (config.connections["desk"].url, config.technician.name) == (rt.url, "Ines")
    text = file.read_text()
    assert text.startswith("#:schema ./config.schema.json\n")
    assert "# Seconds between polls" in text
    assert (file.parent / "config.schema.json").exists()
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    held = [p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()]
    assert not [canary for canary in CANARIES for content in (shown, *held) if canary in content]
    status = _verb(tmp_path, "auth", "test")
    assert "desk: acts as Ines" in status.stdout or "locked" in status.stderr
    _verb(tmp_path, "auth", "lock")


def test_what_fails_is_said_and_can_be_left_out(tmp_path: Path) -> None:
    env = {"MSPTERM_SECRET_RT_TOKEN": SECRET}
    with init(tmp_path, **env) as terminal:
        answer(terminal, "Keep credentials in an age file", "n")
        answer(terminal, "Which do you use?", "99")
        answer(terminal, "Numbers from 1 to", _number(terminal))
        answer(terminal, "Its name here", "rt")
        answer(terminal, "Address of the server", "http://rt.example.org")
        answer(terminal, "would send credentials in clear", "http://127.0.0.1:9")
        terminal.wait_for("[all]")
        answer(terminal, "What now?", "skip")
        assert terminal.wait_end() == 1
        assert "nothing is written" in terminal.text()
    assert not config_of(tmp_path).exists()


def test_a_credential_that_is_refused_is_all_that_is_typed_again(tmp_path: Path, rt: RtServer) -> None:
    rt.rt.before[r"GET /user/\w+"] = httpx.Response(401, json={"message": "Unauthorized"})
    with init(tmp_path) as terminal:
        answer(terminal, "Keep credentials in an age file", "n")
        answer(terminal, "Which do you use?", _number(terminal))
        answer(terminal, "Its name here", "rt")
        answer(terminal, "Address of the server", rt.url)
        answer(terminal, "token (not shown):", SECRET)
        terminal.wait_for("[credential]")
        answer(terminal, "What now?", "")
        answer(terminal, "Enter keeps what was typed", SECRET)
        terminal.wait_for("Hello, Ines. rt answers")
        answer(terminal, "Your name, for the journal", "")
        answer(terminal, "Write ", "y")
        assert terminal.wait_end() == 0
        assert terminal.text().count("Address of the server") == 1
    assert load(config_of(tmp_path)).connections["rt"].url == rt.url


def test_a_server_that_tells_nobody_s_name_is_helped(tmp_path: Path, rt: RtServer) -> None:
    with init(tmp_path, MSPTERM_SECRET_RT_TOKEN="CANARY-without-a-number") as terminal:
        answer(terminal, "Keep credentials in an age file", "n")
        answer(terminal, "Which do you use?", _number(terminal))
        answer(terminal, "Its name here", "rt")
        answer(terminal, "Address of the server", rt.url)
        answer(terminal, "My login or id there", "ines")
        terminal.wait_for("Hello, Ines. rt answers")
        answer(terminal, "Your name, for the journal", "")
        answer(terminal, "Write ", "y")
        assert terminal.wait_end() == 0
    assert load(config_of(tmp_path)).connections["rt"].me == "ines"


def test_a_broken_file_is_explained_and_what_is_good_stays(tmp_path: Path, rt: RtServer) -> None:
    file = config_of(tmp_path)
    file.parent.mkdir(parents=True)
    broken = '# mine\n[technician]\nname = "Ines"\n[console]\nthem = "x"\n[connections.old]\nkind = "rt"\nurl = "https://o.example"\n'
    file.write_text(broken)
    with init(tmp_path, MSPTERM_SECRET_RT_TOKEN=SECRET) as terminal:
        terminal.wait_for('Did you mean "theme"?')
        answer(terminal, "Do that?", "y")
        answer(terminal, "Keep credentials in an age file", "n")
        answer(terminal, "Which do you use?", _number(terminal))
        answer(terminal, "Its name here", "rt")
        answer(terminal, "Address of the server", rt.url)
        answer(terminal, "Write ", "y")
        assert terminal.wait_end() == 0
    assert set(load(file).connections) == {"old", "rt"}
    assert "# mine" in file.read_text()
    assert '# them = "x"' in file.read_text()
    assert (file.parent / "config.toml.broken").read_text() == broken


def test_a_refusal_at_the_end_leaves_the_file_as_it_was(tmp_path: Path, rt: RtServer) -> None:
    file = config_of(tmp_path)
    file.parent.mkdir(parents=True)
    file.write_text('[technician]\nname = "Ines"\n')
    with init(tmp_path, MSPTERM_SECRET_RT_TOKEN=SECRET) as terminal:
        answer(terminal, "Keep credentials in an age file", "n")
        answer(terminal, "Which do you use?", _number(terminal))
        answer(terminal, "Its name here", "rt")
        answer(terminal, "Address of the server", rt.url)
        answer(terminal, "Write ", "n")
        assert terminal.wait_end() == 1
    assert file.read_text() == '[technician]\nname = "Ines"\n'


def test_without_a_terminal_it_asks_nothing(tmp_path: Path) -> None:
    done = _verb(tmp_path, "init")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no terminal" in done.stderr


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('[console]\ntheme = "x"\nlist = [\n  1,\n', "theme"),
        ("a = \n[connections.r]\nkind = 'rt'\nurl = 'https://x.example'\n", "connections.r"),
        ("[connections.r]\nkind = 'rt'\n[connections.r.tiers]\nA = 'L1'\n[console]\nbell = true\n", "bell"),
        (
            "[connections.r]\nkind = 'rt'\nurl = 'https://x.example'\nqueues = [\n 'A',\n 1,\n]\nme = 'i'\n",
            "me =",
        ),
        ("[guard]\nmax_devices = 'many' # why\n[console]\nbell = true\n", "bell"),
        ('x = """\nopen\n', "x ="),
    ],
)
def test_salvage_keeps_what_loads(tmp_path: Path, text: str, kept: str) -> None:
    made, problems = salvage(tmp_path / "c.toml", text)
    loads(tmp_path / "c.toml", made)
    assert problems
    assert kept in made
    for line in text.splitlines():
        assert line in made


def _number(terminal: Terminal) -> str:
    """Request Tracker's in the list."""
    terminal.wait_for("Request Tracker")
    return next(line.split()[0] for line in terminal.lines() if "Request Tracker" in line)


def _verb(home: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mspterm", *argv],
        env=environment(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
