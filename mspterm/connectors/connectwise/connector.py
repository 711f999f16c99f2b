"""ConnectWise PSA by its REST API, as the desk asks for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import datetime

import httpx

from mspterm.config.model import Connection
from mspterm.connectors.base import Batch, Choices, Known
from mspterm.connectors.connectwise.act import Updater
from mspterm.connectors.connectwise.attach import Gatherer
from mspterm.connectors.connectwise.catalog import Catalog
from mspterm.connectors.connectwise.changes import Changer
from mspterm.connectors.connectwise.choices import Chooser, technician
from mspterm.connectors.connectwise.client import CwClient
from mspterm.connectors.connectwise.create import Creator
from mspterm.connectors.connectwise.detail import Detail
from mspterm.connectors.connectwise.feed import Feed
from mspterm.connectors.connectwise.manifest import MANIFEST
from mspterm.connectors.connectwise.mapping import TenantMap
from mspterm.connectors.connectwise.speech import Speech
from mspterm.domain.action import Attach, NewTicket, Outcome, State, Update, Write
from mspterm.domain.device import DeviceDetail, Sample
from mspterm.domain.people import Identity
from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.domain.secret import Secret
from mspterm.domain.text import clean
from mspterm.domain.ticket import Ticket, TicketDetail
from mspterm.net.pacer import Pacer


class CwConnector:
    """One ConnectWise. See `connectors.base.Connector` for what each method promises."""

    manifest = MANIFEST

    def __init__(
        self,
        connection: Connection,
        secrets: Mapping[str, Secret],
        *,
        pacer: Pacer,
        now: Callable[[], datetime],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.name, self._connection = connection.name, connection
        self._client = CwClient(connection, secrets, pacer=pacer, now=now, transport=transport)
        maps = TenantMap(connection, self._client.site, self._client.company)
        self._catalog = Catalog(self._client, now)
        self._feed = Feed(self._client, maps, self._catalog, now)
        self._detail = Detail(self._client, self._feed)
        self._chooser = Chooser(maps, self._catalog)
        changer = Changer(maps, self._catalog)
        speech = Speech(self._client, self._detail)
        self._updater = Updater(self._client, changer, self._catalog, speech, self._feed)
        self._creator = Creator(self._client, changer, self._catalog, self._detail, self._feed)
        self._gatherer = Gatherer(self._client, self._feed, self._creator.contact)

    async def whoami(self) -> Identity:
        """The API has no "me": the configured login is looked up among the members."""
        version = clean(f"ConnectWise {await self._catalog.version()}")
        login = self._connection.me
        if login is None:
            sentence = (
                f"ConnectWise doesn't say whose key {self.name} has; set `me` of {self.name} to your login."
            )
            raise failed(Reason.UNKNOWN, sentence, self.name)
        member = await self._catalog.member(login)
        if member is None:
            sentence = (
                f"{self.name} has no member {clean(login)}; set `me` of {self.name} to your login there."
            )
            raise failed(Reason.NOT_FOUND, sentence, self.name)
        return Identity(technician(member), self._connection.identity, version)

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
        """`mark` is not sent: every field that could hold it is read by the client or on an invoice."""
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
