"""The connector against the lab's real RT. Each test makes its own tickets."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from mspterm.config.model import Connection
from mspterm.connectors.base import Batch
from mspterm.connectors.rt.connector import RtConnector
from mspterm.domain.action import Attach, Audience, NewTicket, State, Update
from mspterm.domain.reasons import Failed, Reason
from mspterm.domain.row import ClockState, StatusClass
from mspterm.domain.secret import Secret
from mspterm.net.pacer import FreePacer
from tests.conftest import LabRt

pytestmark = pytest.mark.live
Maker = Callable[[str], RtConnector]
OAK = "Oakline Manufacturing"


def now() -> datetime:
    return datetime.now(UTC)


def clock(hours: float) -> Callable[[], datetime]:
    return lambda: now() + timedelta(hours=hours)


@pytest.fixture
async def as_user(lab_rt: LabRt) -> AsyncIterator[Maker]:
    """Connectors by the lab's users, closed at the end."""
    async with AsyncExitStack() as stack:

        def make(login: str) -> RtConnector:
            connection = Connection("acme", "rt", lab_rt.url, tiers={"Service Desk": "L1", "Tier 2": "L2"})
            token = {"token": Secret(lab_rt.tokens[login])}
            made = RtConnector(connection, token, pacer=FreePacer(), now=now)
            stack.push_async_callback(made.aclose)
            return made

        yield make


async def new(rt: RtConnector, **more: str | int) -> str:
    """A ticket of this test alone; gives its ref."""
    write = NewTicket(
        "acme", OAK, f"live test {uuid.uuid4()}", "The body.\nTwo lines.", contact="lee@oak.test"
    )
    outcome = await rt.act(replace(write, **more), mark="live")  # type: ignore[arg-type]
    assert outcome.state is State.DONE, outcome
    assert outcome.created_ref is not None
    return outcome.created_ref


def id_of(ref: str) -> str:
    return ref.partition(":")[2]


async def run(rt: RtConnector, cursor: str | None) -> list[Batch]:
    return [batch async for batch in rt.feed(cursor)]


async def test_whoami(as_user: Maker) -> None:
    identity = await as_user("ines").whoami()
    assert (identity.technician.id, identity.technician.name) == ("ines", "Ines Duarte")
    assert str(identity.version).startswith("RT 5")


async def test_a_bad_token_is_auth(lab_rt: LabRt) -> None:
    connection = Connection("acme", "rt", lab_rt.url)
    rt = RtConnector(connection, {"token": Secret("1-28-cafe0bad")}, pacer=FreePacer(), now=now)
    with pytest.raises(Failed) as caught:
        await rt.whoami()
    await rt.aclose()
    assert caught.value.failure.reason is Reason.AUTH


async def test_the_full_feed_holds_every_ticket_that_rt_counts(as_user: Maker, lab_rt: LabRt) -> None:
    batches = await run(as_user("ines"), None)
    tickets = [ticket for batch in batches for ticket in batch.tickets]
    headers = {"Authorization": f"token {lab_rt.tokens['ines']}"}
    async with httpx.AsyncClient(headers=headers) as plain:
        asked: dict[str, str | int] = {"query": "Status='__Active__'", "per_page": 1}
        counted = (await plain.get(f"{lab_rt.url}/REST/2.0/tickets", params=asked)).json()["total"]
    # Other tests make tickets meanwhile, and never fewer.
    assert 30 <= len(tickets) <= counted
    assert [skipped for batch in batches for skipped in batch.skipped] == []
    seeded = next(ticket for ticket in tickets if ticket.number == "2")
    assert (seeded.client, seeded.asset_ids) == ("Kestrel Logistics", ("5",))
    assert seeded.sla.resolution.source == "psa"
    assets = {str(asset.name): asset for batch in batches for asset in batch.assets}
    assert assets["HVD-DC01"].kind == "server"
    assert assets["HVD-DC01"].client == "Harborview Dental Group"
    assert batches[-1].full


