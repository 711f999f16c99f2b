"""SLA clocks, computed anew from what happened: nothing is counted up and stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mspterm.domain.business import BusinessTime, Pause
from mspterm.domain.course import Course, course, priority_in
from mspterm.domain.history import Event, Happened
from mspterm.domain.policy import TARGETS, Goal, Hours, Policy
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.row import ClockState
from mspterm.domain.ticket import Clock, Sla


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
    # `past` may be empty: a server whose clock is ahead dates CREATED after `now`.
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


def thresholds(events: Sequence[Event], policy: Policy, sla: Sla, hours: Hours) -> tuple[Threshold, ...]:
    """The instants at which to warn of the running clocks of `sla`: `policy.warn` per cent of the open
    time from the start to the due time, whosever that is."""
    found: list[Threshold] = []
    for target, clock in sla.named():
        run = course(target, events, policy)
        if clock.state is not ClockState.RUNNING or clock.due is None or run is None:
            continue
        business = _business(clock.calendar or policy.calendar, hours)
        found += _warned(target, run, clock.due, policy.warn, business)
    return tuple(found)


def _warned(
    target: str, run: Course, due: datetime, percents: Sequence[int], business: BusinessTime
) -> Iterator[Threshold]:
    pauses = _ended(run.pauses)
    whole = business.elapsed(run.start, due, pauses)
    for percent in percents:
        at = due if percent == 100 else business.due(run.start, whole * percent // 100, pauses)
        # Where a PSA's due leaves no open time, counting ends at the next opening, which is after it.
        yield Threshold(min(at, due), target, percent)


def remaining_s(clock: Clock, now: datetime, hours: Hours) -> int | None:
    """Open seconds until `due`, negative once past it; None where the clock doesn't run. Seconds
    around the clock where no calendar is known for it."""
    if clock.due is None or clock.met_at is not None:
        return None
    if clock.state_at(now) not in (ClockState.RUNNING, ClockState.BREACHED):
        return None
    business = hours.get(clock.calendar or "")
    return int((clock.due - now).total_seconds()) if business is None else _left(now, clock.due, business)


def stored(events: Sequence[Event], policy: Policy, hours: Hours) -> dict[str, Clock]:
    """The clocks as they are kept with a ticket: they hold until the next event, whatever the time.

    Raises Failed as `state` does.
    """
    found: dict[str, Clock] = {}
    priority = priority_in(events)
    for target in TARGETS:
        goal = policy.goal(target, priority)
        run = course(target, events, policy) if goal else None
        if goal is not None and run is not None:
            calendar = policy.calendar_for(goal)
            due, since = _due(goal, run, _business(calendar, hours))
            # An inexact time means "by then", and would be read as the instant itself.
            met_at = run.met_at if run.exact else None
            found[target] = Clock(_kept(run, due, since), due, "calc", met_at, calendar=calendar)
    return found


def _reckoned(target: str, goal: Goal, calendar: str, run: Course, hours: Hours, now: datetime) -> Reckoning:
    business = _business(calendar, hours)
    due, paused_since = _due(goal, run, business)
    state = Clock(_kept(run, due, paused_since), due).state_at(now)
    # A waiting ticket uses up no time, neither of its target nor of its delay.
    until = max(run.start, min(run.met_at or now, _stands_since(run) or now))
    return Reckoning(
        target, goal, calendar, run.start, due, state,
        elapsed_s=business.elapsed(run.start, until, _ended(run.pauses)),
        remaining_s=_left(until, due, business, _ended(run.pauses)),
        pauses=run.pauses, paused_since=paused_since, met_at=run.met_at, exact=run.exact,
    )  # fmt: skip


def _due(goal: Goal, run: Course, business: BusinessTime) -> tuple[datetime, datetime | None]:
    """The due time, and since when the clock stands, where it does: not after it had run out."""
    due = due_of(goal, run.start, _ended(run.pauses), business)
    since = _stands_since(run)
    if since is None or run.met_at is not None or due <= since:
        return due, None
    return due, max(since, run.start)


def _stands_since(run: Course) -> datetime | None:
    return next((a for a, b in run.pauses if b is None), None)


def _kept(run: Course, due: datetime, paused_since: datetime | None) -> ClockState:
    if run.met_at is not None:
        # What was met before it was first seen gets the benefit of the doubt.
        return ClockState.MET if run.met_at <= due or not run.exact else ClockState.BREACHED
    return ClockState.RUNNING if paused_since is None else ClockState.PAUSED


def _breached_at(
    target: str, events: Sequence[Event], policy: Policy, hours: Hours, now: datetime
) -> datetime | None:
    """The first missed due time, as the clock stood between each event and the next. Before the ticket
    was first seen it may have been paused or answered: what seems missed there isn't counted."""
    seen = next((n for n, event in enumerate(events) if event.kind is Happened.SEEN), 0)
    # Each prefix is reckoned anew; `chronicle.KEPT` bounds their number, and nothing has to be kept in step.
    for count in range(seen + 1, len(events) + 1):
        past = events[:count]
        ends = events[count].at if count < len(events) else now
        missed = _missed(target, past, policy, hours, ends, last=count == len(events))
        if missed is not None:
            # A change may put the due time into the past: it is missed from the change on, not before.
            changed = past[-1].kind is not Happened.SEEN
            return max(missed, past[-1].at) if changed else missed
    return None


def _missed(
    target: str, past: Sequence[Event], policy: Policy, hours: Hours, ends: datetime, *, last: bool
) -> datetime | None:
    """The due time that `past` gives, where it comes before `ends` without having been met."""
    goal = policy.goal(target, priority_in(past))
    run = course(target, past, policy) if goal else None
    if goal is None or run is None or run.met_at is not None:
        return None
    due, paused_since = _due(goal, run, _business(policy.calendar_for(goal), hours))
    if paused_since is not None:
        return None
    # What comes at the due instant is in time; where nothing comes, that instant is late, as in `state_at`.
    return due if due < ends or (last and due == ends) else None


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
