from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mspterm.domain.business import BusinessTime, Pause
from mspterm.domain.calendar import WEEKDAYS, Calendar, calendar_of, subtract, union
from mspterm.domain.cases import evaluate, evaluate_line
from mspterm.domain.reasons import Failed, Reason
from mspterm.domain.zones import stretches

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Auckland", "UTC")
# Days around which these zones change their offset, and a quiet one.
CHANGES = (datetime(2026, 3, 8), datetime(2026, 3, 29), datetime(2026, 4, 5), datetime(2026, 10, 4))
MORE_CHANGES = (datetime(2026, 9, 27), datetime(2026, 10, 25), datetime(2026, 11, 1), datetime(2026, 6, 10))


def wall(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}"


def calendar(
    zone: str = "UTC", hours: Any = (("09:00", "17:00"),), days: str = "mon tue wed thu fri", **more: Any
) -> Calendar:
    return calendar_of(
        {"timezone": zone, "weekly": dict.fromkeys(days.split(), hours), "holidays": []} | more
    )


def business(zone: str = "UTC", **more: Any) -> BusinessTime:
    return BusinessTime(calendar(zone, **more))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_the_shared_cases(shared: Path) -> None:
    cases = json.loads((shared / "sla_cases.json").read_text())["cases"]
    wrong = {case["id"]: evaluate(case) for case in cases if evaluate(case) != case["expected"]}
    assert len(cases) == 110
    assert wrong == {}


def test_a_line_is_answered_with_its_id() -> None:
    case = {"id": "a", "kind": "due", "start": "2026-06-08T10:00:00+02:00", "duration_s": 90, "pauses": []}
    case["calendar"] = {"timezone": "UTC", "weekly": {"mon": [["09:00", "17:00"]]}, "holidays": []}
    assert json.loads(evaluate_line(json.dumps(case))) == {"id": "a", "result": "2026-06-08T09:01:30Z"}
    paused = case | {"pauses": [["2026-06-08T08:00:00Z", None]]}
    assert "paused without an end" in json.loads(evaluate_line(json.dumps(paused)))["error"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "dew"}, "not one of due, elapsed"),
        ({"kind": ["due"]}, "not one of due, elapsed"),
        ({"start": "2026-06-08T10:00:00"}, '"start" is not an instant'),
        ({"start": 5}, '"start" is not an instant'),
        ({"duration_s": "90"}, '"duration_s" that is a whole number'),
        ({"duration_s": -1}, "less than no time"),
        ({"duration_s": 10**12}, "within twenty years"),
        ({"start": "0001-01-01T00:00:00Z"}, "out of range"),
        (
            {"kind": "elapsed", "start": "0101-01-01T00:00:00Z", "end": "2026-01-01T00:00:00Z"},
            "longer than a century",
        ),
        ({"pauses": [["2026-06-08T10:00:00Z"]]}, '"pauses" are pairs'),
        ({"calendar": None}, '"calendar" that is a table'),
        ({"calendar": {}}, 'no "timezone"'),
        ({"calendar": {"timezone": "Mars/Olympus"}}, "not an IANA time zone"),
        ({"calendar": {"timezone": "../etc/passwd"}}, "not an IANA time zone"),
        ({"calendar": {"timezone": "UTC", "weekly": {"monday": []}}}, '"monday" is not a weekday'),
        ({"calendar": {"timezone": "UTC", "weekly": []}}, "within twenty years"),
        ({"calendar": {"timezone": "UTC", "weekly": [1]}}, '"weekly" is not a table'),
        (
            {"calendar": {"timezone": "UTC", "weekly": {"mon": [["9", "17:00"]]}}},
            "the hours of mon are pairs",
        ),
        (
            {"calendar": {"timezone": "UTC", "weekly": {"mon": [["09:00", "24:01"]]}}},
            "the hours of mon are pairs",
        ),
        ({"calendar": {"timezone": "UTC", "weekly": {"mon": [["22:00", "06:00"]]}}}, "end before they start"),
        ({"calendar": {"timezone": "UTC", "holidays": ["12-25"]}}, '"12-25" is not a date'),
    ],
)
def test_a_bad_case_is_answered_with_what_is_wrong(change: dict[str, Any], words: str) -> None:
    case = {"id": "a", "kind": "due", "start": "2026-06-08T10:00:00Z", "duration_s": 90}
    case["calendar"] = {"timezone": "UTC", "weekly": {"mon": [["09:00", "17:00"]]}}
    answer = json.loads(evaluate_line(json.dumps(case | change)))
    assert answer["id"] == "a"
    assert words in answer["error"]


