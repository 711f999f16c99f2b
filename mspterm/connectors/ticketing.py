"""What the connectors of ticketing systems have in common: each part does its own, and no devices."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

from mspterm.connectors.base import Batch, Choices, Known
from mspterm.domain.action import Attach, NewTicket, Outcome, State, Update, Write
from mspterm.domain.device import DeviceDetail, Sample
from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.domain.ticket import Ticket, TicketDetail


@dataclass(frozen=True, slots=True)
class Parts:
    """What a vendor does for each call of `connectors.base.Connector`."""

    feed: Callable[[str | None, bool, Known | None], AsyncGenerator[Batch, None]]
    ticket: Callable[[str], Awaitable[TicketDetail]]
    choices: Callable[[Ticket | None], Awaitable[Choices]]
    update: Callable[[Update], Awaitable[Outcome]]
    create: Callable[[NewTicket], Awaitable[Outcome]]
    attach: Callable[[Attach], Awaitable[Outcome]]
    aclose: Callable[[], Awaitable[None]]


class Ticketing:
    """A PSA's connector but for `whoami`, which is each vendor's own."""

    def __init__(self, name: str, parts: Parts) -> None:
        self.name, self._parts = name, parts

    def feed(
        self, cursor: str | None, *, full: bool = False, known: Known | None = None
    ) -> AsyncGenerator[Batch, None]:
        return self._parts.feed(cursor, full, known)

    async def ticket(self, id: str) -> TicketDetail:
        return await self._parts.ticket(id)

    async def device(self, id: str) -> DeviceDetail:
        raise self._no_devices()

    def live(self, id: str) -> AsyncGenerator[Sample, None]:
        raise self._no_devices()

    async def choices(self, ticket: Ticket | None = None) -> Choices:
        return await self._parts.choices(ticket)

    async def act(self, write: Write, *, mark: str) -> Outcome:
        """`mark` is not sent: every field that could hold it is read by the client, in a mail or on an
        invoice."""
        if isinstance(write, Update):
            return await self._parts.update(write)
        if isinstance(write, NewTicket):
            return await self._parts.create(write)
        if isinstance(write, Attach):
            return await self._parts.attach(write)
        return Outcome(write.ref, State.REFUSED, self._no_devices().failure)

    async def aclose(self) -> None:
        await self._parts.aclose()

    def _no_devices(self) -> Failed:
        sentence = f"{self.name} is a ticketing system: ask the RMM for its devices."
        return failed(Reason.REFUSED, sentence, self.name)
