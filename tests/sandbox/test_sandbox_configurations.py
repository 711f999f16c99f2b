"""Configurations at scale: paged without making every row for every page, and never stale."""

from __future__ import annotations

import httpx
import pytest

from mspterm.sandbox.app import Options
from mspterm.sandbox.cw_configurations import CONFIGURATION_OFFSET
from tests.sandbox.bench import Bench

PATH = "/company/configurations"
ACTIVE = {"conditions": "activeFlag=True", "pageSize": "100"}
FORWARD = {"pagination-type": "forward-only"}


async def _every(client: httpx.AsyncClient, query: dict[str, str]) -> list[int]:
    """The ids of all pages, by their Link."""
    found: list[int] = []
    answer = await client.get(PATH, params=query, headers=FORWARD)
    while True:
        found += [row["id"] for row in answer.json()]
        if "next" not in answer.links:
            return found
        answer = await client.get(answer.links["next"]["url"], headers=FORWARD)


async def test_a_list_of_many_pages_makes_each_row_once_to_match_and_once_to_show() -> None:
    bench = Bench(Options(still=True, devices=2_000))
    async with bench.connectwise() as psa:
        before = bench.world.rows_made
        ids = await _every(psa, ACTIVE)
    assert ids == [number + CONFIGURATION_OFFSET for number in bench.world.device_ids]
    assert bench.world.rows_made - before <= 2 * 2_000


async def test_what_changes_between_two_questions_is_seen() -> None:
    bench = Bench()
    number = bench.world.device_ids[3]
    query = {"conditions": 'lastLoginName="HVD\\\\nobody"'}
    async with bench.connectwise() as psa:
        assert (await psa.get(PATH, params=query)).json() == []
        bench.world.edit_device(number).user = "HVD\\nobody"
        [row] = (await psa.get(PATH, params=query)).json()
        assert row["id"] == number + CONFIGURATION_OFFSET
        bench.world.edit_device(number).user = "HVD\\somebody"
        assert (await psa.get(PATH, params=query)).json() == []


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"conditions": "deviceIdentifier in ('1001','1004')".replace("'", '"')}, 2),
        ({"conditions": f"id={CONFIGURATION_OFFSET + 1001}"}, 1),
        ({"conditions": 'company/identifier="HVD"'}, 5),
        ({"childConditions": 'name="anything"'}, 0),
        ({"conditions": "activeFlag=False"}, 0),
    ],
)
async def test_a_count_agrees_with_its_list(query: dict[str, str], count: int) -> None:
    async with Bench().connectwise() as psa:
        rows = (await psa.get(PATH, params=query)).json()
        assert len(rows) == count
        assert (await psa.get(f"{PATH}/count", params=query)).json() == {"count": count}


async def test_they_come_in_the_order_asked_for_with_only_the_fields_asked_for() -> None:
    query = {"conditions": "activeFlag=True", "orderBy": "name desc", "fields": "name,company/identifier"}
    async with Bench().connectwise() as psa:
        rows = (await psa.get(PATH, params={**query, "pageSize": "40"})).json()
    names = [row["name"] for row in rows]
    assert names == sorted(names, key=str.casefold, reverse=True)
    assert rows[0].keys() == {"name", "company"}
    assert rows[0]["company"].keys() == {"identifier"}


async def test_a_field_that_is_not_one_is_refused() -> None:
    async with Bench().connectwise() as psa:
        assert (await psa.get(PATH, params={"conditions": "nosuch=1"})).status_code == 400
