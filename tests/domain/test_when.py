"""Dates and spans as people type them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mspterm.domain.when import WhenError, parse_minutes, parse_when

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)  # a Tuesday
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("tomorrow 9:00", "2026-11-25T09:00"),
        ("Tomorrow", "2026-11-25T09:00"),
        ("tomorrow at 14", "2026-11-25T14:00"),
        ("fri", "2026-11-27T09:00"),
        ("friday 9pm", "2026-11-27T21:00"),
        ("tue", "2026-12-01T09:00"),
        ("today 17:00", "2026-11-24T17:00"),
        ("16:30", "2026-11-24T16:30"),
        ("8:15", "2026-11-25T08:15"),
        ("12am", "2026-11-25T00:00"),
        ("+2h", "2026-11-24T10:30"),
        ("+1h30", "2026-11-24T10:00"),
        ("in 3 days", "2026-11-27T08:30"),
        ("+1w", "2026-12-01T08:30"),
        ("2026-11-30", "2026-11-30T09:00"),
        ("2026-11-30 08:00", "2026-11-30T08:00"),
        ("2026-11-30T08:00", "2026-11-30T08:00"),
        ("2026-11-30T08:00Z", "2026-11-30T08:00"),
        ("2026-11-30T08:00+01:00", "2026-11-30T07:00"),
    ],
)
def test_understands(typed: str, expected: str) -> None:
    assert parse_when(typed, NOW, UTC) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_a_time_is_the_technicians_own_also_across_summer_time() -> None:
    spring = datetime(2026, 3, 27, 12, 0, tzinfo=UTC)
    assert parse_when("sat 9:00", spring, BERLIN) == datetime(2026, 3, 28, 8, 0, tzinfo=UTC)
    assert parse_when("mon 9:00", spring, BERLIN) == datetime(2026, 3, 30, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "typed", ["", "soon", "+", "25:00", "13pm", "fri 25", "2026-13-01", "today 7:00", "mo"]
)
def test_says_what_it_does_not_understand(typed: str) -> None:
    found = parse_when(typed, NOW, UTC)
    assert isinstance(found, WhenError)
    assert repr(typed) in found.sentence


@given(st.text(max_size=40))
def test_any_text_is_a_later_instant_or_an_error(typed: str) -> None:
    found = parse_when(typed, NOW, UTC)
    assert isinstance(found, WhenError) or found > NOW


@pytest.mark.parametrize(
    ("typed", "minutes"), [("15", 15), (" 15m ", 15), ("1h", 60), ("1h30", 90), ("1h 5m", 65), ("1:30", 90)]
)
def test_minutes(typed: str, minutes: int) -> None:
    assert parse_minutes(typed) == minutes


@pytest.mark.parametrize("typed", ["", "0", "-5", "x", "25h", "9999999", "1.5"])
def test_no_minutes(typed: str) -> None:
    assert isinstance(parse_minutes(typed), WhenError)
