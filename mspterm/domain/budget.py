"""A tenant's budget of calls: what is spent in its window, the share of each class, the brake after a 429."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

CallClass = Literal["interactive", "action", "poll", "prefetch"]

CLASSES: tuple[CallClass, ...] = ("interactive", "action", "poll", "prefetch")
# What is kept for each class of the tenant's limit (resilience.md 3.4).
SHARES: dict[CallClass, float] = {"interactive": 0.4, "action": 0.3, "poll": 0.2, "prefetch": 0.1}
_LEAVES: dict[CallClass, tuple[CallClass, ...]] = {
    "interactive": ("action",),
    "action": ("interactive",),
    "poll": ("interactive", "action"),
    "prefetch": ("interactive", "action", "poll"),
}
"""Whose unused share a class never takes."""
PARTS = 30
"""A window is counted in so many parts, so that what is kept of it stays small."""
# Only calls find out that a tenant takes calls again, so some are always left.
LEAST_RATE = 1 / 16
RISE_S = 1200.0
"""Seconds in which the rate would rise from nothing to the whole: 5 % of the limit a minute."""
ONE_STORM_S = 5.0
"""429s that come together answer the same burst: they brake once."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a vendor takes: `calls` in any `per_s` seconds, of which mspterm uses `take` at most, as
    answers are delayed on the way and others may call there too. `published` False: no figure is."""

    calls: int
    per_s: float
    take: float = 0.9
    published: bool = True


UNNAMED = Limit(600, 60.0, published=False)
"""Where no limit is published: counted only from the first 429 on, until the brake is off again."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Calls by class, in the order of CLASSES, that count until `until`."""

    until: float
    calls: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Ledger:
    """What all processes have spent. Times are seconds of the host's monotonic clock, so that nobody's
    setting the wall clock gives or takes calls. `at` is when it was last written, `rate` the part of
    the limit that was left at `braked`, `hold` when the server takes calls again."""

    at: float = 0.0
    spent: tuple[Spent, ...] = ()
    rate: float = 1.0
    braked: float = 0.0
    hold: float = 0.0


def settled(ledger: Ledger, now: float) -> Ledger:
    """The ledger by `now`, without what no longer counts."""
    if now < ledger.at:
        # The host was started anew, and its clock with it: as if no time had passed while it was off.
        ledger = _shifted(ledger, now - ledger.at)
    counting = tuple(s for s in ledger.spent if s.until > now)
    rate = min(1.0, ledger.rate + max(0.0, now - ledger.braked) / RISE_S)
    # The rise is in `rate` by now and must not be counted again; a hold that is to come stays.
    return replace(ledger, at=now, spent=counting, rate=rate, braked=max(now, ledger.braked))


def _shifted(ledger: Ledger, by: float) -> Ledger:
    spent = tuple(replace(s, until=s.until + by) for s in ledger.spent)
    return replace(ledger, at=ledger.at + by, spent=spent, braked=ledger.braked + by, hold=ledger.hold + by)


def in_force(ledger: Ledger, limit: Limit | None) -> Limit | None:
    """The limit that counts now; None where calls are not counted."""
    return limit or (UNNAMED if ledger.rate < 1 else None)


def allowance(ledger: Ledger, limit: Limit) -> int:
    """Calls in one window that the rate leaves of the limit."""
    # At least one: a small limit under the brake would never be tried again.
    return max(1, int(limit.calls * limit.take * ledger.rate))


def used(ledger: Ledger) -> dict[CallClass, int]:
    """Calls of each class that count, of a settled ledger."""
    return _by_class(ledger.spent)


def _by_class(spent: Iterable[Spent]) -> dict[CallClass, int]:
    rows = [s.calls for s in spent]
    return {kind: sum(row[n] for row in rows) for n, kind in enumerate(CLASSES)}


def _may_go(spent: tuple[Spent, ...], most: int, kind: CallClass) -> bool:
    by_class = _by_class(spent)
    # Not below 0: what a class took beyond its share is in the sum of calls already.
    kept = sum(max(0.0, SHARES[other] * most - by_class[other]) for other in _LEAVES[kind])
    return most - sum(by_class.values()) - kept >= 1


def wait(ledger: Ledger, limit: Limit | None, kind: CallClass, now: float) -> float:
    """Seconds until one call of this class may go, of a settled ledger; 0 where it may go now."""
    limit = in_force(ledger, limit)
    hold = max(0.0, ledger.hold - now)
    if limit is None:
        return hold
    most, left = allowance(ledger, limit), sorted(ledger.spent, key=lambda s: s.until)
    until = now
    # Calls lapse in this order, so the first rest among which it may go gives the wait.
    while left and not _may_go(tuple(left), most, kind):
        until = left.pop(0).until
    return max(hold, until - now)


def spend(ledger: Ledger, limit: Limit | None, kind: CallClass, now: float) -> Ledger:
    """A settled ledger after one call of this class."""
    limit = in_force(ledger, limit)
    if limit is None:
        return ledger
    part = limit.per_s / PARTS
    # To the end of the part it falls in, so that it counts for a whole window at least.
    until = (now // part + 1) * part + limit.per_s
    one = tuple(int(kind == c) for c in CLASSES)
    # Equal parts are the same float, as each is made by the same multiplication.
    last = next((s for s in ledger.spent if s.until == until), Spent(until, (0, 0, 0, 0)))
    a, b, c, d = (x + y for x, y in zip(last.calls, one, strict=True))
    others = tuple(s for s in ledger.spent if s.until != until)
    return replace(ledger, spent=(*others, Spent(until, (a, b, c, d))))


def braked(ledger: Ledger, now: float, hold_s: float) -> Ledger:
    """A settled ledger after the server asked to wait: nothing for so long, then half the rate."""
    held = replace(ledger, hold=max(ledger.hold, now + hold_s))
    if ledger.braked - now > 0:
        return held
    # It rises again from when calls go again; until the storm is over it isn't halved once more.
    risen = max(held.hold, now + ONE_STORM_S)
    return replace(held, rate=max(LEAST_RATE, ledger.rate / 2), braked=risen)
