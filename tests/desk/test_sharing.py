"""Consoles and verbs of one user on one host: one of them reads a connection, and all have what it read."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mspterm.cli.session import refresh
from mspterm.config.model import Config, Connection
from mspterm.connectors.base import Batch, Known
from mspterm.desk.desk import Desk
from mspterm.desk.look import ticket_now
from mspterm.desk.sync import Sync
from mspterm.domain.reasons import Failure, Reason
from mspterm.domain.text import SafeText
from tests.desk.vendor import Clock, Vendor, a_desk, psa
from tests.store.store_rows import ticket


class Host:
    """Processes of one user: each has its own desk and way to the server, all one state directory."""

    def __init__(self, folder: Path, now: Clock, poll_s: float) -> None:
        self.folder, self.now = folder, now
        self.config = Config(connections={"rt": Connection("rt", "rt", "http://127.0.0.1", poll_s=poll_s)})
        self.desks: list[Desk] = []

    def process(self, vendor: Vendor | None = None) -> tuple[Desk, Vendor]:
        vendor = vendor or psa(self.now)
        self.desks.append(a_desk(self.folder, self.now, vendor, config=self.config))
        return self.desks[-1], vendor


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path, Clock(), 30.0)
    yield made
    for desk in made.desks:
        desk.presence.close()
        desk.store.close()


@contextlib.asynccontextmanager
async def console(desk: Desk) -> AsyncIterator[asyncio.Event]:
    """A console that follows; the event is set after each look of its own."""
    looked = asyncio.Event()
    sync = Sync(desk, changed=looked.set)
    task = asyncio.create_task(sync.follow("rt"))
    try:
        yield looked
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def rested() -> None:
    """Until a run that has just been told of is over."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_verb_beside_a_console_calls_only_where_that_is_late(host: Host) -> None:
    (desk, polled), (verb, called) = host.process(), host.process()
    async with console(desk) as looked, asyncio.timeout(10):
        await looked.wait()
        await rested()
        for _ in range(10):
            host.now.pass_by(seconds=5.5)
            assert await refresh(verb, ["rt"]) == []
        assert (polled.calls, called.calls) == (["full"], [])
        host.now.pass_by(seconds=6)
        await refresh(verb, ["rt"])
        await refresh(verb, ["rt"])
    assert (polled.calls, called.calls) == (["full"], ["delta"])


async def test_a_console_that_comes_later_has_what_the_first_has_read(host: Host) -> None:
    (first, polled), (second, called) = host.process(), host.process()
    async with console(first) as looked, asyncio.timeout(10):
        await looked.wait()
        await rested()
        async with console(second):
            await rested()
            assert (polled.calls, called.calls) == (["full"], [])
        assert [r.ref for r in second.store.tickets.active()] == ["rt:1", "rt:2", "rt:3"]


async def test_a_console_whose_leader_has_ended_leads_itself(host: Host) -> None:
    (first, _), (second, called) = host.process(), host.process()
    async with console(first) as looked, asyncio.timeout(10):
        await looked.wait()
    first.presence.close()
    async with console(second) as looked, asyncio.timeout(10):
        await looked.wait()
    assert called.calls == ["delta"]


async def test_two_consoles_and_verbs_in_a_loop_call_as_often_as_one_console(tmp_path: Path) -> None:
    """On real time, each tick a poll: whoever comes first when it is due, it is one call."""
    host = Host(tmp_path, Clock(), 0.2)
    began = asyncio.get_running_loop().time()
    start = host.now.at

    class Real(Clock):
        def __call__(self) -> datetime:
            return start + timedelta(seconds=asyncio.get_running_loop().time() - began)

    host.now = Real()
    processes = [host.process() for _ in range(3)]
    (one, _), (two, _), (verb, _) = processes
    calls = [vendor.calls for _, vendor in processes]
    async with console(one), console(two), asyncio.timeout(20):
        while sum(map(len, calls)) < 10:
            await refresh(verb, ["rt"])
            await asyncio.sleep(0.01)
    lasted = asyncio.get_running_loop().time() - began
    # One console alone makes one call at the start and one an interval.
    assert sum(map(len, calls)) <= (1 + lasted / 0.2) * 1.1
    for desk in host.desks:
        await desk.aclose()


class Held(Vendor):
    """Gives its batch when `go` is set."""

    def __init__(self, now: Clock) -> None:
        super().__init__("rt", psa(now).manifest, now)
        self.asked, self.go = asyncio.Event(), asyncio.Event()
        self.gone: tuple[str, ...] = ()

    async def feed(
        self, cursor: str | None, *, full: bool = False, known: Known | None = None
    ) -> AsyncGenerator[Batch, None]:
        self._call("full" if full else "delta")
        answer = tuple(replace(t, observed_at=self.now()) for t in self.tickets.values())
        self.asked.set()
        await self.go.wait()
        yield Batch(tickets=answer, gone=self.gone, cursor="old", full=full)


