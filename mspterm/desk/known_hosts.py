"""The host keys that were confirmed, a file for each client."""

from __future__ import annotations

import os
from pathlib import Path

from mspterm.config.paths import private_dir
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.ssh import HostKey, host_keys


class KnownHosts:
    """One client's keys, by alias. ssh reads the file, and only this writes it."""

    def __init__(self, folder: Path, client: str) -> None:
        self.path = folder / f"{client}.known_hosts"

    def of(self, alias: str) -> list[HostKey]:
        return [key for key in read_keys(self.path) if key.alias == alias]

    def add(self, key: HostKey) -> None:
        """Raises Failed where it can't be kept: then there is no session."""
        try:
            private_dir(self.path.parent)
            # Only ever added to: a key that changed is never asked about, a person takes the old line out.
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(key.line)
        except OSError as error:
            sentence = f"The host key can't be kept in {self.path} ({error.strerror}), so nothing is opened."
            raise failed(Reason.REFUSED, sentence) from error


def read_keys(path: Path) -> list[HostKey]:
    """The keys in a file, none where there is none. Raises Failed where it can't be read."""
    try:
        return list(host_keys(path.read_text(encoding="utf-8", errors="replace")))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise failed(Reason.REFUSED, f"The host keys in {path} can't be read ({error.strerror}).") from error
