"""Whether a process still lives: a lock that the kernel lets go of when it ends, however it ends."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from pathlib import Path

from mspterm.config.locked import take

LEFT_OVER_S = 86_400


class Presence:
    """This process among the mspterms that share a state directory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._handle: int | None = None
        # A pid is given out again: by the random part a new process never passes for a dead one.
        self._token = f"{os.getpid()}-{secrets.token_hex(4)}"

    def token(self) -> str:
        """The name under which this process is known to live, from the first call on."""
        if self._handle is None:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._sweep()
            self._handle = take(self._folder / self._token)
        return self._token

    def lives(self, token: str) -> bool:
        """Whether the process of this name has not ended."""
        path = self._folder / token
        # Looked for first: taking the lock would make the file of a process that is long gone.
        if token == self._token or not path.exists():
            return token == self._token
        handle = take(path)
        if handle is None:
            return True
        self._remove(token, handle)
        return False

    def close(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            self._remove(self._token, handle)

    def _remove(self, token: str, handle: int) -> None:
        """Lets go of a lock and its file. Never raises: what is left of it is swept up later."""
        # First, as Windows deletes nothing that is open. Who takes the file before it is gone finds nobody
        # alive, as is right, and deletes it as well: the name is never used again.
        with contextlib.suppress(OSError):
            os.close(handle)
        with contextlib.suppress(OSError):
            (self._folder / token).unlink()

    def _sweep(self) -> None:
        """Files of processes that were killed long ago."""
        for path in self._folder.iterdir():
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > LEFT_OVER_S:
                    # By its lock, not by its age alone: a console may have been open for days.
                    self.lives(path.name)
