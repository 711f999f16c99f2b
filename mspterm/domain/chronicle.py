"""The log of a ticket: from what each look at it showed, or from its whole conversation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

from mspterm.domain.history import ROUTE, Event, Happened
from mspterm.domain.row import StatusClass
from mspterm.domain.ticket import Note, Ticket, TicketDetail

KEPT = 256
"""Events kept of one ticket: a rule of the vendor's that flips a status for ever must not fill us up."""

# The request itself may be kept as the first note of the conversation.
_OPENING = timedelta(seconds=5)
_OURS = ("public", "resolution")
_CHANGE = re.compile(r"(Status|Priority) changed from (.+) to (.+)", re.IGNORECASE)


def seen(ticket: Ticket, known: Ticket | None) -> tuple[Event, ...]:
    """The events of `ticket` after `known`, the same ticket as it was stored: what changed since is
    dated by the ticket's own last change. The same look twice adds nothing."""
    if known is None or not known.history:
        return _first(ticket)
    # An answer that was overtaken on its way: taken for news it would undo changes.
    if ticket.updated_at < known.updated_at:
        return known.history
    new = tuple(_changes(ticket, known))
    return (*known.history, *new)[-KEPT:] if new else known.history


def events_of(ticket: Ticket) -> tuple[Event, ...]:
    """The log that clocks are computed from, in order, CREATED first."""
    history = ticket.history or _first(ticket)
    # The log has changes only, so what the first of them replaced is the priority it was created with.
    before = next((e.word for e in history if e.kind is Happened.PRIORITY), str(ticket.priority))
    created = Event(ticket.created_at, Happened.CREATED, before)
    # Nothing may come before CREATED: `course` takes the first event for it.
    counts = (e for e in history if e.at >= created.at and e.kind not in ROUTE)
    later = sorted(counts, key=lambda e: e.at)
    return (created, *later)


def with_route(exact: tuple[Event, ...], before: tuple[Event, ...]) -> tuple[Event, ...]:
    """The exact log with what `before`, an earlier one, had seen of where the ticket went."""
    went = [e for e in before if e.kind in ROUTE]
    return tuple(sorted((*exact, *went), key=lambda e: e.at))[-KEPT:] if went else exact[-KEPT:]


def events_from(detail: TicketDetail, class_of: Callable[[str], StatusClass]) -> tuple[Event, ...] | None:
    """The exact log, from a conversation that holds the vendor's own records of changes (`system`).

    None where they don't lead to the status that the ticket has: then some are missing.
    """
    ticket = detail.ticket
    found = sorted((e for n in detail.notes for e in _from_note(n, ticket, class_of)), key=lambda e: e.at)
    statuses = [e.value for e in found if e.kind is Happened.STATUS]
    last = statuses[-1] if statuses else StatusClass.NEW
    if last != ticket.status_class:
        return None
    # The present priority from creation on: the vendor's words for earlier ones have no number here,
    # and a change of priority counts anew from creation anyway (sla.md 1.2).
    return (Event(ticket.created_at, Happened.CREATED, str(ticket.priority)), *found)


def first_reply(detail: TicketDetail) -> Note | None:
    """The first text of a person of ours that the client could read: what a response is to them,
    whatever a status says."""
    return next((note for note in detail.notes if note.kind in _OURS), None)


def unknown_before(events: tuple[Event, ...]) -> Event | None:
    """The first look, where it came too late to know the pauses before it."""
    first = next((e for e in events if e.kind is Happened.SEEN), None)
    return None if first is None or first.value == StatusClass.NEW else first


def _first(ticket: Ticket) -> tuple[Event, ...]:
    # Since its last change the ticket has been as it is now.
    events = [Event(ticket.updated_at, Happened.SEEN, _status(ticket), ticket.status)]
    if ticket.customer_replied_at is not None:
        events.append(Event(ticket.customer_replied_at, Happened.CUSTOMER))
    return tuple(events)


def _changes(ticket: Ticket, known: Ticket) -> Iterator[Event]:
    at = ticket.updated_at
    if (_status(ticket), ticket.status) != (_status(known), known.status):
        yield Event(at, Happened.STATUS, _status(ticket), ticket.status)
    if ticket.priority != known.priority:
        yield Event(at, Happened.PRIORITY, str(ticket.priority), str(known.priority))
    if ticket.customer_replied_at is not None and known.customer_replied_at is None:
        yield Event(ticket.customer_replied_at, Happened.CUSTOMER)
    # A list tells of our answer by this alone: the customer's word no longer stands open.
    if ticket.customer_replied_at is None and known.customer_replied_at is not None:
        yield Event(at, Happened.AGENT)
    if (ticket.queue, ticket.tier) != (known.queue, known.tier):
        yield Event(at, Happened.QUEUE, _place(ticket), _place(known))
    # By id: a name is corrected without anybody taking over.
    if ticket.assignee_id != known.assignee_id:
        yield Event(at, Happened.OWNER, ticket.assignee or "", known.assignee or "")


def _place(ticket: Ticket) -> str:
    return f"{ticket.tier or ''}:{ticket.queue or ''}"


def _status(ticket: Ticket) -> str:
    on = f":{ticket.waiting_on}" if ticket.waiting_on else ""
    return f"{ticket.status_class}{on}" if ticket.status_class is StatusClass.WAITING else ticket.status_class


def _from_note(note: Note, ticket: Ticket, class_of: Callable[[str], StatusClass]) -> Iterator[Event]:
    if note.kind == "customer" and note.at > ticket.created_at + _OPENING:
        yield Event(note.at, Happened.CUSTOMER)
    elif note.kind in _OURS:
        yield Event(note.at, Happened.AGENT)
    elif note.kind == "system":
        change = _CHANGE.fullmatch(note.body.strip())
        if change is not None and change[1].casefold() == "status":
            yield Event(note.at, Happened.STATUS, class_of(change[3]), change[3])
