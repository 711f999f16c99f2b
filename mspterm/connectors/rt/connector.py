"""Request Tracker 5 by its REST 2.0, as the desk asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import httpx

from mspterm.config.model import Connection
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
from mspterm.connectors.ticketing import Parts, Ticketing
from mspterm.domain.people import Identity, Technician
from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.domain.secret import Secret
from mspterm.domain.text import clean
from mspterm.net.pacer import Pacer


class RtConnector(Ticketing):
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
        self._connection = connection
        self._client = client = RtClient(connection, secrets, pacer=pacer, now=now, transport=transport)
        maps = mapping.TenantMap(connection, client.base_url)
        feed = Feed(client, maps, now)
        detail = Detail(client, maps, feed)
        parts = Parts(
            feed=feed.run,
            ticket=detail.ticket,
            choices=Chooser(client, detail, feed, now).choices,
            update=Updater(client, maps, detail, feed, sleep).update,
            create=Creator(client, maps, detail, feed, now).create,
            attach=Gatherer(client, detail, feed).attach,
            aclose=client.aclose,
        )
        super().__init__(connection.name, parts)

    async def whoami(self) -> Identity:
        """REST 2.0 has no "me"; the token names its user's number."""
        login = self._client.user_id or self._connection.me
        if login is None:
            sentence = f"RT doesn't say whose token {self.name} has; set `me` of {self.name} to its login."
            raise failed(Reason.UNKNOWN, sentence, self.name)
        try:
            user = await self._client.user(login)
        except Failed as error:
            # Rights may hide even one's own record; the configured login then has to do.
            if self._connection.me is None or error.failure.reason is not Reason.PERMISSION:
                raise
            user = WireUser(id=self._connection.me)
        email = clean(user.email_address) if user.email_address else None
        who = Technician(clean(user.login), mapping.person(user), email)
        return Identity(who, self._connection.identity, clean(f"RT {await self._client.version()}"))
