"""Business time: exact seconds of open hours, over zones, DST and pauses.

Open hours become spans of UTC a page of days at a time, kept with their running sums, so that a due
time is two binary searches. All numbers are UTC epoch seconds unless they are called wall.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import accumulate, pairwise
from math import floor
from typing import NamedTuple

from mspterm.domain.calendar import Calendar, Span, union
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.zones import DAY, Stretch, offset_at, stretches, zone_of

Pause = tuple[datetime, datetime | None]
"""From when to when a clock stood; None: it still does."""

PAGE = 16 * DAY
# In pages: a calendar that never opens ends a search there (`_never` names the years).
_HORIZON = 20 * 366 * DAY // PAGE
# The end of a pause that goes on, as a number, so that spans have one form only.
_FOREVER = 1 << 62


class _Page(NamedTuple):
    starts: Sequence[int]
    ends: Sequence[int]
    sums: Sequence[int]
    """Open seconds before each span, and at last of the whole page."""


class BusinessTime:
    """The arithmetic over one calendar. Make one per calendar and keep it: it remembers its pages."""

    __slots__ = ("_pages", "calendar")

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        # None is ever dropped: a century, the longest that is counted, is some 2,300 small pages.
        self._pages: dict[int, _Page] = {}

    def due(self, start: datetime, seconds: int, pauses: Sequence[Pause] = ()) -> datetime:
        """The first instant at which `seconds` of open, unpaused time have passed since `start`: at
        closing time, closing time itself; for 0 the next open instant.

        Raises Failed (bad data) where that never comes.
        """
        return _instant(self.due_at(_second(start), seconds, spans_of(pauses)))

    def elapsed(self, start: datetime, end: datetime, pauses: Sequence[Pause] = ()) -> int:
        """Open, unpaused seconds from `start` to before `end`; 0 where the end is the earlier."""
        return self.elapsed_at(_second(start), _second(end), spans_of(pauses))

    def is_open(self, at: datetime) -> bool:
        return self.open_at(_second(at))

    def business_days(
        self, start: datetime, days: int, *, end_of_day: bool = False, roll_first: bool = False
    ) -> datetime:
        """`days` business days on (back, where negative), at the same wall time; a closed landing
        moves to the next open instant, or back to the last closing.

        `end_of_day`: at the landing day's closing instead. `roll_first`: from the first open instant.
        """
        at = _second(start)
        at = self.due_at(at, 0) if roll_first else at
        wall = at + offset_at(zone_of(self.calendar.zone), at)
        day = self._landing(wall // DAY, days, working=end_of_day)
        if end_of_day:
            return _instant(self.spans_on(day)[-1][1])
        # Not by way of the wall: where the zone shows it twice, that would be the first of two instants.
        landed = at if day == wall // DAY else self._from_wall(day * DAY + wall % DAY)
        if self.open_at(landed):
            return _instant(landed)
        return _instant(self.due_at(landed, 0) if days >= 0 else self.last_closing(landed))

    def due_at(self, start: int, seconds: int, pauses: Sequence[Span] = ()) -> int:
        """`due` over epoch seconds; `pauses` ordered and apart."""
        if seconds < 0:
            raise failed(Reason.BAD_DATA, "a target of less than no time can't be due")
        for low, high in pauses:
            if high <= start:
                continue
            before = self.elapsed_at(start, low)
            # A target of 0 wants an open second before the pause, others may end as it begins.
            if before >= (seconds or 1):
                break
            seconds -= before
            start = high
        if start >= _FOREVER:
            raise failed(Reason.BAD_DATA, "the clock is paused without an end, so nothing is ever due")
        return self._advanced(start, seconds)

    def elapsed_at(self, start: int, end: int, pauses: Sequence[Span] = ()) -> int:
        """`elapsed` over epoch seconds; `pauses` ordered and apart."""
        if end <= start:
            return 0
        first, last = start // PAGE, end // PAGE
        if last - first > 5 * _HORIZON:
            # A vendor's "no date" is the year 1 or 1900; summing up to today would stop the console.
            raise failed(Reason.BAD_DATA, "the time to count open hours in is longer than a century")
        total = self._into_page(last, end) - self._into_page(first, start)
        for number in range(first, last):
            total += self._page(number).sums[-1]
        for low, high in pauses:
            # The pauses are apart, so no second is taken off twice.
            total -= self.elapsed_at(max(low, start), min(high, end))
        return total

    def open_at(self, at: int) -> bool:
        page = self._page(at // PAGE)
        # Spans are half-open: at the closing instant itself it is closed.
        index = bisect_right(page.ends, at)
        return index < len(page.starts) and page.starts[index] <= at

    def last_closing(self, at: int) -> int:
        """The latest closing instant that is not after `at`."""
        for number in range(at // PAGE, at // PAGE - _HORIZON, -1):
            page = self._page(number)
            index = bisect_right(page.ends, at) - 1
            if index >= 0:
                return page.ends[index]
        raise self._never()

    def spans_on(self, day: int) -> tuple[Span, ...]:
        """The open spans of one local date."""
        # No zone is more than 16 hours from UTC, and no change lasts longer than a day.
        around = stretches(self.calendar.zone, (day - 1) * DAY, (day + 3) * DAY)
        return union(_in_utc(self.calendar, around, range(day, day + 1)))

    def _advanced(self, start: int, seconds: int) -> int:
        number = start // PAGE
        wanted = self._into_page(number, start) + seconds
        for ahead in range(number, number + _HORIZON):
            starts, _, sums = self._page(ahead)
            if wanted < sums[-1] or (wanted == sums[-1] and seconds):
                # What ends with a span is due at its end, what only starts there in the next one.
                index = (bisect_left if seconds else bisect_right)(sums, wanted) - 1
                return starts[index] + wanted - sums[index]
            wanted -= sums[-1]
        raise self._never()

    def _into_page(self, number: int, at: int) -> int:
        """Open seconds of the page before `at`."""
        starts, _, sums = self._page(number)
        index = bisect_right(starts, at) - 1
        if index < 0:
            return 0
        return min(sums[index] + at - starts[index], sums[index + 1])

    def _page(self, number: int) -> _Page:
        page = self._pages.get(number)
        if page is None:
            page = self._pages[number] = self._built(number * PAGE, (number + 1) * PAGE)
        return page

    def _built(self, start: int, end: int) -> _Page:
        # A day more on either side: a change of offset moves boundaries that lie hours from it.
        parts = stretches(self.calendar.zone, start - DAY, end + DAY)
        spans = _in_utc(self.calendar, parts, range(start // DAY - 1, end // DAY + 2))
        inside = union((max(a, start), min(b, end)) for a, b in spans)
        sums = list(accumulate((b - a for a, b in inside), initial=0))
        return _Page([a for a, _ in inside], [b for _, b in inside], sums)

    def _landing(self, day: int, days: int, *, working: bool) -> int:
        """The local date after `days` business days; of itself a business day where `working`."""
        step = 1 if days >= 0 else -1
        left = abs(days)
        if not left and (not working or self.spans_on(day)):
            return day
        for candidate in range(day + step, day + step * _HORIZON * PAGE // DAY, step):
            if self.spans_on(candidate):
                left -= 1
                if left <= 0:
                    return candidate
        raise self._never()

    def _from_wall(self, wall: int) -> int:
        """The first instant at which the wall shows `wall`, or the change that skipped it."""
        parts = stretches(self.calendar.zone, wall - 2 * DAY, wall + 2 * DAY)
        fits = (part.start if wall < part.start + part.offset else wall - part.offset for part in parts)
        return next(at for at, part in zip(fits, parts, strict=True) if at < part.end)

    def _never(self) -> Exception:
        return failed(Reason.BAD_DATA, "the calendar's open hours don't get that far within twenty years")


def spans_of(pauses: Sequence[Pause]) -> tuple[Span, ...]:
    """Pauses as epoch seconds, ordered and apart."""
    if not pauses:
        return ()
    return union((_second(a), _FOREVER if b is None else _second(b)) for a, b in pauses)


def _in_utc(calendar: Calendar, parts: Sequence[Stretch], days: Iterable[int]) -> Iterator[Span]:
    twice = [(before.end + after.offset, before.end + before.offset) for before, after in pairwise(parts)]
    for day in days:
        for opens, closes in calendar.hours(day):
            low, high = day * DAY + opens, day * DAY + closes
            for index, (start, end, offset) in enumerate(parts):
                a, b = _clamped((low, high), index, twice) if twice else (low, high)
                a, b = max(a - offset, start), min(b - offset, end)
                if a < b:
                    yield a, b


def _clamped(wall: Span, index: int, twice: Sequence[Span]) -> Span:
    """A boundary on a wall time that the zone shows twice moves to the change between the two, so
    that nobody opens and closes twice; a span wholly inside is open both times."""
    for number, (low, high) in enumerate(twice):
        inside = tuple(low < boundary < high for boundary in wall)
        if any(inside) and not all(inside) and number in (index - 1, index):
            moved = high if number == index else low
            return (moved, wall[1]) if inside[0] else (wall[0], moved)
    return wall


def _second(at: datetime) -> int:
    # Down, never to the nearest: a start must not come to lie after what happened.
    return floor(at.timestamp())


def _instant(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
