from __future__ import annotations

from random import Random
from typing import Any

from mspterm.domain.filter import FilterContext, FilterError
from mspterm.domain.row import StatusClass, TicketRow
from mspterm.domain.text import SafeText
from mspterm.domain.views import DEFAULT_VIEWS, counts, moved, view
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
    assert counts(rows, DEFAULT_VIEWS, CTX) == expected


def test_a_view_of_the_config_or_what_is_wrong_with_it() -> None:
    made = view("oak", "Oak", "client:oak")
    assert not isinstance(made, FilterError)
    assert counts(desk(9), [made], CTX)["oak"] > 0
    assert isinstance(view("oak", "Oak", "clint:oak"), FilterError)


def test_counts_move_with_a_row() -> None:
    rows = desk(60)
    held = counts(rows, DEFAULT_VIEWS, CTX)
    changed = row("7", priority=1, assignee_id="ines", revision=900)
    assert moved(held, rows[7], changed, DEFAULT_VIEWS, CTX) == counts(
        [*rows[:7], changed, *rows[8:]], DEFAULT_VIEWS, CTX
    )
    assert moved(held, rows[8], None, DEFAULT_VIEWS, CTX) == counts(rows[:8] + rows[9:], DEFAULT_VIEWS, CTX)
    assert moved(held, None, changed, DEFAULT_VIEWS, CTX) == counts([*rows, changed], DEFAULT_VIEWS, CTX)
