"""MeshCentral as the desk sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime

from mspterm.config.model import Connection
from mspterm.connectors.base import Batch, Choices, Known, Skipped
from mspterm.connectors.meshcentral import mapping
from mspterm.connectors.meshcentral.actions import Actions
from mspterm.connectors.meshcentral.detail import read_detail
from mspterm.connectors.meshcentral.inventory import Change, Inventory
from mspterm.connectors.meshcentral.listener import Listener
from mspterm.connectors.meshcentral.manifest import MANIFEST
from mspterm.connectors.meshcentral.questions import Questions
from mspterm.connectors.meshcentral.refused import no_device
from mspterm.connectors.meshcentral.session import Session
from mspterm.connectors.meshcentral.terminal import MeshTerminal, open_terminal
from mspterm.connectors.meshcentral.wire import Event
from mspterm.domain.action import Outcome, Reboot, RunCommand, State, Write
from mspterm.domain.device import DeviceDetail, Sample
from mspterm.domain.people import Identity, Technician
from mspterm.domain.reasons import Failed, Failure, Reason, failed
from mspterm.domain.secret import Secret
from mspterm.domain.text import SafeText, clean
from mspterm.domain.ticket import Ticket, TicketDetail
from mspterm.net.pacer import Pacer

CURSOR = "1"
"""There is nothing to resume: each feed lists all devices, then follows what is pushed."""

CHUNK = 100
"""Devices described at once: about 10 ms of decoding and mapping, so that keys are not held up."""

PART_S = 5.0
LIVE_S = 3.0
AGAIN_S = 0.5
REBOOT_WAIT_S = 20.0
# An event of our own in the server's queue, so that its one reader keeps the order of it all.
_REREAD = "mspterm.reread"


class MeshConnector:
    """One MeshCentral server over one websocket, opened at the first use.

    `settings`: username, domain (optional); secret `password` (an account's or a login token's).
    """

    manifest = MANIFEST

    def __init__(
        self,
        connection: Connection,
        secrets: Mapping[str, Secret],
        *,
        pacer: Pacer,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        part_s: float = PART_S,
        reboot_wait_s: float = REBOOT_WAIT_S,
        session: Session | None = None,
    ) -> None:
        self.name = connection.name
        self._connection = connection
        self._now, self._sleep = now, sleep
        self._session = session or Session(connection, secrets["password"], pacer=pacer, now=now)
        self._questions = Questions(self._session, self.name, min(part_s, connection.timeout_s))
        self._inventory = Inventory(connection, self._questions, now)
        self._actions = Actions(
            self._session,
            self._questions,
            self._inventory,
            name=self.name,
            now=now,
            reboot_wait_s=reboot_wait_s,
        )

    async def whoami(self) -> Identity:
        """The account of the login. The version is told only to site administrators, at the price of
        a question to the package registry, so it isn't asked."""
        user = await self._session.user()
        technician = Technician(clean(user.id), clean(user.realname or user.name))
        return Identity(technician, self._connection.identity, clean("MeshCentral"))

    async def feed(
        self, cursor: str | None, *, full: bool = False, known: Known | None = None
    ) -> AsyncGenerator[Batch, None]:
        """All devices, then each change as it is pushed, until closed.

        Raises Failed when the connection is lost; whoever reads it opens it again, with back-off.
        """
        rereads: set[asyncio.Task[None]] = set()
        # Before the list is asked for: what is pushed meanwhile waits, and is applied to it.
        async with self._session.listen() as pushed:
            try:
                skipped = await self._inventory.list()
                async for batch in self._all(skipped):
                    yield batch
                while True:
                    change = await self._next(pushed)
                    for nodeid in change.ask:
                        # Beside the loop, as an answer may take seconds; and held, since a task
                        # that nobody holds may vanish before it is done.
                        rereads.add(task := asyncio.create_task(self._reread(nodeid, pushed)))
                        task.add_done_callback(rereads.discard)
                    if change.touched or change.gone:
                        yield self._batch(change)
            finally:
                for task in rereads:
                    task.cancel()

    async def ticket(self, id: str) -> TicketDetail:
        raise failed(Reason.NOT_FOUND, f"{self.name} is MeshCentral, which has no tickets.", self.name)

    async def device(self, id: str) -> DeviceDetail:
        await self._known(id)
        return await read_detail(id, self._inventory, self._questions)

    async def live(self, id: str) -> AsyncGenerator[Sample, None]:
        """A reading every three seconds. Raises Failed(offline) when the agent is not connected."""
        if id not in self._inventory.known:
            await self._known(id)
        device = self._inventory.name(id)
        sample = await self._sample(id, device)
        if sample.cpu_percent is None:
            # An agent measures CPU since it was last asked: the first answer after its start has none.
            await self._sleep(AGAIN_S)
            sample = await self._sample(id, device)
        while True:
            yield sample
            await self._sleep(LIVE_S)
            sample = await self._sample(id, device)

    async def choices(self, ticket: Ticket | None = None) -> Choices:
        return Choices()

    async def act(self, write: Write, *, mark: str) -> Outcome:
        if not isinstance(write, (RunCommand, Reboot)):
            sentence = f"{self.name} is MeshCentral, which has no tickets to change."
            return Outcome(write.ref, State.REFUSED, Failure(Reason.REFUSED, sentence, self.name))
        nodeid = write.ref.removeprefix(f"{self.name}:")
        if mapping.node_id(nodeid) is None:
            return Outcome(write.ref, State.FAILED, no_device(self.name, nodeid))
        if isinstance(write, Reboot):
            return await self._actions.reboot(write, nodeid)
        return await self._actions.run(write, nodeid)

    async def open_terminal(
        self, id: str, *, shell: str, run_as: str, columns: int, rows: int
    ) -> MeshTerminal:
        await self._known(id)
        device = self._inventory.name(id)
        return await open_terminal(
            self._session,
            self._connection,
            id,
            device,
            shell=shell,
            run_as=run_as,
            columns=columns,
            rows=rows,
        )

    async def set_notes(self, nodeid: str, text: str) -> SafeText:
        """Replaces a device's notes; returns them as re-read. Raises Failed where they weren't kept."""
        return await self._actions.set_notes(nodeid, text)

    async def aclose(self) -> None:
        await self._session.aclose()

    async def _known(self, nodeid: str) -> None:
        if mapping.node_id(nodeid) is None or await self._inventory.refresh(nodeid) is None:
            raise Failed(no_device(self.name, nodeid))

    async def _sample(self, nodeid: str, device: str) -> Sample:
        return mapping.sample(await self._questions.cpu(nodeid, device), self._now())

    async def _all(self, skipped: list[Skipped]) -> AsyncIterator[Batch]:
        ids = list(self._inventory.known)
        # One round even for no device: its batch ends the run and tells that all others are gone.
        for start in range(0, max(1, len(ids)), CHUNK):
            part = ids[start : start + CHUNK]
            last = start + CHUNK >= len(ids)
            await self._describe(part)
            yield Batch(
                devices=tuple(
                    self._inventory.device(nodeid) for nodeid in part if nodeid in self._inventory.known
                ),
                skipped=tuple(skipped) if last else (),
                cursor=CURSOR if last else None,
                full=last,
            )

    async def _describe(self, part: list[str]) -> None:
        """Hardware is an extra: devices are listed without it where the server doesn't answer."""
        try:
            if part:
                await self._inventory.describe(part)
        except Failed as e:
            if e.failure.reason is Reason.OFFLINE:
                raise

    async def _next(self, pushed: Listener) -> Change:
        """What all pushes that wait come to; waits for one where there is none."""
        change = Change()
        while True:
            event = await pushed.next()
            if event.action == _REREAD and event.nodeid in self._inventory.known:
                change.touched.add(event.nodeid)
            else:
                self._inventory.apply(event, change)
            if not pushed.waiting():
                return change

    async def _reread(self, nodeid: str, pushed: Listener) -> None:
        try:
            await self._inventory.reread(nodeid)
        except Failed:
            return  # what was known stays, and a lost connection is told by the feed itself
        pushed.tell(Event(_REREAD, nodeid=nodeid))

    def _batch(self, change: Change) -> Batch:
        return Batch(
            devices=tuple(self._inventory.device(nodeid) for nodeid in change.touched),
            gone=tuple(f"{self.name}:{nodeid}" for nodeid in change.gone),
        )
