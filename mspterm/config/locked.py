"""One process at a time, by a lock file: `flock` on POSIX, `msvcrt` on Windows."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        # Tries for ten seconds, then raises OSError.
        msvcrt.locking(handle, msvcrt.LK_LOCK, 1)

    def _try(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

    def _unlock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> None:
        # Not `lockf`, whose locks are a process's: two threads would share one, and any close drops it.
        fcntl.flock(handle, fcntl.LOCK_EX)

    def _try(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the lock file at `path`; waits for another process to let go of it."""
    # The file is never deleted: who waits for it would then hold a lock that no newcomer can see.
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(handle)
        yield
        _unlock(handle)
    finally:
        os.close(handle)


def take(path: Path) -> int | None:
    """The lock file at `path`, held until the handle is closed; None where another process has it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _try(handle)
    except OSError:
        os.close(handle)
        return None
    return handle
