"""The seed decides everything, and rows are made only when they are asked for."""

from __future__ import annotations

import json
from datetime import timedelta

import httpx
import pytest

from mspterm.sandbox import catalogue as desk
from mspterm.sandbox.app import Options
from mspterm.sandbox.clients import CLIENTS
from mspterm.sandbox.config import VENDORS
from mspterm.sandbox.draw import Draw
from mspterm.sandbox.faults import Faults
from tests.sandbox.bench import BEGAN, Bench


async def told(bench: Bench) -> str:
    """All that the two servers tell, in one text."""
    bench.sandbox.life.advance()
    bench.sandbox.life.faults = Faults()
    async with bench.connectwise() as psa, bench.ninjaone() as rmm:
        await bench.as_technician(rmm)
        answers: list[httpx.Response] = [
            await psa.get("/service/tickets", params={"pageSize": 1000, "orderBy": "lastUpdated desc"}),
            await psa.get(f"/service/tickets/{bench.first_open + 3}/allNotes"),
            await rmm.get("/v2/devices-detailed", params={"pageSize": 1000}),
            await rmm.get("/v2/alerts"),
            await rmm.get("/v2/activities", params={"pageSize": 1000}),
        ]
    return json.dumps([answer.json() for answer in answers])


async def test_the_same_seed_tells_the_same_story_however_often_it_is_asked() -> None:
    often, once = Bench(Options(seed=7)), Bench(Options(seed=7))
    often.run(1800, step=5)
    once.run(1800, step=1800)
    assert await told(often) == await told(once)


async def test_another_seed_tells_another_story() -> None:
    one, other = Bench(Options(seed=7)), Bench(Options(seed=8))
    assert await told(one) != await told(other)


async def test_still_nothing_happens() -> None:
    bench = Bench(Options(still=True))
    tickets, activities = dict(bench.world.tickets_changed), len(bench.world.activities)
    bench.run(7200, step=600)
    assert bench.world.tickets_changed == tickets
    assert len(bench.world.activities) == activities


def test_the_msp_is_as_described(bench: Bench) -> None:
    world = bench.world
    every = [world.ticket(number) for number in world.seeded_ids(project=False)]
    tickets = [ticket for ticket in every if ticket is not None]
    still_open = [ticket for ticket in tickets if not ticket.is_closed]
    assert (len(still_open), len(tickets) - len(still_open)) == (60, 240)
    assert {desk.TYPES[ticket.type][0] for ticket in still_open} >= {
        "Incident",
        "Request",
        "Alert",
        "Problem",
        "Change",
    }
    assert {ticket.state.stage for ticket in still_open} == {
        "NotResponded",
        "Responded",
        "ResolutionPlan",
        "NoEscalation",
    }
    assert {desk.SOURCES[ticket.source] for ticket in still_open} >= {"Phone", "Email Connector", "NinjaOne"}
    assert len(CLIENTS) == 8
    assert [client.code for client in CLIENTS if client.agreement is None] == ["COR"]
    assert len({client.plan for client in CLIENTS}) == 3
    assert {member.tier for member in desk.MEMBERS} == {"L1", "L2", "L3"}
    assert len(desk.MEMBERS) == 12
    assert len(world.device_ids) == 40


def test_an_owner_is_of_the_boards_tier(bench: Bench) -> None:
    for number in bench.world.seeded_ids(project=False):
        ticket = bench.world.ticket(number)
        assert ticket is not None
        tier = desk.BOARD[ticket.board].tier
        if ticket.owner is not None:
            assert desk.MEMBER[ticket.owner].tier == ("L3" if tier == "vendor" else tier)


def test_nothing_seeded_is_of_the_future(bench: Bench) -> None:
    for number in bench.world.seeded_ids(project=False):
        ticket = bench.world.ticket(number)
        assert ticket is not None
        past = (ticket.created, ticket.responded, ticket.resolved, ticket.closed, ticket.updated)
        assert all(at <= BEGAN for at in past if at is not None)
        assert ticket.created <= ticket.updated


async def test_ten_thousand_tickets_are_made_by_the_page() -> None:
    bench = Bench(Options(still=True, tickets=10_000, devices=20_000))
    assert bench.world.rows_made < 500
    made = bench.world.rows_made
    async with bench.connectwise() as psa:
        page = await psa.get("/service/tickets", params={"page": 9, "pageSize": 100})
        assert len(page.json()) == 100
        assert bench.world.rows_made - made == 100
        count = (await psa.get("/service/tickets/count")).json()["count"]
        assert count == 10_240
        assert bench.world.rows_made - made == 100
        by_id = await psa.get("/service/tickets", params={"conditions": "id in (40500, 49999)"})
        assert [row["id"] for row in by_id.json()] == [40_500, 49_999]
        assert bench.world.rows_made - made == 104


async def test_a_condition_is_tried_once_on_what_never_changes() -> None:
    bench = Bench(Options(still=True, tickets=500))
    asked = {"conditions": "closedFlag=False and board/id=1", "pageSize": "5"}
    async with bench.connectwise() as psa:
        first = (await psa.get("/service/tickets", params=asked)).json()
        made = bench.world.rows_made
        number = first[0]["id"]
        moved = [{"op": "replace", "path": "board", "value": {"id": 3}}]
        await psa.patch(f"/service/tickets/{number}", json=moved)
        second = (await psa.get("/service/tickets", params=asked)).json()
    assert number not in {row["id"] for row in second}
    assert bench.world.rows_made - made <= 2 + len(second)


def test_a_shared_device_has_one_name_whether_made_or_not() -> None:
    bench = Bench(Options(still=True, tickets=300, devices=5000))
    world = bench.world
    for number in range(bench.first_open, bench.first_open + 300):
        ticket = world.ticket(number)
        assert ticket is not None
        for configuration in ticket.configurations:
            device = world.device(configuration)
            assert device is not None
            assert device.client == ticket.client


@pytest.mark.parametrize("speed", [1.0, 60.0])
async def test_at_a_higher_speed_goals_come_nearer_for_who_reads_them(speed: float) -> None:
    bench = Bench(Options(still=True, speed=speed))
    async with bench.connectwise() as psa:
        row = (await psa.get(f"/service/tickets/{bench.first_open}")).json()
    assert row["_info"]["dateEntered"] == "2026-11-24T14:52:59Z"
    due = BEGAN + timedelta(seconds=479 / speed)
    assert row["respondByGoalUTC"] == due.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_draws_depend_on_their_key_alone() -> None:
    one, same, other = (Draw(1, "x", n) for n in (5, 5, 6))
    first = [one.below(1000) for _ in range(100)]
    assert first == [same.below(1000) for _ in range(100)]
    assert first != [other.below(1000) for _ in range(100)]
    assert 300 < sum(first) / 100 < 700


def test_a_vendors_support_has_a_phone_of_its_own() -> None:
    people = {member.phone for member in desk.MEMBERS}
    people |= {phone for client in CLIENTS for who in client.contacts for phone in (who.phone, who.mobile)}
    assert people.isdisjoint(vendor["phone"] for vendor in VENDORS.values())