@pytest.mark.parametrize("line", ["", "{", "[]", "null"])
def test_what_is_no_case_is_answered_too(line: str) -> None:
    assert json.loads(evaluate_line(line))["error"]


def test_a_holiday_beats_a_shift_and_a_break_cuts_both() -> None:
    shifts = {"2026-06-13": [["09:00", "12:00"]], "2026-06-08": [["09:00", "12:00"]]}
    breaks = {"2026-06-13": [["10:00", "10:30"]], "2026-06-09": [["12:00", "13:00"]]}
    made = calendar(holidays=["2026-06-08"], shifts=shifts, breaks=breaks)
    monday = (date(2026, 6, 8) - date(1970, 1, 1)).days
    assert made.hours(monday) == ()
    assert made.hours(monday + 1) == ((32_400, 43_200), (46_800, 61_200))
    assert made.hours(monday + 5) == ((32_400, 36_000), (37_800, 43_200))
    assert made.hours(monday + 6) == ()


def test_overlapping_hours_count_once() -> None:
    twice = business(hours=[("09:00", "13:00"), ("12:00", "17:00")])
    assert twice.elapsed(at("2026-06-08T00:00Z"), at("2026-06-09T00:00Z")) == 8 * 3600


@pytest.mark.parametrize(
    ("start", "days", "options", "expected"),
    [
        ("2026-06-12T10:00Z", 1, {}, "2026-06-15T10:00Z"),
        ("2026-06-15T10:00Z", -1, {}, "2026-06-12T10:00Z"),
        ("2026-06-15T08:00Z", -1, {}, "2026-06-11T17:00Z"),
        ("2026-06-15T20:00Z", -1, {}, "2026-06-12T17:00Z"),
        ("2026-06-12T20:00Z", 1, {}, "2026-06-16T09:00Z"),
        ("2026-06-13T10:00Z", 0, {"end_of_day": True}, "2026-06-15T17:00Z"),
        ("2026-06-12T20:00Z", 1, {"roll_first": True, "end_of_day": True}, "2026-06-16T17:00Z"),
    ],
)
def test_business_days(start: str, days: int, options: dict[str, bool], expected: str) -> None:
    assert business().business_days(at(start), days, **options) == at(expected)


def test_a_business_day_keeps_the_wall_time_over_a_change() -> None:
    berlin = business("Europe/Berlin")
    assert berlin.business_days(at("2026-03-27T09:00Z"), 1) == at("2026-03-30T08:00Z")
    daily = business("America/New_York", hours=[("00:00", "24:00")], days=" ".join(WEEKDAYS))
    # 02:30 doesn't exist on 8 March; the change is at 07:00 UTC.
    assert daily.business_days(at("2026-03-07T07:30Z"), 1) == at("2026-03-08T07:00Z")
    assert daily.business_days(at("2026-10-31T05:30Z"), 1) == at("2026-11-01T05:30Z")


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-28", 7.0),
        ("Europe/Berlin", "2026-10-24", 9.0),
        ("Australia/Lord_Howe", "2026-10-03", 7.5),
        ("Australia/Lord_Howe", "2026-04-04", 8.5),
    ],
)
def test_a_night_shift_is_as_long_as_it_was(zone: str, day: str, hours: float) -> None:
    night = business(zone, hours=[("00:00", "06:00"), ("22:00", "24:00")], days=" ".join(WEEKDAYS))
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    assert night.elapsed(noon, noon + timedelta(days=1)) == hours * 3600


def open_spans(zone: str, day: str, *hours: tuple[str, str]) -> list[tuple[str, str]]:
    made = business(zone, hours=hours, days=" ".join(WEEKDAYS))
    spans = made.spans_on((date.fromisoformat(day) - date(1970, 1, 1)).days)
    return [tuple(datetime.fromtimestamp(s, UTC).strftime("%H:%M") for s in span) for span in spans]  # type: ignore[misc]


