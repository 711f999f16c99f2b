from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mspterm.domain.business import BusinessTime
from mspterm.domain.calendar import Calendar
from mspterm.domain.clocks import Reckoning, due_of, remaining_s, state, stored, thresholds
from mspterm.domain.history import Event, Happened
from mspterm.domain.policy import goal_of
from mspterm.domain.reasons import Failed
from mspterm.domain.row import ClockState
from mspterm.domain.ticket import Clock, Sla
from tests.domain.sla_events import HOURS, KINDS, log, policy, stopwatch, utc
from tests.domain.test_calendar import calendars, instants

MET, RUNNING, PAUSED, BREACHED = ClockState.MET, ClockState.RUNNING, ClockState.PAUSED, ClockState.BREACHED
FOUR = {"P1": "1h", "P3": "4h", "P4": "8h"}


def resolution(*later: tuple[str, str], now: str, created: str = "24 08:00", **table: object) -> Reckoning:
    return state(log(created, *later), policy(resolution=FOUR, **table), HOURS, utc(now))["resolution"]


def test_the_response_runs_from_creation_to_the_first_answer() -> None:
    gold = policy(response={"P3": "1h"})
    waits = state(log("24 08:00"), gold, HOURS, utc("24 08:30"))["response"]
    assert (waits.due, waits.state, waits.elapsed_s, waits.remaining_s) == (
        utc("24 09:00"),
        RUNNING,
        1800,
        1800,
    )
    assert waits.percent == 50
    for how in ("open", "waiting", "agent", "resolved"):
        met = state(log("24 08:00", ("24 08:10", how)), gold, HOURS, utc("24 12:00"))["response"]
        assert (met.state, met.met_at, met.elapsed_s) == (MET, utc("24 08:10"), 600)
    for how in ("customer", "new", "P3"):
        later = log("24 08:00", ("24 08:10", how)) if how in KINDS else log("24 08:00")
        assert state(later, gold, HOURS, utc("24 08:30"))["response"].state is RUNNING


def test_a_late_answer_is_a_breach_that_was_met() -> None:
    late = state(
        log("24 08:00", ("24 10:00", "agent")), policy(response={"P3": "1h"}), HOURS, utc("24 11:00")
    )
    found = late["response"]
    assert (found.state, found.met_at, found.breached_at) == (BREACHED, utc("24 10:00"), utc("24 09:00"))


def test_the_response_is_not_paused_by_default_and_may_be() -> None:
    history = log("24 08:00", ("24 08:10", "new"))
    paused = policy(response={"P3": "1h"}, pauses={"new": ["response"]})
    assert state(history, policy(response={"P3": "1h"}), HOURS, utc("24 08:30"))["response"].state is RUNNING
    assert state(history, paused, HOURS, utc("24 08:30"))["response"].state is PAUSED


def test_open_time_only_counts_and_lunch_does_not() -> None:
    found = resolution(now="24 13:00")
    assert (found.due, found.elapsed_s) == (utc("24 13:00"), 4 * 3600)
    assert found.state is BREACHED
    assert found.remaining_s == 0


def test_a_pause_moves_the_due_time_by_its_open_seconds() -> None:
    found = resolution(("24 08:00:30", "waiting"), ("24 09:00:37", "open"), now="24 10:00")
    assert found.due == utc("24 14:00:07")
    over_lunch = resolution(("24 10:30", "waiting"), ("24 12:30", "open"), now="24 13:00")
    assert over_lunch.due == utc("24 14:00")
    at_night = resolution(("24 16:30", "waiting"), ("25 06:00", "open"), created="24 15:00", now="25 08:00")
    assert at_night.due == utc("25 10:00")


def test_a_paused_clock_keeps_its_due_time_and_uses_none_up() -> None:
    found = resolution(("24 08:30", "waiting"), now="26 09:00")
    assert (found.state, found.paused_since) == (PAUSED, utc("24 08:30"))
    assert (found.elapsed_s, found.remaining_s, found.due) == (1800, 4 * 3600 - 1800, utc("24 13:00"))
    assert found.breached_at is None


