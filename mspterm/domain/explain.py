"""Why a clock says what it says, in lines that a person can check with a calendar and a pencil."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from mspterm.domain.business import BusinessTime, spans_of
from mspterm.domain.calendar import Span, day_number, subtract, union
from mspterm.domain.chronicle import unknown_before
from mspterm.domain.clocks import Reckoning
from mspterm.domain.history import Event
from mspterm.domain.policy import Hours, Policy
from mspterm.domain.row import ClockState
from mspterm.domain.ticket import Clock
from mspterm.domain.zones import zone_of

LONGEST = 62
"""Days counted line by line; of a longer time only the sum is told."""


def explain(
    found: Reckoning, policy: Policy, hours: Hours, now: datetime, *, events: Sequence[Event] = ()
) -> tuple[str, ...]:
    """The reckoning from the goal to the result: each open stretch with the running sum, each pause."""
    business = hours[found.calendar]
    return tuple(_lines(found, policy, business, now, tuple(events)))


def compared(clock: Clock, found: Reckoning | None) -> tuple[str, ...]:
    """The PSA's due time beside ours, and by how much they differ."""
    if clock.source != "psa" or clock.due is None:
        return ()
    if found is None:
        return (f"due {_utc(clock.due)} by the PSA; no policy of the config has this target",)
    apart = clock.due - found.due
    # The minute of `ticket.DIFFERS`: a row's badge and this line must agree.
    if abs(apart) <= timedelta(minutes=1):
        return (f"due {_utc(clock.due)} by the PSA, as calculated",)
    side = "later" if apart > timedelta() else "earlier"
    return (
        f"due {_utc(clock.due)} by the PSA, which counts: {_span(abs(apart).total_seconds())} {side} than "
        f"calculated ({_utc(found.due)}); calendar, pauses or goal differ from the config's",
    )


def _lines(
    found: Reckoning, policy: Policy, business: BusinessTime, now: datetime, events: tuple[Event, ...]
) -> Iterator[str]:
    zone = business.calendar.zone
    yield f"{found.target}: {found.goal}, on calendar {found.calendar} ({zone}), by policy {policy.name}"
    yield f"  starts  {_wall(found.start, zone)} = {_utc(found.start)}"
    late = unknown_before(events)
    if late is not None:
        yield f"  doubt   pauses before {_utc(late.at)} are not known: the ticket was first seen {late.value}"
    yield from _counted(found, business)
    yield f"  due     {_wall(found.due, zone)} = {_utc(found.due)}"
    yield from _result(found, now, zone)


def _counted(found: Reckoning, business: BusinessTime) -> Iterator[str]:
    zone, low, high = business.calendar.zone, found.start.timestamp(), found.due.timestamp()
    first, last = _day(found.start, zone), _day(found.due, zone)
    if (last - first).days > LONGEST:
        whole = business.elapsed(found.start, found.due, [p for p in found.pauses if p[1] is not None])
        yield f"  counted {_span(whole)} of open time in {(last - first).days} days"
        return
    # An open pause isn't cut out: the due time is the one that it had when that began.
    pauses = spans_of([p for p in found.pauses if p[1] is not None])
    total = 0
    for start, end, paused in _stretches(business, range(day_number(first), day_number(last) + 1), pauses):
        a, b = max(start, int(low)), min(end, int(high))
        if a >= b:
            continue
        total += 0 if paused else b - a
        said = "open time not counted" if paused else f"in all {_span(total)}"
        yield f"  {'paused ' if paused else 'counted'} {_between(a, b, zone)}  {_span(b - a)}, {said}"


def _stretches(
    business: BusinessTime, days: range, pauses: Sequence[Span]
) -> Iterator[tuple[int, int, bool]]:
    """The open stretches of the days in order, cut where a pause begins or ends."""
    for day in days:
        for opening in business.spans_on(day):
            held = union((max(a, opening[0]), min(b, opening[1])) for a, b in pauses)
            free = subtract([opening], held)
            yield from sorted([(a, b, False) for a, b in free] + [(a, b, True) for a, b in held])


def _result(found: Reckoning, now: datetime, zone: str) -> Iterator[str]:
    if found.paused_since is not None:
        yield f"  paused  since {_wall(found.paused_since, zone)}; the due time moves on until it runs again"
    if found.breached_at is not None:
        yield f"  missed  at {_wall(found.breached_at, zone)}"
    used = f"{_span(found.elapsed_s)} of open time used ({found.percent:.0f} %)"
    if found.met_at is None:
        left = _span(abs(found.remaining_s))
        yield f"  now     {found.state}, {used}, {left} {'left' if found.remaining_s >= 0 else 'past due'}"
    elif found.exact:
        how = "in time" if found.state is ClockState.MET else "too late"
        yield f"  met     {how}, {_wall(found.met_at, zone)}, {used}"
    elif found.met_at <= found.due:
        yield f"  met     in time, by {_wall(found.met_at, zone)} at the latest: it was so when first seen"
    else:
        yield "  met     before it was first seen; whether in time is not known"


def _day(at: datetime, zone: str) -> date:
    return at.astimezone(zone_of(zone)).date()


def _wall(at: datetime, zone: str) -> str:
    return f"{at.astimezone(zone_of(zone)):%a %Y-%m-%d %H:%M:%S %Z}"


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def _between(start: int, end: int, zone: str) -> str:
    a, b = (datetime.fromtimestamp(at, UTC).astimezone(zone_of(zone)) for at in (start, end))
    until = f"{b:%H:%M:%S}"
    if b.date() > a.date():
        # As calendars write the end of a day.
        until = "24:00:00" if until == "00:00:00" else f"{b:%a %H:%M:%S}"
    # Over a change of clocks the two wall times don't add up to the span; the names say why.
    change = "" if a.utcoffset() == b.utcoffset() else f" ({a:%Z} to {b:%Z})"
    return f"{a:%a %Y-%m-%d %H:%M:%S} - {until}{change}"


def _span(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
