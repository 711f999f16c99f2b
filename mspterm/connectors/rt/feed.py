"""The feed of one RT: everything active, or what has changed since the last run."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from datetime import datetime, timedelta
from math import ceil

import msgspec

from mspterm.connectors.base import Batch, Known, Skipped
from mspterm.connectors.rt import wire
from mspterm.connectors.rt.client import RtClient
from mspterm.connectors.rt.mapping import TenantMap, when
from mspterm.domain.device import Asset
from mspterm.domain.row import StatusClass
from mspterm.domain.text import clean
from mspterm.domain.ticket import Ticket
from mspterm.net.http import Query

OVERLAP = timedelta(seconds=120)
"""Read again at each delta: LastUpdated has whole seconds and is set before the commit."""
DATES: Query = {"fields": "LastUpdated"}


class Feed:
    """Runs over the tickets, and remembers the customer's last word that lists can't tell twice."""

    def __init__(self, client: RtClient, mapping: TenantMap, now: Callable[[], datetime]) -> None:
        self.clients_seen: set[str] = set()
        self.statuses_seen: set[str] = set()
        self._client, self._mapping, self._now = client, mapping, now
        self._replied: dict[str, datetime] = {}

    def class_of(self, status: str) -> StatusClass:
        return self._mapping.status_class(status)

    def run(self, cursor: str | None, full: bool, known: Known | None = None) -> AsyncGenerator[Batch, None]:
        since = _since(cursor)
        return self._full(known) if full or since is None else self._delta(since)

    def map(self, item: wire.WireTicket) -> Ticket:
        """One ticket; a reply of the customer stands until a technician has replied (RT's Told)."""
        told, replied = when(item.told), self._mapping.replied_at(item)
        remembered = self._replied.get(str(item.id))
        if replied is None and remembered is not None and (told is None or told < remembered):
            replied = remembered
        self.replied(str(item.id), replied)
        ticket = self._mapping.ticket(item, observed_at=self._now(), replied_at=replied)
        self.statuses_seen.add(ticket.status)
        if ticket.client:
            self.clients_seen.add(ticket.client)
        return ticket

    def replied(self, id: str, at: datetime | None) -> None:
        """What a ticket's history says of the customer's last unanswered word."""
        if at is None:
            self._replied.pop(id, None)
        else:
            self._replied[id] = at

    async def _full(self, known: Known | None) -> AsyncGenerator[Batch, None]:
        started: datetime | None = None
        held = known() if known is not None else {}
        batches = self._reconciled(held) if held else self._tickets(self._active())
        async for batch in batches:
            # The first answer's date: what changes during the run is in the next delta again.
            started = started or batch.server_date
            yield batch
        async for batch in self._assets():
            yield batch
        yield Batch(cursor=_cursor(started or self._now()), full=True, server_date=started)

    async def _reconciled(self, held: Mapping[str, datetime]) -> AsyncIterator[Batch]:
        """The ids and dates of all that is active, and in full what is new or newer than held."""
        last, left = 0, True
        while left:
            page = await self._client.tickets(f"({self._active()}) AND id > {last}", fields=DATES)
            dates = {found.id: when(found.last_updated) for found in wire.dates(page)}
            same = [number for number, date in dates.items() if held.get(number) == date]
            refs = tuple(f"{self._mapping.connection.name}:{number}" for number in same)
            yield Batch(present=refs, server_date=self._client.http.server_date)
            changed = set(dates) - set(same)
            if changed:
                async for batch in self._tickets(_any_of("id", tuple(sorted(changed)))):
                    yield batch
            last = max(map(int, dates), default=last)
            left = bool(dates) and (page.total or 0) > len(page.items)

    async def _delta(self, since: datetime) -> AsyncGenerator[Batch, None]:
        """Changes of any status, so that what was resolved is seen to leave.

        RT reads absolute times in the user's own zone and relative ones in none, so the window is
        asked as seconds ago; the answer's Date proves that it reached back far enough.
        """
        reach = self._seconds_since(since)
        started, batches = await self._window(reach)
        # Half of the overlap is allowed for: only a clock that is really wrong costs a second look.
        if started - timedelta(seconds=reach) > since - OVERLAP / 2:
            reach = ceil((started - since + OVERLAP).total_seconds())
            started, batches = await self._window(reach)
        for batch in batches:
            if batch.tickets or batch.gone or batch.skipped:
                yield batch
        yield Batch(cursor=_cursor(started), server_date=started)

    async def _window(self, seconds: int) -> tuple[datetime, list[Batch]]:
        # Of all queues and statuses, as what has left ours must be seen leaving.
        query = f"LastUpdated >= '{seconds} seconds ago'"
        # Held back until the caller knows that the window reached back far enough.
        batches = [self._left(batch) async for batch in self._tickets(query)]
        return batches[0].server_date or self._client.http.server_now(), batches

    def _seconds_since(self, since: datetime) -> int:
        return max(ceil((self._client.http.server_now() - since + OVERLAP).total_seconds()), 1)

    def _left(self, batch: Batch) -> Batch:
        """A batch with the tickets that moved out of the configured queues told as gone."""
        queues = self._mapping.connection.queues
        if not queues:
            return batch
        kept = tuple(ticket for ticket in batch.tickets if ticket.queue in queues)
        gone = tuple(ticket.ref for ticket in batch.tickets if ticket.queue not in queues)
        return Batch(tickets=kept, gone=gone, skipped=batch.skipped, server_date=batch.server_date)

    async def _tickets(self, query: str) -> AsyncIterator[Batch]:
        """Pages by ascending id from the last one seen: nothing that leaves or comes shifts them."""
        last, more = 0, True
        while more:
            page = await self._client.tickets(f"({query}) AND id > {last}")
            date = self._client.http.server_date
            mapped, skipped = self._mapped(page)
            ids = [int(found) for found in map(wire.item_id, page.items) if found.isdigit()]
            left = (page.total or 0) - len(page.items)
            # Without the second condition an RT that repeats a page would hold the feed for ever.
            more = left > 0 and max(ids, default=last) > last
            if left > 0 and not more:
                skipped = (*skipped, Skipped("?", f"RT counts {left} more that it does not show"))
            last = max(ids, default=last)
            yield Batch(tickets=mapped, skipped=skipped, server_date=date)

    def _mapped(self, page: wire.Page) -> tuple[tuple[Ticket, ...], tuple[Skipped, ...]]:
        tickets, skipped = [], []
        for raw in page.items:
            try:
                tickets.append(self.map(wire.item(raw, wire.WireTicket)))
            except (msgspec.MsgspecError, ValueError) as error:
                skipped.append(Skipped(clean(wire.item_id(raw)), clean(str(error))))
        return tuple(tickets), tuple(skipped)

    async def _assets(self) -> AsyncIterator[Batch]:
        async for page in self._client.assets():
            assets: list[Asset] = []
            skipped = []
            for raw in page.items:
                try:
                    assets.append(self._mapping.asset(wire.item(raw, wire.WireAsset)))
                except msgspec.MsgspecError as error:
                    skipped.append(Skipped(f"asset:{clean(wire.item_id(raw))}", clean(str(error))))
            self.clients_seen.update(asset.client for asset in assets if asset.client)
            yield Batch(assets=tuple(assets), skipped=tuple(skipped))

    def _active(self) -> str:
        connection = self._mapping.connection
        # RT's own word for each status that some lifecycle counts as active.
        query = _any_of("Status", connection.active) if connection.active else "Status = '__Active__'"
        return f"{query} AND {_any_of('Queue', connection.queues)}" if connection.queues else query


def quoted(value: str) -> str:
    """A value in TicketSQL quotes."""
    # The backslash first, or it would double the one that is put before a quote.
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _any_of(field: str, values: tuple[str, ...]) -> str:
    return "(" + " OR ".join(f"{field} = {quoted(value)}" for value in values) + ")"


def _cursor(started: datetime) -> str:
    return json.dumps({"at": started.isoformat()})


def _since(cursor: str | None) -> datetime | None:
    """The server's time in a cursor; None where the cursor isn't ours, which makes a full run."""
    if cursor is None:
        return None
    try:
        return datetime.fromisoformat(json.loads(cursor)["at"])
    except (ValueError, KeyError, TypeError):
        return None
