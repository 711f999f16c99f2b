"""The sandbox's bundle: what ConnectWise would refuse is refused before anything changes."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from mspterm.sandbox import catalogue as desk
from tests.sandbox.bench import Bench


async def attach(psa: httpx.AsyncClient, parent: int, children: Any) -> httpx.Response:
    path = f"/service/tickets/{parent}/attachChildren"
    return await psa.post(path, json={"childTicketIds": children})


async def test_children_know_their_parent_and_can_be_asked_by_it(
    bench: Bench, psa: httpx.AsyncClient
) -> None:
    one, two, three = range(bench.first_open, bench.first_open + 3)
    answer = await attach(psa, one, [two, three])
    assert (answer.status_code, answer.json()["success"]) == (200, True)
    again = await attach(psa, one, [two])
    assert again.status_code == 200
    found = await psa.get("/service/tickets", params={"conditions": f"parentTicketId={one}", "fields": "id"})
    assert [row["id"] for row in found.json()] == [two, three]
    assert (await psa.get(f"/service/tickets/{one}")).json()["hasChildTicket"] is True


@pytest.mark.parametrize("wrong", [[], "40242", [True], [1], ["40242"], [{}], [[]]])
async def test_what_is_no_list_of_tickets_is_refused(
    bench: Bench, psa: httpx.AsyncClient, wrong: Any
) -> None:
    answer = await attach(psa, bench.first_open, wrong)
    assert answer.status_code in (400, 404)
    assert answer.json()["code"] in ("InvalidObject", "NotFound")


@pytest.mark.parametrize("status", [{"id": 1}, {"name": "No such"}, {}, "Closed"])
async def test_a_merge_with_a_wrong_status_changes_nothing(
    bench: Bench, psa: httpx.AsyncClient, status: Any
) -> None:
    one, two, three = range(bench.first_open, bench.first_open + 3)
    asked = {"mergeTicketIds": [two, three], "status": status}
    assert (await psa.post(f"/service/tickets/{one}/merge", json=asked)).status_code == 400
    assert bench.world.tickets_changed == {}


async def test_all_or_none(bench: Bench, psa: httpx.AsyncClient) -> None:
    one, two, three = range(bench.first_open, bench.first_open + 3)
    await attach(psa, one, [two])
    for parent, children in (
        (two, [three]),  # a child is no parent
        (three, [two]),  # it has one
        (three, [one]),  # it has children itself
        (three, [three]),
        (three, [bench.world.seeded_ids(project=True)[0]]),
    ):
        assert (await attach(psa, parent, children)).status_code in (400, 404)
    assert bench.world.edit(three).parent is None
    assert bench.world.edit(three).children == []


async def test_a_closed_ticket_gets_no_children(bench: Bench, psa: httpx.AsyncClient) -> None:
    one, two = bench.first_open, bench.first_open + 1
    kept = bench.world.edit(one)
    bench.world.set_status(kept, desk.STATUS_OF[kept.board, desk.CLOSED].id, bench.world.now(), "ines")
    assert (await attach(psa, one, [two])).status_code == 400
    assert bench.world.edit(two).parent is None
