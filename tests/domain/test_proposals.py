"""When an escalation is proposed: by business time, at instants that the present time doesn't change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mspterm.domain.escalation import Proposal, above, entered, foreseen, proposal_line, proposed, rules_of
from mspterm.domain.fields import FilterContext
from mspterm.domain.filter import Filter, parse
from mspterm.domain.history import Event, Happened
from mspterm.domain.policy import Policy, hours_of
from mspterm.domain.row import ClockState, StatusClass
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Clock, Sla, Ticket
from tests.domain.domain_rows import NOW, row, ticket

OFFICE = {"timezone": "UTC", "weekly": {"tue": [("07:00", "17:00")]}}
HOURS = hours_of({"office": OFFICE})
RULES = rules_of({"P1": "10m", "P3": "0h"}, 75, {"P1": 50}, {"L1": "1h", "L1 P1": "30m", "L2": "4h"})
TIERS = ("L1", "L2", "vendor")
CREATED = NOW - timedelta(hours=2)
"""06:00 on a Tuesday."""
IN_L1 = "it has been in L1 since 2026-11-24 06:00Z, longer than 30m"


def made(**fields: Any) -> Ticket:
    """A P1 in L1 of two hours ago that Ines has."""
    usual: dict[str, Any] = {"tier": "L1", "priority": 1, "assignee_id": "ines", "assignee": SafeText("Ines")}
    return ticket("7", **(usual | fields))


def found(subject: Ticket, calendar: str = "24x7", tiers: tuple[str, ...] = TIERS) -> tuple[Proposal, ...]:
    return foreseen(subject, RULES, Policy("p", calendar), HOURS, tiers)


def moved(at: timedelta, before: str, after: str) -> Event:
    return Event(CREATED + at, Happened.QUEUE, after, before)


def minutes(proposals: tuple[Proposal, ...]) -> list[tuple[float, str]]:
    return [((p.at - CREATED).total_seconds() / 60, p.why) for p in proposals]


def test_what_nobody_has_taken_is_proposed_before_what_takes_long() -> None:
    loose = made(assignee_id=None, assignee=None)
    assert minutes(found(loose)) == [
        (10, "nobody has taken this P1 since 2026-11-24 06:00Z, for 10m"),
        (30, IN_L1),
    ]
    assert minutes(found(made())) == [(30, IN_L1)]


def test_it_is_counted_in_the_open_hours_of_the_policy() -> None:
    assert minutes(found(made(), "office")) == [(90, IN_L1)]


def test_a_span_of_nothing_is_never_and_a_tier_has_its_usual_span() -> None:
    third = made(priority=3, assignee_id=None, assignee=None)
    assert minutes(found(third)) == [(60, IN_L1.replace("30m", "1h"))]


def test_a_clock_is_proposed_of_at_its_priority_s_part() -> None:
    due = Clock(ClockState.RUNNING, CREATED + timedelta(hours=1), "psa", calendar="24x7")
    late = replace(RULES, in_tier={})
    for priority, at in ((1, 30), (2, 45)):
        subject = made(priority=priority, sla=Sla(resolution=due, update=due))
        [one] = foreseen(subject, late, Policy("p"), HOURS, TIERS)
        assert (one.at - CREATED).total_seconds() / 60 == at
        assert (
            one.why
            == f"{RULES.percents[priority]} % of the time to resolution was used up at 2026-11-24 06:{at}Z"
        )


def test_a_move_answers_what_was_proposed_before_it() -> None:
    up = made(tier="L2", history=(moved(timedelta(minutes=40), "L1:Desk", "L2:Systems"),))
    assert entered(up) == CREATED + timedelta(minutes=40)
    assert minutes(found(up)) == []  # L3 has no queue: nowhere to go
    assert minutes(found(up, tiers=("L1", "L2", "L3"))) == [
        (280, "it has been in L2 since 2026-11-24 06:40Z, longer than 4h")
    ]
    back = made(history=(*up.history, moved(timedelta(minutes=60), "L2:Systems", "L1:Desk")))
    assert minutes(found(back)) == [(90, IN_L1.replace("06:00", "07:00"))]


def test_another_queue_of_the_same_tier_is_no_move() -> None:
    aside = made(history=(moved(timedelta(minutes=20), "L1:Desk", "L1:Monitoring"),))
    assert minutes(found(aside)) == [(30, IN_L1)]


def test_the_time_that_it_waited_is_not_counted() -> None:
    waited = (
        Event(CREATED, Happened.SEEN, "new", "New"),
        Event(CREATED + timedelta(minutes=10), Happened.STATUS, "waiting:customer", "Waiting"),
        Event(CREATED + timedelta(minutes=70), Happened.STATUS, "open", "Open"),
    )
    assert minutes(found(made(history=waited))) == [(90, IN_L1)]


@pytest.mark.parametrize(
    "fields",
    [
        {"tier": None},
        {"tier": "vendor"},
        {"status_class": StatusClass.WAITING},
        {"status_class": StatusClass.CLOSED},
        {"type": "project"},
        {"parent": "rt:1"},
        {"priority": 5, "tier": "L3"},
    ],
)
def test_nothing_is_proposed_of_what_is_elsewhere_or_waits(fields: dict[str, Any]) -> None:
    assert found(made(**fields)) == ()


def test_in_the_top_tier_somebody_is_called_when_nobody_has_taken_it() -> None:
    top = made(tier="L3", assignee_id=None, assignee=None)
    [one] = found(top, tiers=("L1", "L3"))
    assert one.to is None
    assert proposal_line(one, "L3").startswith("call L3? nobody has taken this P1 since 2026-")


def test_the_rung_above_is_the_next_that_has_a_queue() -> None:
    assert above("L1", ("L1", "L3")) == "tier:3"
    assert above("L3", ("L1", "L3", "vendor")) is None


def test_only_what_is_due_is_proposed_the_latest_first() -> None:
    both = found(made(assignee_id=None, assignee=None))
    assert proposed(both, CREATED) == ()
    assert [p.why[:6] for p in proposed(both, CREATED + timedelta(minutes=10))] == ["nobody"]
    assert [p.why[:6] for p in proposed(both, NOW)] == ["it has", "nobody"]


def test_the_filter_finds_what_is_proposed_now() -> None:
    found = parse("is:escalate")
    assert isinstance(found, Filter)
    subject = row("7", escalate_at=NOW)
    assert found.matches(subject, FilterContext(now=NOW.timestamp()))
    assert not found.matches(subject, FilterContext(now=NOW.timestamp() - 1))
    assert not found.matches(row("8"), FilterContext(now=NOW.timestamp()))
