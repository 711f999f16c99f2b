"""The config's policies, calendars, client facts and triage, applied to tickets as they are stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from mspterm.config.model import Client, Config
from mspterm.domain.business import BusinessTime
from mspterm.domain.chronicle import events_from, events_of, seen, with_route
from mspterm.domain.clocks import Threshold, remaining_s, state, stored, thresholds
from mspterm.domain.escalation import Proposal, foreseen, rules_of
from mspterm.domain.explain import compared, explain
from mspterm.domain.history import Event, Happened
from mspterm.domain.policy import Hours, Policy, hours_of, policy_for, policy_of
from mspterm.domain.reasons import Failed
from mspterm.domain.row import ClockState, StatusClass
from mspterm.domain.scope import Mark, mark, scope_of
from mspterm.domain.storms import StormRules
from mspterm.domain.storms import rules_of as storm_rules_of
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import NO_CLOCK, Clock, Sla, Ticket, TicketDetail
from mspterm.domain.triage import pull_s, triage_of, why

# Words that vendors' records of changes use, where the connection's own map doesn't name them.
_USUAL: Mapping[str, StatusClass] = {
    "new": StatusClass.NEW,
    "stalled": StatusClass.WAITING,
    "pending": StatusClass.WAITING,
    "on hold": StatusClass.WAITING,
    "resolved": StatusClass.RESOLVED,
    "closed": StatusClass.CLOSED,
    "rejected": StatusClass.CLOSED,
    "deleted": StatusClass.CLOSED,
}
# The PSA's clocks are warned of too where no policy fits: by time around the clock.
_NO_POLICY = Policy("none")
# What a vendor's impossible date (the year 1, or 9999) raises in the arithmetic.
_IMPOSSIBLE = (Failed, ValueError, OverflowError, OSError)


class Clockwork:
    """One config's rules, made ready once. Everything it adds to a ticket depends on the ticket, what
    was known of it and the config; nothing on the present time, so that storing again changes nothing.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self.hours: Hours = _hours(config.raw.get("calendars", {}))
        self.policies = tuple(policy_of(name, t) for name, t in config.raw.get("sla", {}).items())
        self.triage = triage_of(config.raw.get("triage", {}))
        self.storms: StormRules = storm_rules_of(config.raw.get("storms", {}))
        said = config.escalation
        self.escalation = rules_of(said.unclaimed_after, said.at_percent, said.percents, said.tier_after)

    def clocked(
        self, ticket: Ticket, known: Ticket | None = None, detail: TicketDetail | None = None
    ) -> Ticket:
        """The ticket with its clocks, scope, history and triage. `known` is what the store has of it,
        `detail` its conversation, where it was fetched: the vendor's records make the history exact.
        """
        facts = self.facts(ticket)
        in_scope, reason = scope_of(ticket, facts)
        found = replace(
            ticket,
            agreement=ticket.agreement or _agreement(facts),
            in_scope=in_scope,
            scope_reason=reason,
            history=self._log(ticket, known, detail),
            pull_s=pull_s(ticket, self.triage),
        )
        # In this order: clocks are counted from the history, and escalations proposed by the clocks.
        found = replace(found, sla=self._sla(found))
        # An instant, stored with the ticket: nothing has to tick for it, and no list has to count it again.
        return replace(found, escalate_at=next((p.at for p in self.proposals(found)), None))

    def facts(self, ticket: Ticket) -> Client | None:
        """The facts of the ticket's client, by the name that `[clients]` or `clients_dir` gives it."""
        return self._config.clients.get(ticket.client or "")

    def carriers(self) -> dict[str, str]:
        """Whose line each client has, for the grouping of outages."""
        return {name: client.carrier for name, client in self._config.clients.items() if client.carrier}

    def policy(self, ticket: Ticket) -> Policy | None:
        return policy_for(ticket, self.policies)

    def remaining_s(self, clock: Clock, now: datetime) -> int | None:
        """Open seconds left of a clock's own calendar; the JSON's `remaining_s`."""
        try:
            return remaining_s(clock, now, self.hours)
        except _IMPOSSIBLE:
            return None

    def mark(self, ticket: Ticket, now: datetime) -> Mark:
        """Whether work on it is covered now, and else at what rate and with whose OK."""
        return mark(ticket, self.facts(ticket), self.policy(ticket), self.hours, now)

    def thresholds(self, ticket: Ticket) -> tuple[Threshold, ...]:
        """The instants at which to warn of its running clocks, the next first; past ones too."""
        policy = self.policy(ticket) or _NO_POLICY
        try:
            found = thresholds(events_of(ticket), policy, ticket.sla, self.hours)
        except _IMPOSSIBLE:
            return ()
        return tuple(sorted(found, key=lambda threshold: threshold.at))

    def proposals(self, ticket: Ticket) -> tuple[Proposal, ...]:
        """The escalations to propose, each with its instant, the first first; future ones too."""
        connection = self._config.connections.get(ticket.connection)
        tiers = frozenset(connection.tiers.values()) if connection is not None else frozenset[str]()
        try:
            return foreseen(ticket, self.escalation, self.policy(ticket) or _NO_POLICY, self.hours, tiers)
        except _IMPOSSIBLE:
            return ()

    def explained(self, ticket: Ticket, now: datetime) -> tuple[str, ...]:
        """Why its clocks say what they say, line by line; the PSA's due times beside ours."""
        policy = self.policy(ticket)
        if policy is None:
            psa = [f"{target}: {line}" for target, c in ticket.sla.named() for line in compared(c, None)]
            return ("no [sla] policy of the config fits this ticket", *psa)
        events = events_of(ticket)
        try:
            found = state(events, policy, self.hours, now)
        except _IMPOSSIBLE as error:
            return (f"policy {policy.name} can't be counted: {error}",)
        lines: list[str] = []
        for target, clock in ticket.sla.named():
            ours = found.get(target)
            lines += explain(ours, policy, self.hours, now, events=events) if ours else ()
            lines += (f"{'  psa     ' if ours else f'{target}: '}{line}" for line in compared(clock, ours))
        return (*lines, *self.mark(ticket, now).lines())

    def would_meet(
        self, ticket: Ticket, now: datetime, *, status: str | None = None, public: bool = False
    ) -> tuple[str, ...]:
        """The targets of ours that a write would meet: `status` is the one it sets, in the vendor's
        word; `public` whether it holds a text for the client."""
        policy = self.policy(ticket)
        if policy is None:
            return ()
        before = events_of(ticket)
        changes = [Event(now, Happened.AGENT)] if public else []
        if status is not None:
            changes.append(Event(now, Happened.STATUS, self._class_of(ticket)(status), status))
        try:
            was = stored(before, policy, self.hours)
            then = stored((*before, *changes), policy, self.hours)
        except _IMPOSSIBLE:
            return ()
        # A target that was met or missed long ago is none that this write meets.
        unmet = {t for t, clock in was.items() if clock.state in (ClockState.RUNNING, ClockState.PAUSED)}
        return tuple(t for t, clock in then.items() if t in unmet and clock.met_at is not None)

    def why(self, ticket: Ticket) -> tuple[str, ...]:
        """Why it stands where it does in the queue."""
        return why(ticket, self.triage)

    def _sla(self, ticket: Ticket) -> Sla:
        policy = self.policy(ticket)
        ours: dict[str, Clock] = {}
        if policy is not None:
            try:
                ours = stored(events_of(ticket), policy, self.hours)
            except _IMPOSSIBLE:
                ours = {}
        usual = policy.calendar if policy is not None else None
        connection = self._config.connections.get(ticket.connection)
        # Where nobody keeps the PSA's due times they are old ones, which would hide what is really late.
        if connection is not None and not connection.psa_due:
            return Sla(**ours)
        return Sla(**{t: _both(clock, ours.get(t), usual) for t, clock in ticket.sla.named()})

    def _log(self, ticket: Ticket, known: Ticket | None, detail: TicketDetail | None) -> tuple[Event, ...]:
        seen_here = seen(ticket, known)
        # Without records of changes all that is left is its creation: then what was seen here says more.
        found = None if detail is None else events_from(detail, self._class_of(detail.ticket))
        return with_route(found[1:], seen_here) if found is not None and len(found) > 1 else seen_here

    def _class_of(self, ticket: Ticket) -> Callable[[str], StatusClass]:
        connection = self._config.connections.get(ticket.connection)
        own = {} if connection is None else connection.status_classes

        def class_of(status: str) -> StatusClass:
            # Of the status that it has now the connector knows the class; of older ones only words are left.
            if status == ticket.status:
                return ticket.status_class
            mapped = own.get(status)
            return StatusClass(mapped) if mapped else _USUAL.get(status.casefold(), StatusClass.OPEN)

        return class_of


def _agreement(facts: Client | None) -> SafeText | None:
    return SafeText(facts.agreement) if facts is not None and facts.agreement else None


def _both(psa: Clock, ours: Clock | None, usual: str | None) -> Clock:
    """The PSA's clock with ours beside it, ours alone where the PSA has none."""
    if psa.source != "psa":
        return ours or NO_CLOCK
    return replace(
        psa, calc_due=ours.due if ours else None, calendar=(ours.calendar if ours else None) or usual
    )


def _hours(calendars: Mapping[str, Mapping[str, Any]]) -> Hours:
    """The calendars that are whole; a broken one of `clients_dir` is told when the config is read."""
    found: dict[str, BusinessTime] = dict(hours_of({}))
    for name, table in calendars.items():
        try:
            found[name] = hours_of({name: table})[name]
        except Failed:
            continue
    return found
