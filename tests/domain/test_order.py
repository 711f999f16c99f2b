from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mspterm.domain.order import SORTS, Group, next_clock, place, row_of, sort_key
from mspterm.domain.row import ClockState, StatusClass
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Clock, Sla, Ticket
from tests.domain.domain_rows import NOW, clock, row, ticket

WAITING, CLOSED = StatusClass.WAITING, StatusClass.CLOSED


def ordered(*tickets: Ticket) -> list[str]:
    shuffled = list(tickets)
    Random(7).shuffle(shuffled)
    return [t.id for t in sorted(shuffled, key=sort_key)]


def test_the_breached_come_first_then_the_next_due() -> None:
    breached = ticket("1", resolution=clock(-3, ClockState.BREACHED), priority=5)
    soon = ticket("2", resolution=clock(0.5))
    later = ticket("3", resolution=clock(30), priority=1)
    assert ordered(later, breached, soon) == ["1", "2", "3"]


def test_a_p1_without_a_clock_stands_before_a_p4_due_next_week() -> None:
    assert ordered(ticket("1", priority=1), ticket("2", priority=4, resolution=clock(7 * 24))) == ["1", "2"]
    assert place(ticket(priority=1)).assumed
    assert place(ticket(priority=1)).by == NOW + timedelta(hours=2)


def test_ties_fall_to_priority_then_reply_then_age_then_id() -> None:
    due = clock(5)
    replied = ticket("3", resolution=due, customer_replied_at=NOW)
    older = ticket("4", resolution=due, created_at=NOW - timedelta(days=2))
    assert ordered(
        ticket("10", resolution=due),
        ticket("9", resolution=due),
        older,
        replied,
        ticket("2", resolution=due, priority=2),
    ) == ["2", "3", "4", "9", "10"]


def test_waiting_and_paused_come_after_work_and_closed_last() -> None:
    work = ticket("1", resolution=clock(500))
    paused = ticket("2", resolution=clock(1, ClockState.PAUSED))
    waiting = ticket("3", status_class=WAITING, resolution=clock(2))
    closed = ticket("4", status_class=CLOSED, resolution=clock(-9, ClockState.BREACHED))
    closed_before = ticket("5", status_class=CLOSED, updated_at=NOW - timedelta(days=3))
    assert ordered(closed_before, closed, waiting, paused, work) == ["1", "2", "3", "4", "5"]


def test_a_waiting_ticket_whose_customer_replied_is_work_again() -> None:
    assert place(ticket(status_class=WAITING, customer_replied_at=NOW)).group is Group.WORK
    paused = clock(3, ClockState.PAUSED)
    assert place(ticket(status_class=WAITING, customer_replied_at=NOW, resolution=paused)).group is Group.WORK
    assert (
        place(ticket(status_class=WAITING, customer_replied_at=NOW, waiting_on="parts")).group
        is Group.WAITING
    )


def test_waiting_tickets_stand_by_their_next_action() -> None:
    monday = ticket("1", status_class=WAITING, next_action_at=NOW + timedelta(days=6))
    today = ticket("2", status_class=WAITING, next_action_at=NOW + timedelta(hours=4))
    assert ordered(monday, today) == ["2", "1"]


def test_the_next_clock_is_the_earliest_that_is_unmet() -> None:
    met_late = Clock(ClockState.BREACHED, NOW - timedelta(hours=9), "psa", NOW)
    sla = Sla(response=met_late, resolution=clock(6), update=clock(2), plan=clock(1, ClockState.PAUSED))
    found = next_clock(ticket(sla=sla))
    assert found == ("update", sla.update)


def test_a_paused_clock_is_next_where_none_runs() -> None:
    sla = Sla(resolution=clock(None, ClockState.PAUSED), update=clock(3, ClockState.PAUSED))
    assert next_clock(ticket(sla=sla)) == ("update", sla.update)
    assert next_clock(ticket(sla=Sla(response=clock(1, ClockState.MET)))) is None


def test_a_row_carries_the_next_clock_and_the_place() -> None:
    subject = ticket("7", resolution=clock(-1), customer_replied_at=NOW)
    made = row_of(subject, device_names=["HVD-DC01", "HVD-FS01"], pending=2, revision=9)
    assert (made.due, made.due_kind, made.due_state) == (
        NOW.timestamp() - 3600,
        "resolution",
        ClockState.RUNNING,
    )
    assert (made.device, made.pending, made.revision) == ("HVD-DC01, HVD-FS01", 2, 9)
    assert made.order == sort_key(subject)
    assert row("8").due_state is ClockState.NONE


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("default", ["1", "3", "2"]),
        ("due", ["1", "3", "2"]),
        ("priority", ["2", "1", "3"]),
        ("updated", ["3", "1", "2"]),
        ("created", ["1", "3", "2"]),
        ("client", ["2", "1", "3"]),
        ("owner", ["3", "1", "2"]),
    ],
)
def test_a_person_may_sort_otherwise(name: str, expected: list[str]) -> None:
    old = NOW - timedelta(days=1)
    rows = [
        row("1", resolution=clock(1), client=SafeText("oak"), created_at=NOW),
        row("2", priority=1, status_class=WAITING, client=SafeText("Élan"), created_at=old, updated_at=old),
        row("3", resolution=clock(9), assignee=SafeText("Priya"), updated_at=NOW),
    ]
    assert [r.number for r in sorted(rows, key=SORTS[name])] == expected


tickets = st.builds(
    ticket,
    st.text(min_size=1, max_size=30),
    resolution=st.none()
    | st.builds(clock, st.none() | st.floats(-1e6, 1e6), st.sampled_from(list(ClockState))),
    status_class=st.sampled_from(list(StatusClass)),
    priority=st.integers(1, 5),
    customer_replied_at=st.none() | st.just(NOW),
    connection=st.sampled_from(["rt", "halo"]),
)


@given(tickets, tickets)
def test_a_key_is_short_ascii_of_one_width_and_no_two_tickets_share_it(one: Ticket, other: Ticket) -> None:
    key, theirs = sort_key(one), sort_key(other)
    assert len(key) == len(theirs) < 64
    assert key.isascii()
    assert (key == theirs) <= (one.ref == other.ref)


@given(tickets)
def test_what_is_over_never_stands_before_what_is_active(one: Ticket) -> None:
    over = ticket("x", status_class=StatusClass.RESOLVED)
    assert (sort_key(one) < sort_key(over)) or not one.active