def test_a_boundary_that_the_clock_skips_is_the_change() -> None:
    assert open_spans("Europe/Berlin", "2026-03-29", ("02:30", "06:00")) == [("01:00", "04:00")]
    assert open_spans("Europe/Berlin", "2026-03-29", ("00:00", "02:30")) == [("23:00", "01:00")]
    assert open_spans("Europe/Berlin", "2026-03-29", ("02:10", "02:50")) == []


def test_a_boundary_that_the_clock_shows_twice_is_the_change() -> None:
    assert open_spans("Europe/Berlin", "2026-10-25", ("00:00", "02:30")) == [("22:00", "01:00")]
    assert open_spans("Europe/Berlin", "2026-10-25", ("02:30", "06:00")) == [("01:00", "05:00")]
    assert open_spans("Europe/Berlin", "2026-10-25", ("02:00", "06:00")) == [("00:00", "05:00")]
    assert open_spans("Europe/Berlin", "2026-10-25", ("02:10", "02:50")) == [
        ("00:10", "00:50"),
        ("01:10", "01:50"),
    ]


def test_stretches_have_no_hole_and_meet_at_the_change() -> None:
    start, end = int(at("2026-01-01T00:00Z").timestamp()), int(at("2027-01-01T00:00Z").timestamp())
    parts = stretches("Australia/Lord_Howe", start, end)
    assert [p.offset for p in parts] == [39_600, 37_800, 39_600]
    assert [p.start for p in parts] == [start, *(p.end for p in parts[:-1])]
    assert parts[0].end == int(at("2026-04-04T15:00Z").timestamp())


def test_a_date_that_the_zone_skipped_is_no_business_day() -> None:
    # Samoa had no 30 December 2011, a Friday: Thursday 11:00 is followed by Monday 11:00.
    samoa = business("Pacific/Apia")
    assert samoa.business_days(at("2011-12-29T21:00Z"), 1) == at("2012-01-01T21:00Z")


spans_ = st.lists(st.tuples(st.integers(0, 96), st.integers(0, 96)), max_size=4)


@given(spans_, spans_)
def test_union_and_subtract_are_those_of_sets(
    some: list[tuple[int, int]], holes: list[tuple[int, int]]
) -> None:
    def points(spans: Any) -> set[int]:
        return {n for a, b in spans for n in range(a, b)}

    assert points(union(some)) == points(some)
    assert points(subtract(union(some), union(holes))) == points(some) - points(holes)
    assert all(a[1] < b[0] for a, b in zip(union(some), union(some)[1:], strict=False))


quarter = st.integers(0, 95).map(lambda n: n * 900)
hours_ = st.lists(st.tuples(quarter, st.integers(1, 96).map(lambda n: n * 900)), min_size=1, max_size=3).map(
    lambda pairs: [(wall(a), wall(b)) for a, b in pairs if a < b]
)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    weekly = draw(st.dictionaries(st.sampled_from(WEEKDAYS), hours_.filter(bool), min_size=2))
    dates = st.sampled_from([d.date().isoformat() for d in CHANGES + MORE_CHANGES])
    table = {
        "timezone": draw(st.sampled_from(ZONES)),
        "weekly": weekly,
        "holidays": draw(st.lists(dates, max_size=1)),
        "breaks": draw(st.dictionaries(dates, hours_, max_size=1)),
        "shifts": draw(st.dictionaries(dates, hours_, max_size=1)),
    }
    return calendar_of(table)


instants = st.builds(
    lambda near, off: near.replace(tzinfo=UTC) + timedelta(seconds=off),
    st.sampled_from(CHANGES + MORE_CHANGES),
    st.integers(-3 * 86_400, 3 * 86_400),
)
pauses_ = st.lists(
    st.builds(
        lambda start, length: (start, start + timedelta(seconds=length)), instants, st.integers(0, 200_000)
    ),
    max_size=3,
)
goals = st.integers(0, 400_000)


