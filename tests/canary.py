"""The canary of the whole suite: every secret that a test uses holds a mark, and nothing may show it.

A value without a mark, as the lab's tokens, is given to `WATCH.add`; what a process is given as
MSPTERM_SECRET_... is added by itself. `tests.canary_watch` looks at files, output, logs, terminals and
processes.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path

TEXT, HEX = "CANARY", "cafe0bad"
"""What a secret holds: letters where it may be any text, hex digits in a journal's key and a token."""

HELD_ON_PURPOSE = {
    "test_what_is_written_goes_by_s*/held": "a made-up password manager's store",
    "test_the_secret_goes_by_stdin_*/held": "a made-up kernel keyring",
    "test_what_is_copied_is_read_ba*/desk.token": "a made-up password manager's store",
    "*.toml.env": "what `sandbox --config-out` writes for a person to source",
    "test_addresses_hold_no_credent*/*.toml": "config files that are refused for the secret in them",
}
"""Files in the tests' folders that hold a secret because the test is about them, and why."""


def _in_base64(text: str) -> Iterator[str]:
    """`text` as it stands inside longer base64, at each of the three places in a group."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + text.encode()).decode()
        # A character is six bits: those at its edges hold bits of what is beside it as well.
        yield whole[-(-8 * before // 6) : 8 * (before + len(text)) // 6]


class Watch:
    """The marks, and what was found of them so far."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._told: set[str] = set()
        self._given: set[str] = set()
        self._marks = self._compiled()

    def add(self, value: str) -> None:
        """A value to look for that holds no mark of ours."""
        if len(value) >= 8 and value not in self._given:
            self._given.add(value)
            self._marks = self._compiled()

    def learn(self, environ: Mapping[str, str]) -> None:
        """The secrets that a process is given."""
        for name, value in environ.items():
            if name.startswith("MSPTERM_SECRET_"):
                self.add(value)

    def look(self, data: bytes | str, where: str) -> None:
        """Takes down where a secret shows."""
        raw = data.encode(errors="surrogateescape") if isinstance(data, str) else data
        if shown := self._marks.search(raw):
            self.found.append(f"{where}: ...{raw[max(0, shown.start() - 60) : shown.end()]!r}")

    def look_at_files(self, folder: Path, base: Path) -> None:
        """Every file below `folder`, but those held on purpose, which are named from `base`."""
        for path in folder.rglob("*"):
            name = path.relative_to(base).as_posix()
            if path.is_symlink() or not path.is_file() or self._on_purpose(name):
                continue
            try:
                self.look(path.read_bytes(), f"file {name}")
            except OSError:
                continue  # removed meanwhile, by a process that is ending

    def taken(self) -> list[str]:
        """What was found since the last time, each thing once."""
        found = [what for what in dict.fromkeys(self.found) if what not in self._told]
        self._told |= {*found}
        self.found = []
        return found

    def _on_purpose(self, name: str) -> bool:
        return any(fnmatch(name, pattern) for pattern in HELD_ON_PURPOSE)

    def _compiled(self) -> re.Pattern[bytes]:
        texts = (TEXT, HEX, *_in_base64(TEXT), *self._given)
        return re.compile(b"|".join(re.escape(text.encode()) for text in texts))


WATCH = Watch()
"""This process's."""
