"""The terminal below Textual: its settings, whether it is still there, and putting it back by force.

POSIX only; elsewhere there is nothing to put back that the system doesn't.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

# In this order: end a cut synchronised update, string or sequence, then every mode that Textual's
# drivers set, in the order in which stop_application_mode undoes them, and the colours.
RESTORE = (
    "\x18\x1b\\\x1b[?2026l\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l"
    "\x1b[?1016l\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l\x1b[0m"
)

if sys.platform == "win32":

    class Tty:
        """Nothing to watch or put back."""

        def gone(self) -> bool:
            return False

        def put_back(self, seconds: float) -> None:
            pass

    def has_job_control() -> bool:
        """There are no stopped processes here."""
        return False

    def stop_group() -> None:
        """Never called."""

else:
    import select
    import signal
    import termios

    class Tty:
        """The terminal on `fd`, with its settings as they are now."""

        def __init__(self, fd: int = 0) -> None:
            self._fd = fd
            self._settings: list[Any] | None = None
            self._name: str | None = None
            try:
                self._settings = termios.tcgetattr(fd)
                # Looked up at the start: after a hang-up it has no name any more.
                self._name = os.ttyname(fd)
            except (OSError, termios.error):
                pass

        def gone(self) -> bool:
            """Whether it was a terminal and has hung up."""
            if self._settings is None:
                return False
            try:
                # Fails with EIO after a hang-up and reads nothing, so no key is taken from Textual.
                termios.tcgetattr(self._fd)
            except (OSError, termios.error):
                return True
            return False

        def put_back(self, seconds: float) -> None:
            """Write the restoring sequences and settings, taking `seconds` at most.

            By a descriptor of its own: O_NONBLOCK belongs to the open file, which the shell shares.
            """
            if self._name is None:
                return
            try:
                fd = os.open(self._name, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
            except OSError:
                return
            try:
                _write(fd, RESTORE.encode(), time.monotonic() + seconds)
                # At once: the other ways wait until a terminal has taken everything, and it may not read.
                termios.tcsetattr(fd, termios.TCSANOW, self._settings or [])
            except (OSError, termios.error):
                pass
            finally:
                os.close(fd)

    def has_job_control() -> bool:
        """Whether a shell is there to continue us: it leads the session, and we are a job of its own.
        `ssh -t HOST mspterm`, or a tmux window that runs nothing else, has none."""
        return os.getsid(0) != os.getpgrp()

    def stop_group() -> None:
        """Stop the whole job, a wrapper that waits for us among it."""
        os.kill(0, signal.SIGTSTP)

    def _write(fd: int, data: bytes, until: float) -> None:
        while data and (left := until - time.monotonic()) > 0:
            # Waits only as long as there is time: a stopped terminal never becomes writable.
            if select.select([], [fd], [], left)[1]:
                data = data[os.write(fd, data) :]
