"""Finds the storms among the board's tickets, a few at a time, once the queue is on screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from mspterm.domain.device import Device
from mspterm.domain.storms import Sign, Storm, sign_reader, storms

if TYPE_CHECKING:
    from mspterm.console.session import Session
    from mspterm.store.devices import Devices

_AT_ONCE = 50
"""Tickets read in one go: some 2 ms, so that no key waits."""
_BREATH_S = 0.02


class StormWatch:
    """`found` are the storms as of the last look; `changed` is called when they are others."""

    def __init__(self, session: Session, changed: Callable[[], None]) -> None:
        self.found: tuple[Storm, ...] = ()
        self._session = session
        self._changed = changed
        self._wake = asyncio.Event()
        self._signs: dict[str, tuple[int, Sign]] = {}
        rules, carriers = session.clockwork.storms, session.clockwork.carriers()
        self._rules = rules
        self._of_ticket, _ = sign_reader(_Devices(session.store.devices), rules, carriers)

    def look(self) -> None:
        """The board has changed."""
        self._wake.set()

    async def run(self) -> None:
        """Follow the board until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if await self._read():
                signs = [sign for _, sign in self._signs.values()]
                found = await asyncio.to_thread(storms, signs, self._rules)
                if found != self.found:
                    self.found = found
                    self._changed()

    async def _read(self) -> bool:
        """Bring the signs in step with the board; whether any is another."""
        rows = {row.ref: row.revision for row in self._session.board.rows}
        gone = self._signs.keys() - rows.keys()
        for ref in gone:
            del self._signs[ref]
        fresh = [ref for ref, at in rows.items() if ref not in self._signs or self._signs[ref][0] != at]
        changed = bool(gone)
        for start in range(0, len(fresh), _AT_ONCE):
            for ref in fresh[start : start + _AT_ONCE]:
                changed |= self._take(ref, rows[ref])
            await asyncio.sleep(_BREATH_S)
        return changed

    def _take(self, ref: str, revision: int) -> bool:
        tickets = self._session.store.tickets
        ticket = tickets.get(ref)
        if ticket is None:
            return False
        sign = self._of_ticket(ticket, tickets.device_refs(ref).get(ref, ()))
        known = self._signs.get(ref)
        self._signs[ref] = (revision, sign)
        return known is None or known[1] != sign


class _Devices(Mapping[str, Device]):
    """The store's devices by ref, read one at a time: there may be 20,000, and few have a ticket."""

    def __init__(self, devices: Devices) -> None:
        self._devices = devices

    def __getitem__(self, ref: str) -> Device:
        found = self._devices.get(ref)
        if found is None:
            raise KeyError(ref)
        return found

    def __iter__(self) -> Iterator[str]:
        return (device.ref for device in self._devices.all())

    def __len__(self) -> int:
        return len(self._devices.all())
