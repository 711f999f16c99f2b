from __future__ import annotations

from random import Random
from typing import Any

from mspterm.domain.filter import FilterContext, FilterError
from mspterm.domain.row import StatusClass, TicketRow
from mspterm.domain.text import SafeText
from mspterm.domain.views import DEFAULT_VIEWS, view
from tests.domain.domain_rows import NOW, clock, row

CTX = FilterContext(now=NOW.timestamp(), me={"rt": frozenset({"ines"})})


def desk(size: int) -> list[TicketRow]:
    random = Random(3)
    rows = []
    for n in range(size):
        more: dict[str, Any] = {
            "priority": random.randint(1, 5),
            "status_class": random.choice(list(StatusClass)),
            "resolution": random.choice([None, clock(random.uniform(-9, 90))]),
            "assignee_id": random.choice([None, "ines", "marcus"]),
            "customer_replied_at": random.choice([None, NOW]),
            "client": SafeText(random.choice(["Oakridge", "Harborview", "Kessler"])),
        }
        rows.append(row(str(n), revision=n, **more))
    return rows


def test_the_six_views_hold_what_their_names_say() -> None:
    rows = [
        row("1", priority=1),
        row("2", assignee_id="ines", customer_replied_at=NOW),
        row("3", assignee_id="ines", status_class=StatusClass.RESOLVED),
        row("4", status_class=StatusClass.WAITING, assignee_id="marcus"),
    ]
    expected = {"fire": 1, "mine": 1, "replied": 1, "unassigned": 1, "waiting": 1, "all": 3}
    assert {v.name: len(v.filter.select(rows, CTX)) for v in DEFAULT_VIEWS} == expected


def test_a_view_of_the_config_or_what_is_wrong_with_it() -> None:
    made = view("oak", "Oak", "client:oak")
    assert not isinstance(made, FilterError)
    assert made.filter.select(desk(9), CTX)
    assert isinstance(view("oak", "Oak", "clint:oak"), FilterError)