def test_waiting_after_the_time_ran_out_is_a_breach() -> None:
    found = resolution(("24 14:00", "waiting"), now="24 15:00")
    assert (found.state, found.paused_since, found.breached_at) == (BREACHED, None, utc("24 13:00"))
    assert found.remaining_s == -3600


def test_who_is_waited_for_may_decide_whether_it_pauses() -> None:
    pauses = {"waiting": ["resolution"], "waiting:vendor": []}
    assert resolution(("24 08:30", "waiting"), now="24 09:00", pauses=pauses).state is PAUSED
    assert resolution(("24 08:30", "vendor"), now="24 09:00", pauses=pauses).state is RUNNING


@pytest.mark.parametrize(
    ("reopen", "due", "met", "shown"),
    [
        ("resume", "24 14:00", None, RUNNING),
        ("restart", "24 15:00", None, RUNNING),
        ("ignore", "24 13:00", "24 09:00", MET),
    ],
)
def test_a_reopened_ticket_goes_on_starts_anew_or_stays_met(
    reopen: str, due: str, met: str | None, shown: ClockState
) -> None:
    found = resolution(("24 09:00", "resolved"), ("24 10:00", "open"), now="24 10:30", reopen=reopen)
    assert (found.due, found.met_at, found.state) == (utc(due), met and utc(met), shown)


def test_closing_what_is_resolved_does_not_move_the_resolution() -> None:
    found = resolution(("24 09:00", "resolved"), ("26 09:00", "closed"), now="27 10:00")
    assert (found.met_at, found.state, found.elapsed_s) == (utc("24 09:00"), MET, 3600)


def test_a_change_of_priority_recomputes_from_creation_and_keeps_the_breach() -> None:
    raised = resolution(("24 08:30", "P1"), now="24 08:45")
    assert raised.due == utc("24 09:00")
    lowered = resolution(("24 08:30", "P1"), ("24 09:30", "P4"), now="24 09:45")
    assert (lowered.due, lowered.state, lowered.breached_at) == (utc("25 08:00"), RUNNING, utc("24 09:00"))
    at_once = resolution(("24 10:00", "P1"), now="24 10:30")
    assert (at_once.state, at_once.breached_at) == (BREACHED, utc("24 10:00"))


def test_a_priority_without_a_goal_has_no_clock() -> None:
    assert state(log("24 08:00", priority=5), policy(resolution=FOUR), HOURS, utc("24 09:00")) == {}


def test_the_plan_is_met_by_its_statuses_or_by_the_resolution() -> None:
    planned = policy(plan={"P3": "2h"}, plan_statuses=["OPEN"])
    assert state(log("24 08:00", ("24 09:00", "open")), planned, HOURS, utc("24 10:00"))["plan"].state is MET
    other = policy(plan={"P3": "2h"})
    assert (
        state(log("24 08:00", ("24 09:00", "open")), other, HOURS, utc("24 09:30"))["plan"].state is RUNNING
    )
    over = state(log("24 08:00", ("24 09:00", "resolved")), other, HOURS, utc("24 09:30"))
    assert over["plan"].met_at == utc("24 09:00")


def update(*later: tuple[str, str], now: str = "24 11:00", **table: object) -> Reckoning | None:
    found = state(log("24 08:00", *later), policy(update={"P3": "1h"}, **table), HOURS, utc(now))
    return found.get("update")


def test_the_update_runs_from_the_customers_first_unanswered_word() -> None:
    assert update(("24 08:30", "open")) is None
    twice = update(("24 08:30", "customer"), ("24 08:50", "customer"), now="24 09:00")
    assert twice is not None
    assert (twice.start, twice.due, twice.state) == (utc("24 08:30"), utc("24 09:30"), RUNNING)
    answered = update(("24 08:30", "customer"), ("24 08:50", "agent"))
    assert answered is not None
    assert (answered.state, answered.met_at) == (MET, utc("24 08:50"))
    again = update(("24 08:30", "customer"), ("24 08:50", "agent"), ("24 09:00", "customer"), now="24 09:10")
    assert again is not None
    assert again.due == utc("24 10:00")
    over = update(("24 08:30", "customer"), ("24 09:00", "resolved"))
    assert over is not None
    assert over.met_at == utc("24 09:00")


