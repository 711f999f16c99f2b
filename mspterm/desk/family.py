"""A parent's children as they are now, and which of them may be closed with it."""

from __future__ import annotations

import asyncio

from mspterm.desk.desk import Desk
from mspterm.desk.directory import Directory
from mspterm.desk.look import ticket_now
from mspterm.domain.gathering import Closing
from mspterm.domain.reasons import Failed
from mspterm.domain.row import StatusClass
from mspterm.domain.ticket import Ticket
from mspterm.domain.touch import touched, touched_in

ENDED = (StatusClass.RESOLVED.value, StatusClass.CLOSED.value)
_AT_ONCE = 6


async def ends(book: Directory, ticket: Ticket, status: str) -> str | None:
    """ "resolved" or "closed", where that is what the vendor's status means for this ticket; else None."""
    choices = await book.choices(ticket.connection, ticket)
    classes = {**choices.status_classes, **book.desk.connection(ticket.connection).status_classes}
    found = classes.get(status)
    return found if found in ENDED else None


async def closings(book: Directory, parent: Ticket, status: str, ended: str) -> list[Closing]:
    """What the parent's `status` means for each of its children that is still open."""
    # A storm's parent has up to a hundred: all at once would be a storm of our own on the PSA.
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(ref: str) -> Closing | None:
        async with gate:
            return await _closing(book, ref, status, ended)

    found = await asyncio.gather(*(one(ref) for ref in await children(book.desk, parent)))
    return [c for c in found if c is not None]


async def children(desk: Desk, parent: Ticket) -> tuple[str, ...]:
    """Refs of its children, asked of the server: a list doesn't tell them in every PSA."""
    try:
        return (await ticket_now(desk, parent.ref)).ticket.children
    except Failed:
        return parent.children


async def _closing(book: Directory, ref: str, status: str, ended: str) -> Closing | None:
    known = book.desk.store.tickets.get(ref)
    robots = book.desk.clockwork.storms.integrations
    # What the store knows is enough to leave one open, and spares the call; never enough to close one.
    why = touched(known, robots) if known is not None and known.active else None
    if known is not None and why is not None:
        return Closing(known, None, why)
    try:
        detail = await ticket_now(book.desk, ref)
    except Failed as error:
        return (
            None
            if known is None
            else Closing(known, None, f"it can't be read now ({error.failure.sentence})")
        )
    if not detail.ticket.active:
        return None
    why = touched_in(detail, robots)
    if why is not None:
        return Closing(detail.ticket, None, why)
    return await _to(book, detail.ticket, status, ended)


async def _to(book: Directory, child: Ticket, status: str, ended: str) -> Closing:
    """The same status where its queue has that, else the first of its class."""
    for wanted in (status, ended):
        try:
            return Closing(child, await book.status(child, wanted))
        except Failed as error:
            why = error.failure.sentence
    return Closing(child, None, why)
