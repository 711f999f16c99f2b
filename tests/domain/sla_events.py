"""Events, calendars and policies to test clocks with, and a stopwatch that counts them another way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from mspterm.domain.business import BusinessTime
from mspterm.domain.history import Event, Happened
from mspterm.domain.policy import Policy, hours_of, policy_of

PAUSES = {"waiting": ["plan", "resolution", "update"]}
OFFICE = {
    "timezone": "Europe/Berlin",
    "weekly": {d: [("08:00", "12:00"), ("13:00", "17:00")] for d in ["mon", "tue", "wed", "thu", "fri"]},
}
HOURS = hours_of({"office": OFFICE})
KINDS = {
    "new": (Happened.STATUS, "new"),
    "open": (Happened.STATUS, "open"),
    "waiting": (Happened.STATUS, "waiting"),
    "vendor": (Happened.STATUS, "waiting:vendor"),
    "resolved": (Happened.STATUS, "resolved"),
    "closed": (Happened.STATUS, "closed"),
    "customer": (Happened.CUSTOMER, ""),
    "agent": (Happened.AGENT, ""),
    "P1": (Happened.PRIORITY, "1"),
    "P4": (Happened.PRIORITY, "4"),
}


def utc(text: str) -> datetime:
    """An instant of 2026-11, told as `24 08:00` or `24 08:00:05`."""
    return datetime.fromisoformat(f"2026-11-{text.replace(' ', 'T')}").replace(tzinfo=UTC)


def log(created: str, *later: tuple[str, str], priority: int = 3) -> tuple[Event, ...]:
    """CREATED, then an event of `KINDS` at each instant."""
    first = Event(utc(created), Happened.CREATED, str(priority))
    return (first, *(Event(utc(at), *KINDS[what], word=what) for at, what in later))


def policy(**table: Any) -> Policy:
    return policy_of("test", {"calendar": "office", "pauses": PAUSES} | table)


def stopwatch(events: Sequence[Event], business: BusinessTime, now: datetime) -> tuple[int, bool]:
    """Open seconds that a resolution clock with default pauses has used by `now`, carried forward from
    event to event as a system with stored counters does it, and whether it still runs."""
    spent, since, runs = 0, events[0].at, True
    for event in events[1:]:
        if event.kind is not Happened.STATUS:
            continue
        spent += business.elapsed(since, event.at) if runs else 0
        since, runs = event.at, event.value in ("new", "open")
    return spent + (business.elapsed(since, now) if runs else 0), runs
