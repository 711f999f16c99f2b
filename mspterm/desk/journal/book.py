"""Appending to the journal, from several processes at once."""

from __future__ import annotations

import contextlib
import getpass
import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from mspterm.config.locked import locked
from mspterm.desk.journal import record as records
from mspterm.desk.journal.chain import Verification, verify
from mspterm.desk.journal.files import Files, lines_from, lines_of
from mspterm.desk.journal.heads import Kept, Outside
from mspterm.desk.journal.record import CHECKPOINT, CUT, GENESIS, JOURNAL, REPAIRED, Entry, Head, Record
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.secret import Secret

# Every 100 records, after 5 minutes and at exit: security.md 2.4.
SEAL_EVERY = 100
SEAL_AFTER = timedelta(minutes=5)


class Journal:
    """Appends to `STATE_DIR/journal/YYYY-MM.jsonl`. Safe to use from several threads and processes.

    `texts`: what was written to tickets stands in the records, and not only its hash.
    """

    def __init__(
        self,
        folder: Path,
        key: Secret | None,
        technician: str | None,
        outside: Outside | None = None,
        *,
        texts: bool = False,
    ) -> None:
        self._files = Files(folder)
        self._texts = texts
        self._key = key
        self._made_by = records.origin(technician or getpass.getuser())
        self._outside = outside
        self._own: Head | None = None
        """The last record that this process wrote: it must be in the file for ever after."""
        self._sealed_at: datetime | None = None
        self._unsealed = False
        if outside is not None:
            outside.vouch = self._vouch

    @property
    def keyed(self) -> bool:
        return self._key is not None

    def append(self, entry: Entry, now: datetime) -> None:
        """Writes one record to disk before returning. Raises Failed where that can't be done."""
        self._append([entry], now)

    def seal(self, now: datetime) -> None:
        """Writes a checkpoint where this process has written since the last; at exit, and now and then."""
        if self._unsealed:
            self._append([_checkpoint()], now)

    def seal_when_due(self, now: datetime) -> None:
        """Writes a checkpoint five minutes after the last, for who is idle."""
        if self._unsealed and self._due(now):
            self.seal(now)

    def settle(self, limit_s: float) -> None:
        """Gives the head's keeping outside a moment before the process ends."""
        if self._outside is not None:
            self._outside.settle(limit_s)

    def _append(self, entries: Sequence[Entry], now: datetime) -> None:
        folder = self._files.folder
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with locked(folder / "lock"):
                self._write(entries, now)
        except OSError as error:
            sentence = f"The journal in {folder} can't be written ({error}), so nothing is done."
            raise failed(Reason.REFUSED, sentence) from error

    def _write(self, entries: Sequence[Entry], now: datetime) -> None:
        # Before anything is appended: after a torn line without a newline it would become part of that.
        before = [*self._repaired(), *self._cut()]
        head, lines = self._head(), []
        for entry in self._with_checkpoints([*before, *entries], head.seq, now):
            made = records.made(entry, head, self._made_by, self._key, now, texts=self._texts)
            lines.append(records.line(made) + "\n")
            head = Head(made["seq"], made["h"])
            self._unsealed = entry.action != CHECKPOINT
            if not self._unsealed:
                self._sealed_at = now
        # In one go: a full disk takes all of them or none, and a checkpoint costs no sync of its own.
        self._files.append(self._files.for_month(now), "".join(lines).encode())
        self._own = head
        if self._outside is not None:
            self._outside.keep(head, now)

    def _with_checkpoints(self, entries: Sequence[Entry], seq: int, now: datetime) -> Iterator[Entry]:
        """The entries, a checkpoint after every hundredth record and after five minutes."""
        due = self._due(now)
        for entry in entries:
            yield entry
            seq += 1
            # A seal that was asked for is a checkpoint already: no second one follows it.
            if entry.action != CHECKPOINT and (due or seq % SEAL_EVERY == 0):
                yield _checkpoint()
                seq, due = seq + 1, False

    def _due(self, now: datetime) -> bool:
        # A clock that was set back would put the next checkpoint off until it has caught up.
        if self._sealed_at is None or now < self._sealed_at:
            self._sealed_at = now
        return now - self._sealed_at >= SEAL_AFTER

    def _repaired(self) -> Iterator[Entry]:
        """A line that a crash tore is no record: it is moved aside, and that is recorded."""
        torn = self._files.torn()
        if torn is not None:
            aside = self._files.set_aside(*torn)
            reason = f"a torn line of {len(torn[1])} bytes of {torn[0].name} was moved to {aside.name}"
            yield _of_itself(REPAIRED, reason)

    def _cut(self) -> Iterator[Entry]:
        if self._own is not None and not self.holds(self._own):
            yield _of_itself(CUT, _cut_reason(self._own))
            self._own = None

    def _vouch(self, kept: Head, now: datetime) -> bool:
        """Whether the head that was kept is in the file; where it isn't, the chain says so for ever."""
        if self.holds(kept):
            return True
        self._append([_of_itself(CUT, _cut_reason(kept))], now)
        return False

    def holds(self, head: Head) -> bool:
        """Whether the record `head` is in the file as it was."""
        # From the end: what is looked for is the head of moments ago, in a file that may hold months.
        for _, raw in self._files.backwards():
            found = _head_of(raw)
            if found is None or found.seq < head.seq:
                return False
            if found.seq == head.seq:
                return found == head
        return False

    def _head(self) -> Head:
        for path, raw in self._files.backwards():
            found = _head_of(raw)
            # A new chain begun after it would look whole from there on, and hide that this one is broken.
            if found is None:
                sentence = (
                    f"The last record in {path} can't be read, so nothing is done: see `mspterm audit verify`,"
                    f" and move the folder {path.parent} away, as evidence, to begin a new journal."
                )
                raise failed(Reason.BAD_DATA, sentence)
            return found
        return Head(0, GENESIS)

    def files(self) -> list[Path]:
        return self._files.all()

    def records(self) -> Iterator[tuple[Path, int, bytes]]:
        """Every line with its file and number, oldest first, as of now."""
        if not self._files.folder.is_dir():
            return
        # Under the lock, so that no line is seen half written.
        with locked(self._files.folder / "lock"):
            ends = self._files.ends()
        for path, end in ends:
            for number, raw in enumerate(lines_of(path, end), 1):
                yield path, number, raw

    def after(self, mark: str) -> Iterator[tuple[str, str, Record]]:
        """The records after a mark ("" for all), each with the marks before and after it."""
        name, _, place = mark.partition(":")
        if not self._files.folder.is_dir():
            return
        with locked(self._files.folder / "lock"):
            ends = self._files.ends()
        for path, end in ends:
            if path.name < name:
                continue
            before = int(place) if path.name == name else 0
            for start, raw in lines_from(path, before, end):
                # A bad line is for `audit verify` to tell; what was left half-way must still be found.
                with contextlib.suppress(ValueError):
                    yield f"{path.name}:{before}", f"{path.name}:{start}", json.loads(raw)
                before = start

    def kept(self) -> tuple[list[Kept], list[str]]:
        """The heads that can be read back from outside, and why others can't. May take seconds."""
        return self._outside.read() if self._outside is not None else ([], [])

    def verify(self, kept: Sequence[Kept] = ()) -> Verification:
        """Walks the whole chain, up to the heads that `kept` names; stops at the first bad record."""
        return verify(self.records(), self._key, kept)


def _checkpoint() -> Entry:
    return Entry(CHECKPOINT, (), None, "sealed", None, None, None, None)


def _of_itself(state: str, reason: str) -> Entry:
    return Entry(JOURNAL, (), None, state, reason, None, None, None)


def _cut_reason(head: Head) -> str:
    return f"record {head.seq} as it was is gone: the journal was cut or rewritten there"


def _head_of(raw: bytes) -> Head | None:
    try:
        found = json.loads(raw)
        return Head(int(found["seq"]), str(found["h"]))
    except (ValueError, KeyError, TypeError):
        return None
