"""The journal's head outside its file: in the OS keyring, in a file of the config, in the system log.

A head is kept in a thread of its own, after the append and never before it is on disk: a keyring
that hangs holds up nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from mspterm.desk.journal import system_log
from mspterm.desk.journal.record import Head
from mspterm.domain.secret import Secret
from mspterm.secrets.aside import start
from mspterm.secrets.os_keyring import Answer, State

MOST = 8
"""Journals whose heads share one keyring item: a Windows credential holds 1,280 characters."""


class Safe(Protocol):
    """The part of `secrets.chain.Credentials` that keeps a head."""

    def journal_head(self) -> Answer: ...

    def keep_journal_head(self, head: str) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Kept:
    """A head as it was found outside, and where."""

    head: Head
    where: str


class Outside:
    """The places outside for one journal. `safe` None: no keyring is asked."""

    def __init__(self, folder: Path, safe: Safe | None, file: Path | None) -> None:
        # By its place, not its content: a journal that was deleted whole must still be missed.
        self._name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
        self._safe, self._file = safe, file
        self._lock = threading.Lock()
        self._waiting: tuple[Head, datetime] | None = None
        self._idle = threading.Event()
        self._idle.set()
        self._last: Head | None = None
        self.vouch: Callable[[Head, datetime], bool] = lambda _kept, _now: True
        """Whether a head that was kept earlier is still in the file; the journal records it if not."""

    def keep(self, head: Head, now: datetime) -> None:
        """Keeps `head` soon; of several in a row only the last. Returns at once."""
        with self._lock:
            self._waiting = (head, now)
            if not self._idle.is_set():
                return
            self._idle.clear()
        start(self._work)

    def settle(self, limit_s: float) -> bool:
        """Waits for what is being kept, `limit_s` seconds at the most; whether it is done."""
        return self._idle.wait(limit_s)

    def _work(self) -> None:
        while True:
            with self._lock:
                waiting, self._waiting = self._waiting, None
                if waiting is None:
                    self._idle.set()
                    return
            # What goes wrong here must neither end the thread's duty nor reach the technician's action.
            with contextlib.suppress(Exception):
                self._keep(*waiting)

    def _keep(self, head: Head, now: datetime) -> None:
        # First: a keyring that hangs below must not keep the head out of the log.
        system_log.say(f"journal {self._name} head {head.seq} {head.hash}")
        texts = [
            ("the OS keyring", self._read_safe(), self._write_safe),
            (str(self._file), self._read_file(), self._write_file),
        ]
        for _, text, write in texts:
            if text is None:
                continue
            earlier = _lines(text).get(self._name)
            # Our own of a moment ago needs no look; another's may be newer than ours, and stays then.
            if earlier is not None and earlier != self._last and not self._still(earlier, head, now):
                continue
            write(_with(text, self._name, head))
        self._last = head

    def _still(self, earlier: Head, head: Head, now: datetime) -> bool:
        """Whether `head` may take the place of `earlier`, which another process or run of us kept."""
        return not self.vouch(earlier, now) or earlier.seq < head.seq

    def read(self) -> tuple[list[Kept], list[str]]:
        """The heads that can be read back, and for each place that can't, why. Takes seconds at most."""
        kept, why = [], []
        answer = self._safe.journal_head() if self._safe else None
        if answer is not None and not answer.reachable:
            why.append(answer.sentence)
        for where, text in (
            ("the OS keyring", answer.secret.reveal() if answer and answer.secret else None),
            (str(self._file), self._read_file()),
        ):
            head = _lines(text or "").get(self._name)
            if head is not None:
                kept.append(Kept(head, where))
        return kept, why

    def _read_safe(self) -> str | None:
        """What the keyring has; None where nothing can be kept there now."""
        answer = self._safe.journal_head() if self._safe else None
        if answer is None or not answer.reachable:
            if answer is not None and answer.state is State.NO_BACKEND:
                # This session has none and gets none: not asked again with every record.
                self._safe = None
            return None
        return answer.secret.reveal() if isinstance(answer.secret, Secret) else ""

    def _write_safe(self, text: str) -> None:
        if self._safe is not None:
            self._safe.keep_journal_head(text)

    def _read_file(self) -> str | None:
        if self._file is None:
            return None
        try:
            return self._file.read_text("ascii")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError):
            return None

    def _write_file(self, text: str) -> None:
        assert self._file is not None
        # The pid: two processes at once would write into each other's half, and readers see whole files only.
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        with contextlib.suppress(OSError):
            beside.write_text(text, "ascii")
            beside.replace(self._file)


def _lines(text: str) -> dict[str, Head]:
    """Journal to head, oldest kept first; what isn't one is left out."""
    found = {}
    for words in map(str.split, text.splitlines()):
        # The file and the keyring's item are anybody's to edit: what is no head is passed over.
        if len(words) == 3 and words[1].isdigit():
            found[words[0]] = Head(int(words[1]), words[2])
    return found


def _with(text: str, name: str, head: Head) -> str:
    known = {k: v for k, v in _lines(text).items() if k != name}
    # Ours goes to the end, so that what falls out is the journal that was longest not written to.
    latest = [*known.items(), (name, head)][-MOST:]
    return "".join(f"{k} {v.seq} {v.hash}\n" for k, v in latest)
