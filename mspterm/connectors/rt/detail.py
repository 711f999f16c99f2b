"""One ticket with its conversation, in as few calls as RT allows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TypeVar

import msgspec

from mspterm.connectors.rt import conversation, wire
from mspterm.connectors.rt.client import RtClient
from mspterm.connectors.rt.feed import Feed
from mspterm.connectors.rt.mapping import TenantMap, contact
from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.domain.text import SafeText, clean
from mspterm.domain.ticket import Ticket, TicketDetail
from mspterm.net.pacer import CallClass

T = TypeVar("T")
NOT_SHOWN = (Reason.PERMISSION, Reason.NOT_FOUND)


class Detail:
    """Reads tickets whole. Users and queues are asked once and remembered."""

    def __init__(self, client: RtClient, mapping: TenantMap, feed: Feed) -> None:
        self._client, self._mapping, self._feed = client, mapping, feed
        self._users: dict[str, wire.WireUser] = {}
        self._queues: dict[str, str] = {}

    async def ticket(self, id: str) -> TicketDetail:
        row, history, parts, files = await asyncio.gather(
            self.row(id),
            items(self._client.history(id), wire.WireTransaction),
            items(self._client.bodies(id), wire.WireAttachment),
            items(self._client.attachments(id), wire.WireAttachment),
        )
        # A technician may be the requestor of their own ticket; what they say there is no customer's word.
        customers = frozenset(user.login for user in row.requestor) - {row.owner.login}
        texts = conversation.bodies(parts)
        replied = conversation.last_word(history, customers)
        ticket = replace(await self._with_phones(row), customer_replied_at=replied)
        # Only the history tells it for sure; without this the next poll's guess would replace it.
        self._feed.replied(str(row.id), replied)
        return TicketDetail(
            ticket=ticket,
            description=conversation.description(history, texts),
            notes=conversation.notes(history, texts, customers, await self._names(row, history)),
            attachments=tuple(
                conversation.attachment(part, self._mapping.base_url)
                for part in files
                if conversation.is_file(part)
            ),
        )

    async def row(self, id: str, *, kind: CallClass = "interactive") -> wire.WireTicket:
        """A ticket as lists give it, which is with every name expanded."""
        # Through int: the id may come from the command line, and goes into TicketSQL.
        page = await self._client.tickets(f"id = {_number(id)}", kind=kind)
        if not page.items:
            sentence = (
                f"Ticket {clean(id)} isn't in {self._client.name}: deleted, merged, or not yours to see."
            )
            raise failed(Reason.NOT_FOUND, sentence, self._client.name)
        try:
            return wire.item(page.items[0], wire.WireTicket)
        except msgspec.MsgspecError as error:
            sentence = f"Ticket {clean(id)} of {self._client.name} can't be read: {clean(str(error))}."
            raise failed(Reason.BAD_DATA, sentence, self._client.name) from None

    async def queues(self) -> dict[str, str]:
        """Queue names by id."""
        if not self._queues:
            found = await items(self._client.queues(), wire.WireQueue)
            self._queues = {str(queue.id): queue.name or str(queue.id) for queue in found}
        return self._queues

    async def _with_phones(self, row: wire.WireTicket) -> Ticket:
        ticket = self._feed.map(row)
        if not row.requestor:
            return ticket
        user = await self.user(row.requestor[0].login)
        numbers = (user.work_phone, user.mobile_phone, user.home_phone)
        phones: tuple[SafeText, ...] = tuple(clean(number) for number in numbers if number)
        return replace(ticket, contact=contact(row.requestor, phones))

    async def _names(self, row: wire.WireTicket, history: list[wire.WireTransaction]) -> conversation.Names:
        owners = [entry for entry in history if entry.field == "Owner"]
        logins = {value for entry in owners for value in (entry.old_value, entry.new_value) if value}
        users = {login: (await self.user(login)).login for login in sorted(logins)}
        moved = any(entry.field == "Queue" for entry in history)
        # Only where it is needed: the list of queues is one request more before the ticket shows.
        queues = await self.queues() if moved else {}
        return conversation.Names(users, queues, {str(cf.id): cf.name for cf in row.custom_fields})

    async def me(self) -> str | None:
        """Our own login, as far as the token or the configuration tells."""
        number = self._client.user_id
        found = (await self.user(number)).name if number else None
        return found or self._mapping.connection.me

    async def user(self, login: str) -> wire.WireUser:
        """A user's own record; where it isn't ours to see, just the name that we asked by."""
        if login not in self._users:
            try:
                self._users[login] = await self._client.user(login)
            except Failed as error:
                if error.failure.reason not in NOT_SHOWN:
                    raise
                # Remembered, or a hidden requestor would be asked for at each opening.
                self._users[login] = wire.WireUser(id=login)
        return self._users[login]


def _number(id: str) -> int:
    try:
        return int(id)
    except ValueError:
        raise failed(Reason.NOT_FOUND, f"{clean(id)} is no RT ticket: RT numbers them.") from None


async def items(pages: AsyncIterator[wire.Page], into: type[T]) -> list[T]:
    """Every item of a list that can be read; one odd entry doesn't hide a conversation."""
    found = []
    async for page in pages:
        for raw in page.items:
            try:
                found.append(wire.item(raw, into))
            except msgspec.MsgspecError:
                continue
    return found
