"""Whether a write whose answer got lost did arrive: what its ticket shows now.

No vendor has idempotency keys, so the only mark of ours is what we wrote: the same words by us,
after we began, once more often than we know of.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from mspterm.desk.desk import Desk
from mspterm.desk.look import ticket_now
from mspterm.domain.action import Update
from mspterm.domain.text import clean
from mspterm.domain.ticket import Note, Ticket, TicketDetail
from mspterm.store.intents import Intent

# SLACK: what is known of the server's clock is its Date header, in whole seconds, as of the last answer.
SLACK, KNOWN_BEFORE = timedelta(seconds=5), timedelta(minutes=1)


async def left_to_do(desk: Desk, intent: Intent) -> Update | None:
    """The part of the write that its ticket does not show; None where all of it is there.

    Asks the server; raises Failed where it doesn't answer.
    """
    write = intent.write
    assert isinstance(write, Update)
    detail = await ticket_now(desk, write.ref)
    if write.text is not None and await _told(desk, intent, write, detail):
        # Both or neither: a note counts as ours only with its minutes, so they have arrived together.
        write = replace(write, text=None, minutes=None)
    rest = _unlike(write, detail.ticket)
    return None if _empty(rest) else rest


async def _told(desk: Desk, intent: Intent, write: Update, detail: TicketDetail) -> bool:
    since = intent.created_at + _skew(desk, intent.connection) - SLACK
    me = (await (await desk.connector(intent.connection)).whoami()).technician
    # One vendor names a note's author by login, another by name.
    mine = {me.id.casefold(), me.name.casefold()}
    alike = [n for n in detail.notes if _is(n, write, since) and n.author.casefold() in mine]
    # Rather one too many, and uncertain, than another's note taken for this one.
    others = desk.store.intents.confirmed_since(write.ref, intent.created_at - KNOWN_BEFORE)
    known = [i for i in others if _same_note(i, write) and i.intent_id != intent.intent_id]
    return len(alike) > len(known)


def _is(note: Note, write: Update, since: datetime) -> bool:
    if note.at < since or (note.minutes or 0) != (write.minutes or 0):
        return False
    # By words: servers trim and rewrap white space.
    return note.body.split() == clean(write.text or "", multiline=True).split()


def _same_note(intent: Intent, write: Update) -> bool:
    other = intent.write
    if not isinstance(other, Update) or (other.minutes or 0) != (write.minutes or 0):
        return False
    return (other.text or "").split() == (write.text or "").split()


def _skew(desk: Desk, connection: str) -> timedelta:
    """How far the server's clock is ahead of ours."""
    return timedelta(seconds=desk.store.connections.get(connection).skew_s or 0.0)


def _unlike(write: Update, ticket: Ticket) -> Update:
    """The write without the fields that are as it wants them."""
    return replace(
        write,
        status=None if write.status == ticket.status else write.status,
        owner=None if write.owner == (ticket.assignee_id or "") else write.owner,
        queue=None if write.queue == ticket.queue else write.queue,
        priority=None if write.priority == ticket.priority else write.priority,
        next_at=None if write.next_at == ticket.next_action_at else write.next_at,
    )


def _empty(write: Update) -> bool:
    asked = (write.text, write.minutes, write.status, write.owner, write.queue, write.priority, write.next_at)
    return all(value is None for value in asked)
