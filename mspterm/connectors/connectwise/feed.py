"""The feed of one ConnectWise: everything open, or what has changed since the last run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import nlargest

import msgspec

from mspterm.connectors.base import Batch, Known, Skipped
from mspterm.connectors.connectwise import wire
from mspterm.connectors.connectwise.catalog import Catalog
from mspterm.connectors.connectwise.client import CwClient, readable
from mspterm.connectors.connectwise.conditions import any_of, instant
from mspterm.connectors.connectwise.mapping import Context, TenantMap
from mspterm.connectors.connectwise.sla import when
from mspterm.connectors.slices import in_slices
from mspterm.domain.device import Asset
from mspterm.domain.reasons import Failed, Reason
from mspterm.domain.text import clean
from mspterm.domain.ticket import Ticket
from mspterm.net.pacer import CallClass

OVERLAP = timedelta(seconds=120)
"""Read again at each delta: lastUpdated has whole seconds and is set before the commit."""
LOOKED_UP = 60
"""Tickets whose configurations are asked for in one run: no list tells them, each costs a call."""
# Tickets in a cursor, which is stored anew with every run and so must not grow for ever.
REMEMBERED = 2000
BY_ID = 80
"""Tickets asked for by their numbers in one address."""
DATES = {"fields": "id,_info/lastUpdated"}
_CONFIGURATION_FIELDS = (
    "id,name,type/id,type/name,company/id,company/name,deviceIdentifier,serialNumber,modelNumber,osType"
)


@dataclass(slots=True)
class Memory:
    """What lists don't tell, kept in the cursor so that a new process need not ask again.

    `linked`: ticket id to its configurations' ids. `replied`: when the customer wrote, which a list
    says only as yes or no.
    """

    linked: dict[int, tuple[str, ...]] = field(default_factory=dict)
    replied: dict[int, datetime] = field(default_factory=dict)


class Feed:
    """Runs over the tickets and configurations."""

    def __init__(
        self, client: CwClient, mapping: TenantMap, catalog: Catalog, now: Callable[[], datetime]
    ) -> None:
        self._client, self._mapping, self._catalog, self._now = client, mapping, catalog, now
        self._memory = Memory()
        self._links_shown = True

    async def run(
        self, cursor: str | None, full: bool, known: Known | None = None
    ) -> AsyncGenerator[Batch, None]:
        since, remembered = _read(cursor)
        # Ours over the cursor's: what a ticket's own page has just read is newer.
        self._memory = Memory(
            {**remembered.linked, **self._memory.linked}, {**remembered.replied, **self._memory.replied}
        )
        async for batch in self._full(known) if full or since is None else self._delta(since):
            yield batch

    def ref(self, id: int) -> str:
        return self._mapping.ref(id)

    async def map(self, row: wire.Ticket, *, kind: CallClass = "poll") -> Ticket:
        """One ticket with its board's statuses and what is remembered of it."""
        statuses = await self._catalog.statuses(row.board.id, kind=kind) if row.board and row.board.id else {}
        context = Context(
            self._now(), statuses, self._replied(row), asset_ids=self._memory.linked.get(row.id, ())
        )
        return self._mapping.ticket(row, context)

    def learn(self, id: int, *, linked: tuple[str, ...] | None, replied: datetime | None) -> None:
        """What was read of a ticket by itself serves the list too."""
        if linked is not None:
            self._memory.linked[id] = linked
        if replied is not None:
            self._memory.replied[id] = replied

    async def linked(self, id: int, *, kind: CallClass = "prefetch") -> tuple[str, ...] | None:
        """The ids of a ticket's configurations; None where the role may not see them."""
        if not self._links_shown:
            return None
        try:
            path = "/service/tickets/{id}/configurations"
            found = await self._client.items(path, wire.Company, kind=kind, id=id)
        except Failed as error:
            if error.failure.reason is Reason.PERMISSION:
                # Remembered: each ticket more would cost a call to be refused.
                self._links_shown = False
            elif error.failure.reason is Reason.RATE_LIMIT and kind == "prefetch":
                return None  # no call is left for it now; a later run asks
            elif error.failure.reason is not Reason.NOT_FOUND:
                raise
            return None
        return tuple(clean(str(one.id)) for one in found)

    def _replied(self, row: wire.Ticket) -> datetime | None:
        """The flag has no time: it is when the ticket was changed as the flag was first seen."""
        if not row.customer_updated_flag:
            self._memory.replied.pop(row.id, None)
            return None
        at = self._memory.replied.get(row.id) or when(row.info.last_updated)
        if at is not None:
            self._memory.replied[row.id] = at
        return at

    async def _full(self, known: Known | None) -> AsyncIterator[Batch]:
        started: datetime | None = None
        unasked: list[wire.Ticket] = []
        held = known() if known is not None else {}
        for conditions in self._open():
            found = self._reconciled(conditions, held) if held else self._tickets(conditions)
            async for rows, batch in found:
                started = started or batch.server_date
                fresh = (row for row in rows if row.id not in self._memory.linked)
                # The newest, since one run asks for LOOKED_UP of them: all of 50,000 would be 130 MB.
                unasked = nlargest(LOOKED_UP, (*unasked, *fresh), key=lambda row: row.id)
                yield batch
        async for batch in self._configurations():
            yield batch
        async for batch in self._with_links(unasked):
            yield batch
        started = started or self._client.http.server_now()
        yield Batch(cursor=self._cursor(started), full=True, server_date=started)

    async def _reconciled(
        self, conditions: str, held: Mapping[str, datetime]
    ) -> AsyncIterator[tuple[list[wire.Ticket], Batch]]:
        """The ids and dates of all that is open, and in full what is new or newer than held, or was
        never asked for its devices."""
        again: list[int] = []
        async for page in self._client.pages(
            "/service/tickets", {"conditions": conditions, **DATES}, kind="poll"
        ):
            dates = {row.id: when(row.info.last_updated) for row in readable(page.rows, wire.Dated)}
            same = [number for number, date in dates.items() if held.get(str(number)) == date]
            again += sorted(set(dates) - set(same))
            yield [], Batch(present=tuple(map(self.ref, same)), server_date=page.date)
            if self._links_shown:
                strange = sorted((n for n in same if n not in self._memory.linked), reverse=True)
                # Unchanged ones get their devices a few a run, with what the changed ones leave of the limit.
                again += strange[: max(LOOKED_UP - len(again), 0)]
        for start in range(0, len(again), BY_ID):
            numbers = ",".join(map(str, again[start : start + BY_ID]))
            async for found in self._tickets(f"id in ({numbers})"):
                yield found

    async def _delta(self, since: datetime) -> AsyncIterator[Batch]:
        """Changes of any status, so that what was closed is seen to leave."""
        started: datetime | None = None
        changed: list[wire.Ticket] = []
        async for rows, batch in self._tickets(f"lastUpdated >= {instant(since - OVERLAP)}"):
            started = started or batch.server_date
            # Without the overlap: what was read before and hasn't changed since needs no second look.
            changed += [row for row in rows if not row.closed_flag and _changed(row, since)]
            if batch.tickets or batch.gone or batch.skipped:
                yield batch
        async for batch in self._with_links(changed):
            yield batch
        started = started or self._client.http.server_now()
        yield Batch(cursor=self._cursor(started), server_date=started)

    async def _tickets(self, conditions: str) -> AsyncIterator[tuple[list[wire.Ticket], Batch]]:
        async for page in self._client.tickets(conditions):
            rows, tickets, skipped = [], [], []
            async for raw in in_slices(page.rows):
                try:
                    row = wire.item(raw, wire.Ticket)
                    tickets.append(await self.map(row))
                    rows.append(row)
                except (msgspec.MsgspecError, ValueError) as error:
                    skipped.append(Skipped(clean(wire.item_id(raw)), clean(str(error))))
            yield rows, self._left(Batch(tuple(tickets), skipped=tuple(skipped), server_date=page.date))

    def _left(self, batch: Batch) -> Batch:
        """A batch with the tickets that moved out of the configured queues told as gone."""
        queues = self._mapping.connection.queues
        if not queues:
            return batch
        kept = tuple(ticket for ticket in batch.tickets if ticket.queue in queues)
        gone = tuple(ticket.ref for ticket in batch.tickets if ticket.queue not in queues)
        return replace(batch, tickets=kept, gone=gone)

    async def _with_links(self, rows: Iterable[wire.Ticket]) -> AsyncIterator[Batch]:
        """Tickets again, with the devices that could not be seen in the list."""
        some = list(rows)[:LOOKED_UP]
        found = await asyncio.gather(*(self.linked(row.id) for row in some))
        news = []
        for row, linked in zip(some, found, strict=True):
            known = self._memory.linked.get(row.id, ())
            self.learn(row.id, linked=linked, replied=None)
            if linked is not None and linked != known:
                news.append(row)
        if news:
            yield self._left(Batch(tuple([await self.map(row) for row in news])))

    async def _configurations(self) -> AsyncIterator[Batch]:
        query = {"conditions": "activeFlag=True", "fields": _CONFIGURATION_FIELDS}
        try:
            async for page in self._client.pages("/company/configurations", query, kind="poll"):
                yield await self._assets(page.rows)
        except Failed as error:
            # A role without the company module still has its tickets.
            if error.failure.reason is not Reason.PERMISSION:
                raise
            yield Batch(skipped=(Skipped("configurations", error.failure.sentence),))

    async def _assets(self, rows: list[msgspec.Raw]) -> Batch:
        assets: list[Asset] = []
        skipped = []
        async for raw in in_slices(rows):
            try:
                assets.append(self._mapping.asset(wire.item(raw, wire.Configuration)))
            except msgspec.MsgspecError as error:
                skipped.append(Skipped(f"asset:{clean(wire.item_id(raw))}", clean(str(error))))
        return Batch(assets=tuple(assets), skipped=tuple(skipped))

    def _open(self) -> list[str]:
        """What is asked for all that is active: as few requests as its length allows."""
        connection = self._mapping.connection
        active = any_of("status/name", connection.active) if connection.active else ["closedFlag=False"]
        if not connection.queues:
            return active
        boards = any_of("board/name", connection.queues)
        return [f"{status} and {board}" for status in active for board in boards]

    def _cursor(self, started: datetime) -> str:
        newest = sorted(self._memory.linked, reverse=True)[:REMEMBERED]
        replied = sorted(self._memory.replied, reverse=True)[:REMEMBERED]
        return json.dumps(
            {
                "at": started.isoformat(),
                "linked": {str(n): self._memory.linked[n] for n in newest},
                "replied": {str(n): self._memory.replied[n].isoformat() for n in replied},
            }
        )


def _changed(row: wire.Ticket, since: datetime) -> bool:
    at = when(row.info.last_updated)
    # Undated counts as changed: a look too many is cheaper than a device that never shows.
    return at is None or at >= since


def _read(cursor: str | None) -> tuple[datetime | None, Memory]:
    """The time in a cursor and what it remembers; None where it isn't ours, which makes a full run."""
    try:
        found = json.loads(cursor or "")
        linked = {int(n): tuple(map(str, ids)) for n, ids in found["linked"].items()}
        replied = {int(n): datetime.fromisoformat(at) for n, at in found["replied"].items()}
        return datetime.fromisoformat(found["at"]), Memory(linked, replied)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None, Memory()
