"""From typed words to plans: the vendor's own spellings, and what is missing said before sending."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mspterm.desk.desk import Desk
from mspterm.desk.planner import Planner
from mspterm.desk.sync import Sync
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Audience, NewTicket, RunCommand, Update
from mspterm.domain.reasons import Failed, Failure, Reason
from mspterm.domain.row import StatusClass
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Contact
from tests.desk.vendor import Clock, Vendor, a_desk, config
from tests.store.store_rows import ticket


@pytest.fixture
async def planner(desk: Desk) -> Planner:
    for name in ("rt", "mesh"):
        await Sync(desk).once(name)
    return Planner(desk)


async def one(planner: Planner, action: str, *refs: str, wanted: Wanted) -> Update:
    [write] = (await planner.plan(action, refs, wanted)).writes
    assert isinstance(write, Update)
    return write


async def test_a_status_is_taken_in_any_case(planner: Planner) -> None:
    assert (await one(planner, "status", "rt:1", wanted=Wanted(status="Stalled"))).status == "stalled"


async def test_a_class_stands_for_the_vendors_status(planner: Planner) -> None:
    assert (await one(planner, "status", "rt:1", wanted=Wanted(status="waiting"))).status == "stalled"


async def test_an_unknown_status_names_those_there_are(planner: Planner) -> None:
    with pytest.raises(Failed, match=r"no status banana; it has: new, open, stalled, resolved"):
        await planner.plan("status", ["rt:1"], Wanted(status="banana"))


@pytest.mark.parametrize(
    ("who", "id_"),
    [("me", "ines"), ("marcus", "marcus"), ("Marcus Bell", "marcus"), ("bell", "marcus"), ("nobody", "")],
)
async def test_an_owner_is_a_login_a_name_or_a_word(planner: Planner, who: str, id_: str) -> None:
    assert (await one(planner, "assign", "rt:1", wanted=Wanted(owner=who))).owner == id_


async def test_an_unknown_owner_names_those_there_are(planner: Planner) -> None:
    with pytest.raises(Failed, match="no technician called zoe; known: ines, marcus"):
        await planner.plan("assign", ["rt:1"], Wanted(owner="zoe"))


async def test_escalation_finds_the_tiers_queue(planner: Planner) -> None:
    write = await one(planner, "escalate", "rt:1", wanted=Wanted(to="tier:2", text="handoff"))
    text = "ESCALATION (mspterm): L1 Service Desk -> L2 Tier 2\n\nhandoff"
    assert (write.queue, write.audience, write.text) == ("Tier 2", Audience.INTERNAL, text)
    assert write.owner is None


@pytest.mark.parametrize("to", ["tier:9", "2", "tier:", "room:4", "tier:1"])
async def test_a_wrong_escalation_says_what_to_give(planner: Planner, to: str) -> None:
    with pytest.raises(Failed):
        await planner.plan("escalate", ["rt:1"], Wanted(to=to, text="handoff"))


async def test_a_plan_says_who_reads_by_name(planner: Planner, desk: Desk) -> None:
    contact = Contact(SafeText("Dana Reyes"), email=SafeText("dana@oak.test"))
    desk.store.tickets.upsert([ticket(1, contact=contact, observed_at=desk.now())])
    plan = await planner.plan("reply", ["rt:1"], Wanted(text="On it"))
    assert any("Dana Reyes <dana@oak.test>" in line for line in plan.lines)
    plan = await planner.plan("note", ["rt:1"], Wanted(text="On it"))
    assert any("technicians only" in line for line in plan.lines)


async def test_nothing_to_change_is_said(planner: Planner) -> None:
    with pytest.raises(Failed, match="nothing was given"):
        await planner.plan("update", ["rt:1"], Wanted())


async def test_an_unknown_ref_is_not_found(planner: Planner) -> None:
    for ref in ("rt:404", "elsewhere:1", "nonsense"):
        with pytest.raises(Failed) as caught:
            await planner.plan("note", [ref], Wanted(text="x"))
        assert caught.value.failure.reason is Reason.NOT_FOUND


async def test_the_last_known_choices_serve_while_the_server_is_away(planner: Planner, rt: Vendor) -> None:
    await planner.plan("status", ["rt:1"], Wanted(status="open"))
    rt.away = Failure(Reason.OFFLINE, "rt is gone.", "rt")
    assert (await one(planner, "status", "rt:1", wanted=Wanted(status="STALLED"))).status == "stalled"


async def test_a_device_is_found_by_ref_or_unique_name(planner: Planner) -> None:
    for name in ("mesh:OAK-DC01", "oak-dc01"):
        [write] = (await planner.plan("run", [name], Wanted(command="ls"))).writes
        assert isinstance(write, RunCommand)
        assert write.ref == "mesh:OAK-DC01"
    with pytest.raises(Failed, match="No RMM connection knows a device NOPE"):
        await planner.plan("run", ["NOPE"], Wanted(command="ls"))


async def test_a_new_ticket_gets_the_first_queue_and_the_clients_own_spelling(planner: Planner) -> None:
    [write] = (await planner.plan("new", [], Wanted(client="oak", summary="Down"))).writes
    assert isinstance(write, NewTicket)
    assert (write.queue, write.client, write.connection) == ("Service Desk", "Oak", "rt")


async def test_a_new_ticket_for_an_unknown_client_is_not_sent(planner: Planner) -> None:
    with pytest.raises(Failed, match="no client Nobody Ltd; it has: Oak"):
        await planner.plan("new", [], Wanted(client="Nobody Ltd", summary="Down"))


async def test_the_hash_follows_what_would_be_written(planner: Planner, desk: Desk) -> None:
    first = await planner.plan("note", ["rt:1"], Wanted(text="a"))
    assert first.hash == (await planner.plan("note", ["rt:1"], Wanted(text="a"))).hash
    assert first.hash != (await planner.plan("note", ["rt:1"], Wanted(text="b"))).hash
    desk.store.tickets.upsert([ticket(1, version="other", observed_at=desk.now())])
    assert first.hash != (await planner.plan("note", ["rt:1"], Wanted(text="a"))).hash


@pytest.mark.parametrize(
    ("configured", "status"),
    [({}, "open"), ({"*": ""}, None), ({"Service Desk": "stalled", "*": "x"}, "stalled")],
)
async def test_a_claim_of_a_new_ticket_sets_the_configs_status_or_the_vendors(
    tmp_path: Path, now: Clock, rt: Vendor, configured: dict[str, str], status: str | None
) -> None:
    rt.tickets = {
        "1": ticket(1, status=SafeText("new"), status_class=StatusClass.NEW, queue=SafeText("Service Desk"))
    }
    base = config()
    told = replace(base.connections["rt"], claim_status=configured)
    made = a_desk(tmp_path, now, rt, config=replace(base, connections={"rt": told}))
    await Sync(made).once("rt")
    assert (await one(Planner(made), "claim", "rt:1", wanted=Wanted())).status == status
    await made.aclose()
