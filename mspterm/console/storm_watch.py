"""Finds the storms among the board's tickets and the RMM's alerts, a few at a time, once the queue is on
screen; and what is to be said of single tickets: their alert has cleared, their cause is one that was closed.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from mspterm.console.folds import Folding
from mspterm.desk.ties import of_tickets, ties
from mspterm.domain.device import Device
from mspterm.domain.recurrence import Ended, recurrences
from mspterm.domain.storms import Sign, Storm, quieted, sign_reader, storms
from mspterm.domain.ticket import Ticket
from mspterm.domain.ties import Tie, opened

if TYPE_CHECKING:
    from mspterm.console.session import Session
    from mspterm.store.devices import Devices

_AT_ONCE = 50
"""Tickets read in one go: some 2 ms, so that no key waits."""
_BREATH_S = 0.02
_LOOK_S = 5.0
"""How often alerts are looked for, which make no change of the board."""


class StormWatch:
    """`found` are the storms as of the last look, `again` the closed parent by each ticket whose cause
    has come back, `cleared` tickets whose alerts have all cleared, `quiet` why some alerts don't count;
    `changed` is called when any of these is another."""

    def __init__(self, session: Session, changed: Callable[[], None]) -> None:
        self.found: tuple[Storm, ...] = ()
        self.again: Mapping[str, str] = {}
        self.cleared: frozenset[str] = frozenset()
        self.quiet: Mapping[str, str] = {}
        self.folding = Folding()
        self._session = session
        self._changed = changed
        self._wake = asyncio.Event()
        self._signs: dict[str, tuple[int, Sign]] = {}
        self._alerts: tuple[Sign, ...] = ()
        self._left: dict[str, _Left] = {}
        self._revision = -1
        self._rules = session.clockwork.storms
        self._devices = _Devices(session.store.devices)
        readers = sign_reader(self._devices, self._rules, session.clockwork.carriers())
        self._of_ticket, self._of_alert = readers

    def look(self) -> None:
        """The board has changed."""
        self._wake.set()

    async def run(self) -> None:
        """Follow board and alerts until cancelled."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), _LOOK_S)
            at = self._session.store.database.revision
            if self._wake.is_set() or at != self._revision:
                self._wake.clear()
                self._revision = at
                await self._look()

    async def _look(self) -> None:
        before = (self.found, self.again, self.cleared, self.quiet)
        await self._read()
        await self._read_left()
        await self._read_alerts()
        # In a thread, so that no key waits; nobody but this task changes what it looks at.
        self.found, self.again = await asyncio.to_thread(self._judge)
        if (self.found, self.again, self.cleared, self.quiet) != before:
            self.folding = Folding(self.found, self.again, self.cleared)
            self._changed()

    def _judge(self) -> tuple[tuple[Storm, ...], Mapping[str, str]]:
        signs = [sign for _, sign in self._signs.values()]
        again = recurrences(self._ended(), signs, self._rules.reopen_s)
        return storms([*signs, *self._alerts], self._rules), again

    async def _read(self) -> None:
        """Bring the signs in step with the board."""
        rows = {row.ref: row.revision for row in self._session.board.rows}
        for ref in self._signs.keys() - rows.keys():
            del self._signs[ref]
        await asyncio.sleep(0)
        fresh = [ref for ref, at in rows.items() if ref not in self._signs or self._signs[ref][0] != at]
        for start in range(0, len(fresh), _AT_ONCE):
            for ref in fresh[start : start + _AT_ONCE]:
                ticket = self._session.store.tickets.get(ref)
                if ticket is not None:
                    self._signs[ref] = (rows[ref], self._sign(ticket))
            await asyncio.sleep(_BREATH_S)

    def _sign(self, ticket: Ticket) -> Sign:
        refs = self._session.store.tickets.device_refs(ticket.ref).get(ticket.ref, ())
        return self._of_ticket(ticket, refs)

    async def _read_alerts(self) -> None:
        """The alerts that are signs: on, not quiet, and without a ticket that is."""
        store = self._session.store
        tied, quiet, found = ties(store), dict[str, str](), list[Sign]()
        of_device: dict[str | None, list[Sign]] = defaultdict(list)
        for _, sign in self._signs.values():
            of_device[sign.device].append(sign)
        on = [
            a for a in store.devices.alerts() if a.cleared_at is None and not self._has_row(tied.get(a.ref))
        ]
        for start in range(0, len(on), _AT_ONCE):
            for alert in on[start : start + _AT_ONCE]:
                why = quieted(self._devices.get(alert.device_ref or ""), self._session.now)
                sign = self._of_alert(alert)
                if why is not None:
                    quiet[alert.ref] = why
                # Until the RMM is read again, a new ticket's tie isn't kept yet.
                elif opened(sign, of_device[sign.device]) is None:
                    found.append(sign)
            await asyncio.sleep(_BREATH_S)
        self._alerts, self.quiet = tuple(found), quiet
        self.cleared = self._cleared()

    def _has_row(self, tie: Tie | None) -> bool:
        return tie is not None and tie.ticket in self._signs

    def _cleared(self) -> frozenset[str]:
        untold = {ref: [t for t in of if not t.told] for ref, of in of_tickets(self._session.store).items()}
        gone = (ref for ref, of in untold.items() if of and all(t.cleared_at for t in of))
        return frozenset(ref for ref in gone if ref in self._signs)

    async def _read_left(self) -> None:
        """What left the board within the days in which a cause counts as the same."""
        tickets = self._session.store.tickets
        left = tickets.left_since(self._session.now - timedelta(seconds=self._rules.reopen_s))
        self._left = {ref: kept for ref, kept in self._left.items() if left.get(ref) == kept.revision}
        fresh = [ref for ref in left if ref not in self._left]
        for start in range(0, len(fresh), _AT_ONCE):
            for ref in fresh[start : start + _AT_ONCE]:
                ticket = tickets.get(ref)
                if ticket is not None:
                    at = ticket.updated_at.timestamp()
                    self._left[ref] = _Left(left[ref], self._sign(ticket), at, bool(ticket.children))
            await asyncio.sleep(_BREATH_S)

    def _ended(self) -> Iterator[Ended]:
        """The parents among them, each with its children."""
        children: dict[str, list[Sign]] = defaultdict(list)
        for sign in (*(left.sign for left in self._left.values()), *(s for _, s in self._signs.values())):
            if sign.parent is not None:
                children[sign.parent].append(sign)
        for ref, left in self._left.items():
            if ref in children or left.is_parent:
                yield Ended(left.sign, tuple(children[ref]), left.at)


class _Left(NamedTuple):
    """A ticket that is no longer active, since `at` (epoch seconds)."""

    revision: int
    sign: Sign
    at: float
    is_parent: bool


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
