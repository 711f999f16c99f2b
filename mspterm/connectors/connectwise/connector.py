"""ConnectWise PSA by its REST API, as the desk asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import httpx

from mspterm.config.model import Connection
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
from mspterm.connectors.ticketing import Parts, Ticketing
from mspterm.domain.people import Identity
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.secret import Secret
from mspterm.domain.text import clean
from mspterm.net.pacer import Pacer


class CwConnector(Ticketing):
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
        self._connection = connection
        client = CwClient(connection, secrets, pacer=pacer, now=now, transport=transport)
        maps = TenantMap(connection, client.site, client.company)
        self._catalog = Catalog(client, now)
        feed = Feed(client, maps, self._catalog, now)
        detail, changer = Detail(client, feed), Changer(maps, self._catalog)
        creator = Creator(client, changer, self._catalog, detail, feed)
        parts = Parts(
            feed=feed.run,
            ticket=detail.ticket,
            choices=Chooser(maps, self._catalog).choices,
            update=Updater(client, changer, self._catalog, Speech(client, detail), feed).update,
            create=creator.create,
            attach=Gatherer(client, feed, creator.contact).attach,
            aclose=client.aclose,
        )
        super().__init__(connection.name, parts)

    async def whoami(self) -> Identity:
        """The API has no "me": the configured login is looked up among the members."""
        # Before `me` is looked at: a key that is no good is said first.
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
