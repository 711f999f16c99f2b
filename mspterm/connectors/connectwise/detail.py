"""One ticket with its conversation, its parts asked at the same time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TypeVar

from mspterm.connectors.connectwise import conversation, wire
from mspterm.connectors.connectwise.client import CwClient
from mspterm.connectors.connectwise.feed import Feed
from mspterm.connectors.connectwise.mapping import contact
from mspterm.domain.reasons import Failed, Reason
from mspterm.domain.ticket import TicketDetail
from mspterm.net.pacer import CallClass

T = TypeVar("T")
_NOT_SHOWN = (Reason.PERMISSION, Reason.NOT_FOUND)
_ENTRY_FIELDS = (
    "id,member,timeStart,timeEnd,actualHours,notes,internalNotes,addToDetailDescriptionFlag,"
    "addToInternalAnalysisFlag,addToResolutionFlag,enteredBy,dateEntered"
)


class Detail:
    """Reads tickets whole. A part that the role may not see is left out; the notes never are."""

    def __init__(self, client: CwClient, feed: Feed) -> None:
        self._client, self._feed = client, feed

    async def ticket(self, id: str) -> TicketDetail:
        row = await self._client.ticket(id)
        written, entries, files, linked, person, children = await asyncio.gather(
            self.notes(id),
            self.entries(id),
            self._documents(id),
            self._feed.linked(row.id, kind="interactive"),
            self._contact(row),
            self._children(row),
        )
        replied = conversation.last_word(written, entries)
        # The flag says whether a reply is owed, the notes only since when.
        self._feed.learn(row.id, linked=linked, replied=replied if row.customer_updated_flag else None)
        ticket = replace(await self._feed.map(row, kind="interactive"), children=children)
        if person is not None:
            ticket = replace(ticket, contact=contact(row, person))
        return TicketDetail(
            ticket=ticket,
            description=conversation.description(written),
            notes=conversation.notes(written, entries),
            attachments=tuple(map(conversation.attachment, files)),
        )

    async def notes(self, id: str, *, kind: CallClass = "interactive") -> list[wire.Note]:
        return await self._client.items("/service/tickets/{id}/notes", wire.Note, kind=kind, id=id)

    async def entries(self, id: str, *, kind: CallClass = "interactive") -> list[wire.TimeEntry]:
        """Booked time. A role without the time module sees the ticket without it."""
        charged = '(chargeToType="ServiceTicket" OR chargeToType="ProjectTicket")'
        query = {"conditions": f"{charged} AND chargeToId={id}", "fields": _ENTRY_FIELDS}
        try:
            return await self._client.items("/time/entries", wire.TimeEntry, query, kind=kind)
        except Failed as error:
            if error.failure.reason not in _NOT_SHOWN:
                raise
            return []

    async def _documents(self, id: str) -> list[wire.Document]:
        try:
            return await self._client.items("/service/tickets/{id}/documents", wire.Document, id=id)
        except Failed as error:
            if error.failure.reason not in _NOT_SHOWN:
                raise
            return []

    async def _contact(self, row: wire.Ticket) -> wire.Contact | None:
        """The contact's own record, which has all the phones."""
        if row.contact is None or row.contact.id is None:
            return None
        query = {"fields": "id,firstName,lastName,communicationItems"}
        try:
            return await self._client.get(
                "/company/contacts/{id}", wire.Contact, query=query, id=row.contact.id
            )
        except Failed as error:
            if error.failure.reason not in _NOT_SHOWN:
                raise
            return None

    async def _children(self, row: wire.Ticket) -> tuple[str, ...]:
        if not row.has_child_ticket:
            return ()
        query = {"conditions": f"parentTicketId={row.id}", "fields": "id"}
        found = await self._client.items("/service/tickets", wire.Company, query)
        return tuple(self._feed.ref(child.id) for child in found)
