"""NinjaOne by its API v2, as the desk asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from datetime import datetime

import httpx

from mspterm.config.model import Connection
from mspterm.connectors.base import Batch, Choices, Known, Script
from mspterm.connectors.ninjaone.act import REBOOT_WAIT_S, Actions
from mspterm.connectors.ninjaone.client import NinjaClient
from mspterm.connectors.ninjaone.detail import Detail
from mspterm.connectors.ninjaone.feed import Feed
from mspterm.connectors.ninjaone.manifest import MANIFEST, NO_LIVE
from mspterm.connectors.ninjaone.tokens import KeepSecret, Renewing
from mspterm.connectors.ninjaone.wire import Named
from mspterm.domain.action import Outcome, Reboot, RunCommand, State, Write
from mspterm.domain.device import DeviceDetail, Maintenance, Sample
from mspterm.domain.people import Identity, Technician
from mspterm.domain.reasons import Failure, Reason, failed
from mspterm.domain.secret import Secret
from mspterm.domain.text import clean
from mspterm.domain.ticket import Ticket, TicketDetail
from mspterm.net.pacer import Pacer


class NinjaConnector:
    """One NinjaOne. See `connectors.base.Connector` for what each method promises.

    `keep_secret` is told of every new refresh token: the old one is worth nothing from then on.
    `renewing` is held meanwhile, so that no other process uses up the same one.
    """

    manifest = MANIFEST

    def __init__(
        self,
        connection: Connection,
        secrets: Mapping[str, Secret],
        *,
        pacer: Pacer,
        now: Callable[[], datetime],
        keep_secret: KeepSecret | None = None,
        renewing: Renewing | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        reboot_wait_s: float = REBOOT_WAIT_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.name, self._connection = connection.name, connection
        self._client = NinjaClient(
            connection,
            secrets,
            pacer=pacer,
            now=now,
            keep_secret=keep_secret,
            renewing=renewing,
            transport=transport,
        )
        self._feed = Feed(self._client, now)
        self._detail = Detail(self._client, self._feed)
        self._actions = Actions(self._client, self._detail, now=now, sleep=sleep, reboot_wait_s=reboot_wait_s)

    async def whoami(self) -> Identity:
        """The API tells nobody's name: it is the configured login's, or the machine's."""
        # The machine's token and the person's are proven apart: this read may use either.
        await self._client.rows("/v2/organizations", Named, query={"pageSize": 1})
        personal = self._client.tokens.personal
        if personal:
            await self._client.tokens.acting()
        who = clean(self._connection.me or ("the logged-in user" if personal else "machine"))
        kind = self._connection.identity if personal else "shared"
        return Identity(Technician(who, who), kind, clean("NinjaOne API v2"))

    def feed(
        self, cursor: str | None, *, full: bool = False, known: Known | None = None
    ) -> AsyncGenerator[Batch, None]:
        return self._feed.run(cursor, full)

    async def ticket(self, id: str) -> TicketDetail:
        raise failed(
            Reason.NOT_FOUND, f"{self.name} is NinjaOne, whose own tickets are not read here.", self.name
        )

    async def device(self, id: str) -> DeviceDetail:
        return await self._detail.device(id)

    def live(self, id: str) -> AsyncGenerator[Sample, None]:
        raise failed(Reason.REFUSED, f"{NO_LIVE} ({self.name}).", self.name)

    async def choices(self, ticket: Ticket | None = None) -> Choices:
        return Choices()

    async def scripts(self, id: str) -> tuple[Script, ...]:
        """What can be run on a device, by name."""
        found = (await self._actions.scripts(id)).scripts
        made = (
            Script(clean(str(s.id or s.uid or "")), clean(s.name), clean(s.language or "")) for s in found
        )
        return tuple(sorted(made, key=lambda s: s.name.casefold()))

    async def act(self, write: Write, *, mark: str) -> Outcome:
        """`mark` is not sent: NinjaOne's actions have no field for it."""
        if not isinstance(write, RunCommand | Reboot):
            sentence = f"{self.name} is NinjaOne, whose own tickets are not changed here."
            return Outcome(write.ref, State.REFUSED, Failure(Reason.REFUSED, sentence, self.name))
        number = write.ref.removeprefix(f"{self.name}:")
        if isinstance(write, Reboot):
            return await self._actions.reboot(write, number)
        return await self._actions.run(write, number)

    async def set_maintenance(self, id: str, until: datetime, reason: str) -> Maintenance:
        """Mutes a device until then. Raises Failed where it isn't so afterwards."""
        return await self._actions.set_maintenance(id, until, reason)

    async def end_maintenance(self, id: str) -> None:
        await self._actions.end_maintenance(id)

    async def reset_alert(self, id: str) -> None:
        """Resets an alert. Raises Failed where it is still on afterwards."""
        await self._actions.reset_alert(id)

    async def aclose(self) -> None:
        await self._client.aclose()
