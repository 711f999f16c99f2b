"""SLA policies: which targets a ticket has, on whose hours they run, and what stops them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

from mspterm.domain.business import BusinessTime
from mspterm.domain.calendar import WEEKDAYS, calendar_of
from mspterm.domain.folding import fold
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.ticket import Ticket

TARGETS = ("response", "plan", "resolution", "update")
# Per cent of open time; each is an instant that is known beforehand, so a screen can set timers.
WARN = (50, 75, 90, 100)
ALWAYS = "24x7"
"""The calendar that is there without being configured."""

Hours = Mapping[str, BusinessTime]
"""Business time by the name of its calendar."""

# One of each form that _GOAL takes: it is all that the sentence about a wrong one teaches.
GOAL_EXAMPLES = '"15m", "1h30m", "4h on 24x7", "1bd", "1bd from opening" or "2bd end of day"'
_GOAL = re.compile(
    r"(?:(?:(?P<hours>\d{1,4})h)? ?(?:(?P<minutes>\d{1,5})m)?"
    r"|(?P<days>\d{1,3}) ?bd(?: (?P<how>end of day|from opening))?)(?: on (?P<calendar>.+))?"
)

_LASTING = re.compile(r"(-?)(?:(\d{1,3})d)? ?(?:(\d{1,4})h)? ?(?:(\d{1,5})m)?")


class Reopen(StrEnum):
    """What reopening does to the resolution clock: the time closed was a pause, the clock starts
    again, or the first resolution stands."""

    RESUME = "resume"
    RESTART = "restart"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Goal:
    """A target's time: `seconds` of open time, or where that is None `days` business days.

    `calendar` is None where the policy's own holds. `text` is as the config wrote it.
    """

    text: str
    seconds: int | None
    days: int = 0
    end_of_day: bool = False
    from_opening: bool = False
    calendar: str | None = None

    def __str__(self) -> str:
        if self.seconds is not None:
            return self.text.partition(" on ")[0]
        how = (
            ", by the end of the day"
            if self.end_of_day
            else ", from the opening"
            if self.from_opening
            else ""
        )
        return f"{self.days} business day{'' if self.days == 1 else 's'}{how}"


def goal_of(text: str) -> Goal:
    """The goal that a text of the config says. Raises Failed (bad data) with examples."""
    words = " ".join(text.split())
    found = _GOAL.fullmatch(words)
    if found is None or not any(found[name] for name in ("hours", "minutes", "days")):
        raise failed(Reason.BAD_DATA, f'"{text}" is no target; write {GOAL_EXAMPLES}')
    if found["days"] is None:
        seconds = int(found["hours"] or 0) * 3600 + int(found["minutes"] or 0) * 60
        return Goal(words, seconds, calendar=found["calendar"])
    days, end_of_day = int(found["days"]), found["how"] == "end of day"
    # The end of today may be past already when the ticket comes in: then it is the next day's.
    opening = found["how"] == "from opening" or days == 0
    return Goal(words, None, days, end_of_day, opening, found["calendar"])


def seconds_of(text: str) -> int:
    """A plain span of time of the config, such as `4h` or `-1d`. Raises Failed (bad data)."""
    found = _LASTING.fullmatch(" ".join(text.split()))
    # Every part may be missing, so the pattern takes an empty text as well.
    if found is None or not any(found.group(2, 3, 4)):
        raise failed(Reason.BAD_DATA, f'"{text}" is no span of time; write "30m", "4h", "2d" or "1h30m"')
    days, hours, minutes = (int(part or 0) for part in found.group(2, 3, 4))
    return (-1 if found[1] else 1) * (days * 86_400 + hours * 3600 + minutes * 60)


@dataclass(frozen=True, slots=True)
class Policy:
    """`[sla.NAME]`. Empty criteria fit every ticket; names may hold `*`.

    `targets` holds the goals by target and priority; `pauses` the targets that a status class (or
    `waiting:vendor`) stops. `keep_in_loop`: the update target runs from our own last word as well.
    `coverage` is the calendar in which the agreement covers work, None where it is `calendar`.
    """

    name: str
    calendar: str = ALWAYS
    coverage: str | None = None
    targets: Mapping[str, Mapping[int, Goal]] = field(default_factory=dict)
    clients: tuple[str, ...] = ()
    agreements: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    priorities: frozenset[int] = frozenset()
    pauses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reopen: Reopen = Reopen.RESUME
    keep_in_loop: bool = False
    plan_statuses: tuple[str, ...] = ()
    warn: tuple[int, ...] = WARN

    def fits(self, ticket: Ticket) -> bool:
        if self.priorities and ticket.priority not in self.priorities:
            return False
        criteria = (
            (self.clients, ticket.client),
            (self.agreements, ticket.agreement),
            (self.queues, ticket.queue),
            (self.types, ticket.type),
        )
        return all(not patterns or _named(value, patterns) for patterns, value in criteria)

    def goal(self, target: str, priority: int) -> Goal | None:
        return self.targets.get(target, {}).get(priority)

    def calendar_for(self, goal: Goal) -> str:
        return goal.calendar or self.calendar

    def paused(self, status: str) -> tuple[str, ...]:
        """The targets that stand still in a status, written as an event's value."""
        # An empty list for `waiting:vendor` is an answer, and not a reason to ask for `waiting`.
        found = self.pauses.get(status)
        return self.pauses.get(status.partition(":")[0], ()) if found is None else found


def policy_of(name: str, table: Mapping[str, Any]) -> Policy:
    """The policy of a checked `[sla.NAME]`. Raises Failed (bad data) for a goal that is none."""
    targets = {target: _goals(table.get(target) or {}) for target in TARGETS}
    named = {key: tuple(table.get(key) or ()) for key in ("clients", "agreements", "queues", "types")}
    return Policy(
        name,
        calendar=table.get("calendar") or ALWAYS,
        coverage=table.get("coverage"),
        targets=targets,
        **named,
        priorities=frozenset(int(p.lstrip("Pp")) for p in table.get("priorities") or ()),
        pauses=table.get("pauses") or {},
        reopen=Reopen(table.get("reopen") or Reopen.RESUME),
        keep_in_loop=bool(table.get("keep_in_loop")),
        plan_statuses=tuple(fold(word) for word in table.get("plan_statuses") or ()),
        warn=tuple(sorted(table.get("warn") or WARN)),
    )


def policy_for(ticket: Ticket, policies: Iterable[Policy]) -> Policy | None:
    """The first policy that fits, in the order of the file."""
    return next((policy for policy in policies if policy.fits(ticket)), None)


def hours_of(calendars: Mapping[str, Mapping[str, Any]]) -> Hours:
    """Business time of every configured calendar, and of `24x7`."""
    around_the_clock = {"timezone": "UTC", "weekly": {day: [("00:00", "24:00")] for day in WEEKDAYS}}
    # A configured 24x7 comes later and wins.
    return {n: BusinessTime(calendar_of(t)) for n, t in {ALWAYS: around_the_clock, **calendars}.items()}


def _goals(texts: Mapping[str, str]) -> Mapping[int, Goal]:
    return {int(priority.lstrip("Pp")): goal_of(text) for priority, text in texts.items()}


def _named(value: str | None, patterns: tuple[str, ...]) -> bool:
    folded = fold(value or "")
    return any(_pattern(pattern).fullmatch(folded) for pattern in patterns)


@lru_cache(maxsize=512)
def _pattern(text: str) -> re.Pattern[str]:
    """Only `*` is special: brackets and question marks are part of real names."""
    return re.compile(".*".join(re.escape(fold(part)) for part in text.split("*")), re.DOTALL)