def test_a_status_from_before_the_customers_word_does_not_pause_the_update() -> None:
    before = update(("24 08:10", "waiting"), ("24 08:30", "customer"), now="24 09:00")
    after = update(("24 08:30", "customer"), ("24 08:40", "waiting"), now="24 09:00")
    assert before is not None
    assert after is not None
    assert (before.state, after.state) == (RUNNING, PAUSED)


def test_kept_in_the_loop_our_own_word_starts_it_again() -> None:
    found = update(("24 08:30", "agent"), now="24 09:00", keep_in_loop=True)
    assert found is not None
    assert (found.start, found.due) == (utc("24 08:30"), utc("24 09:30"))
    asked = update(("24 08:30", "agent"), ("24 09:00", "customer"), now="24 09:10", keep_in_loop=True)
    assert asked is not None
    assert asked.start == utc("24 08:30")


@pytest.mark.parametrize(
    ("goal", "start", "due"),
    [
        ("1bd", "24 09:15", "25 09:15"),
        ("1bd", "27 09:15", "30 09:15"),
        ("1bd end of day", "27 09:15", "30 16:00"),
        ("0bd end of day", "24 09:15", "24 16:00"),
        ("0bd end of day", "24 19:00", "25 16:00"),
        ("1bd", "28 10:00", "30 10:00"),
        ("1bd from opening", "28 10:00", "30 16:00"),
    ],
)
def test_business_days(goal: str, start: str, due: str) -> None:
    if goal == "1bd from opening":
        # December's first, which `utc` can't say: Tuesday's opening after Monday's.
        assert due_of(goal_of(goal), utc(start), (), HOURS["office"]) == datetime.fromisoformat(
            "2026-12-01T07:00:00Z"
        )
        return
    assert due_of(goal_of(goal), utc(start), (), HOURS["office"]) == utc(due)


def test_a_pause_moves_business_days_by_its_open_time() -> None:
    office, day = HOURS["office"], goal_of("1bd")
    assert due_of(day, utc("24 09:15"), [(utc("24 13:00"), utc("24 14:00"))], office) == utc("25 10:15")
    assert due_of(day, utc("24 09:15"), [(utc("24 17:00"), utc("24 23:00"))], office) == utc("25 09:15")


def test_events_to_come_do_not_count_yet() -> None:
    history = log("24 08:00", ("24 09:00", "resolved"))
    assert state(history, policy(resolution=FOUR), HOURS, utc("24 08:30"))["resolution"].state is RUNNING
    assert state(history, policy(resolution=FOUR), HOURS, utc("24 07:30")) == {}


def test_what_was_answered_before_it_was_seen_is_met_by_then() -> None:
    seen = Event(utc("24 12:00"), Happened.SEEN, "open", "open")
    found = state((log("24 08:00")[0], seen), policy(response={"P3": "1h"}), HOURS, utc("24 13:00"))
    assert (found["response"].state, found["response"].exact, found["response"].breached_at) == (
        MET,
        False,
        None,
    )
    kept = stored((log("24 08:00")[0], seen), policy(response={"P3": "1h"}), HOURS)["response"]
    assert (kept.state, kept.met_at, kept.source) == (MET, None, "calc")


def test_warnings_are_instants_of_open_time() -> None:
    made = policy(resolution=FOUR)
    history = log("24 08:00", ("24 08:30", "waiting"), ("24 09:30", "open"))
    kept = stored(history, made, HOURS)
    found = thresholds(history, made, Sla(**kept), HOURS)
    assert [(t.percent, t.at) for t in found] == [
        (50, utc("24 11:00")),
        (75, utc("24 13:00")),
        (90, utc("24 13:36")),
        (100, utc("24 14:00")),
    ]
    psa = Sla(resolution=Clock(RUNNING, utc("24 11:00"), "psa", calendar="24x7"))
    assert next(t.at for t in thresholds(log("24 08:00"), made, psa, HOURS)) == utc("24 09:30")
    assert thresholds(history, made, Sla(resolution=Clock(PAUSED, utc("24 11:00"), "psa")), HOURS) == ()


