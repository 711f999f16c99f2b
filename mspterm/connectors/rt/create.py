"""New tickets, created in one call and proven by reading them back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

from mspterm.connectors.proof import Check
from mspterm.connectors.rt import proof, wire
from mspterm.connectors.rt.act import owner_change, priority_change, queue_change
from mspterm.connectors.rt.client import RtClient
from mspterm.connectors.rt.detail import Detail, items
from mspterm.connectors.rt.feed import Feed, quoted
from mspterm.connectors.rt.mapping import TenantMap, custom_field
from mspterm.connectors.rt.proof import Put
from mspterm.domain.action import NewTicket, Outcome, State
from mspterm.domain.reasons import Failed, Failure, Reason, failed
from mspterm.domain.text import clean
from mspterm.net.faults import Answered, MaybeSent

CLOCK_SLACK_S = 5
"""RT's Created may lag our clock by as much."""


@dataclass(frozen=True, slots=True)
class _Draft:
    """A new ticket as RT is told of it, and what must be seen of it afterwards."""

    write: NewTicket
    body: dict[str, Any]
    changes: tuple[Put, ...]


class Creator:
    """Creates tickets."""

    def __init__(
        self,
        client: RtClient,
        mapping: TenantMap,
        detail: Detail,
        feed: Feed,
        now: Callable[[], datetime],
    ) -> None:
        self._client, self._mapping, self._detail, self._feed = client, mapping, detail, feed
        self._now, self._name = now, client.name

    async def create(self, write: NewTicket) -> Outcome:
        began = self._now()
        try:
            draft = await self._draft(write)
            number = await self._post(draft, began)
        except MaybeSent as error:
            return Outcome(write.ref, State.UNCERTAIN, error.failure)
        except Failed as error:
            return Outcome(write.ref, State.FAILED, proof.better(self._name, error))
        return await self._prove(draft, number)

    async def _post(self, draft: _Draft, began: datetime) -> str:
        try:
            answer = await self._client.send("POST", "/ticket", draft.body)
            return str(self._client.http.decode(answer, wire.WireCreated).id)
        # A refusal in so many words: nothing was made, so nothing is looked for.
        except Answered:
            raise
        except Failed as error:
            # Neither an answer that got lost nor one that can't be read: the request never left.
            if error.failure.reason is not Reason.BAD_DATA and not isinstance(error, MaybeSent):
                raise
            found = await self._find(draft, began)
            if found is None:
                raise MaybeSent(error.failure) from None
            return found

    async def _draft(self, write: NewTicket) -> _Draft:
        queue = await self._queue(write)
        changes = [
            Put("summary", {"Subject": write.summary}, write.summary, lambda row: row.subject or ""),
            queue_change(queue),
        ]
        if self._mapping.connection.client_from != "queue":
            changes.append(_client_change(self._mapping.client_field, write.client))
        if write.owner is not None:
            changes.append(owner_change(write.owner))
        if write.priority is not None:
            changes.append(priority_change(self._mapping, write.priority))
        if write.contact:
            changes.append(_requestor_change(await self._contact(write.contact)))
        if write.device:
            changes.append(
                _link_change("device", "RefersTo", ("refers-to", "asset"), self._asset(write.device))
            )
        if write.parent:
            changes.append(_link_change("parent", "MemberOf", ("parent", "ticket"), _number_of(write.parent)))
        text = {"Content": write.text, "ContentType": "text/plain"} if write.text else {}
        return _Draft(write, {**proof.body_of(changes), **text}, tuple(changes))

    async def _queue(self, write: NewTicket) -> str:
        """The queue asked for, else the tenant's first: RT makes no ticket without one."""
        connection = self._mapping.connection
        if write.queue:
            return write.queue
        if connection.client_from == "queue":
            return write.client
        first_line = [queue for queue, tier in connection.tiers.items() if tier == "L1"]
        known = [*connection.queues, *first_line] or sorted((await self._detail.queues()).values())
        if len(known) > 1 and not connection.queues and not first_line:
            sentence = f"RT wants a queue for a new ticket of {self._name}; name one of {', '.join(known)}."
            raise failed(Reason.REFUSED, clean(sentence), self._name)
        if not known:
            raise failed(
                Reason.PERMISSION, f"RT shows {self._name} no queue to create a ticket in.", self._name
            )
        return known[0]

    async def _contact(self, contact: str) -> str:
        """A requestor as RT takes it: an address as it is, a name by the one user who has it."""
        if "@" in contact:
            return contact
        page = await self._client.users_named(contact)
        users = [wire.item(raw, wire.WireUser) for raw in page.items]
        if len(users) != 1:
            found = "no user" if not users else f"{len(users)} users"
            sentence = f"RT has {found} named {clean(contact)}; give the contact's mail address."
            raise failed(Reason.REFUSED, sentence, self._name)
        return users[0].email_address or users[0].login

    def _asset(self, ref: str) -> str:
        """An asset's number from our ref of it or the bare number."""
        number = ref.removeprefix(f"{self._name}:asset:")
        if not number.isdigit():
            sentence = f"{clean(ref)} is no asset of {self._name}, so the ticket can't be tied to it."
            raise failed(Reason.REFUSED, sentence, self._name)
        return number

    async def _find(self, draft: _Draft, began: datetime) -> str | None:
        """A ticket of ours whose answer got lost: same summary and creator, made since we began."""
        try:
            me = await self._detail.me()
            if me is None:
                return None
            # As seconds ago: RT reads an absolute time in the user's own zone.
            since = ceil((self._now() - began).total_seconds()) + CLOCK_SLACK_S
            query = (
                f"Subject = {quoted(draft.write.summary)} AND Creator = {quoted(me)}"
                f" AND Created >= '{since} seconds ago'"
            )
            page = await self._client.tickets(query, kind="action")
        except Failed:
            return None
        # Of two the wrong one might be proven; uncertain is better than falsely done.
        return wire.item_id(page.items[0]) if len(page.items) == 1 else None

    async def _prove(self, draft: _Draft, number: str) -> Outcome:
        ref, created = draft.write.ref, self._mapping.ref(clean(number))
        try:
            row, text = await asyncio.gather(
                self._detail.row(number, kind="action"), self._text(draft, number)
            )
        except Failed as error:
            unread = f"RT made {created}, and it could not be read back: {error.failure.sentence}"
            return Outcome(ref, State.UNCERTAIN, error.failure, (unread,), created_ref=created)
        checks = (*(change.check(row) for change in draft.changes), *text)
        lines = tuple(check.line() for check in checks)
        missing = [check for check in checks if not check.ok]
        ticket = self._feed.map(row)
        if not missing:
            return Outcome(ref, State.DONE, None, lines, ticket=ticket, created_ref=created)
        what = " and ".join(check.what for check in missing)
        sentence = (
            f"RT made {created} without the {what} that was asked for; update it, don't create it again."
        )
        failure = Failure(Reason.REFUSED, sentence, self._name)
        return Outcome(ref, State.FAILED, failure, lines, ticket=ticket, created_ref=created)

    async def _text(self, draft: _Draft, number: str) -> tuple[Check, ...]:
        if not draft.write.text:
            return ()
        parts = await items(self._client.bodies(number, kind="action"), wire.WireAttachment)
        arrived = any(proof.same_text(draft.write.text, part.content) for part in parts)
        return (Check("text", "the description", "the description" if arrived else "not there", arrived),)


def _client_change(field: str, client: str) -> Put:
    return Put(
        "client",
        {"CustomFields": {field: client}},
        client,
        lambda row: custom_field(row.custom_fields, field) or "",
    )


def _requestor_change(requestor: str) -> Put:
    def found(row: wire.WireTicket) -> str:
        names = [name for user in row.requestor for name in (user.email_address, user.login) if name]
        matching = [name for name in names if name.casefold() == requestor.casefold()]
        return matching[0] if matching else ", ".join(names)

    return Put("contact", {"Requestor": requestor}, requestor, found)


def _link_change(what: str, name: str, kind: tuple[str, str], number: str) -> Put:
    # RT takes a bare number for a ticket's.
    target = f"asset:{number}" if kind[1] == "asset" else number

    def found(row: wire.WireTicket) -> str:
        linked = {str(link.id) for link in row.hyperlinks if (link.ref, link.type) == kind}
        return number if number in linked else ", ".join(sorted(linked))

    return Put(what, {name: [target]}, number, found)


def _number_of(ref: str) -> str:
    return ref.rpartition(":")[2]
