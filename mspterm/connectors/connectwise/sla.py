"""A ticket's clocks: the goals that newer servers send, else what the text of `slaStatus` says. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone

from mspterm.connectors.connectwise.wire import Ticket
from mspterm.domain.row import ClockState
from mspterm.domain.ticket import NO_CLOCK, Clock, Sla

_STAGES = {"respond": "response", "plan": "plan", "resolve": "resolution"}
# "Respond by Mon 07/04 1:00 PM UTC-04": no year, and the site's own order of day and month.
_BY = re.compile(
    r"(Respond|Plan|Resolve)\w*\s+by\s+(?:(\w{3})\w*\s+)?(\d{1,2})/(\d{1,2})\s+(\d{1,2}):(\d{2})\s*(AM|PM)?\s*"
    r"UTC\s*([+-])(\d{1,2})(?::?(\d{2}))?",
    re.IGNORECASE,
)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Beyond it the other order of day and month is the likelier (as django-connectwise judges).
_FAR = timedelta(days=40)


def when(value: str | None) -> datetime | None:
    """An instant as UTC; None for what is no date."""
    try:
        at = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def clocks(ticket: Ticket, *, waiting: bool, created: datetime, now: datetime) -> Sla:
    """The three targets. They are shown as sent: nobody has found the formula behind them.

    `waiting`: the status stops the clocks (or the text says "Waiting").
    """
    goals = {
        "response": when(ticket.respond_by_goal),
        "plan": when(ticket.resplan_goal),
        "resolution": when(ticket.resolution_goal),
    }
    text = ticket.sla_status or ""
    # The text names one stage only, so it counts just where no goal is sent at all.
    if not any(goals.values()):
        stage = stage_due(text, created, now)
        if stage is not None:
            goals[stage[0]] = stage[1]
    paused = waiting or text.strip().lower() == "waiting"
    # No clock runs on a closed ticket, even where its status stamped nothing.
    ended = when(ticket.closed_date) if ticket.closed_flag else None
    return Sla(
        response=_clock(goals["response"], when(ticket.date_responded) or ended, paused),
        plan=_clock(goals["plan"], when(ticket.date_resplan) or ended, paused),
        resolution=_clock(goals["resolution"], when(ticket.date_resolved) or ended, paused),
    )


def _clock(due: datetime | None, met_at: datetime | None, paused: bool) -> Clock:
    if due is None:
        return NO_CLOCK
    if met_at is not None:
        return Clock(ClockState.MET if met_at <= due else ClockState.BREACHED, due, "psa", met_at)
    return Clock(ClockState.PAUSED if paused else ClockState.RUNNING, due, "psa")


def stage_due(text: str, created: datetime, now: datetime) -> tuple[str, datetime] | None:
    """The target that `slaStatus` names and its due time; None for "Resolved", "Waiting" and the like."""
    match = _BY.search(text)
    if match is None:
        return None
    hour, half = int(match[5]), (match[7] or "").upper()
    hour = hour % 12 + (12 if half == "PM" else 0) if half else hour
    offset = timedelta(hours=int(match[9]), minutes=int(match[10] or 0))
    try:
        zone = timezone(offset if match[8] == "+" else -offset)
        found = [
            datetime(day.year, day.month, day.day, hour, int(match[6]), tzinfo=zone).astimezone(UTC)
            # From the ticket's year to the next one, for a target beyond New Year.
            for day in _days(int(match[3]), int(match[4]), range(created.year, now.year + 2))
            if _is_weekday(day, match[2])
        ]
    except ValueError:
        return None
    # A clock can't have been due before its ticket was there; a day's slack for the zone.
    found = [due for due in found if due >= created - timedelta(days=1)]
    if not found:
        return None
    return _STAGES[match[1].lower()], min(found, key=lambda due: (due > now + _FAR, due))


def _days(first: int, second: int, years: range) -> Iterator[date]:
    """Month/day in each year, then day/month; what is no date (29 February) is left out."""
    for month, day in dict.fromkeys(((first, second), (second, first))):
        for year in years:
            try:
                yield date(year, month, day)
            except ValueError:
                continue


def _is_weekday(day: date, name: str | None) -> bool:
    wanted = (name or "").lower()
    return wanted not in _DAYS or _DAYS[day.weekday()] == wanted
