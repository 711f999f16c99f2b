"""Looks for the canary in what a test leaves behind, and fails the test that shows it.

Files in the tests' folders; captured output and log; what an mspterm process prints; processes that our
code starts (at their start where it runs in this process, by a look into /proc where in another). A
process that the test itself starts is given its secrets on purpose. /proc is looked into every 25 ms:
what lives for less is not seen there, so each of our starters has an in-process test as well.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from tests.canary import WATCH, Watch

EVERY_S = 0.025

SECRETS_IN_THE_ENVIRONMENT = {
    "python": "mspterm itself, and a child of it that has not yet become another program",
    "tmux": "the server, which a test starts with a technician's environment",
}
"""Programs below a test's own process that may have secrets in their environment, and why."""


class Starts:
    """Looks at every process that our code starts in this one, and at what an mspterm process prints."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._init, self._communicate = subprocess.Popen.__init__, subprocess.Popen.communicate

    def begin(self) -> None:
        starts = self

        def init(self: Any, args: Any, *more: Any, **options: Any) -> None:
            starts.look(args, options.get("env"), sys._getframe(1))
            starts._init(self, args, *more, **options)

        def communicate(self: Any, *args: Any, **options: Any) -> Any:
            said = starts._communicate(self, *args, **options)
            if "-m mspterm" in _words(self.args):
                for name, text in zip(("stdout", "stderr"), said, strict=True):
                    starts._watch.look(text or b"", f"{name} of {_words(self.args)}")
            return said

        subprocess.Popen.__init__ = init  # type: ignore[method-assign]
        subprocess.Popen.communicate = communicate  # type: ignore[method-assign]

    def end(self) -> None:
        subprocess.Popen.__init__ = self._init  # type: ignore[method-assign]
        subprocess.Popen.communicate = self._communicate  # type: ignore[method-assign]

    def look(self, args: Any, env: Mapping[str, str] | None, frame: FrameType | None) -> None:
        self._watch.learn(env or {})
        if not _ours(frame):
            return
        words = _words(args)
        self._watch.look(words, f"argv of {words.split(' ')[0]}")
        for name, value in (os.environ if env is None else env).items():
            self._watch.look(value, f"environment of {words.split(' ')[0]}: {name}")


def _ours(frame: FrameType | None) -> bool:
    """Whether a function of mspterm's is above: it starts this, and not the test itself."""
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("mspterm."):
            return True
        frame = frame.f_back
    return False


def _words(args: Any) -> str:
    return (
        " ".join(map(os.fsdecode, args)) if isinstance(args, Iterable) and not isinstance(args, str) else args
    )


class Processes:
    """Looks at every process that is started below a child of this one, in a thread."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._below: dict[int, int] = {os.getpid(): 0}
        self._others: set[int] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="canary", daemon=True)

    def begin(self) -> None:
        self._others = {int(name) for name in os.listdir("/proc") if name.isdigit()}
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(EVERY_S):
            self.look()

    def look(self) -> None:
        """One look at all; a process stays one of ours when its parent ends before it."""
        there = {int(name) for name in os.listdir("/proc") if name.isdigit()}
        self._others &= there
        self._below = {pid: depth for pid, depth in self._below.items() if pid in there}
        for pid in sorted(there - self._others - self._below.keys()):
            depth = self._below.get(_parent(pid))
            if depth is None:
                self._others.add(pid)
            else:
                self._below[pid] = depth + 1
        for pid in [pid for pid, depth in self._below.items() if depth > 1]:
            self._look_at(Path("/proc") / str(pid))

    def _look_at(self, process: Path) -> None:
        argv = _read(process / "cmdline").split(b"\0")
        name = Path(os.fsdecode(argv[0])).name
        self._watch.look(b" ".join(argv), f"argv of {name}")
        if not name.startswith(tuple(SECRETS_IN_THE_ENVIRONMENT)):
            self._watch.look(_read(process / "environ"), f"environment of {name}")


def _read(path: Path) -> bytes:
    """Empty where the process has ended, or shows itself to nobody, as mspterm does (secrets.harden)."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _parent(pid: int) -> int:
    """0 where it has ended."""
    facts = _read(Path(f"/proc/{pid}/stat"))
    return int(facts[facts.rindex(b")") + 2 :].split()[1]) if facts else 0


class CanaryPlugin:
    """The hooks: a test that shows a secret fails as it is torn down."""

    def __init__(self, watch: Watch = WATCH) -> None:
        self._watch = watch
        self._starts = Starts(watch)
        self._processes = Processes(watch) if sys.platform == "linux" else None
        self._begun = False

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Generator[None, Any, Any]:
        if not self._begun:
            self._begun = True
            self._starts.begin()
            if self._processes is not None:
                self._processes.begin()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        for title, text in report.sections:
            self._watch.look(text, f"{title} of {report.nodeid}")
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, None, None]:
        base = item.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
        own = getattr(item, "funcargs", {}).get("tmp_path")
        if own is not None:
            self._watch.look_at_files(own, base)
        yield
        if nextitem is None:
            # What several tests shared, once the last of them is over.
            self._watch.look_at_files(base, base)
        if found := self._watch.taken():
            pytest.fail("A secret shows:\n" + "\n".join(found), pytrace=False)

    def pytest_sessionfinish(self) -> None:
        if self._begun:
            self._starts.end()
            if self._processes is not None:
                self._processes.end()
