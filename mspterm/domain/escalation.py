"""When an escalation is proposed: by rules, at instants known beforehand, and never by itself.

A proposal is answered by a move: what came due before the ticket entered its present tier is no more
proposed there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from mspterm.domain.business import BusinessTime
from mspterm.domain.chronicle import events_of
from mspterm.domain.clocks import thresholds
from mspterm.domain.course import status_spans
from mspterm.domain.history import Event, Happened
from mspterm.domain.policy import ALWAYS, Hours, Policy, seconds_of
from mspterm.domain.row import ClockState, StatusClass
from mspterm.domain.ticket import Ticket

TIERS = ("L1", "L2", "L3")
_PLANNED = frozenset({"project", "change", "task"})
# What is late to the client by our silence is mended by a word, not by another tier.
_TARGETS = frozenset({"response", "plan", "resolution"})


@dataclass(frozen=True, slots=True)
class Rules:
    """`unclaimed` and `percents` by priority, `in_tier` by tier or by tier and priority (`L1 P2`), with
    the spans as the config wrote them."""

    unclaimed: Mapping[int, str] = field(default_factory=dict)
    percents: Mapping[int, int] = field(default_factory=dict)
    in_tier: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proposal:
    """From `at` on it is proposed, because of `why`. `to`: `tier:2`, or None where no tier is above
    and somebody of the ticket's own is to be called."""

    at: datetime
    why: str
    to: str | None


def rules_of(
    unclaimed_after: Mapping[str, str],
    at_percent: int,
    percents: Mapping[str, int],
    tier_after: Mapping[str, str],
) -> Rules:
    """The rules of a checked `[escalation]`; a span of 0 is never."""
    by_priority = dict.fromkeys(range(1, 6), at_percent)
    by_priority |= {int(name[1:]): percent for name, percent in percents.items()}
    spans = {int(name[1:]): span for name, span in unclaimed_after.items() if seconds_of(span)}
    return Rules(spans, by_priority, {n: span for n, span in tier_after.items() if seconds_of(span)})


def foreseen(
    ticket: Ticket, rules: Rules, policy: Policy, hours: Hours, tiers: Collection[str]
) -> tuple[Proposal, ...]:
    """All that is proposed of the ticket as it stands, the first first, past instants and future ones:
    nothing of it depends on the present time. `tiers` are those that its connection has queues for.

    Raises Failed (bad data) where a calendar is missing or never opens.
    """
    # A child goes with its parent, which is proposed for all of them.
    if ticket.tier not in TIERS or not ticket.active or ticket.type in _PLANNED or ticket.parent:
        return ()
    since, to = entered(ticket), above(ticket.tier, tiers)
    events = events_of(ticket)
    found = [*_by_clock(ticket, events, rules, policy, hours, to)]
    # While others are waited for, time in a tier is nobody's neglect; clocks know their pauses themselves.
    if ticket.status_class is not StatusClass.WAITING or ticket.customer_replied_at is not None:
        found += _by_time(ticket, events, rules, hours.get(policy.calendar) or hours[ALWAYS], to)
    return tuple(sorted((p for p in found if p.at >= since), key=lambda p: p.at))


def proposed(found: Collection[Proposal], now: datetime) -> tuple[Proposal, ...]:
    """Those of `foreseen` that are due, the latest reason first."""
    return tuple(p for p in reversed(tuple(found)) if p.at <= now)


def proposal_line(proposal: Proposal, tier: str | None) -> str:
    """`escalate to L2? it has been in L1 since 2026-11-24 10:02Z, longer than 1h`."""
    to = f"escalate to L{proposal.to.partition(':')[2]}?" if proposal.to else f"call {tier or 'somebody'}?"
    return f"{to} {proposal.why}"


def above(tier: str, tiers: Collection[str]) -> str | None:
    """The next tier that there is, as an escalation's `to`. A vendor is a judgement, not a rung."""
    higher = TIERS[TIERS.index(tier) + 1 :]
    return next((f"tier:{name[1:]}" for name in higher if name in tiers), None)


def entered(ticket: Ticket) -> datetime:
    """Since when it is in its tier, as far as that was seen: a desk's tickets begin in L1, and of those
    first seen above it is known since when they are not elsewhere."""
    # Another queue of the same tier is no move, and must not put a proposal off.
    moves = [e for e in ticket.history if e.kind is Happened.QUEUE and _tier(e.value) != _tier(e.word)]
    if moves:
        return moves[-1].at
    seen = next((e.at for e in ticket.history if e.kind is Happened.SEEN), ticket.created_at)
    return ticket.created_at if ticket.tier == TIERS[0] else max(seen, ticket.created_at)


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}Z"


def _tier(place: str) -> str:
    return place.partition(":")[0]


def _by_clock(
    ticket: Ticket, events: Sequence[Event], rules: Rules, policy: Policy, hours: Hours, to: str | None
) -> Iterator[Proposal]:
    percent = rules.percents.get(ticket.priority)
    if percent is None or to is None:
        return
    warned = thresholds(events, replace(policy, warn=(percent,)), ticket.sla, hours)
    for threshold in warned:
        if threshold.target in _TARGETS:
            yield Proposal(
                threshold.at,
                f"{percent} % of the time to {threshold.target} was used up at {_at(threshold.at)}",
                to,
            )
    # `thresholds` is of running clocks; of one that the PSA calls breached its due time is the reason.
    for target, clock in ticket.sla.named():
        missed = clock.state is ClockState.BREACHED and clock.met_at is None and clock.due
        if missed and target in _TARGETS:
            yield Proposal(missed, f"the {target} was due at {_at(missed)}", to)


def _by_time(
    ticket: Ticket, events: Sequence[Event], rules: Rules, business: BusinessTime, to: str | None
) -> Iterator[Proposal]:
    # What was put off to a date isn't neglected before it.
    since = max(entered(ticket), ticket.next_action_at or ticket.created_at)
    # Without an open one: it is met here only where the customer has answered it, and then time counts.
    pauses = [
        (a, b) for status, a, b in status_spans(events) if b is not None and status.startswith("waiting")
    ]

    def after(span: str) -> datetime:
        return business.due(since, seconds_of(span), pauses)

    free = rules.unclaimed.get(ticket.priority)
    if free is not None and not (ticket.assignee_id or ticket.assignee):
        yield Proposal(
            after(free), f"nobody has taken this P{ticket.priority} since {_at(since)}, for {free}", to
        )
    tier = ticket.tier or ""
    long = rules.in_tier.get(f"{tier} P{ticket.priority}", rules.in_tier.get(tier))
    if long is not None and to is not None:
        yield Proposal(after(long), f"it has been in {tier} since {_at(since)}, longer than {long}", to)
