"""From writes to what the journal and the outbox say of them."""

from __future__ import annotations

from mspterm.desk.desk import Desk, split_ref
from mspterm.desk.journal import Entry
from mspterm.domain.action import (
    Attach,
    NewTicket,
    OpenSession,
    Outcome,
    Plan,
    Reboot,
    RunCommand,
    State,
    Update,
    Write,
)
from mspterm.domain.reasons import Failure
from mspterm.domain.row import StatusClass
from mspterm.domain.ticket import Ticket
from mspterm.store.intents import Intent, Seen

BREAK_GLASS, OPEN, REVIEW = "break-glass", "review open", "review"
"""The action and state of a record that asks for a review, and the action of the review."""

# Without PLANNED: a dry run never gets as far as the outbox.
OUTBOX = {
    State.DONE: "confirmed",
    State.QUEUED: "queued",
    State.UNCERTAIN: "uncertain",
    State.REFUSED: "failed",
    State.FAILED: "failed",
}


def entry(desk: Desk, intent: Intent, state: str, reason: str | None, *, target: str = "") -> Entry:
    """The record of one step of an intent; `target` is the ticket that it created."""
    write = intent.write
    return Entry(
        intent.action,
        (target or write.ref, *_also(write)),
        client_of(desk, write),
        state,
        reason,
        intent.intent_id,
        intent.plan_hash,
        # As last asked: a record must not wait for a server to say who we are.
        desk.store.connections.get(intent.connection).identity,
        words_of(write),
    )


def review(desk: Desk, plan: Plan) -> Entry:
    """What asks for somebody's review: glass was broken. It stays open until one is on record."""
    identity = desk.store.connections.get(connection_of(plan.writes[0])).identity
    refs, client = tuple(t.ref for t in plan.targets), ", ".join(plan.clients) or None
    said = f"{plan.action}: {plan.break_glass}"
    return Entry(BREAK_GLASS, refs, client, OPEN, said, None, plan.hash, identity)


def _also(write: Write) -> tuple[str, ...]:
    """What else the write touches: the ticket of a command or session, the device of a new ticket."""
    if isinstance(write, Attach):
        return write.children
    other = write.attach if isinstance(write, RunCommand) else None
    if isinstance(write, NewTicket):
        other = write.device
    elif isinstance(write, OpenSession):
        other = write.ticket
    return (other,) if other else ()


def words_of(write: Write) -> str | None:
    """What the technician typed."""
    if isinstance(write, RunCommand):
        return write.command
    return None if isinstance(write, Reboot | OpenSession | Attach) else write.text


def client_of(desk: Desk, write: Write) -> str | None:
    if isinstance(write, NewTicket):
        return write.client
    if isinstance(write, Update | Attach):
        row = desk.store.tickets.row(write.ref)
        return None if row is None else row.client
    device = desk.store.devices.get(write.ref)
    if device is None:
        return None
    # An RMM may know no clients; then the PSA's asset that the device was matched with has it.
    return device.client or desk.store.devices.client_names().get(write.ref)


def seen(ticket: Ticket) -> Seen:
    """What of a ticket matters to a write that waits."""
    return Seen(ticket.status, closed(ticket), ticket.assignee_id, ticket.customer_replied_at)


def closed(ticket: Ticket) -> bool:
    return ticket.status_class in (StatusClass.RESOLVED, StatusClass.CLOSED)


def waits(write: Write, failure: Failure) -> Outcome:
    sentence = (
        f"{failure.sentence} It waits in the outbox and goes by itself when"
        f" {connection_of(write)} answers; nothing has been sent yet."
    )
    return Outcome(
        write.ref, State.QUEUED, Failure(failure.reason, sentence, failure.connection, failure.retry_at)
    )


def may_wait(write: Write) -> bool:
    """Notes, time and status wait out an outage; nothing that conditions could make wrong does."""
    return (
        isinstance(write, Update) and write.owner is None and write.queue is None and write.priority is None
    )


def connection_of(write: Write) -> str:
    return write.connection if isinstance(write, NewTicket) else split_ref(write.ref)[0]
