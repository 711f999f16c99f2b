"""Who is behind a tier and a vendor by `[escalation]`: a board move wakes nobody, a call does."""

from __future__ import annotations

from dataclasses import dataclass

from mspterm.config.model import Vendor
from mspterm.desk.desk import Desk
from mspterm.domain.escalation import Proposal, proposed
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.route import Step, path
from mspterm.domain.ticket import Ticket, TicketDetail


@dataclass(frozen=True, slots=True)
class Whom:
    """Who reads what is moved to a place, and whom to call there: names with numbers, the first first."""

    readers: tuple[str, ...] = ()
    phones: tuple[tuple[str, str], ...] = ()
    more: str = ""
    """Hours and contract, as they follow a number."""

    @property
    def call(self) -> str:
        """Whom to call, in words."""
        named = ", ".join(f"{name} {phone}" for name, phone in self.phones)
        return f"{named or 'no phone is known'}{self.more}"


def vendor_of(desk: Desk, to: str) -> Vendor | None:
    """The vendor that `vendor:NAME` means, None where it is no vendor or none is configured. Raises
    Failed naming those there are."""
    kind, _, name = to.partition(":")
    vendors = desk.config.escalation.vendors
    # Without the table `vendor:NAME` still means something: the queue of the tier `vendor`.
    if kind != "vendor" or not vendors:
        return None
    found = next((v for n, v in vendors.items() if n.casefold() == name.casefold()), None)
    if found is None:
        known = ", ".join(vendors)
        raise failed(
            Reason.NOT_FOUND, f"escalate: there is no vendor {name} in [escalation.vendors]: {known}."
        )
    return found


def whom(desk: Desk, connection: str, queue: str | None, vendor: Vendor | None = None) -> Whom | None:
    """Who is behind a queue, or behind the vendor; None where nobody is named for it."""
    if vendor is not None:
        contract = f", contract {vendor.contract}" if vendor.contract else ""
        return Whom((), ((vendor.name, vendor.phone),), f"{_hours(vendor.hours)}{contract}")
    tier = desk.connection(connection).tiers.get(queue or "")
    team = desk.config.escalation.tiers.get(tier or "")
    return None if team is None else Whom(team.members, tuple(team.phones.items()), _hours(team.hours))


def calls(found: Whom | None) -> tuple[str, ...]:
    """The plan's lines on who reads it and whom to call."""
    if found is None:
        return ("  a board move wakes nobody, and nobody is named in [escalation.tiers] for it",)
    members = f"  read by: {', '.join(found.readers)}" if found.readers else ""
    return (*([members] if members else []), f"  a board move wakes nobody: call {found.call}")


def to_call(desk: Desk, ticket: Ticket) -> tuple[tuple[str, str], ...]:
    """Everybody with a number whom a ticket may need: who is behind its queue, the vendors of the queue,
    its contact, and who may authorise what isn't covered."""
    behind = whom(desk, ticket.connection, ticket.queue)
    vendors = desk.config.escalation.vendors.values()
    here = [(v.name, v.phone) for v in vendors if v.queues.get(ticket.connection) == ticket.queue]
    contact, facts = ticket.contact, desk.clockwork.facts(ticket)
    theirs: list[tuple[str, str]] = []
    if contact is not None and contact.phones:
        theirs.append((contact.name, contact.phones[0]))
    if facts is not None and facts.authoriser and facts.authoriser_phone:
        theirs.append((facts.authoriser, facts.authoriser_phone))
    return (*here, *(behind.phones if behind else ()), *theirs)


def number_of(desk: Desk, ticket: Ticket, name: str) -> str | None:
    """The number on file of somebody in `to_call`."""
    return next((p for n, p in to_call(desk, ticket) if n.casefold() == name.casefold()), None)


def proposals_now(desk: Desk, ticket: Ticket) -> tuple[Proposal, ...]:
    """The escalations that are proposed of it now, the latest reason first."""
    return proposed(desk.clockwork.proposals(ticket), desk.now())


def path_of(desk: Desk, ticket: Ticket, detail: TicketDetail | None) -> tuple[Step, ...]:
    """The way of the ticket through tiers and calls; empty where it went nowhere."""
    connection = desk.connections.get(ticket.connection)
    return path(ticket, detail, connection.tiers if connection is not None else {})


def _hours(hours: str | None) -> str:
    return f" (hours: {hours})" if hours else ""