async def test_a_ticket_from_creation_to_resolution(as_user: Maker) -> None:
    rt = as_user("ines")
    parent = await new(rt)
    ref = await new(rt, device="acme:asset:1", parent=parent, priority=2, owner="tom", queue="Service Desk")
    due = now().replace(microsecond=0) + timedelta(days=2)
    write = Update(ref, text="Looked at it: ünï <b> 'q'", minutes=15, status="open", next_at=due)
    outcome = await rt.act(write, mark="live")
    assert outcome.state is State.DONE, outcome
    assert outcome.ticket is not None
    assert (outcome.ticket.next_action_at, outcome.ticket.minutes_worked) == (due, 15)
    assert (await rt.act(Update(ref, minutes=5), mark="live")).state is State.DONE
    reply = Update(ref, text="Hello Lee", audience=Audience.PUBLIC)
    assert (await rt.act(reply, mark="live")).state is State.DONE
    escalation = Update(ref, text="handoff", owner="", queue="Tier 2", priority=3, status="stalled")
    assert (await rt.act(escalation, mark="live")).state is State.DONE
    detail = await rt.ticket(id_of(ref))
    spoken = [(note.kind, note.body, note.minutes) for note in detail.notes if note.kind != "system"]
    assert spoken == [
        ("internal", "Looked at it: ünï <b> 'q'", 15),
        ("internal", "Worked 5 minutes", 5),
        ("public", "Hello Lee", None),
        ("internal", "handoff", None),
    ]
    ticket = detail.ticket
    assert detail.description == "The body.\nTwo lines."
    assert (ticket.parent, ticket.asset_ids, ticket.minutes_worked) == (parent, ("1",), 20)
    assert (ticket.queue, ticket.tier, ticket.assignee, ticket.priority) == ("Tier 2", "L2", None, 3)
    assert ticket.status_class is StatusClass.WAITING
    assert ticket.sla.resolution.state in (ClockState.PAUSED, ClockState.NONE)
    assert (await rt.act(Update(ref, status="resolved"), mark="live")).state is State.DONE
    assert (await rt.ticket(id_of(parent))).ticket.children == (ref,)


async def test_a_next_date_leaves_due_alone(as_user: Maker) -> None:
    """RT's SLA moves Due at correspondence, status and SLA level, not at Starts."""
    rt = as_user("ines")
    ref = await new(rt)
    before = (await rt.ticket(id_of(ref))).ticket.sla.resolution.due
    outcome = await rt.act(Update(ref, next_at=now() + timedelta(days=3)), mark="live")
    assert outcome.state is State.DONE
    assert outcome.ticket is not None
    assert outcome.ticket.sla.resolution.due == before


async def test_a_half_applied_change_is_told(as_user: Maker) -> None:
    rt = as_user("ines")
    ref = await new(rt)
    outcome = await rt.act(Update(ref, owner="ghost", priority=2), mark="live")
    assert outcome.state is State.FAILED
    assert outcome.failure is not None
    assert outcome.failure.reason is Reason.REFUSED
    assert "That user does not exist" in outcome.failure.sentence
    assert outcome.detail == ("priority: 2", "not applied: owner is Nobody, asked for was ghost")


async def test_an_invalid_status_beside_a_text_is_told(as_user: Maker) -> None:
    rt = as_user("ines")
    outcome = await rt.act(Update(await new(rt), text="x", status="bananas"), mark="live")
    assert outcome.state is State.FAILED
    assert outcome.detail[0].startswith("text: comment #")
    assert outcome.detail[1] == "not applied: status is new, asked for was bananas"


async def test_a_refused_client_is_told_with_the_ticket_that_was_made(as_user: Maker) -> None:
    write = NewTicket("acme", "No Such Client", "live test: no such client", queue="Service Desk")
    outcome = await as_user("ines").act(write, mark="live")
    assert outcome.state is State.FAILED
    assert outcome.created_ref is not None


async def test_the_viewer_is_refused_for_lack_of_permission_and_changes_nothing(as_user: Maker) -> None:
    rt, viewer = as_user("ines"), as_user("viewer")
    ref = await new(rt)
    before = await rt.ticket(id_of(ref))
    for write in (
        Update(ref, text="a note"),
        Update(ref, text="a reply", audience=Audience.PUBLIC),
        Update(ref, status="open"),
        Update(ref, owner="ines"),
        Update(ref, minutes=5),
        NewTicket("acme", OAK, "live test: viewer", queue="Service Desk"),
    ):
        outcome = await viewer.act(write, mark="live")
        assert outcome.state is State.FAILED, write
        assert outcome.failure is not None
        assert outcome.failure.reason is Reason.PERMISSION, outcome
    after = await rt.ticket(id_of(ref))
    assert after.notes == before.notes
    assert replace(after.ticket, observed_at=now()).version == before.ticket.version


async def test_of_two_claims_planned_on_the_same_ticket_the_later_loses(as_user: Maker) -> None:
    ines, tom = as_user("ines"), as_user("tom")
    ref = await new(ines)
    first = await ines.act(Update(ref, owner="ines", expected_owner=""), mark="live")
    late = await tom.act(Update(ref, text="mine", owner="tom", expected_owner=""), mark="live")
    assert first.state is State.DONE
    assert late.failure is not None
    assert late.failure.reason is Reason.CONFLICT
    detail = await ines.ticket(id_of(ref))
    assert detail.ticket.assignee_id == "ines"
    assert [note for note in detail.notes if note.body == "mine"] == []


