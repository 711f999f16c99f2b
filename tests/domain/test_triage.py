from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mspterm.domain.order import row_of, sort_key
from mspterm.domain.row import ClockState, StatusClass, TicketRow
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Ticket
from mspterm.domain.triage import (
    NextContext,
    Skip,
    Triage,
    next_for,
    passed_over,
    pull_s,
    pulls,
    triage_of,
    why,
)
from tests.domain.domain_rows import NOW, clock, ticket

WAITING, NEW = StatusClass.WAITING, StatusClass.NEW
RULES = Triage()
ME = {"rt": frozenset({"ines"})}


def pulled(ident: str = "1", rules: Triage = RULES, **more: Any) -> Ticket:
    made = ticket(ident, **more)
    return ticket(ident, **more, pull_s=pull_s(made, rules))


def line(ident: str = "1", **more: Any) -> TicketRow:
    return row_of(pulled(ident, **more), device_names=[], pending=0, revision=1)


def ordered(*tickets: Ticket) -> list[str]:
    return [t.id for t in sorted(tickets, key=sort_key)]


def context(**more: Any) -> NextContext:
    return NextContext(NOW.timestamp(), ME, **more)


def test_a_fresh_p1_stands_before_what_was_breached_weeks_ago() -> None:
    old = pulled("1", priority=4, resolution=clock(-20 * 24))
    assert ordered(old, pulled("2", priority=1, resolution=clock(4))) == ["2", "1"]


def test_the_breached_stand_before_the_soon_due_of_their_kind() -> None:
    assert ordered(
        pulled("1", resolution=clock(2)),
        pulled("2", resolution=clock(-1)),
        pulled("3", resolution=clock(5), customer_replied_at=NOW),
        pulled("4", resolution=clock(1.5), priority=2),
        pulled("5", resolution=clock(5), children=tuple(f"rt:{n}" for n in range(10))),
    ) == ["5", "4", "2", "3", "1"]


def test_each_thing_that_moves_it_is_named() -> None:
    subject = pulled(
        priority=2, status_class=NEW, resolution=clock(6), children=("rt:8",), client=SafeText("Öak"),
        customer_replied_at=NOW, rules=(rules := triage_of({"clients": {"oak": "-30m"}})),
    )  # fmt: skip
    assert [pull.seconds for pull in pulls(subject, rules)] == [14_400, 14_400, 3600, 3600, -1800]
    said = why(subject, rules)
    assert said[0] == "work, by its next due time: resolution 2026-11-24 14:00Z (psa)"
    assert "4 h 00 earlier: it is a P2" in said
    assert "0 h 30 later: it is Öak's" in said
    assert "so it stands as if due 2026-11-24 04:30Z" in said


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"status_class": WAITING, "waiting_on": "vendor"}, "after all work: it waits on vendor; no date"),
        (
            {"status_class": WAITING, "next_action_at": NOW + timedelta(hours=3)},
            "it waits; to be looked at 2026-11-24 11:00Z",
        ),
        ({"status_class": StatusClass.RESOLVED}, "over: it is open"),
        ({"next_action_at": NOW}, "work, by its next action: 2026-11-24 08:00Z"),
        ({"priority": 4}, "no clock runs: a P4 of 2026-11-24 06:00Z is taken as due 2026-11-27 06:00Z"),
    ],
)
def test_every_place_has_its_reason(fields: dict[str, Any], says: str) -> None:
    assert says in why(pulled(**fields), RULES)[0]


def test_what_the_config_leaves_out_keeps_its_default() -> None:
    assert triage_of({}) == RULES
    made = triage_of({"priorities": {"P1": "1d"}, "replied": "10m", "leave": []})
    assert (made.priorities, made.replied, made.unanswered, made.leave) == (
        {1: 86_400},
        600,
        3600,
        frozenset(),
    )


def test_the_next_is_the_first_that_nothing_speaks_against() -> None:
    rows = [
        line("1", resolution=clock(3), status_class=NEW),
        line("2", resolution=clock(1), assignee_id="marcus", assignee=SafeText("Marcus")),
        line("3", resolution=clock(2), assignee_id="ines", status_class=NEW),
        line("4", resolution=clock(0.5), assignee_id="ines"),
        line("5", resolution=clock(0.1), status_class=WAITING),
    ]
    found = next_for(rows, context())
    assert found is not None
    assert found.number == "3"
    assert next_for(rows[3:], context()) is None


