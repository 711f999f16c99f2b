"""What the RMM says of a ticket's alerts, beneath the ticket's header."""

from __future__ import annotations

from mspterm.console.line_view import TextLine, line, wrap
from mspterm.desk.ties import of_tickets
from mspterm.domain.ticket import Ticket
from mspterm.domain.ties import Tie
from mspterm.store.store import Store


def alert_lines(store: Store, ticket: Ticket, *, width: int) -> list[TextLine]:
    """One sentence an alert: on, quiet or cleared; on although the ticket is done stands out."""
    found = [(words(tie, ticket), _role(tie, ticket)) for tie in of_tickets(store).get(ticket.ref, ())]
    return [line(row, role) for text, role in found for row in wrap(text, width - 1)]


def words(tie: Tie, ticket: Ticket) -> str:
    if tie.cleared_at is not None:
        told = "" if tie.told or not ticket.active else "; Alert cleared tells the ticket"
        return f"alert cleared {tie.cleared_at:%H:%M} UTC: {tie.message}{told}"
    if not ticket.active:
        return f"! the ticket is {ticket.status}, its alert is STILL ON: {tie.message}"
    quiet = f" (quiet: {tie.quiet})" if tie.quiet else ""
    return f"alert on{quiet}: {tie.message}"


def _role(tie: Tie, ticket: Ticket) -> str:
    if tie.cleared_at is not None:
        return "ok"
    return "muted" if ticket.active else "warning"
