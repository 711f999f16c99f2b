from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from hypothesis import given, settings

from mspterm.domain.business import BusinessTime
from mspterm.domain.calendar import Calendar, calendar_of
from mspterm.domain.clocks import state
from mspterm.domain.explain import LONGEST, compared, explain
from mspterm.domain.history import Event, Happened
from mspterm.domain.row import ClockState
from mspterm.domain.ticket import Clock
from tests.domain.sla_events import HOURS, log, policy, utc
from tests.domain.test_calendar import calendars, instants
from tests.domain.test_clocks import course_of, steps


def lines(*later: tuple[str, str], now: str, created: str = "20 14:00", goal: str = "4h") -> list[str]:
    events, made = log(created, *later), policy(resolution={"P3": goal})
    found = state(events, made, HOURS, utc(now))["resolution"]
    return list(explain(found, made, HOURS, utc(now), events=events))


def test_each_open_stretch_and_each_pause_is_counted_in_turn() -> None:
    assert lines(("20 15:30", "waiting"), ("23 08:00", "open"), now="23 09:00") == [
        "resolution: 4h, on calendar office (Europe/Berlin), by policy test",
        "  starts  Fri 2026-11-20 15:00:00 CET = 2026-11-20 14:00:00Z",
        "  counted Fri 2026-11-20 15:00:00 - 16:30:00  1:30:00, in all 1:30:00",
        "  paused  Fri 2026-11-20 16:30:00 - 17:00:00  0:30:00, open time not counted",
        "  paused  Mon 2026-11-23 08:00:00 - 09:00:00  1:00:00, open time not counted",
        "  counted Mon 2026-11-23 09:00:00 - 11:30:00  2:30:00, in all 4:00:00",
        "  due     Mon 2026-11-23 11:30:00 CET = 2026-11-23 10:30:00Z",
        "  now     running, 2:30:00 of open time used (62 %), 1:30:00 left",
    ]


def test_what_it_came_to_is_told() -> None:
    assert lines(("23 08:00", "resolved"), now="23 10:00")[-1].startswith(
        "  met     in time, Mon 2026-11-23 09:"
    )
    late = lines(("23 13:00", "resolved"), now="23 15:00")
    assert late[-2:] == [
        "  missed  at Mon 2026-11-23 10:00:00 CET",
        "  met     too late, Mon 2026-11-23 14:00:00 CET, 7:00:00 of open time used (175 %)",
    ]
    assert "0:30:00 past due" in lines(now="23 09:30")[-1]
    assert any(
        "paused  since Mon 2026-11-23 08:30" in line
        for line in lines(("23 07:30", "waiting"), now="23 15:00")
    )


def test_what_was_not_seen_is_doubted() -> None:
    events = (log("20 14:00")[0], Event(utc("20 15:00"), Happened.SEEN, "open", "open"))
    made = policy(response={"P3": "2h"}, resolution={"P3": "4h"})
    found = state(events, made, HOURS, utc("23 08:00"))
    said = explain(found["resolution"], made, HOURS, utc("23 08:00"), events=events)
    assert (
        "  doubt   pauses before 2026-11-20 15:00:00Z are not known: the ticket was first seen open" in said
    )
    answered = explain(found["response"], made, HOURS, utc("23 08:00"), events=events)
    assert answered[-1].startswith("  met     in time, by Fri 2026-11-20 16:00:00 CET at the latest")
    too_late = replace(found["response"], met_at=utc("23 15:00"))
    assert "whether in time is not known" in explain(too_late, made, HOURS, utc("24 08:00"))[-1]


def test_a_long_time_is_summed_up() -> None:
    said = lines(now="23 09:00", goal="90bd")
    assert len(said) < 7
    assert any(re.search(r"counted \d+:00:00 of open time in \d+ days", line) for line in said)


def test_a_night_shift_over_a_change_of_clocks_names_both() -> None:
    always = policy(calendar="c", resolution={"P3": "6h"})
    table = {"timezone": "Europe/Berlin", "weekly": {d: [("00:00", "24:00")] for d in ("sat", "sun")}}
    hours = {"c": BusinessTime(calendar_of(table))}
    start = datetime.fromisoformat("2026-10-24T22:00:00Z")
    events = (Event(start, Happened.CREATED, "3"),)
    said = explain(state(events, always, hours, start)["resolution"], always, hours, start)
    assert "  counted Sun 2026-10-25 00:00:00 - 05:00:00 (CEST to CET)  6:00:00, in all 6:00:00" in said


def test_the_psas_time_is_compared_with_ours() -> None:
    found = state(log("20 14:00"), policy(resolution={"P3": "4h"}), HOURS, utc("20 15:00"))["resolution"]
    running = ClockState.RUNNING
    assert "as calculated" in compared(Clock(running, utc("23 09:00:40"), "psa"), found)[0]
    assert (
        "2:00:00 later than calculated (2026-11-23 09:00:00Z)"
        in compared(Clock(running, utc("23 11:00"), "psa"), found)[0]
    )
    assert "1:00:00 earlier" in compared(Clock(running, utc("23 08:00"), "psa"), found)[0]
    assert "no policy" in compared(Clock(running, utc("23 08:00"), "psa"), None)[0]
    assert compared(Clock(running, utc("23 08:00"), "calc"), found) == ()


@settings(deadline=None)
@given(calendars(), instants, steps)
def test_the_counted_stretches_add_up_to_the_goal(
    made: Calendar, start: datetime, later: list[tuple[int, str]]
) -> None:
    events = course_of(start, later)
    gold, hours = policy(calendar="c", resolution={"P3": "20h"}), {"c": BusinessTime(made)}
    found = state(events, gold, hours, events[-1].at)["resolution"]
    said = explain(found, gold, hours, events[-1].at)
    sums = [re.search(r"counted .*  (\d+):(\d\d):(\d\d), in all", line) for line in said]
    total = sum(int(s[1]) * 3600 + int(s[2]) * 60 + int(s[3]) for s in sums if s)
    assert total == 20 * 3600 or (found.due - found.start).days >= LONGEST - 1
