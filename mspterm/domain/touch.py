"""Whether a human has had a hand in a ticket: what nobody touched may be closed with its cause."""

from __future__ import annotations

from collections.abc import Collection

from mspterm.domain.row import StatusClass
from mspterm.domain.ticket import Note, Ticket, TicketDetail

# Not "system": the PSA's own rules leave those.
_SPOKEN = frozenset({"public", "internal", "customer", "resolution", "co-managed"})


def touched(ticket: Ticket, robots: Collection[str] = ()) -> str | None:
    """What tells at a glance that a human had a hand in it, in words; None: its conversation decides."""
    if ticket.assignee_id:
        return f"{ticket.assignee or ticket.assignee_id} owns it"
    if not by_machine(ticket, robots):
        who = f" ({ticket.contact.name})" if ticket.contact else ""
        return f"a person reported it{who}"
    if ticket.customer_replied_at is not None:
        return "the client wrote"
    if ticket.minutes_worked:
        return f"{ticket.minutes_worked} min were booked"
    if ticket.status_class is not StatusClass.NEW:
        return f"somebody set it to {ticket.status}"
    return None


def touched_in(detail: TicketDetail, robots: Collection[str] = ()) -> str | None:
    """Likewise, its conversation read: a word that is neither the machine's that opened it nor one of
    the `robots` (logins or names of integrations, in any case)."""
    known = touched(detail.ticket, robots)
    if known is not None:
        return known
    spoken = [note for note in detail.notes if note.kind in _SPOKEN]
    # Where the conversation begins with the text that it was opened with, its author is the machine.
    opener = [note.author for note in spoken[:1] if note.body == detail.description]
    machines = {name.casefold() for name in (*robots, *opener)}
    human = next((note for note in spoken if note.author.casefold() not in machines or _hand(note)), None)
    return None if human is None else f"{human.author} wrote on {human.at:%Y-%m-%d %H:%M}Z"


def by_machine(ticket: Ticket, robots: Collection[str]) -> bool:
    """Whether a monitoring system opened it; where a PSA has no type for that, its requestor tells."""
    if ticket.type == "alert" or ticket.source == "alert":
        return True
    names = {name.casefold() for name in robots}
    contact = ticket.contact
    said = () if contact is None else (contact.name.casefold(), (contact.email or "").casefold())
    return any(name in names for name in said)


def _hand(note: Note) -> bool:
    """What no machine does: book time, or write as the client."""
    return bool(note.minutes) or note.kind == "customer"
