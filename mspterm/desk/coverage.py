"""Whether the work of a plan is covered now, and else at what rate and with whose OK."""

from __future__ import annotations

from mspterm.desk.desk import Desk
from mspterm.domain.action import OpenSession, Plan, RunCommand, Write
from mspterm.domain.scope import Mark, cover


def coverage(desk: Desk, plan: Plan) -> tuple[str, ...]:
    """In words, by the tickets that a device plan is for, else by the facts of its clients; empty
    where nobody has said."""
    refs = [ref for write in plan.writes if (ref := _ticket(write))]
    # A ticket before the client: the SLA policy that fits it may have hours of its own.
    tickets = [t for ref in dict.fromkeys(refs) if (t := desk.store.tickets.get(ref)) is not None]
    marks = [desk.clockwork.mark(ticket, desk.now()) for ticket in tickets]
    if not marks:
        facts = [desk.config.clients.get(client) for client in plan.clients]
        marks = [cover(f, None, desk.clockwork.hours, desk.now()) for f in facts if f is not None]
    return tuple(dict.fromkeys(line for mark in marks for line in _words(mark)))


def billable(desk: Desk, ref: str) -> str | None:
    """What booking time on a ticket costs its client; None where it is covered or nobody has said."""
    ticket = desk.store.tickets.get(ref)
    return "; ".join(desk.clockwork.mark(ticket, desk.now()).lines()) or None if ticket else None


def _words(mark: Mark) -> tuple[str, ...]:
    if mark.lines():
        return mark.lines()
    return (f"covered now ({mark.calendar})",) if mark.covered else ()


def _ticket(write: Write) -> str | None:
    if isinstance(write, RunCommand):
        return write.attach
    return write.ticket if isinstance(write, OpenSession) else None
