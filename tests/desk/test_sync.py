"""Runs of feeds into the store, and what a dead connection leaves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from mspterm.connectors.base import Batch, Skipped
from mspterm.desk.desk import Desk
from mspterm.desk.sync import Sync
from mspterm.domain.reasons import Failure, Reason
from mspterm.domain.text import SafeText
from tests.desk.vendor import Clock, Vendor
from tests.store.store_rows import asset, device, ticket

AWAY = Failure(Reason.OFFLINE, "rt can't be reached.", "rt")


def refs(desk: Desk) -> list[str]:
    return [r.ref for r in desk.store.tickets.active()]


async def test_the_first_run_is_full_and_the_next_a_delta(desk: Desk, rt: Vendor) -> None:
    sync = Sync(desk)
    assert await sync.once("rt") is None
    assert await sync.once("rt") is None
    assert rt.calls == ["full", "delta"]
    assert refs(desk) == ["rt:1", "rt:2", "rt:3"]


async def test_a_reconcile_finds_what_is_gone_there(desk: Desk, rt: Vendor, now: Clock) -> None:
    sync = Sync(desk)
    await sync.once("rt")
    del rt.tickets["2"]
    await sync.once("rt")
    assert "rt:2" in refs(desk)
    now.pass_by(minutes=6)
    await sync.once("rt")
    assert refs(desk) == ["rt:1", "rt:3"]


async def test_a_failure_keeps_the_last_data_with_its_reason(desk: Desk, rt: Vendor) -> None:
    sync = Sync(desk)
    await sync.once("rt")
    rt.away = AWAY
    assert await sync.once("rt") == AWAY
    state = desk.store.connections.get("rt")
    assert (state.failure, len(refs(desk))) == (AWAY, 3)
    assert not sync.fresh("rt")
    rt.away = None
    await sync.once("rt")
    assert desk.store.connections.get("rt").failure is None
    assert sync.fresh("rt")


async def test_a_refused_credential_is_looked_up_anew(desk: Desk, rt: Vendor) -> None:
    rt.away = Failure(Reason.AUTH, "rt refused the token.", "rt")
    await Sync(desk).once("rt")
    assert rt.calls[-1] == "aclose"


async def test_items_that_do_not_parse_are_kept_by_name(desk: Desk, rt: Vendor) -> None:
    rt.batches = [Batch(skipped=(Skipped("9", "no Subject"),))]
    await Sync(desk).once("rt")
    assert desk.store.connections.get("rt").skipped == (("9", "no Subject"),)


async def test_a_delta_adds_what_it_can_not_read_and_takes_away_what_it_can(desk: Desk, rt: Vendor) -> None:
    rt.batches = [Batch(skipped=(Skipped("9", "no Subject"),))]
    sync = Sync(desk)
    await sync.once("rt")
    rt.batches = [Batch(skipped=(Skipped("8", "no Status"),))]
    await sync.once("rt")
    assert desk.store.connections.get("rt").skipped == (("9", "no Subject"), ("8", "no Status"))
    rt.batches = [Batch(tickets=(ticket(9),))]
    await sync.once("rt")
    assert desk.store.connections.get("rt").skipped == (("8", "no Status"),)


async def test_closed_tickets_go_after_the_days_that_the_config_says(
    desk: Desk, rt: Vendor, now: Clock
) -> None:
    sync = Sync(desk)
    await sync.once("rt")
    del rt.tickets["2"]
    now.pass_by(minutes=6)
    await sync.once("rt")
    now.pass_by(days=13)
    await sync.once("rt")
    assert desk.store.tickets.get("rt:2") is not None
    now.pass_by(days=2)
    await sync.once("rt")
    assert desk.store.tickets.get("rt:2") is None
    assert refs(desk) == ["rt:1", "rt:3"]


async def test_an_asset_and_a_device_of_one_name_are_one(desk: Desk, rt: Vendor) -> None:
    rt.tickets["1"] = ticket(1, asset_ids=("5",))
    rt.batches = [Batch(assets=(asset(5, "OAK-DC01", client=SafeText("Oak")),))]
    sync = Sync(desk)
    await sync.once("rt")
    await sync.once("mesh")
    assert desk.store.tickets.device_refs()["rt:1"] == ("mesh:OAK-DC01",)
    assert desk.store.devices.client_names() == {"mesh:OAK-DC01": "Oak"}


async def test_once_ends_at_the_first_snapshot_of_a_push_feed(desk: Desk) -> None:
    assert await asyncio.wait_for(Sync(desk).once("mesh"), 5) is None
    assert [d.name for d in desk.store.devices.all()] == ["HVD-DC01", "OAK-DC01"]


@contextlib.asynccontextmanager
async def following(sync: Sync, name: str) -> AsyncIterator[None]:
    task = asyncio.create_task(sync.follow(name))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_a_push_reaches_the_store_at_once(desk: Desk, mesh: Vendor, now: Clock) -> None:
    changed = asyncio.Event()
    sync = Sync(desk, changed=changed.set)
    async with following(sync, "mesh"), asyncio.timeout(5):
        await changed.wait()
        mesh.pushed.put_nowait(Batch(devices=(device("OAK-DC01", online=False, observed_at=now()),)))
        while online(desk, "OAK-DC01"):
            changed.clear()
            await changed.wait()


def online(desk: Desk, name: str) -> bool | None:
    [found] = desk.store.devices.named(name)
    return found.online


async def test_a_follower_says_when_it_tries_again_and_recovers_when_kicked(desk: Desk, rt: Vendor) -> None:
    rt.away = AWAY
    changed = asyncio.Event()
    sync = Sync(desk, changed=changed.set)
    async with following(sync, "rt"), asyncio.timeout(5):
        await changed.wait()
        failure = desk.store.connections.get("rt").failure
        assert failure is not None
        assert failure.retry_at is not None
        rt.away = None
        changed.clear()
        sync.kick("rt")
        await changed.wait()
    assert desk.store.connections.get("rt").failure is None


@pytest.mark.parametrize("asked", [5, 7000])
async def test_a_retry_after_is_obeyed_within_reason(desk: Desk, rt: Vendor, now: Clock, asked: int) -> None:
    rt.away = Failure(Reason.RATE_LIMIT, "rt is busy.", "rt", now.at + timedelta(seconds=asked))
    changed = asyncio.Event()
    sync = Sync(desk, changed=changed.set)
    async with following(sync, "rt"), asyncio.timeout(5):
        await changed.wait()
    failure = desk.store.connections.get("rt").failure
    assert failure is not None
    assert failure.retry_at is not None
    assert (failure.retry_at - now.at).total_seconds() == pytest.approx(min(asked, 3600), abs=1)