@pytest.mark.parametrize(
    ("fields", "more", "says"),
    [
        ({"status_class": StatusClass.RESOLVED}, {}, "it is open"),
        ({"assignee_id": "tom", "assignee": SafeText("Tom")}, {}, "assigned to Tom"),
        ({"assignee_id": "ines"}, {}, "working on it already"),
        ({"assignee_id": "ines", "customer_replied_at": NOW}, {}, None),
        ({"assignee_id": "ines", "status_class": NEW}, {}, None),
        ({"tier": "L2"}, {"tier": "L1"}, "it is for L2, you are L1"),
        ({"tier": "L1"}, {"tier": "L2"}, None),
        ({"tier": "L3"}, {}, None),
        ({"tier": "L2", "assignee_id": "ines", "status_class": NEW}, {"tier": "L1"}, None),
        ({"status_class": WAITING, "waiting_on": "parts"}, {}, "it waits on parts"),
        ({"status_class": WAITING, "next_action_at": NOW}, {}, None),
        ({"status_class": WAITING, "customer_replied_at": NOW}, {}, None),
        ({"next_action_at": NOW + timedelta(hours=1)}, {}, "planned for 2026-11-24 09:00Z"),
        ({"type": "project"}, {}, "type project"),
        ({}, {"hidden": frozenset({"rt:1"})}, "another row stands for"),
        ({}, {"skipped": {"rt:1": Skip("rt:1", NOW.timestamp(), "needs a van")}}, "skipped: needs a van"),
        ({"updated_at": NOW}, {"skipped": {"rt:1": Skip("rt:1", NOW.timestamp() - 1, "x")}}, None),
        ({}, {}, None),
    ],
)
def test_why_a_ticket_is_passed_over(fields: dict[str, Any], more: dict[str, Any], says: str | None) -> None:
    reason = passed_over(line(**fields), context(**more))
    assert reason is None if says is None else says in (reason or "")


def test_a_change_on_its_way_is_left_alone() -> None:
    row = row_of(pulled(), device_names=[], pending=1, revision=1)
    assert "on its way" in (passed_over(row, context()) or "")


def test_what_waited_until_today_is_next_by_that_date() -> None:
    rows = [
        line("1", resolution=clock(2)),
        line("2", status_class=WAITING, next_action_at=NOW - timedelta(hours=1)),
    ]
    found = next_for(rows, context())
    assert found is not None
    assert found.number == "2"


def test_an_open_ticket_whose_clock_is_paused_comes_after_all_work() -> None:
    paused = line("1", priority=1, resolution=clock(0, ClockState.PAUSED))
    found = next_for([paused, line("2", priority=4)], context())
    assert found is not None
    assert found.number == "2"
    assert next_for([paused], context()) is paused


subjects = st.builds(
    pulled,
    st.integers(1, 10**9).map(str),
    priority=st.integers(1, 5),
    status_class=st.sampled_from(list(StatusClass)),
    resolution=st.none() | st.builds(clock, st.floats(-1e5, 1e5), st.sampled_from(list(ClockState))),
    customer_replied_at=st.none() | st.just(NOW),
    assignee_id=st.sampled_from([None, "ines", "tom"]),
)


@given(st.lists(subjects, max_size=20))
def test_the_next_is_never_anybody_elses_and_what_stands_before_it_has_a_reason(
    tickets: list[Ticket],
) -> None:
    rows = [row_of(t, device_names=[], pending=0, revision=1) for t in tickets]
    found = next_for(rows, context())
    if found is None:
        assert all(passed_over(row, context()) for row in rows)
        return
    assert found.assignee_id in (None, "ines")
    assert all(passed_over(row, context()) for row in rows if row.order < found.order)


@given(subjects)
def test_every_ticket_says_why_it_stands_there(subject: Ticket) -> None:
    assert all(line.isprintable() and line for line in why(subject, RULES))
