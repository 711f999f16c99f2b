"""A wall clock that is set back or forward between two looks: nothing goes unseen for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mspterm.connectors.base import Batch
from mspterm.desk.desk import Desk
from mspterm.desk.look import ticket_now
from mspterm.desk.perform import Performer
from mspterm.desk.poll_lease import PollLease
from mspterm.desk.sync import Sync
from mspterm.domain.action import Consent, State
from mspterm.domain.reasons import Failure, Reason
from mspterm.domain.text import SafeText
from tests.desk.vendor import Clock, Vendor, a_desk
from tests.faults.life import plan
from tests.store.store_rows import device

STEPS = [-86_400, -3_600, -600, 600, 3_600, 86_400]
"""Seconds."""


@pytest.mark.parametrize("step", STEPS)
async def test_what_changes_after_a_step_is_seen(desk: Desk, rt: Vendor, now: Clock, step: int) -> None:
    await Sync(desk).once("rt")
    now.pass_by(seconds=step)
    rt.tickets["1"] = replace(rt.tickets["1"], summary=SafeText("It burns"))
    del rt.tickets["3"]
    assert await Sync(desk).once("rt", full=True) is None
    row = desk.store.tickets.row("rt:1")
    assert row is not None
    assert row.summary == "It burns"
    assert {t.ref for t in desk.store.tickets.whole()} == {"rt:1", "rt:2"}


@pytest.mark.parametrize("step", STEPS)
async def test_a_ticket_that_is_opened_after_a_step_is_the_new_one(
    desk: Desk, rt: Vendor, now: Clock, step: int
) -> None:
    await ticket_now(desk, "rt:1")
    now.pass_by(seconds=step)
    rt.tickets["1"] = replace(rt.tickets["1"], summary=SafeText("It burns"))
    assert (await ticket_now(desk, "rt:1")).ticket.summary == "It burns"


@pytest.mark.parametrize("step", STEPS)
async def test_a_device_after_a_step_is_the_new_one(desk: Desk, mesh: Vendor, now: Clock, step: int) -> None:
    await Sync(desk).once("mesh")
    now.pass_by(seconds=step)
    mesh.batches = [Batch(devices=(replace(device("OAK-DC01"), online=False, observed_at=now()),))]
    await Sync(desk).once("mesh")
    found = desk.store.devices.get("mesh:OAK-DC01")
    assert found is not None
    assert found.online is False


@pytest.mark.parametrize("step", STEPS)
async def test_the_store_is_not_fresh_for_ever_after_a_step(desk: Desk, now: Clock, step: int) -> None:
    sync = Sync(desk)
    await sync.once("rt")
    now.pass_by(seconds=step)
    assert not sync.fresh("rt")


async def test_a_full_look_comes_though_the_clock_was_ahead(desk: Desk, rt: Vendor, now: Clock) -> None:
    await Sync(desk).once("rt")
    now.pass_by(days=-1)
    await Sync(desk).once("rt")
    assert [c for c in rt.calls if c in ("full", "delta")] == ["full", "full"]


async def test_a_pollers_lease_does_not_outlive_it_by_a_step(
    desk: Desk, rt: Vendor, now: Clock, tmp_path: Path
) -> None:
    other = a_desk(tmp_path, now, rt)
    assert PollLease(other).take("rt") is not None
    assert PollLease(desk).take("rt") is None
    await other.aclose()
    now.pass_by(days=-1)
    assert PollLease(desk).take("rt") is not None


@pytest.mark.parametrize("step", STEPS)
async def test_what_waits_goes_after_a_step(desk: Desk, rt: Vendor, now: Clock, step: int) -> None:
    await Sync(desk).once("rt")
    rt.away = Failure(Reason.OFFLINE, "rt can't be reached.", "rt")
    reply = plan({"do": "reply", "ref": "rt:1", "text": "we are on it", "audience": "public"})
    [waiting] = await Performer(desk).perform(reply, Consent(plan_hash=reply.hash))
    assert waiting.outcome.state is State.QUEUED, waiting.outcome
    now.pass_by(seconds=step)
    rt.away = None
    await Performer(desk).flush("rt")
    intent = desk.store.intents.get(waiting.intent_id or "")
    assert intent is not None
    assert intent.state == "confirmed"
