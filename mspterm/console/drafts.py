"""Texts that were written and not delivered: kept in the state directory until they are."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from mspterm.config.paths import private_dir

_PLAIN = re.compile(r"[a-z][a-z0-9]{0,30}:[A-Za-z0-9-]{1,30}")
_HASH = re.compile(r"-[0-9a-f]{12}$")
# Refs come from servers: whatever is in one, its file stays in this folder.
_ODD = re.compile(r"[^A-Za-z0-9_-]+")


class Drafts:
    """One file a ticket and action, readable by its writer only."""

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / "drafts"

    def path(self, action: str, refs: Sequence[str]) -> Path:
        """Where the text for these targets is kept."""
        exact = "+".join(refs)
        name = exact.replace(":", "_")
        if not _PLAIN.fullmatch(exact):
            # Two refs must never share a file: a text would be offered for the wrong client.
            name = f"{_ODD.sub('_', exact)[:60]}-{hashlib.sha256(exact.encode()).hexdigest()[:12]}"
        return self._folder / f"{name}.{action}.txt"

    def keep(self, action: str, refs: Sequence[str], text: str) -> Path:
        """Write it down. Raises OSError where the state directory can't be written."""
        private_dir(self._folder)
        path = self.path(action, refs)
        # A process has its own: two consoles that keep at once must not write into one another's.
        new = path.with_suffix(f".{os.getpid()}.new")
        # Private from its first byte on, whatever the umask is.
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        # Whole or not at all: a full disk leaves the text that was kept before.
        new.replace(path)
        return path

    def find(self, action: str, refs: Sequence[str]) -> str | None:
        try:
            return self.path(action, refs).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def waiting(self, since: datetime) -> list[tuple[str, str]]:
        """Action and ticket of each text kept since then, the latest first; several tickets are named
        by the beginning of the first."""
        found = []
        for path in self._folder.glob("*.txt"):
            try:
                at = path.stat().st_mtime
            except OSError:
                continue  # another console has just sent it
            if at >= since.timestamp():
                name, _, action = path.stem.rpartition(".")
                found.append((at, action, _HASH.sub(" ...", name).replace("_", ":", 1)))
        return [(action, on) for _, action, on in sorted(found, reverse=True)]

    def drop(self, action: str, refs: Sequence[str]) -> None:
        """It has been delivered, or is in the outbox."""
        self.path(action, refs).unlink(missing_ok=True)
