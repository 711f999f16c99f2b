from __future__ import annotations

from typing import Any

import pytest

from mspterm.config.sla_table import ALWAYS as CONFIGURED_ALWAYS
from mspterm.domain.policy import ALWAYS, Goal, Reopen, goal_of, hours_of, policy_for, policy_of, seconds_of
from mspterm.domain.reasons import Failed, Reason
from mspterm.domain.text import SafeText
from tests.domain.domain_rows import NOW, ticket


@pytest.mark.parametrize(
    ("text", "seconds", "days", "end_of_day", "from_opening", "calendar"),
    [
        ("15m", 900, 0, False, False, None),
        ("1h30m", 5400, 0, False, False, None),
        ("4h on 24x7", 14_400, 0, False, False, "24x7"),
        ("2h  on  my office", 7200, 0, False, False, "my office"),
        ("1bd", None, 1, False, False, None),
        ("3 bd end of day", None, 3, True, False, None),
        ("1bd from opening on office", None, 1, False, True, "office"),
        ("0bd end of day", None, 0, True, True, None),
    ],
)
def test_a_goal_is_read(
    text: str, seconds: int | None, days: int, end_of_day: bool, from_opening: bool, calendar: str | None
) -> None:
    found = goal_of(text)
    assert found == Goal(" ".join(text.split()), seconds, days, end_of_day, from_opening, calendar)


@pytest.mark.parametrize("text", ["", "4", "h", "four hours", "4h on", "-4h", "1bd soon", "on office", "1d"])
def test_what_is_no_goal_is_told_with_examples(text: str) -> None:
    with pytest.raises(Failed) as caught:
        goal_of(text)
    assert caught.value.failure.reason is Reason.BAD_DATA
    assert "2bd end of day" in caught.value.failure.sentence


def test_a_goal_says_itself_in_words() -> None:
    said = [str(goal_of(text)) for text in ("4h on office", "1bd", "2bd end of day", "1bd from opening")]
    assert said == [
        "4h",
        "1 business day",
        "2 business days, by the end of the day",
        "1 business day, from the opening",
    ]


@pytest.mark.parametrize(("text", "seconds"), [("30d", 2_592_000), ("-1h30m", -5400), ("2d 4h", 187_200)])
def test_a_plain_span_is_read(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "-", "4", "1bd"])
def test_what_is_no_span_is_told(text: str) -> None:
    with pytest.raises(Failed):
        seconds_of(text)


@pytest.mark.parametrize(
    ("criteria", "fits"),
    [
        ({}, True),
        ({"clients": ["OAK dental"]}, True),
        ({"clients": ["Pine", "oak*"]}, True),
        ({"clients": ["oak"]}, False),
        ({"agreements": ["*24x7*"]}, True),
        ({"agreements": ["*8x5*"]}, False),
        ({"queues": ["Tier 2 [EU]"]}, True),
        ({"queues": ["Tier 2 ?EU]"]}, False),
        ({"types": ["incident"], "priorities": ["P1", "P3"]}, True),
        ({"types": ["incident"], "priorities": ["P1"]}, False),
        ({"types": ["request"]}, False),
    ],
)
def test_a_policy_fits_by_all_of_its_criteria(criteria: dict[str, Any], fits: bool) -> None:
    subject = ticket(
        agreement=SafeText("Gold 24x7"), client=SafeText("Oak Dental"), queue=SafeText("Tier 2 [EU]")
    )
    assert policy_of("p", criteria).fits(subject) is fits


def test_a_criterion_that_the_ticket_says_nothing_of_does_not_fit() -> None:
    assert not policy_of("p", {"agreements": ["Gold"]}).fits(ticket())
    assert policy_of("p", {"agreements": ["*"]}).fits(ticket())


def test_the_first_policy_of_the_file_that_fits_is_taken() -> None:
    gold, rest = policy_of("gold", {"priorities": ["P1"]}), policy_of("rest", {})
    assert policy_for(ticket(priority=1), [gold, rest]) is gold
    assert policy_for(ticket(priority=2), [gold, rest]) is rest
    assert policy_for(ticket(priority=2), [gold]) is None


def test_a_table_becomes_a_policy() -> None:
    table = {
        "calendar": "office",
        "response": {"P1": "15m on 24x7", "P2": "1h"},
        "pauses": {"waiting": ["resolution"], "waiting:vendor": []},
        "reopen": "restart",
        "warn": [100, 50],
        "plan_statuses": ["Plan SET"],
    }
    made = policy_of("gold", table)
    first, second = made.goal("response", 1), made.goal("response", 2)
    assert first is not None
    assert second is not None
    assert (made.calendar_for(first), made.calendar_for(second)) == ("24x7", "office")
    assert made.goal("response", 3) is made.goal("resolution", 1) is None
    assert (made.reopen, made.warn, made.plan_statuses) == (Reopen.RESTART, (50, 100), ("plan set",))
    statuses = ("waiting", "waiting:customer", "waiting:vendor", "open")
    assert [list(made.paused(status)) for status in statuses] == [["resolution"], ["resolution"], [], []]


def test_around_the_clock_is_always_there() -> None:
    assert ALWAYS == CONFIGURED_ALWAYS
    assert hours_of({})[ALWAYS].elapsed(NOW, NOW.replace(day=25)) == 86_400
