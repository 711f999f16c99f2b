"""`mspterm demo` in a real terminal: the queue comes, and nothing of it stays, however it ends."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mspterm.config.load import load
from tests.sandbox.test_sandbox_process import refuses
from tests.terminal.pty_harness import Terminal, environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for the child in /proc")


class Demo:
    """A demo whose queue is on the screen."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        command = [sys.executable, "-m", "mspterm", "demo", "--still", *arguments]
        own = {
            "TMPDIR": str(folder),
            "MSPTERM_CONFIG": "/nowhere/user.toml",
            "MSPTERM_STATE_DIR": "/nowhere/state",
        }
        self.terminal = Terminal(command, size=(120, 30), env=environment(**own))
        self.terminal.wait_for("not reachable", timeout=60)
        (scratch,) = folder.iterdir()
        self.urls = [connection.url for connection in load(scratch / "mspterm.toml").connections.values()]
        self.child = _watched(_servers_of(scratch))

    def assert_nothing_stays(self) -> None:
        ended, _, _ = select.select([self.child], [], [], 15)
        assert ended
        assert list(self.folder.iterdir()) == []
        assert all(refuses(url) for url in self.urls)


def _watched(pid: int) -> int:
    """A descriptor that can be read once the process has ended."""
    if sys.platform == "linux":
        return os.pidfd_open(pid)
    raise NotImplementedError


def _servers_of(scratch: Path) -> int:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"mspterm.sandbox" in command and str(scratch).encode() in command:
            return int(process.name)
    raise AssertionError("the demo's servers are not there")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    started = Demo(tmp_path)
    with started.terminal:
        yield started
    os.close(started.child)


def test_it_opens_on_the_queue_without_any_configuration_and_quits(demo: Demo) -> None:
    demo.terminal.wait_for("40241")
    demo.terminal.send("q")
    assert demo.terminal.wait_end() == 0
    demo.assert_nothing_stays()


def test_nothing_stays_when_the_terminal_is_closed(demo: Demo) -> None:
    demo.terminal.hang_up()
    demo.terminal.wait_end(reading=False)
    demo.assert_nothing_stays()


def test_nothing_stays_when_it_is_killed(demo: Demo) -> None:
    demo.terminal.signal(signal.Signals(9))
    demo.terminal.wait_end()
    demo.assert_nothing_stays()


def test_it_says_why_where_there_is_no_terminal(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "mspterm", "demo"],
        env=environment(TMPDIR=str(tmp_path)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("mspterm: ")
    assert list(tmp_path.iterdir()) == []
