"""A parent and its end at the desk: what the plan asks of whom, and that the children follow the parent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mspterm.config.model import Config
from mspterm.desk.desk import Desk
from mspterm.desk.perform import Performer
from mspterm.desk.planner import Planner
from mspterm.desk.sync import Sync
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Attach, Audience, Consent, Plan, State, Update
from mspterm.domain.reasons import Failed
from mspterm.domain.row import StatusClass
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Contact
from tests.desk.vendor import Clock, Vendor, a_desk, config, psa
from tests.store.store_rows import ticket

MONITOR = Contact(SafeText("Monitor"), (), SafeText("monitor@msp.example"))
NEW: dict[str, Any] = {
    "status": SafeText("new"),
    "status_class": StatusClass.NEW,
    "client": SafeText("Oak"),
    "queue": SafeText("Service Desk"),
    "contact": MONITOR,
}


def settings() -> Config:
    return config(raw={"storms": {"integrations": ("monitor@msp.example",)}})


@pytest.fixture
def rt(now: Clock) -> Vendor:
    vendor = psa(now)
    vendor.tickets = {str(n): ticket(n, **NEW) for n in (1, 2, 3, 4)}
    return vendor


@pytest.fixture
async def desk(tmp_path: Path, now: Clock, rt: Vendor) -> AsyncIterator[Desk]:
    made = a_desk(tmp_path, now, rt, config=settings())
    await Sync(made).once("rt")
    yield made
    await made.aclose()


def family(rt: Vendor) -> None:
    """1 is the parent of 2, 3 and 4, which Tom has."""
    refs = ("rt:2", "rt:3", "rt:4")
    rt.tickets["1"] = replace(rt.tickets["1"], children=refs)
    for n in ("2", "3", "4"):
        rt.tickets[n] = replace(rt.tickets[n], parent="rt:1")
    rt.tickets["4"] = replace(rt.tickets["4"], assignee=SafeText("Tom"), assignee_id="tom")


async def plan(desk: Desk, action: str, *refs: str, **wanted: Any) -> Plan:
    return await Planner(desk).plan(action, refs, Wanted(**wanted))


async def test_one_text_for_the_parent_and_none_for_the_children(desk: Desk, rt: Vendor) -> None:
    made = await plan(desk, "parent", "rt:1", "rt:2", "rt:3", parent="rt:1", text="We know.")
    assert made.writes == (
        Attach("rt:1", ("rt:2", "rt:3")),
        Update("rt:1", text="We know.", audience=Audience.PUBLIC),
    )
    assert "its 2 children, silent (no text, no mail):" in made.lines
    results = await Performer(desk).perform(made, Consent(plan_hash=made.hash))
    assert [r.outcome.state for r in results] == [State.DONE, State.DONE]
    assert rt.written == list(made.writes)
    [attach, _] = [e for _, _, e in (await desk.journal()).after("") if e["state"] == "intent"]
    assert (attach["action"], attach["refs"]) == ("parent", ["rt:1", "rt:2", "rt:3"])


async def test_where_the_children_are_not_attached_the_client_is_told_nothing(desk: Desk, rt: Vendor) -> None:
    made = await plan(desk, "parent", "rt:1", "rt:2", parent="rt:1", text="We know.")
    rt.answer = State.FAILED
    results = await Performer(desk).perform(made, Consent(plan_hash=made.hash))
    assert [r.outcome.state for r in results] == [State.FAILED, State.REFUSED]
    assert rt.calls.count("act") == 1


async def test_nothing_to_attach_is_refused_with_the_reason(desk: Desk, rt: Vendor) -> None:
    family(rt)
    await Sync(desk).once("rt")
    with pytest.raises(Failed, match="rt:2 is a child of it already"):
        await plan(desk, "parent", "rt:1", "rt:2", parent="rt:1")
    with pytest.raises(Failed, match="mark the others too"):
        await plan(desk, "parent", "rt:1")


async def test_rt_can_not_be_told_to_mail(desk: Desk) -> None:
    with pytest.raises(Failed, match="scrips decide who gets mail"):
        await plan(desk, "parent", "rt:1", "rt:2", text="We know.", mail=True)


async def test_the_end_of_a_parent_is_the_end_of_the_children_no_human_touched(
    desk: Desk, rt: Vendor
) -> None:
    family(rt)
    made = await plan(desk, "status", "rt:1", status="resolved")
    closed = [(w.ref, w.status, w.expected_owner) for w in made.writes if isinstance(w, Update)]
    assert closed == [("rt:1", "resolved", None), ("rt:2", "resolved", ""), ("rt:3", "resolved", "")]
    assert "stays open: rt:4 Ticket 4: Tom owns it" in made.lines
    assert made.leads
    results = await Performer(desk).perform(made, Consent(plan_hash=made.hash))
    assert len({r.intent_id for r in results}) == 3


async def test_no_child_is_closed_before_its_parent_is(desk: Desk, rt: Vendor) -> None:
    family(rt)
    made = await plan(desk, "status", "rt:1", status="resolved")
    rt.answer = State.UNCERTAIN
    results = await Performer(desk).perform(made, Consent(plan_hash=made.hash))
    assert [r.outcome.state for r in results] == [State.UNCERTAIN, State.REFUSED, State.REFUSED]


async def test_another_status_and_a_ticket_without_children_stay_what_they_were(
    desk: Desk, rt: Vendor
) -> None:
    assert len((await plan(desk, "status", "rt:2", status="resolved")).writes) == 1
    family(rt)
    made = await plan(desk, "status", "rt:1", status="stalled")
    assert (len(made.writes), made.leads) == (1, False)
    await Sync(desk).once("rt")
    made = await plan(desk, "status", "rt:1", "rt:2", status="resolved")
    assert len(made.writes) == 2
    assert any("children stay as they are" in line for line in made.lines)


async def test_a_closed_parent_is_opened_for_the_cause_that_is_back(desk: Desk, rt: Vendor) -> None:
    done: dict[str, Any] = {"status": SafeText("resolved"), "status_class": StatusClass.RESOLVED}
    rt.tickets["1"] = replace(rt.tickets["1"], observed_at=desk.now(), **done)
    await Sync(desk).once("rt")
    made = await plan(desk, "parent", "rt:1", "rt:2", parent="rt:1")
    assert made.writes == (
        Update("rt:1", status="open", audience=Audience.PUBLIC),
        Attach("rt:1", ("rt:2",)),
    )
