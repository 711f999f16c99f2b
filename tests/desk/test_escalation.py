"""An escalation says whom to call, carries enough, and leaves a path: up to a vendor and back down."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mspterm.config.model import Client, Escalation, Team, Vendor
from mspterm.connectors.base import Batch
from mspterm.desk.desk import Desk
from mspterm.desk.escalation import calls, path_of, proposals_now, to_call, whom
from mspterm.desk.handoffs import drafted, evidence_of, from_text
from mspterm.desk.linking import relink
from mspterm.desk.perform import Performer
from mspterm.desk.planner import Planner
from mspterm.desk.sync import Sync
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Consent, Plan, State, Update
from mspterm.domain.device import Asset
from mspterm.domain.reasons import Failed
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Contact, Note, TicketDetail
from tests.desk.vendor import Clock, a_desk, config, psa, rmm
from tests.store.store_rows import NOW

DELL = Vendor("Dell", "+1 800 555", "ProSupport 77", queues={"rt": "Vendors"})
TIERS = {"L2": Team(("Priya", "Tom"), {"Priya": "555 1", "Tom": "555 2"})}
RULES = Escalation(
    tiers=TIERS, vendors={"dell": DELL}, unclaimed_after={"P4": "10m"}, tier_after={"L1": "1h"},
    handoff=("what", "tried"),
)  # fmt: skip
DANA = Contact(SafeText("Dana"), (SafeText("555 9"),))
OAK = Client("Oak", authoriser="Sam", authoriser_phone="555 8", raci={"cloud": {"responsible": "us"}})
ENOUGH = "## What happens\nThe server is down\n## What was tried\nRestarted the spooler twice"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    now = Clock()
    rt, mesh = psa(now), rmm(now)
    for number, made in rt.tickets.items():
        asset = ("7",) if number in "12" else ()
        rt.tickets[number] = replace(made, tier="L1", contact=DANA, asset_ids=asset)
    rt.batches = [Batch(assets=(Asset("rt:asset:7", "rt", "7", SafeText("OAK-DC01")),))]
    desk = a_desk(tmp_path, now, rt, mesh, config=config(escalation=RULES, clients={"Oak": OAK}))
    for name in ("rt", "mesh"):
        await Sync(desk).once(name)
    relink(desk.store, desk.client_key)
    yield desk
    await desk.aclose()


async def planned(desk: Desk, action: str = "escalate", **wanted: str) -> Plan:
    text = {"text": ENOUGH} if action == "escalate" else {}
    return await Planner(desk).plan(action, ["rt:1"], Wanted(**{**text, **wanted}))  # type: ignore[arg-type]


def only(plan: Plan) -> Update:
    [write] = plan.writes
    assert isinstance(write, Update)
    return write


async def test_a_tier_names_its_people_and_their_phones(desk: Desk) -> None:
    plan = await planned(desk, to="tier:2", reason="too long")
    assert "  read by: Priya, Tom" in plan.lines
    assert "  a board move wakes nobody: call Priya 555 1, Tom 555 2" in plan.lines
    assert only(plan).text == (
        f"ESCALATION (mspterm): L1 Service Desk -> L2 Tier 2\nWhy: too long\nRead by: Priya, Tom\n\n{ENOUGH}"
    )


async def test_a_vendor_has_its_queue_its_number_and_the_case(desk: Desk) -> None:
    plan = await planned(desk, to="vendor:Dell", number="C-9")
    assert only(plan).queue == "Vendors"
    assert only(plan).text == (
        "ESCALATION (mspterm): L1 Service Desk -> Vendors (Dell, case C-9)\n"
        f"Vendor: Dell +1 800 555, contract ProSupport 77, case number: C-9\n\n{ENOUGH}"
    )
    assert "  a board move wakes nobody: call Dell +1 800 555, contract ProSupport 77" in plan.lines


async def test_an_unknown_vendor_names_those_there_are(desk: Desk) -> None:
    with pytest.raises(Failed, match=r"no vendor HP in \[escalation.vendors\]: dell"):
        await planned(desk, to="vendor:HP")


async def test_nobody_is_behind_a_tier_that_the_config_doesn_t_name(desk: Desk) -> None:
    assert calls(whom(desk, "rt", "Service Desk")) == (
        "  a board move wakes nobody, and nobody is named in [escalation.tiers] for it",
    )


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ("## What happens\nThe server is down\n## What was tried\n- ok", "under What was tried:"),
        ("## What happens\nx\n## Check first\nDNS", "under What happens and What was tried:"),
        ("look at it", "belongs nowhere"),
    ],
)
async def test_leaving_l1_needs_a_handoff(desk: Desk, text: str, lacks: str) -> None:
    with pytest.raises(Failed, match=lacks) as caught:
        await planned(desk, to="tier:2", text=text)
    assert "rt:1 can't leave L1 yet" in caught.value.failure.sentence


async def test_a_move_within_l1_and_one_above_it_need_none(desk: Desk) -> None:
    await planned(desk, to="queue:Tier 2")
    ticket = desk.store.tickets.get("rt:1")
    assert ticket is not None
    desk.store.tickets.upsert([replace(ticket, tier="L2", queue=SafeText("Tier 2"), observed_at=desk.now())])
    assert only(await planned(desk, to="vendor:dell", text="up to them")).queue == "Vendors"


async def test_back_down_needs_why_and_nothing_else(desk: Desk) -> None:
    ticket = desk.store.tickets.get("rt:1")
    assert ticket is not None
    desk.store.tickets.upsert([replace(ticket, tier="L2", queue=SafeText("Tier 2"), observed_at=desk.now())])
    with pytest.raises(Failed, match=r"why it goes back to L1 \(--reason TEXT\)"):
        await planned(desk, to="tier:1", text="")
    plan = await planned(desk, to="tier:1", text="", reason="user error")
    assert only(plan).text == "DE-ESCALATION (mspterm): L2 Tier 2 -> L1 Service Desk\nWhy: user error"
    assert "  a de-escalation: to a lower tier" in plan.lines


async def test_a_call_is_a_note_with_the_number_on_file(desk: Desk) -> None:
    plan = await planned(desk, "call", whom="dana", result="voicemail", text="left a message")
    assert (
        only(plan).text == "CALL (mspterm): dana, at 555 9: VOICEMAIL. 2026-11-24 02:10 UTC\nleft a message"
    )
    with pytest.raises(Failed, match="reached, voicemail, busy, no answer"):
        await planned(desk, "call", whom="dana", result="maybe")


async def test_everybody_whom_the_ticket_may_need_has_a_number(desk: Desk) -> None:
    ticket = desk.store.tickets.get("rt:1")
    assert ticket is not None
    assert to_call(desk, ticket) == (("Dana", "555 9"), ("Sam", "555 8"))
    there = replace(ticket, queue=SafeText("Vendors"))
    assert to_call(desk, there)[0] == ("Dell", "+1 800 555")
    assert to_call(desk, replace(ticket, queue=SafeText("Tier 2")))[:2] == (
        ("Priya", "555 1"),
        ("Tom", "555 2"),
    )


async def test_what_is_proposed_is_stored_with_the_ticket_and_answered_by_the_move(desk: Desk) -> None:
    ticket, row = desk.store.tickets.get("rt:1"), desk.store.tickets.row("rt:1")
    assert ticket is not None
    assert row is not None
    first = ticket.created_at + timedelta(minutes=10)
    assert (ticket.escalate_at, row.escalate_at) == (first, first.timestamp())
    assert [p.why for p in proposals_now(desk, ticket)] == [
        "it has been in L1 since 2026-11-24 01:10Z, longer than 1h",
        "nobody has taken this P4 since 2026-11-24 01:10Z, for 10m",
    ]
    plan = await planned(desk, to="tier:2", reason=proposals_now(desk, ticket)[0].why)
    [result] = await Performer(desk).perform(plan, Consent(plan_hash=plan.hash))
    assert result.outcome.state is State.DONE
    after = desk.store.tickets.get("rt:1")
    assert after is not None
    assert after.queue == "Tier 2"
    said = Note("9", desk.now(), SafeText("Ines"), "internal", SafeText(only(plan).text or ""))
    steps = path_of(desk, after, TicketDetail(after, SafeText(""), (said,)))
    assert [step.what for step in steps] == ["L1 Service Desk", "L2 Tier 2"]


async def test_the_draft_holds_what_the_desk_knows(desk: Desk) -> None:
    ran = await Planner(desk).plan("run", ["mesh:OAK-DC01"], Wanted(command="sfc /scannow", attach="rt:1"))
    found = await Performer(desk).perform(ran, Consent("OAK-DC01", ran.hash))
    assert found[0].outcome.state is State.DONE
    parts = from_text(await drafted(desk, "rt:1"))
    assert ": run on OAK-DC01, done (journal)" in parts
    assert f"OAK-DC01: online (as of {NOW:%Y-%m-%d}" in parts
    assert "Last 14 days of OAK-DC01:\n  #2 open: Ticket 2" in parts
    assert "Last 14 days of Dana:\n  #" in parts
    assert "RACI cloud: responsible us" in parts
    assert "SLA resolution:" in parts


async def test_the_other_open_tickets_of_the_client_are_others_also_once_it_is_over(desk: Desk) -> None:
    ticket = desk.store.tickets.get("rt:1")
    assert ticket is not None
    assert evidence_of(desk, ticket).open_at_client == 2
    desk.store.tickets.gone(["rt:1"])
    assert evidence_of(desk, ticket).open_at_client == 2


def test_a_file_without_the_five_parts_is_refused() -> None:
    with pytest.raises(Failed, match="can't be used: the text before the first heading"):
        from_text("look at it")
