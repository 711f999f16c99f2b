"""What an agreement covers, and in which hours: a mark beside the clock, never a missing clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from mspterm.domain.business import BusinessTime
from mspterm.domain.folding import fold
from mspterm.domain.policy import Hours, Policy
from mspterm.domain.reasons import Failed
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Ticket


# A Protocol, as the facts are made in `config`, which this layer can't import.
class Covered(Protocol):
    """A client's facts, as far as they tell what is covered and who may authorise the rest."""

    @property
    def coverage(self) -> str | None: ...
    @property
    def covers(self) -> tuple[str, ...]: ...
    @property
    def excludes(self) -> tuple[str, ...]: ...
    @property
    def rate(self) -> str | None: ...
    @property
    def authoriser(self) -> str | None: ...
    @property
    def authoriser_phone(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Mark:
    """Whether the work is covered at one instant. None means that nobody has said.

    `in_scope` and `reason` are of the agreement; `covered` is of its hours, in `calendar`, and
    `changes_at` when that turns. `rate` and `authoriser` hold for what isn't covered.
    """

    in_scope: bool | None
    reason: str | None
    covered: bool | None
    calendar: str | None
    changes_at: datetime | None
    rate: str | None
    authoriser: str | None

    @property
    def billable(self) -> bool:
        return self.in_scope is False or self.covered is False

    def lines(self) -> tuple[str, ...]:
        """The mark in words; empty where everything is covered or nothing is known."""
        if not self.billable:
            return ()
        what = [self.reason or "out of the agreement's scope"] if self.in_scope is False else []
        if self.covered is False:
            opens = f", which open {self.changes_at:%Y-%m-%d %H:%M}Z" if self.changes_at else ""
            what.append(f"out of coverage hours ({self.calendar}{opens})")
        ask = f"needs the OK of {self.authoriser}" if self.authoriser else "nobody is named to authorise it"
        return (*what, f"billable{f' at {self.rate}' if self.rate else ''}, {ask}")


def scope_of(ticket: Ticket, facts: Covered | None) -> tuple[bool | None, SafeText | None]:
    """Whether the agreement covers this kind of work, and why not: the PSA's word where it has one,
    else the client's facts by the ticket's service line, category, type, queue and agreement."""
    if ticket.scope_reason is not None or (ticket.in_scope is not None and facts is None):
        return ticket.in_scope, ticket.scope_reason
    if facts is None:
        return None, None
    kinds = (ticket.service_line, ticket.category, ticket.type, ticket.queue)
    words = {fold(kind): kind for kind in kinds if kind}
    out = next((said for word, said in words.items() if word in _folded(facts.excludes)), None)
    if out is not None:
        return False, SafeText(f"the agreement excludes {out}")
    # A list of what is excluded doesn't say that the rest is covered.
    if not facts.covers:
        return ticket.in_scope, None
    if words.keys() & _folded(facts.covers):
        return True, None
    return False, SafeText(f"the agreement covers only {', '.join(facts.covers)}")


def mark(ticket: Ticket, facts: Covered | None, policy: Policy | None, hours: Hours, now: datetime) -> Mark:
    """The mark of a ticket at `now`. Coverage hours are the client's, else the policy's."""
    return replace(cover(facts, policy, hours, now), in_scope=ticket.in_scope, reason=ticket.scope_reason)


def cover(facts: Covered | None, policy: Policy | None, hours: Hours, now: datetime) -> Mark:
    """The mark of work that no ticket is known for."""
    calendar = _coverage(facts, policy)
    business = hours.get(calendar or "")
    covered = None if business is None else business.is_open(now)
    changes = _opens_at(business, now) if business is not None and covered is False else None
    phone = f" ({facts.authoriser_phone})" if facts and facts.authoriser_phone else ""
    return Mark(
        # A calendar that isn't there is not named: nothing is known of its hours.
        None, None, covered, calendar if business else None, changes,
        facts.rate if facts else None,
        f"{facts.authoriser}{phone}" if facts and facts.authoriser else None,
    )  # fmt: skip


def _opens_at(business: BusinessTime, now: datetime) -> datetime | None:
    try:
        return business.due(now, 0)
    except Failed:
        return None


def _coverage(facts: Covered | None, policy: Policy | None) -> str | None:
    if facts is not None and facts.coverage is not None:
        return facts.coverage
    return None if policy is None else policy.coverage or policy.calendar


def _folded(words: Sequence[str]) -> frozenset[str]:
    return frozenset(fold(word) for word in words)
