"""Which ticket is an alert's, and which cause has come back after its end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mspterm.domain.recurrence import Ended, recurrences
from mspterm.domain.storms import Sign
from mspterm.domain.ties import WITHIN_S, opened
from tests.domain.domain_rows import NOW

AT = NOW.timestamp()
DAY = 86_400.0


def sign(ref: str, minutes: float = 0, **more: Any) -> Sign:
    values: dict[str, Any] = {
        "client": "oak",
        "site": "main",
        "device": "fs1",
        "condition": "offline",
        "priority": 3,
    }
    return Sign(ref, AT + minutes * 60, **(values | more))


ALERT = sign("ninja:alert:a", priority=None)


def test_an_alerts_ticket_is_the_nearest_of_its_device_and_condition() -> None:
    assert opened(ALERT, [sign("rt:1", 5), sign("rt:2", -1), sign("rt:3", 9)]) == "rt:2"


@pytest.mark.parametrize(
    "more",
    [
        {"device": "fs2"},
        {"condition": "disk space"},
        {"human": True},
        {"at": AT + WITHIN_S + 60},
    ],
)
def test_another_thing_a_person_and_another_time_are_no_tie(more: dict[str, Any]) -> None:
    ticket = replace(sign("rt:1"), **more)
    assert opened(ALERT, [ticket]) is None


def test_what_the_alert_says_itself_goes_first() -> None:
    alert = sign("ninja:alert:a", priority=None, linked="rt:9")
    assert opened(alert, [sign("rt:1"), sign("rt:9", device="pc4", condition="load")]) == "rt:9"


def ended(*children: Sign, minutes: float = -30, **more: Any) -> Ended:
    return Ended(sign("rt:1", -60, **more), children, AT + minutes * 60)


def test_the_same_device_and_condition_within_the_days_is_the_same_cause() -> None:
    assert recurrences([ended()], [sign("rt:2")], DAY) == {"rt:2": "rt:1"}
    assert recurrences([ended(minutes=-1500)], [sign("rt:2")], DAY) == {}
    assert recurrences([ended(minutes=10)], [sign("rt:2")], DAY) == {}


def test_a_childs_device_counts_too_and_the_last_end_wins() -> None:
    first = Ended(sign("rt:1", device="fw1"), (sign("rt:5"),), AT - 7200)
    last = Ended(sign("rt:3", device="fw1"), (sign("rt:6"),), AT - 3600)
    assert recurrences([first, last], [sign("rt:9")], DAY) == {"rt:9": "rt:3"}


def test_a_site_that_was_down_is_down_again_one_device_of_it_says_nothing() -> None:
    again = sign("rt:9", device="pc7")
    assert recurrences([ended(sign("rt:5", device="pc1"))], [again], DAY) == {"rt:9": "rt:1"}
    assert recurrences([ended()], [again], DAY) == {}


@pytest.mark.parametrize("more", [{"client": "elm"}, {"priority": None}, {"parent": "rt:4"}])
def test_other_clients_alerts_and_children_propose_nothing(more: dict[str, Any]) -> None:
    assert recurrences([ended()], [sign("rt:2", **more)], DAY) == {}
