"""A long run shows what it has before it is at its end."""

from __future__ import annotations

from mspterm.connectors.base import Batch
from mspterm.desk.desk import Desk
from mspterm.desk.sync import Sync
from tests.desk.vendor import Vendor
from tests.store.store_rows import ticket


async def test_each_page_of_tickets_is_told_as_it_comes(desk: Desk, rt: Vendor) -> None:
    rt.batches = [Batch(tickets=(ticket(number),)) for number in (11, 12, 13)]
    stored: list[int] = []
    sync = Sync(desk, changed=lambda: stored.append(len(desk.store.tickets.active())))
    await sync.once("rt")
    assert stored == [1, 2, 3]
