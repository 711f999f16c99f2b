"""The grammar of ConnectWise's conditions."""

from __future__ import annotations

from typing import Any

import pytest

from mspterm.sandbox.conditions import BadConditions, parse, required

ROW: dict[str, Any] = {
    "id": 40,
    "summary": "VPN drops [again]",
    "closedFlag": False,
    "board/id": 2,
    "board/name": "Help Desk",
    "lastUpdated": "2026-11-24T08:00:00Z",
}


def holds(text: str) -> bool:
    return parse(text).holds(ROW.get)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "id = 40",
        "id=40 and closedFlag=False",
        "closedFlag = true or board/id in (1, 2, 3)",
        'board/name = "help desk"',
        'board/name like "Help*"',
        'summary contains "drops"',
        'summary not contains "printer"',
        'summary contains "[[]again]"',
        "id not in (1,2)",
        "lastUpdated >= [2026-11-24T08:00:00Z]",
        "lastUpdated > [2026-11-24T09:59:00+02:00]",
        "lastUpdated < [2026-11-25]",
        "owner/id = null",
        "(id = 1 or id = 40) and (board/id > 1 and board/id <= 2)",
        "id = 40 and id = 1 or id = 40",
    ],
)
def test_holds(text: str) -> None:
    assert holds(text)


@pytest.mark.parametrize(
    "text",
    [
        "id = 41",
        "id = 1 and (closedFlag = False or id = 40)",
        'summary like "vpn"',
        "lastUpdated > [2026-11-24T08:00:00Z]",
        "owner/id != 5",
        'owner/identifier not in ("ines")',
        'id = "40"',
        "id != null and owner/id != null",
    ],
)
def test_does_not_hold(text: str) -> None:
    assert not holds(text)


@pytest.mark.parametrize(
    "text",
    [
        "id ==",
        "id = ",
        "id = 1 and",
        "(id = 1",
        "id = 1)",
        "= 1",
        "id is 1",
        "id = 'one'",
        "lastUpdated > [yesterday]",
        "lastUpdated > [2026-13-01]",
        "id in 1",
        "id not = 1",
        "id = open",
    ],
)
def test_what_it_cannot_read_it_refuses(text: str) -> None:
    with pytest.raises(BadConditions):
        parse(text)


def test_what_every_row_must_satisfy_is_found_only_under_and() -> None:
    found = required(parse("id > 3 and (closedFlag = False and (board/id = 1 or board/id = 2))"))
    assert [need.field for need in found] == ["id", "closedFlag"]
