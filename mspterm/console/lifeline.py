"""The process ends within seconds of a signal or of its terminal going away, whatever the loop does.

Textual leaves a terminal in disorder at SIGTERM and SIGHUP, and spins on one that has gone where
SIGHUP is ignored (reference/terminal.md 3d). Here a signal or a hang-up asks the app to exit, and a
daemon thread that needs nothing of the loop ends the process where it doesn't within the grace.
A quit has the same limit: no name server, keyring or stalled terminal holds it.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

from textual.app import App

from mspterm.console.tty import Tty

GRACE_S = 2.0
"""From being asked to exit to being ended."""
RESTORE_S = 1.0
"""A terminal that doesn't read for this long is left as it is."""
_LOOK_S = 1.0
_HANGUP = 1


def _signals(*names: str) -> frozenset[int]:
    return frozenset(getattr(signal, name) for name in names if hasattr(signal, name))


_ENDING = _signals("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGBREAK")
_AT_KEYBOARD = _signals("SIGINT", "SIGQUIT")


class Lifeline:
    """Watches over one app. `install` it before the app runs; after the first frame it gets its thread
    (a signal that comes earlier starts it)."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._tty = Tty()
        self._status: int | None = None
        self._deadline: float | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lent = False
        self._installed = False
        # A socket and not a pipe: Windows can select on nothing else.
        self._bell, self._ear = socket.socketpair()

    def install(self) -> None:
        """Take over the signals that end a process. One that was ignored (`nohup`) stays so."""
        self._installed = True
        # Python demands it for the wakeup fd: a full buffer must not hold up a signal handler.
        self._bell.setblocking(False)
        # The C-level handler writes the number here even while the main thread is stuck in C.
        signal.set_wakeup_fd(self._bell.fileno(), warn_on_full_buffer=False)
        for number in _ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._signalled)

    def after_first_frame(self) -> None:
        """Begin to watch; called in the loop. Nothing, where it is not installed (a test's pilot)."""
        if not self._installed:
            return
        self._loop = asyncio.get_running_loop()
        self._start()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """While an editor or ssh has the terminal, its Ctrl+C is not ours."""
        self._lent = True
        try:
            yield
        finally:
            self._lent = False

    def leaving(self, status: int = 0) -> None:
        """The app has begun to exit: from now on it has the grace and no longer. The first caller's
        status holds. Nothing, where it is not installed (a test's pilot)."""
        if self._installed and self._deadline is None:
            # Before the deadline, at which the thread may read it.
            self._status = status
            self._deadline = time.monotonic() + GRACE_S
            self._start()
            # Wakes the thread, which waits by the old deadline; a full buffer has woken it already.
            with suppress(BlockingIOError):
                self._bell.send(b"\0")

    @property
    def status(self) -> int | None:
        """What the process will exit with, once that is known."""
        return self._status

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        if not (self._lent and number in _AT_KEYBOARD):
            self._end(128 + number)

    def _end(self, status: int) -> None:
        """Ask the app to exit. In a signal's handler or in the watching thread."""
        # A second Ctrl+C neither shortens the grace nor starts it anew.
        if self._deadline is not None:
            return
        self.leaving(status)
        loop = self._loop
        if loop is None:
            with suppress(RuntimeError):
                loop = asyncio.get_running_loop()
        if loop is None:
            # Before the loop runs nothing has been drawn: there is nothing to put back or to ask.
            os._exit(status)
        # A closed loop: the app has ended, and the grace ends what is left.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(lambda: self._app.exit(return_code=status))

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="lifeline", daemon=True)
            self._thread.start()

    def _watch(self) -> None:
        while self._deadline is None or time.monotonic() < self._deadline:
            wait = _LOOK_S if self._deadline is None else max(0.0, self._deadline - time.monotonic())
            # Here and in the handler: Python runs that one only when the main thread gets back to bytecode.
            for number in self._heard(min(wait, _LOOK_S)):
                if number in _ENDING and not (self._lent and number in _AT_KEYBOARD):
                    self._end(128 + number)
            # Where SIGHUP is ignored nothing else tells of it, and Textual spins on the dead terminal.
            if self._deadline is None and self._tty.gone():
                self._end(128 + _HANGUP)
        self._cut()

    def _heard(self, seconds: float) -> bytes:
        ready, _, _ = select.select([self._ear], [], [], seconds)
        return self._ear.recv(64) if ready else b""

    def _cut(self) -> NoReturn:
        self._tty.put_back(RESTORE_S)
        os._exit(self._status or 0)


def run(app: App[Any], lifeline: Lifeline, *, mouse: bool = False) -> int:
    """Run the app and return its exit status.

    The loop is ours and stays open: `asyncio.run` would join every thread of the default executor, a
    lookup at a dead name server among them. `leave` the process soon after.
    """
    lifeline.install()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    app.run(loop=loop, mouse=mouse)
    # For an app that ended without `exit`: what follows it has the grace, too.
    lifeline.leaving(app.return_code or 0)
    return lifeline.status or 0


def leave(status: int) -> NoReturn:
    """End the process without joining its threads; stdout and stderr are flushed."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)
