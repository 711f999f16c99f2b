"""Request Tracker 5 by its REST 2.0, as the desk asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from datetime import datetime

import httpx

from mspterm.config.model import Connection
from mspterm.connectors.base import Batch, Choices, Known
from mspterm.connectors.rt import mapping
from mspterm.connectors.rt.act import Updater
from mspterm.connectors.rt.attach import Gatherer
from mspterm.connectors.rt.choices import Chooser
from mspterm.connectors.rt.client import RtClient
from mspterm.connectors.rt.create import Creator
from mspterm.connectors.rt.detail import Detail
from mspterm.connectors.rt.feed import Feed
from mspterm.connectors.rt.manifest import MANIFEST
from mspterm.connectors.rt.wire import WireUser
from mspterm.domain.action import Attach, NewTicket, Outcome, State, Update, Write
from mspterm.domain.device import DeviceDetail, Sample
from mspterm.domain.people import Identity, Technician
from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.domain.secret import Secret
from mspterm.domain.text import clean
from mspterm.domain.ticket import Ticket, TicketDetail
from mspterm.net.pacer import Pacer


class RtConnector:
    """One RT. See `connectors.base.Connector` for what each method promises."""

    manifest = MANIFEST

    def __init__(
        self,
        connection: Connection,
        secrets: Mapping[str, Secret],
        *,
        pacer: Pacer,
        now: Callable[[], datetime],
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name = connection.name
        self._connection = connection
        self._client = RtClient(connection, secrets, pacer=pacer, now=now, transport=transport)
        maps = mapping.TenantMap(connection, self._client.base_url)
        self._feed = Feed(self._client, maps, now)
        self._detail = Detail(self._client, maps, self._feed)
        self._chooser = Chooser(self._client, self._detail, self._feed, now)
        self._updater = Updater(self._client, maps, self._detail, self._feed, sleep)
        self._creator = Creator(self._client, maps, self._detail, self._feed, now)
        self._gatherer = Gatherer(self._client, self._detail, self._feed)

    async def whoami(self) -> Identity:
        """REST 2.0 has no "me"; the token names its user's number."""
        login = self._client.user_id or self._connection.me
        if login is None:
            sentence = f"RT doesn't say whose token {self.name} has; set `me` of {self.name} to its login."
            raise failed(Reason.UNKNOWN, sentence, self.name)
        try:
            user = await self._client.user(login)
        except Failed as error:
            if self._connection.me is None or error.failure.reason is not Reason.PERMISSION:
                raise
            user = WireUser(id=self._connection.me)
        email = clean(user.email_address) if user.email_address else None
        who = Technician(clean(user.login), mapping.person(user), email)
        return Identity(who, self._connection.identity, clean(f"RT {await self._client.version()}"))

    def feed(
        self, cursor: str | None, *, full: bool = False, known: Known | None = None
    ) -> AsyncGenerator[Batch, None]:
        return self._feed.run(cursor, full, known)

    async def ticket(self, id: str) -> TicketDetail:
        return await self._detail.ticket(id)

    async def device(self, id: str) -> DeviceDetail:
        raise self._no_devices()

    def live(self, id: str) -> AsyncGenerator[Sample, None]:
        raise self._no_devices()

    async def choices(self, ticket: Ticket | None = None) -> Choices:
        return await self._chooser.choices(ticket)

    async def act(self, write: Write, *, mark: str) -> Outcome:
        """`mark` is not sent: RT has no field that the client would not see in the mail."""
        if isinstance(write, Update):
            return await self._updater.update(write)
        if isinstance(write, NewTicket):
            return await self._creator.create(write)
        if isinstance(write, Attach):
            return await self._gatherer.attach(write)
        return Outcome(write.ref, State.REFUSED, self._no_devices().failure)

    async def aclose(self) -> None:
        await self._client.aclose()

    def _no_devices(self) -> Failed:
        sentence = f"{self.name} is a ticketing system: ask the RMM for its devices."
        return failed(Reason.REFUSED, sentence, self.name)
