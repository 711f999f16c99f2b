"""An escalation says whom to call: a tier's people, or the vendor's support with contract and case."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mspterm.config.model import Escalation, Team, Vendor
from mspterm.desk.planner import Planner
from mspterm.desk.sync import Sync
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Update
from mspterm.domain.reasons import Failed
from tests.desk.vendor import Clock, a_desk, config, psa, rmm

DELL = Vendor("Dell", "+1 800 555", "ProSupport 77", queues={"rt": "Vendors"})
TIERS = {"L2": Team(("Priya", "Tom"), {"Priya": "555 1", "Tom": "555 2"})}


@pytest.fixture
async def planner(tmp_path: Path) -> AsyncIterator[Planner]:
    now = Clock()
    rules = Escalation(tiers=TIERS, vendors={"dell": DELL})
    desk = a_desk(tmp_path, now, psa(now), rmm(now), config=config(escalation=rules))
    await Sync(desk).once("rt")
    yield Planner(desk)
    await desk.aclose()


async def test_a_tier_names_its_people_and_their_phones(planner: Planner) -> None:
    plan = await planner.plan("escalate", ["rt:1"], Wanted(to="tier:2", text="h"))
    assert plan.lines[-2:] == (
        "  read by: Priya, Tom",
        "  a board move wakes nobody: call Priya 555 1, Tom 555 2",
    )


async def test_a_vendor_has_its_queue_its_number_and_the_case(planner: Planner) -> None:
    plan = await planner.plan("escalate", ["rt:1"], Wanted(to="vendor:Dell", text="h", number="C-9"))
    [write] = plan.writes
    assert isinstance(write, Update)
    assert write.queue == "Vendors"
    assert write.text == "h\n\nVendor: Dell +1 800 555, contract ProSupport 77, case number: C-9"
    assert plan.lines[-1] == "  a board move wakes nobody: call Dell +1 800 555, contract ProSupport 77"


async def test_an_unknown_vendor_names_those_there_are(planner: Planner) -> None:
    with pytest.raises(Failed, match=r"no vendor HP in \[escalation.vendors\]: dell"):
        await planner.plan("escalate", ["rt:1"], Wanted(to="vendor:HP", text="h"))