def on_the_wall(made: Calendar, instant: datetime) -> bool:
    local = instant.astimezone(ZoneInfo(made.zone))
    second = local.hour * 3600 + local.minute * 60 + local.second
    return any(a <= second < b for a, b in made.hours((local.date() - date(1970, 1, 1)).days))


def shown_twice(made: Calendar, days: list[date]) -> bool:
    """Whether a boundary of these days lies where the zone's wall shows it twice."""
    for day in days:
        for span in made.hours((day - date(1970, 1, 1)).days):
            for boundary in span:
                local = datetime.combine(day, datetime.min.time()) + timedelta(seconds=boundary)
                first = local.replace(tzinfo=ZoneInfo(made.zone))
                if first.utcoffset() > first.replace(fold=1).utcoffset():  # type: ignore[operator]
                    return True
    return False


@settings(deadline=None)
@given(calendars(), instants, st.integers(1, 2 * 1440))
def test_elapsed_is_what_stepping_through_the_minutes_counts(
    made: Calendar, start: datetime, minutes: int
) -> None:
    start = start.replace(second=0)
    days = [start.date() + timedelta(days=n) for n in range(-2, 5)]
    assume(not shown_twice(made, days))
    steps = [start + timedelta(minutes=n) for n in range(minutes)]
    counted = 60 * sum(on_the_wall(made, step) for step in steps)
    time = BusinessTime(made)
    assert time.elapsed(start, start + timedelta(minutes=minutes)) == counted
    assert time.is_open(start) == on_the_wall(made, start)


@settings(deadline=None)
@given(calendars(), instants, goals, pauses_)
def test_due_and_elapsed_are_inverse(made: Calendar, start: datetime, goal: int, pauses: list[Pause]) -> None:
    time = BusinessTime(made)
    due = time.due(start, goal, pauses)
    assert time.elapsed(start, due, pauses) == goal
    if goal:
        assert time.elapsed(start, due - timedelta(seconds=1), pauses) == goal - 1
    else:
        assert time.is_open(due)
        assert time.elapsed(start, due + timedelta(seconds=1), pauses) == 1


@settings(deadline=None)
@given(calendars(), instants, goals, goals, pauses_)
def test_a_longer_goal_or_one_more_pause_is_never_due_earlier(
    made: Calendar, start: datetime, goal: int, more: int, pauses: list[Pause]
) -> None:
    time = BusinessTime(made)
    due = time.due(start, goal, pauses[1:])
    assert time.due(start, goal + more, pauses[1:]) >= due
    assert time.due(start, goal, pauses) >= due


@settings(deadline=None)
@given(calendars(), instants, goals, instants, st.integers(1, 90_000))
def test_a_pause_while_closed_changes_nothing(
    made: Calendar, start: datetime, goal: int, low: datetime, length: int
) -> None:
    time = BusinessTime(made)
    high = low + timedelta(seconds=length)
    assume(time.elapsed(low, high) == 0)
    assert time.due(start, goal, [(low, high)]) == time.due(start, goal)


@settings(deadline=None)
@given(calendars(), instants, st.integers(1, 200_000), st.integers(1, 200_000), pauses_)
def test_a_clock_that_is_read_on_the_way_ends_at_the_same_time(
    made: Calendar, start: datetime, first: int, then: int, pauses: list[Pause]
) -> None:
    time = BusinessTime(made)
    halfway = time.due(start, first, pauses)
    assert BusinessTime(made).due(halfway, then, pauses) == time.due(start, first + then, pauses)


@given(instants, goals)
def test_around_the_clock_is_plain_seconds(start: datetime, goal: int) -> None:
    for zone in ZONES:
        always = business(zone, hours=[("00:00", "24:00")], days=" ".join(WEEKDAYS))
        assert always.due(start, goal) == start + timedelta(seconds=goal)


def test_a_calendar_that_never_opens_is_told() -> None:
    with pytest.raises(Failed) as caught:
        business(hours=[]).due(at("2026-06-08T00:00Z"), 60)
    assert caught.value.failure.reason is Reason.BAD_DATA
    with pytest.raises(Failed):
        business(hours=[]).business_days(at("2026-06-08T00:00Z"), -1)