async def test_a_verb_waits_for_a_run_under_way_and_shares_it(host: Host) -> None:
    (desk, slow), (verb, called) = host.process(Held(host.now)), host.process()
    assert isinstance(slow, Held)
    slow.tickets["7"] = ticket(7)
    async with console(desk) as looked, asyncio.timeout(10):
        await slow.asked.wait()
        waiting = asyncio.create_task(refresh(verb, ["rt"]))
        await asyncio.sleep(0.15)
        assert not waiting.done()
        slow.go.set()
        await looked.wait()
        assert await waiting == []
    assert called.calls == []
    assert [r.ref for r in verb.store.tickets.active()] == ["rt:7"]


async def test_what_comes_after_another_took_over_is_of_an_old_generation_and_dropped(host: Host) -> None:
    """A process that was stopped for a minute and goes on."""
    (stopped, old), (other, new) = host.process(Held(host.now)), host.process()
    assert isinstance(old, Held)
    old.tickets = {"1": ticket(1, summary=SafeText("as it was")), "8": ticket(8)}
    run = asyncio.create_task(Sync(stopped).once("rt"))
    await old.asked.wait()
    host.now.pass_by(seconds=61)
    assert await Sync(other).once("rt") is None
    old.go.set()
    assert await run is None
    state = other.store.connections.get("rt")
    assert "rt:8" not in [t.ref for t in other.store.tickets.whole(active_only=False)]
    assert state.cursor == "c"
    assert [r.ref for r in other.store.tickets.active()] == ["rt:1", "rt:2", "rt:3"]
    assert new.calls == ["full"]


async def test_a_delta_moves_nothing_back_that_a_person_has_read_since(host: Host) -> None:
    desk, vendor = host.process(Held(host.now))
    assert isinstance(vendor, Held)
    vendor.tickets = {n: ticket(int(n), summary=SafeText("as it was")) for n in ("1", "2")}
    vendor.gone = ("rt:1",)
    run = asyncio.create_task(Sync(desk).once("rt"))
    await vendor.asked.wait()
    vendor.tickets["1"] = ticket(1, summary=SafeText("taken"))
    await ticket_now(desk, "rt:1")
    vendor.go.set()
    assert await run is None
    assert {r.ref: r.summary for r in desk.store.tickets.active()} == {"rt:1": "taken", "rt:2": "as it was"}


async def test_a_process_that_was_killed_holds_nobody_up(host: Host) -> None:
    desk, vendor = host.process()
    desk.store.connections.lease("poll:rt", "4242-dead0000 mark", host.now.at, 30)
    async with asyncio.timeout(5):
        assert await Sync(desk).once("rt") is None
    assert vendor.calls == ["full"]


async def test_a_persons_wish_is_not_put_off(host: Host) -> None:
    desk, vendor = host.process()
    looked = asyncio.Event()
    sync = Sync(desk, changed=looked.set)
    task = asyncio.create_task(sync.follow("rt"))
    async with asyncio.timeout(10):
        for _ in range(3):
            await looked.wait()
            looked.clear()
            sync.kick("rt")
        await looked.wait()
    task.cancel()
    assert vendor.calls == ["full", "delta", "delta", "delta"]


async def test_a_clock_that_was_set_back_keeps_nobody_waiting(host: Host) -> None:
    (desk, vendor), (verb, called) = host.process(), host.process()
    async with console(desk) as looked, asyncio.timeout(5):
        await looked.wait()
        await rested()
        host.now.pass_by(hours=-2)
        assert await refresh(verb, ["rt"]) == []
    # A whole look too, as the last one's time has not come yet.
    assert (vendor.calls, called.calls) == (["full"], ["full"])


async def test_the_back_off_of_one_console_is_that_of_all(host: Host) -> None:
    (first, failing), (second, called) = host.process(), host.process()
    failing.away = called.away = Failure(Reason.OFFLINE, "rt can't be reached.", "rt")
    async with console(first) as looked, asyncio.timeout(5):
        await looked.wait()
        await rested()
        async with console(second) as looked:
            await looked.wait()
            await rested()
    assert (failing.calls, called.calls) == (["full"], ["full"])


async def test_a_console_without_a_good_credential_lets_another_lead(host: Host) -> None:
    (first, refused), (second, called) = host.process(), host.process()
    refused.away = Failure(Reason.AUTH, "rt refused the token.", "rt")
    async with console(first) as looked, asyncio.timeout(5):
        await looked.wait()
        await rested()
        async with console(second) as looked:
            await looked.wait()
            await rested()
            assert Sync(first).led("rt")
    assert called.calls == ["full"]
    assert second.store.connections.get("rt").failure is None
