"""Walking the chain: the first record that is not as it was written, by name."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mspterm.desk.journal.heads import Kept
from mspterm.desk.journal.record import (
    CHECKPOINT,
    CUT,
    GENESIS,
    JOURNAL,
    REPAIRED,
    Head,
    Record,
    digest,
    line,
)
from mspterm.domain.secret import Secret

Lines = Iterable[tuple[Path, int, bytes]]


@dataclass(frozen=True, slots=True)
class Verification:
    """`bad` names the first bad record; `checked` counts good ones before it, `unkeyed` those without
    a key, `repaired` torn lines that were moved aside, `steps_back` of the clock. `kept` are the heads
    from outside that agree."""

    checked: int
    unkeyed: int
    bad: str | None = None
    needs_key: bool = False
    repaired: int = 0
    steps_back: int = 0
    kept: tuple[Kept, ...] = ()


class NeedsKeyError(Exception):
    """A keyed record and no key to check it with."""


@dataclass(frozen=True, slots=True)
class _Wrong:
    """What is wrong with a record. `before`: it is good itself, and shows that what it follows is not."""

    what: str
    before: bool = False


@dataclass(slots=True)
class _Walk:
    key: Secret | None
    kept: Sequence[Kept]
    head: Head = field(default_factory=lambda: Head(0, GENESIS))
    last_at: str = ""
    unkeyed: int = 0
    repaired: int = 0
    steps_back: int = 0
    unproven: tuple[str, int] | None = None
    """Place and number of the first record since the last keyed one: nothing that follows proves it."""
    cut: str | None = None

    def step(self, where: str, raw: bytes) -> _Wrong | None:
        """Why this record is bad; None where it is good, and then the walk is past it."""
        record = _parsed(raw)
        if isinstance(record, str):
            return _Wrong(record)
        wrong = self._wrong(record)
        if wrong is None:
            self._pass(where, record)
        return wrong

    def _wrong(self, record: Record) -> _Wrong | None:
        keyed, number = bool(record["keyed"]), int(record["seq"])
        if keyed and self.key is None:
            raise NeedsKeyError
        # The hash before the fields, which say nothing where it is wrong. A record that claims to be unkeyed
        # is hashed so: a keyed one after it, or the head outside, shows whether that was a rewrite.
        if not hmac.compare_digest(str(record["h"]), digest(record, self.key if keyed else None)):
            return _Wrong(f"seq {number}, its content is not what was written")
        if number != self.head.seq + 1:
            return _Wrong(f"seq {number}, {_gap(self.head.seq + 1, number)}")
        if record["prev"] != self.head.hash:
            return _Wrong(f"seq {number}, it does not follow the record before it", before=keyed)
        seal = record.get(CHECKPOINT)
        if seal is not None and seal != {"seq": number - 1, "head": record["prev"], "count": number - 1}:
            return _Wrong(f"seq {number}, a checkpoint that does not fit")
        outside = next((k for k in self.kept if k.head.seq == number), None)
        if outside is not None and outside.head.hash != record["h"]:
            what = f"seq {number}, it is not the one whose hash is kept in {outside.where}"
            return _Wrong(what, before=True)
        return None

    def _pass(self, where: str, record: Record) -> None:
        self.head = Head(int(record["seq"]), str(record["h"]))
        # Counted and not refused: clocks are set. Instants of one zone and one width compare as text.
        self.steps_back += str(record["at"]) < self.last_at
        self.last_at = str(record["at"])
        if record["keyed"]:
            self.unproven = None
        else:
            self.unkeyed += 1
            self.unproven = self.unproven or (where, self.head.seq)
        if record["action"] == JOURNAL:
            self.repaired += record["state"] == REPAIRED
            if record["state"] == CUT:
                self.cut = self.cut or f"{where}, seq {self.head.seq}: {record['reason']}"

    def end(self, last: str) -> str | None:
        """What is wrong with the whole, every record being good by itself."""
        ahead = max(self.kept, key=lambda k: k.head.seq, default=None)
        if ahead is not None and ahead.head.seq > self.head.seq:
            missing = _gap(self.head.seq + 1, ahead.head.seq + 1)
            return f"{last}, seq {self.head.seq + 1}: the tail is cut, {missing} (kept in {ahead.where})"
        if self.cut is not None:
            return self.cut
        proven = ahead is not None and ahead.head.seq == self.head.seq
        # Without a key every record is unkeyed, which is remarked elsewhere and breaks nothing.
        if self.unproven is not None and self.key is not None and not proven:
            where, number = self.unproven
            return f"{where}, seq {number}: unkeyed, nothing keyed follows, so it may have been rewritten"
        return None

    def first_bad(self, where: str, wrong: _Wrong) -> tuple[int, str]:
        """How many records are good, and the first that isn't: unkeyed ones that something after them
        contradicts are what was changed."""
        if wrong.before and self.unproven is not None:
            first, number = self.unproven
            return number - 1, f"{first}, seq {number}: unkeyed and rewritten, as {where} shows: {wrong.what}"
        return self.head.seq, f"{where}, {wrong.what}"


def verify(lines: Lines, key: Secret | None, kept: Sequence[Kept] = ()) -> Verification:
    """Walks the whole chain; stops at the first bad record. `kept` are the heads from outside."""
    walk, last = _Walk(key, kept), "the end"
    try:
        for path, number, raw in lines:
            last = f"{path.name} line {number}"
            wrong = walk.step(last, raw)
            if wrong is not None:
                good, first = walk.first_bad(last, wrong)
                return replace(_found(walk, first), checked=good)
    except NeedsKeyError:
        return replace(_found(walk, None), needs_key=True)
    bad = walk.end(last)
    return _found(walk, bad, tuple(kept) if bad is None else ())


def _found(walk: _Walk, bad: str | None, kept: tuple[Kept, ...] = ()) -> Verification:
    return Verification(walk.head.seq, walk.unkeyed, bad, False, walk.repaired, walk.steps_back, kept)


def _parsed(raw: bytes) -> Record | str:
    """The record, or what is wrong with the line."""
    if not raw.endswith(b"\n"):
        return "a torn line: a crash while it was written, or a cut"
    try:
        record = json.loads(raw)
        # As text too: of a key that stands there twice, only the second one is parsed.
        same = line(record).encode() == raw[:-1]
        needed = ("seq", "h", "prev", "keyed", "at", "action", "state", "reason")
        whole = isinstance(record, dict) and all(k in record for k in needed) and int(record["seq"])
    except (ValueError, TypeError, RecursionError):
        # RecursionError: a line of ten thousand brackets is JSON too.
        return "not a record"
    if not whole:
        return "not a record"
    return record if same else f"seq {record['seq']}, it is not written as records are"


def _gap(first: int, after: int) -> str:
    if after <= first:
        return "it is out of its place"
    if after - first == 1:
        return f"record {first} is missing"
    return f"records {first} to {after - 1} are missing"