async def test_of_four_claims_at_one_instant_rt_keeps_one_and_each_is_told_the_truth(as_user: Maker) -> None:
    """RT's If-Match isn't atomic (psa-apis 13b): what counts is what is read back."""
    logins = ("ines", "marcus", "priya", "tom")
    ref = await new(as_user("ines"))
    outcomes = await asyncio.gather(
        *(as_user(login).act(Update(ref, owner=login, expected_owner=""), mark="live") for login in logins)
    )
    owner = (await as_user("ines").ticket(id_of(ref))).ticket.assignee_id
    assert owner in logins
    states = dict(zip(logins, (outcome.state for outcome in outcomes), strict=True))
    assert states[str(owner)] is State.DONE
    assert set(states.values()) <= {State.DONE, State.FAILED}


async def test_taking_over_from_another(as_user: Maker) -> None:
    rt = as_user("ines")
    ref = await new(rt, owner="tom")
    outcome = await rt.act(Update(ref, owner="ines", expected_owner="tom"), mark="live")
    assert outcome.state is State.DONE


async def test_a_delta_sees_an_update_and_a_ticket_that_leaves(as_user: Maker) -> None:
    rt, other = as_user("ines"), as_user("tom")
    changed, resolved = await new(rt), await new(rt)
    cursor = (await run(rt, None))[-1].cursor
    await other.act(Update(changed, text="by tom", priority=2), mark="live")
    await other.act(Update(resolved, status="resolved"), mark="live")
    batches = await run(rt, cursor)
    seen = {ticket.ref: ticket for batch in batches for ticket in batch.tickets}
    assert seen[changed].priority == 2
    assert seen[resolved].status_class is StatusClass.RESOLVED
    assert not batches[-1].full


@pytest.mark.parametrize("hours", [-5, 5])
async def test_a_delta_with_a_local_clock_hours_off(as_user: Maker, lab_rt: LabRt, hours: int) -> None:
    rt = as_user("ines")
    cursor = (await run(rt, None))[-1].cursor
    ref = await new(rt)
    connection = Connection("acme", "rt", lab_rt.url)
    token = {"token": Secret(lab_rt.tokens["tom"])}
    off = RtConnector(connection, token, pacer=FreePacer(), now=clock(hours))
    seen = [ticket.ref for batch in await run(off, cursor) for ticket in batch.tickets]
    await off.aclose()
    assert ref in seen


async def test_choices(as_user: Maker) -> None:
    rt = as_user("ines")
    choices = await rt.choices((await rt.ticket("2")).ticket)
    assert {"Service Desk", "Tier 2", "Projects"} <= set(choices.queues)
    assert {"ines", "marcus", "priya", "tom"} <= {technician.id for technician in choices.technicians}
    assert "viewer" not in {technician.id for technician in choices.technicians}


async def test_hostile_text_comes_back_safe_and_proven(as_user: Maker) -> None:
    rt = as_user("ines")
    hostile = "a\x1b]52;c;aGk=\x07b \u202ex [/b] [@click=app.quit] \u009b31m"
    ref = await new(rt)
    outcome = await rt.act(Update(ref, text=hostile), mark="live")
    assert outcome.state is State.DONE, outcome
    body = (await rt.ticket(id_of(ref))).notes[-1].body
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 or char == "\u202e" for char in body)
    assert "[@click=app.quit]" in body


async def test_children_are_linked_and_the_parent_gets_its_requestor_in_one_write(as_user: Maker) -> None:
    rt = as_user("ines")
    parent, *children = [await new(rt) for _ in range(3)]
    outcome = await rt.act(Attach(parent, tuple(children), "dana@oak.test"), mark="live")
    assert (outcome.state, outcome.detail[0]) == (State.DONE, "children: 2 of 2")
    assert outcome.ticket is not None
    assert set(outcome.ticket.children) == set(children)
    assert {t.parent for t in outcome.others} == {parent}
    detail = await rt.ticket(id_of(parent))
    assert detail.ticket.contact is not None
    assert detail.ticket.contact.email == "dana@oak.test"
    missing = await rt.act(Attach(parent, (children[0], "acme:999999")), mark="live")
    assert missing.state is State.FAILED
    assert missing.failure is not None
    assert "Couldn't resolve '999999'" in missing.failure.sentence
