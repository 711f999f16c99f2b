"""A disk that is full, where the store is: a reason and a sentence, what was known stays, and it goes on
when there is room. The journal's is in test_journal, the outbox's in test_perform_outbox."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import replace

from mspterm.desk.desk import Desk
from mspterm.desk.look import ticket_now
from mspterm.desk.sync import Sync
from mspterm.domain.reasons import Reason
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Ticket
from tests.desk.vendor import Vendor
from tests.store.store_rows import ticket


@contextlib.contextmanager
def full(desk: Desk) -> Iterator[None]:
    """SQLite takes no page more than it has, and says what it says when the disk is full."""
    connection = desk.store.database.connection
    [[pages]] = connection.execute("PRAGMA page_count").fetchall()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    yield
    connection.execute("PRAGMA max_page_count = 1000000")


def long(number: int) -> Ticket:
    return replace(ticket(number), category=SafeText("x" * 4000))


async def test_a_poll_says_so_keeps_what_was_known_and_goes_on_when_there_is_room(
    desk: Desk, rt: Vendor
) -> None:
    await Sync(desk).once("rt")
    known = [t.ref for t in desk.store.tickets.whole()]
    rt.tickets.update({str(n): long(n) for n in range(10, 60)})
    with full(desk):
        failure = await Sync(desk).once("rt", full=True)
        assert failure is not None
        assert (failure.reason, failure.connection) == (Reason.REFUSED, "rt")
        assert "full" in failure.sentence
        assert "make room" in failure.sentence
        assert [t.ref for t in desk.store.tickets.whole()] == known
        assert await Sync(desk).once("mesh") is None, "what fits goes on"
    assert await Sync(desk).once("rt", full=True) is None
    assert len(desk.store.tickets.whole()) == len(known) + 50


async def test_a_console_goes_on_polling(desk: Desk, rt: Vendor) -> None:
    await Sync(desk).once("rt")
    rt.tickets.update({str(n): long(n) for n in range(10, 60)})
    told = asyncio.Event()
    sync = Sync(desk, changed=told.set)
    with full(desk):
        follows = asyncio.create_task(sync.follow("rt"))
        await asyncio.wait_for(told.wait(), 5)
        assert not follows.done()
    follows.cancel()
    await asyncio.gather(follows, return_exceptions=True)


async def test_a_ticket_is_shown_all_the_same(desk: Desk, rt: Vendor) -> None:
    await Sync(desk).once("rt")
    rt.tickets["1"] = replace(rt.tickets["1"], summary=SafeText("It burns"), category=SafeText("x" * 90_000))
    with full(desk):
        assert (await ticket_now(desk, "rt:1")).ticket.summary == "It burns"
