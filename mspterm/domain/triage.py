"""Triage: what moves a ticket forward in the queue, why it stands there, and which one is next.

A ticket's place is its due time moved forward by what weighs. Moving is by fixed spans, so that two
tickets never change places because time passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from mspterm.domain.folding import fold
from mspterm.domain.order import Group, Place, place
from mspterm.domain.policy import seconds_of
from mspterm.domain.row import StatusClass, TicketRow
from mspterm.domain.ticket import Ticket

# With the vendor, unlike escalation's: what is there is above every tier, but none is proposed to go.
TIERS = ("L1", "L2", "L3", "vendor")
# At an hour each some two days: no number of children passes a P1's thirty.
_MOST_DEPENDENTS = 50


@dataclass(frozen=True, slots=True)
class Triage:
    """`[triage]`: seconds by which a ticket goes forward. The default keeps a P1 before all that was
    breached within a month: an old sin must not hide a fire.

    `dependent` counts for each ticket that hangs on this one; `clients` by the client's name; types in
    `leave` are nobody's next.
    """

    priorities: Mapping[int, int] = field(default_factory=lambda: {1: 30 * 86_400, 2: 4 * 3600})
    replied: int = 4 * 3600
    unanswered: int = 3600
    dependent: int = 3600
    clients: Mapping[str, int] = field(default_factory=dict)
    leave: frozenset[str] = frozenset({"project"})


@dataclass(frozen=True, slots=True)
class Pull:
    """One thing that moves a ticket forward by so many seconds."""

    seconds: int
    because: str


@dataclass(frozen=True, slots=True)
class Skip:
    """A ticket that a technician passed over, and why; it counts until the ticket changes."""

    ref: str
    at: float
    reason: str


@dataclass(frozen=True, slots=True)
class NextContext:
    """Who asks, and when (epoch seconds). `me`: my ids by connection; `tier`: mine, None where I take
    all; `skipped` by ref; `hidden` are refs that stand behind another row (a storm's)."""

    now: float
    me: Mapping[str, frozenset[str]] = field(default_factory=dict)
    tier: str | None = None
    skipped: Mapping[str, Skip] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    leave: frozenset[str] = Triage().leave


def triage_of(table: Mapping[str, Any]) -> Triage:
    """The weights of a checked `[triage]`; what it doesn't say keeps its default."""
    usual = Triage()
    return Triage(
        priorities=_spans(table.get("priorities"), usual.priorities, lambda name: int(name.lstrip("Pp"))),
        replied=_span(table.get("replied"), usual.replied),
        unanswered=_span(table.get("unanswered"), usual.unanswered),
        dependent=_span(table.get("dependent"), usual.dependent),
        clients=_spans(table.get("clients"), usual.clients, fold),
        # An empty list is an answer: then nothing is left.
        leave=frozenset(table["leave"]) if "leave" in table else usual.leave,
    )


def pulls(ticket: Ticket, rules: Triage) -> tuple[Pull, ...]:
    """What moves the ticket forward, by the ticket and the config alone."""
    return tuple(pull for pull in _pulls(ticket, rules) if pull.seconds)


def pull_s(ticket: Ticket, rules: Triage) -> int:
    """The seconds to store as `Ticket.pull_s`; 0 for what is over."""
    return sum(pull.seconds for pull in pulls(ticket, rules)) if ticket.active else 0


def why(ticket: Ticket, rules: Triage) -> tuple[str, ...]:
    """Why the ticket stands where it does, in lines."""
    where = place(ticket)
    lines = [_stands(ticket, where)]
    if where.group is Group.WORK:
        found = pulls(ticket, rules)
        lines += [f"{_hours(pull.seconds)} {_side(pull.seconds)}: {pull.because}" for pull in found]
        if found:
            # The place is the stored one: it says so where the rules changed since.
            by = datetime.fromtimestamp(max(where.by.timestamp() - ticket.pull_s, 0), UTC)
            lines.append(f"so it stands as if due {by:%Y-%m-%d %H:%M}Z")
        lines.append("equal places: the higher priority first, then who has replied, then the older")
    return tuple(lines)


def next_for(rows: Iterable[TicketRow], ctx: NextContext) -> TicketRow | None:
    """The ticket to take next: the first in the queue's order that `passed_over` has nothing against.

    A waiting ticket whose follow-up date has come is work; it stands by that date.
    """
    open_to_me = [row for row in rows if passed_over(row, ctx) is None]
    return min(open_to_me, key=lambda row: _standing(row, ctx), default=None)


def passed_over(row: TicketRow, ctx: NextContext) -> str | None:
    """Why the row is not next for this technician, None where it may be."""
    return next((reason for rule in _RULES if (reason := rule(row, ctx)) is not None), None)


def _pulls(ticket: Ticket, rules: Triage) -> Iterator[Pull]:
    yield Pull(rules.priorities.get(ticket.priority, 0), f"it is a P{ticket.priority}")
    if ticket.customer_replied_at is not None:
        at = f"{ticket.customer_replied_at:%Y-%m-%d %H:%M}Z"
        yield Pull(rules.replied, f"the customer wrote at {at} and has no answer")
    if ticket.status_class is StatusClass.NEW:
        yield Pull(rules.unanswered, "nobody has looked at it yet")
    if ticket.children:
        count = min(len(ticket.children), _MOST_DEPENDENTS)
        yield Pull(rules.dependent * count, f"{len(ticket.children)} other tickets hang on it")
    if rules.clients and ticket.client:
        yield Pull(rules.clients.get(fold(ticket.client), 0), f"it is {ticket.client}'s")


def _stands(ticket: Ticket, where: Place) -> str:
    at = f"{where.by:%Y-%m-%d %H:%M}Z"
    if where.group is Group.OVER:
        return f"over: it is {ticket.status}, last changed {at}"
    if where.group is Group.WAITING:
        on = f" on {ticket.waiting_on}" if ticket.waiting_on else ""
        until = "no date is set for it" if where.assumed else f"to be looked at {at}"
        return f"after all work: it waits{on}; {until}"
    if where.kind is not None:
        source = dict(ticket.sla.named())[where.kind].source
        return f"work, by its next due time: {where.kind} {at} ({source})"
    if ticket.next_action_at is not None:
        return f"work, by its next action: {at}"
    return f"work, and no clock runs: a P{ticket.priority} of {ticket.created_at:%Y-%m-%d %H:%M}Z is taken as due {at}"


def _mine(row: TicketRow, ctx: NextContext) -> bool:
    return row.assignee_id is not None and row.assignee_id in ctx.me.get(row.connection, ())


def _due_for_follow_up(row: TicketRow, ctx: NextContext) -> bool:
    return row.next_action_at is not None and row.next_action_at <= ctx.now


def _over(row: TicketRow, ctx: NextContext) -> str | None:
    return f"it is {row.status}" if row.status_class in (StatusClass.RESOLVED, StatusClass.CLOSED) else None


def _owned(row: TicketRow, ctx: NextContext) -> str | None:
    if _mine(row, ctx) or not (row.assignee_id or row.assignee):
        return None
    return f"it is assigned to {row.assignee or row.assignee_id}"


def _in_hand(row: TicketRow, ctx: NextContext) -> str | None:
    """What I work on already is next only when something happened to it."""
    if not _mine(row, ctx) or row.status_class is StatusClass.NEW:
        return None
    if row.customer_replied_at is not None or _due_for_follow_up(row, ctx):
        return None
    return "you are working on it already"


def _tier(row: TicketRow, ctx: NextContext) -> str | None:
    if ctx.tier is None or row.tier is None or _mine(row, ctx):
        return None
    above = TIERS.index(row.tier) > TIERS.index(ctx.tier) if {row.tier, ctx.tier} <= set(TIERS) else False
    return f"it is for {row.tier}, you are {ctx.tier}" if above else None


def _waits(row: TicketRow, ctx: NextContext) -> str | None:
    if row.status_class is not StatusClass.WAITING or _due_for_follow_up(row, ctx):
        return None
    # Its stored place says that the customer it waits for has replied.
    if row.order.startswith(f"{Group.WORK:d}"):
        return None
    return f"it waits{f' on {row.waiting_on}' if row.waiting_on else ''}"


def _scheduled(row: TicketRow, ctx: NextContext) -> str | None:
    if row.next_action_at is None or row.next_action_at <= ctx.now or row.customer_replied_at is not None:
        return None
    return f"it is planned for {datetime.fromtimestamp(row.next_action_at, UTC):%Y-%m-%d %H:%M}Z"


def _writing(row: TicketRow, ctx: NextContext) -> str | None:
    return "a change of yours is still on its way" if row.pending else None


def _skipped(row: TicketRow, ctx: NextContext) -> str | None:
    skip = ctx.skipped.get(row.ref)
    return f"skipped: {skip.reason}" if skip is not None and row.updated_at <= skip.at else None


def _hidden(row: TicketRow, ctx: NextContext) -> str | None:
    return "it belongs to a group that another row stands for" if row.ref in ctx.hidden else None


def _left(row: TicketRow, ctx: NextContext) -> str | None:
    return f"tickets of type {row.type} are not taken by this key" if row.type in ctx.leave else None


# The first that speaks is the reason given: what lasts stands before what will pass.
_RULES: tuple[Callable[[TicketRow, NextContext], str | None], ...] = (
    _over,
    _owned,
    _in_hand,
    _tier,
    _waits,
    _scheduled,
    _writing,
    _hidden,
    _left,
    _skipped,
)


def _standing(row: TicketRow, ctx: NextContext) -> str:
    """The place in the queue; what waited for a date that has come is work, and stands by that date."""
    return f"{Group.WORK:d}{row.order[1:]}" if _due_for_follow_up(row, ctx) else row.order


def _spans(
    texts: Mapping[str, str] | None, usual: Mapping[Any, int], named: Callable[[str], Any]
) -> Mapping[Any, int]:
    return usual if texts is None else {named(name): _span(text, 0) for name, text in texts.items()}


def _span(text: str | None, usual: int) -> int:
    return usual if text is None else seconds_of(text)


def _side(seconds: int) -> str:
    return "earlier" if seconds > 0 else "later"


def _hours(seconds: int) -> str:
    whole = abs(seconds)
    return f"{whole // 86_400} d" if whole % 86_400 == 0 else f"{whole // 3600} h {whole % 3600 // 60:02d}"