def test_remaining_time_is_open_time_of_its_calendar() -> None:
    office = Clock(RUNNING, utc("25 08:00"), "psa", calendar="office")
    assert remaining_s(office, utc("24 15:00"), HOURS) == 2 * 3600
    assert remaining_s(office, utc("25 09:00"), HOURS) == -3600
    assert remaining_s(Clock(RUNNING, utc("25 08:00"), "psa"), utc("24 15:00"), HOURS) == 17 * 3600
    for still in (
        Clock(PAUSED, utc("25 08:00")),
        Clock(BREACHED, utc("24 08:00"), met_at=utc("24 09:00")),
        Clock(),
    ):
        assert remaining_s(still, utc("24 15:00"), HOURS) is None


def test_a_calendar_that_is_not_there_is_told() -> None:
    with pytest.raises(Failed, match=r"calendars\.night"):
        state(log("24 08:00"), policy(response={"P3": "1h on night"}), HOURS, utc("24 09:00"))


steps = st.lists(
    st.tuples(st.integers(0, 40_000), st.sampled_from([k for k in KINDS if k not in ("closed", "P1", "P4")])),
    max_size=8,
)


def course_of(start: datetime, made: list[tuple[int, str]]) -> tuple[Event, ...]:
    events = [Event(start, Happened.CREATED, "3")]
    for gap, what in made:
        events.append(Event(events[-1].at + timedelta(seconds=gap), *KINDS[what], word=what))
    return tuple(events)


@settings(deadline=None)
@given(calendars(), instants, steps, st.integers(60, 200_000), st.integers(0, 300_000))
def test_recomputing_is_replaying(
    made: Calendar, start: datetime, later: list[tuple[int, str]], goal: int, after: int
) -> None:
    events = course_of(start, later)
    now = events[-1].at + timedelta(seconds=after)
    business = BusinessTime(made)
    gold = policy(calendar="c", resolution={"P3": f"{goal // 60}m"})
    found = state(events, gold, {"c": business}, now)["resolution"]
    spent, runs = stopwatch(events, business, now)
    assert found.elapsed_s == spent
    left = goal // 60 * 60 - spent
    if runs and left > 0:
        assert found.due == business.due(now, left)
        assert (found.remaining_s, found.state) == (left, RUNNING)
    # With nothing left it depends: met at the due instant is in time, running at it is not.
    assert (found.breached_at is not None) == (found.state is BREACHED if left == 0 else left < 0)


@settings(deadline=None)
@given(calendars(), instants, steps, st.integers(0, 300_000))
def test_what_is_stored_is_what_is_reckoned_at_any_time(
    made: Calendar, start: datetime, later: list[tuple[int, str]], after: int
) -> None:
    events = course_of(start, later)
    now = events[-1].at + timedelta(seconds=after)
    goals = {
        "response": {"P3": "1h"},
        "resolution": {"P3": "9h"},
        "update": {"P3": "1bd"},
        "plan": {"P3": "2h"},
    }
    gold, hours = policy(calendar="c", **goals), {"c": BusinessTime(made)}
    found, kept = state(events, gold, hours, now), stored(events, gold, hours)
    assert {t: (r.due, r.state, r.met_at) for t, r in found.items()} == {
        t: (c.due, c.state_at(now), c.met_at) for t, c in kept.items()
    }


@settings(deadline=None)
@given(
    calendars(),
    instants,
    st.sampled_from(["1bd", "2bd end of day", "1bd from opening", "5h"]),
    instants,
    st.integers(0, 90_000),
)
def test_a_pause_never_makes_it_due_earlier_and_none_while_closed(
    made: Calendar, start: datetime, text: str, low: datetime, length: int
) -> None:
    business, high = BusinessTime(made), low + timedelta(seconds=length)
    without = due_of(goal_of(text), start, (), business)
    paused = due_of(goal_of(text), start, [(low, high)], business)
    assert paused >= without
    if business.elapsed(low, high) == 0:
        assert paused == without
