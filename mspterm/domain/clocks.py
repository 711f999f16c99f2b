"""SLA clocks, computed anew from what happened: nothing is counted up and stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mspterm.domain.business import BusinessTime, Pause
from mspterm.domain.course import Course, course, priority_in
from mspterm.domain.history import Event
from mspterm.domain.policy import TARGETS, Goal, Hours, Policy
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.row import ClockState
from mspterm.domain.ticket import Clock


@dataclass(frozen=True, slots=True)
class Reckoning:
    """One target at one instant. Seconds are open seconds of `calendar`.

    `due` of a paused clock is the one it had when it was paused: it moves on once the clock does.
    `remaining_s` is negative past the due time. `breached_at` is the first instant at which a due time
    of the past was missed, also where a change of priority has moved it ahead since. `exact` is False
    where the target was met before the ticket was first seen, at `met_at` or earlier.
    """

    target: str
    goal: Goal
    calendar: str
    start: datetime
    due: datetime
    state: ClockState
    elapsed_s: int
    remaining_s: int
    pauses: tuple[Pause, ...] = ()
    paused_since: datetime | None = None
    met_at: datetime | None = None
    exact: bool = True
    breached_at: datetime | None = None

    @property
    def percent(self) -> float:
        """How much of the time is used up; above 100 once it is breached."""
        whole = self.elapsed_s + self.remaining_s
        return 100.0 * self.elapsed_s / whole if whole > 0 else 100.0


@dataclass(frozen=True, slots=True)
class Threshold:
    """An instant at which `percent` of a target's time is used up."""

    at: datetime
    target: str
    percent: int


def state(events: Sequence[Event], policy: Policy, hours: Hours, now: datetime) -> dict[str, Reckoning]:
    """Every target that runs or ran, by name. `events` are in the order of time, CREATED first; those
    after `now` don't count.

    Raises Failed (bad data) where a calendar is missing or never opens.
    """
    past = [e for e in events if e.at <= now]
    found: dict[str, Reckoning] = {}
    for target in TARGETS if past else ():
        goal = policy.goal(target, priority_in(past))
        run = course(target, past, policy) if goal else None
        if goal is not None and run is not None:
            made = _reckoned(target, goal, policy.calendar_for(goal), run, hours, now)
            found[target] = replace(made, breached_at=_breached_at(target, past, policy, hours, now))
    return found


def due_of(goal: Goal, start: datetime, pauses: Sequence[Pause], business: BusinessTime) -> datetime:
    """When a goal that runs from `start` is due. A pause moves business days on by its open seconds."""
    if goal.seconds is not None:
        return business.due(start, goal.seconds, pauses)
    day = business.business_days(start, goal.days, end_of_day=goal.end_of_day, roll_first=goal.from_opening)
    if not pauses:
        return day
    # Unpaused open time ends at a closing where `day` is the next opening: the later of the two.
    return max(day, business.due(start, business.elapsed(start, day), pauses))


def warnings(
    target: str, start: datetime, due: datetime, percents: Sequence[int], business: BusinessTime,
    pauses: Sequence[Pause] = (),
) -> tuple[Threshold, ...]:  # fmt: skip
    """The instants at which each of `percents` of the open time from `start` to `due` is used up."""
    whole = business.elapsed(start, due, pauses)

    def at(percent: int) -> datetime:
        return due if percent == 100 else business.due(start, whole * percent // 100, pauses)

    return tuple(Threshold(at(percent), target, percent) for percent in percents)


def remaining_s(clock: Clock, now: datetime, hours: Hours) -> int | None:
    """Open seconds until `due`, negative once past it; None where the clock doesn't run. Seconds
    around the clock where no calendar is known for it."""
    if clock.due is None or clock.met_at is not None:
        return None
    if clock.state_at(now) not in (ClockState.RUNNING, ClockState.BREACHED):
        return None
    business = hours.get(clock.calendar or "")
    return int((clock.due - now).total_seconds()) if business is None else _left(now, clock.due, business)


def clock_of(found: Reckoning) -> Clock:
    """The stored form of a reckoning: independent of when it was made, but for events since."""
    if found.met_at is None:
        stands = ClockState.RUNNING if found.paused_since is None else ClockState.PAUSED
        return Clock(stands, found.due, "calc", calendar=found.calendar)
    known = found.met_at if found.exact else None
    return Clock(found.state, found.due, "calc", known, calendar=found.calendar)


def _reckoned(target: str, goal: Goal, calendar: str, run: Course, hours: Hours, now: datetime) -> Reckoning:
    business = _business(calendar, hours)
    due, paused_since = _due(goal, run, business)
    until = min(run.met_at or now, paused_since or now)
    return Reckoning(
        target, goal, calendar, run.start, due, _state(run, due, paused_since, now),
        elapsed_s=business.elapsed(run.start, until, _ended(run.pauses)),
        remaining_s=_left(until, due, business, _ended(run.pauses)),
        pauses=run.pauses, paused_since=paused_since, met_at=run.met_at, exact=run.exact,
    )  # fmt: skip


def _due(goal: Goal, run: Course, business: BusinessTime) -> tuple[datetime, datetime | None]:
    """The due time, and since when the clock stands, where it does: not after it had run out."""
    due = due_of(goal, run.start, _ended(run.pauses), business)
    since = next((a for a, b in run.pauses if b is None), None)
    if since is None or run.met_at is not None or due <= since:
        return due, None
    return due, max(since, run.start)


def _state(run: Course, due: datetime, paused_since: datetime | None, now: datetime) -> ClockState:
    if run.met_at is not None:
        # What was met before it was first seen gets the benefit of the doubt.
        return ClockState.MET if run.met_at <= due or not run.exact else ClockState.BREACHED
    if paused_since is not None:
        return ClockState.PAUSED
    return ClockState.BREACHED if due <= now else ClockState.RUNNING


def _breached_at(
    target: str, events: Sequence[Event], policy: Policy, hours: Hours, now: datetime
) -> datetime | None:
    """The first missed due time, as the clock stood between each event and the next."""
    for count, event in enumerate(events, start=1):
        goal = policy.goal(target, priority_in(events[:count]))
        run = course(target, events[:count], policy) if goal else None
        if goal is None or run is None or not run.exact:
            continue
        due, paused_since = _due(goal, run, _business(policy.calendar_for(goal), hours))
        if run.met_at is not None:
            if run.met_at > due:
                return due
            continue
        last = count == len(events)
        ends = now if last else events[count].at
        if paused_since is None and (due < ends or (last and due == ends)):
            return max(due, event.at)
    return None


def _ended(pauses: Sequence[Pause]) -> tuple[Pause, ...]:
    return tuple(pause for pause in pauses if pause[1] is not None)


def _left(now: datetime, due: datetime, business: BusinessTime, pauses: Sequence[Pause] = ()) -> int:
    if now <= due:
        return business.elapsed(now, due, pauses)
    return -business.elapsed(due, now, pauses)


def _business(calendar: str, hours: Hours) -> BusinessTime:
    found = hours.get(calendar)
    if found is None:
        sentence = f'there is no calendar "{calendar}"; set [calendars.{calendar}]'
        raise failed(Reason.BAD_DATA, sentence)
    return found
