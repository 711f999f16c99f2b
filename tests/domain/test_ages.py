from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mspterm.domain.ages import DAY, HOUR, age, age_changes_in, countdown, next_change
from tests.domain.domain_rows import NOW

micro = timedelta(microseconds=1)
spans = st.timedeltas(-timedelta(days=900), timedelta(days=900)) | st.timedeltas(
    -timedelta(minutes=7), timedelta(minutes=7)
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "now"),
        (0, "now"),
        (14.9, "now"),
        (15, "15s"),
        (59, "15s"),
        (60, "1m"),
        (299, "2m"),
        (300, "5m"),
        (3599, "55m"),
        (HOUR, "1h"),
        (2 * DAY - 1, "47h"),
        (2 * DAY, "2d"),
        (1e12, "99999d"),
    ],
)
def test_ages_step(seconds: float, text: str) -> None:
    assert age(seconds) == text


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (299, "4:59"),
        (300, "5:00"),
        (301, "5m"),
        (0.2, "0:01"),
        (0, "-0m"),
        (-59, "-0m"),
        (3 * HOUR + 5 * 60, "3h05"),
        (-(2 * HOUR + 14 * 60), "-2h14"),
        (47 * HOUR, "47h00"),
        (3 * DAY, "3d"),
        (-3 * DAY, "-3d"),
    ],
)
def test_countdowns(left: float, text: str) -> None:
    assert countdown(NOW + timedelta(seconds=left), NOW) == text


@given(spans)
def test_a_countdown_changes_exactly_when_it_says(left: timedelta) -> None:
    due = NOW + left
    wait = timedelta(seconds=next_change(due, NOW))
    assert wait > timedelta(0)
    before, after = (
        countdown(due, NOW + max(wait - 2 * micro, timedelta(0))),
        countdown(due, NOW + wait + micro),
    )
    assert countdown(due, NOW) == before != after
    assert max(len(before), len(after)) <= 7


@given(spans)
def test_seconds_are_shown_in_the_last_five_minutes_only(left: timedelta) -> None:
    assert (":" in countdown(NOW + left, NOW)) == (timedelta(0) < left <= timedelta(minutes=5))


@given(st.floats(-10, 4e8))
def test_an_age_changes_exactly_when_it_says(seconds: float) -> None:
    wait = age_changes_in(seconds)
    assert wait > 0
    assert age(seconds) == age(max(seconds, 0) + wait - 1e-3 if wait > 2e-3 else seconds)
    assert age(seconds) != age(max(seconds, 0) + wait + 1e-3)
    assert len(age(seconds)) <= 7
