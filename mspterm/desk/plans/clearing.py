"""The plan for tickets whose alert has cleared: always a comment, an end only where no human touched it."""

from __future__ import annotations

from collections.abc import Sequence

from mspterm.desk.directory import Directory
from mspterm.desk.look import ticket_now
from mspterm.desk.ties import of_tickets
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Plan
from mspterm.domain.planning import Asked, plan_update
from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.domain.row import StatusClass
from mspterm.domain.ticket import Ticket, TicketDetail
from mspterm.domain.ties import Tie
from mspterm.domain.touch import touched_in


async def plan_cleared(book: Directory, refs: Sequence[str], wanted: Wanted) -> Plan:
    """Raises Failed for a ticket whose alert is not known to have cleared."""
    tied = of_tickets(book.desk.store)
    asked = []
    for ticket in book.tickets(refs):
        gone = cleared(tied.get(ticket.ref, ()))
        if not gone:
            sentence = f"No alert of {ticket.ref} is known to have cleared; `note` and `status` write to it."
            raise failed(Reason.REFUSED, sentence, ticket.connection)
        # Asked now: since the last poll somebody may have begun to work on it, and then it stays open.
        detail = await ticket_now(book.desk, ticket.ref)
        asked.append((detail.ticket, await says(book, detail, gone, close=True)))
    return plan_update("cleared", asked)


def cleared(found: Sequence[Tie]) -> Sequence[Tie]:
    """The ties of one ticket, where none of its alerts is on any more."""
    return () if any(t.cleared_at is None for t in found) else found


async def says(book: Directory, detail: TicketDetail, gone: Sequence[Tie], *, close: bool) -> Asked:
    """The comment, and the status that ends it where that is wanted and no human touched the ticket."""
    untouched = touched_in(detail, book.desk.clockwork.storms.integrations) is None
    ends = close and untouched and detail.ticket.active
    status = await ended_status(book, detail.ticket) if ends else None
    return Asked(text="\n".join(map(comment, gone)), status=status)


async def ended_status(book: Directory, ticket: Ticket) -> str:
    """Resolved before closed: the latter may be a PSA's word for what was rejected."""
    try:
        return await book.status(ticket, StatusClass.RESOLVED.value)
    except Failed:
        return await book.status(ticket, StatusClass.CLOSED.value)


def comment(tie: Tie) -> str:
    """What the ticket is told of one alert. It ends in the alert's id, by which another desk sees that it
    was told."""
    at = f" at {tie.cleared_at:%Y-%m-%d %H:%M} UTC" if tie.cleared_at else ""
    return f"Alert cleared{at}: {tie.message} {mark(tie)}"


def mark(tie: Tie) -> str:
    # Without the connection's name, which another desk's config may have otherwise.
    return f"[alert {tie.alert.rpartition(':')[2]}]"
