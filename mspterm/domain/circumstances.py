"""When and where a plan would be carried out: the client entered, its change freezes and windows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from mspterm.domain.action import Plan
from mspterm.domain.business import BusinessTime
from mspterm.domain.reasons import Failed

ENTER = "enter it first (the key for Enter client)"


@dataclass(frozen=True, slots=True)
class Entry:
    """The client whose devices may be worked on, None where an RMM names none, until when."""

    client: str | None
    until: datetime


@dataclass(frozen=True, slots=True)
class Circumstances:
    """`clients` gives each target's client by ref, under one name whatever its connection calls it;
    `freezes` and `windows` say of each client why nothing may change now, and whether now is within
    its maintenance window. `must_enter` is False where the confirmed phrase stands for entering."""

    clients: Mapping[str, str | None] = field(default_factory=dict)
    must_enter: bool = False
    entry: Entry | None = None
    now: datetime | None = None
    freezes: Mapping[str, str] = field(default_factory=dict)
    windows: Mapping[str, str] = field(default_factory=dict)

    def of(self, plan: Plan) -> tuple[str | None, ...]:
        return tuple(dict.fromkeys(self.clients.get(t.ref, t.client) for t in plan.targets))


def not_entered(plan: Plan, around: Circumstances, *, several: bool = False) -> str | None:
    """Why the plan isn't in the client that was entered; None where it is, or needn't be. Where it may
    be of `several` clients, one of them is to be entered."""
    if not around.must_enter:
        return None
    wanted = _named(around.of(plan))
    entry = around.entry
    if entry is None:
        return f"no client is entered, and this is in {wanted}; {ENTER}"
    # Where the time isn't known, the entry is over.
    if around.now is None or around.now >= entry.until:
        return f"your time in {_named([entry.client])} ended at {entry.until:%H:%M} UTC; {ENTER} again"
    inside = [client == entry.client for client in around.of(plan)]
    if not (any(inside) if several else all(inside)):
        return f"you are in {_named([entry.client])}, and this is in {wanted}; {ENTER}"
    return None


def frozen(plan: Plan, around: Circumstances) -> str | None:
    """The freezes that the plan's clients are in; None where they are in none."""
    found = [f"{c}: {around.freezes[c]}" for c in around.of(plan) if c and c in around.freezes]
    return "; ".join(found) or None


def window_line(plan: Plan, around: Circumstances) -> str:
    found = [f"{c}: {around.windows[c]}" for c in around.of(plan) if c and c in around.windows]
    return f"window: {'; '.join(found) or 'none configured'}"


def freeze_line(plan: Plan, around: Circumstances) -> str:
    """What the person confirms of a freeze; an emergency is named with who approved it."""
    found = frozen(plan, around)
    if found is None:
        return "freeze: none now"
    return f"freeze: {found}; {plan.emergency or 'no emergency is claimed'}"


def freeze_on(day: date, freezes: Iterable[tuple[str, str, str]]) -> str | None:
    """The freeze (first and last date, why) that a day is in, in words."""
    for first, last, why in freezes:
        # ISO dates are in order as texts.
        if first <= day.isoformat() <= last:
            return f"change freeze until {last}{f' ({why})' if why else ''}"
    return None


def window_now(name: str, hours: BusinessTime | None, now: datetime) -> str:
    """Whether now is within the maintenance window that the calendar `name` gives."""
    if hours is None:
        return f"not known: there is no calendar {name}"
    try:
        if hours.is_open(now):
            return f"open now ({name})"
        return f"OUTSIDE it ({name}); it opens {hours.due(now, 0):%Y-%m-%d %H:%M} UTC"
    # A calendar of holidays alone never opens; the plan is still to be shown.
    except Failed:
        return f"OUTSIDE it ({name}); it never opens"


def _named(clients: Iterable[str | None]) -> str:
    return " and ".join(c or "a client that nobody names" for c in clients)
