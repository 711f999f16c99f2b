"""When a ticket's response, plan and resolution are due, in the hours of its client's plan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from mspterm.domain.business import BusinessTime
from mspterm.domain.calendar import calendar_of
from mspterm.sandbox import catalogue as desk
from mspterm.sandbox.clients import CLIENT
from mspterm.sandbox.clock import Clock
from mspterm.sandbox.tickets import Ticket


@dataclass(frozen=True, slots=True)
class Goals:
    respond: datetime
    plan: datetime
    resolve: datetime


@cache
def _hours(plan: int, zone: str) -> BusinessTime:
    return BusinessTime(calendar_of({"timezone": zone, "weekly": desk.HOURS[plan]}))


def goals(ticket: Ticket, clock: Clock) -> Goals | None:
    """Its three due times; None where its priority has no clock. A wait that goes on doesn't move
    them yet: ConnectWise moves them when the ticket leaves it."""
    hours = desk.PRIORITY[ticket.priority].hours
    if hours is None or ticket.project:
        return None
    client = CLIENT[ticket.client]
    business = _hours(client.plan, client.zone)
    # Counted in the world's own time; only what comes out is told in the reader's.
    start = clock.inside(ticket.created)
    pauses = [(clock.inside(a), clock.inside(b)) for a, b in ticket.pauses if b is not None]
    dues = [clock.told(business.due(start, round(h * 3600), pauses)) for h in hours]
    return Goals(*(due.replace(microsecond=0) for due in dues))


def in_time(ticket: Ticket, goals: Goals, now: datetime) -> bool:
    """ConnectWise's `isInSla`: nothing due has been missed."""
    met = (
        (ticket.responded, goals.respond),
        # A ticket may be resolved without ever having had a plan.
        (ticket.planned or ticket.resolved, goals.plan),
        (ticket.resolved, goals.resolve),
    )
    return all((at or now) <= due for at, due in met)


def status_text(ticket: Ticket, goals: Goals | None) -> str | None:
    """`slaStatus`, such as "Respond by Mon 07/04 1:00 PM UTC-04": no year, the site's own offset."""
    stage = ticket.state.stage
    if stage == "Resolved":
        return "Resolved"
    if stage == "NoEscalation":
        return "Waiting"
    if goals is None:
        return None
    if ticket.responded is None:
        return f"Respond by {_stamp(goals.respond, ticket)}"
    if ticket.planned is None:
        return f"Plan by {_stamp(goals.plan, ticket)}"
    return f"Resolve by {_stamp(goals.resolve, ticket)}"


def _stamp(at: datetime, ticket: Ticket) -> str:
    local = at.astimezone(ZoneInfo(CLIENT[ticket.client].zone))
    offset = local.strftime("%z")
    return f"{local:%a %m/%d} {local.hour % 12 or 12}:{local:%M %p} UTC{offset[:3]}"
