"""A time zone's offsets as stretches of UTC, found by asking zoneinfo and kept."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mspterm.domain.reasons import Reason, failed

DAY = 86_400
# Two changes never lay closer together than this since zones have rules; Morocco's are a month apart.
_STRIDE = 4 * DAY


class Stretch(NamedTuple):
    """`start` to `end` in UTC epoch seconds, throughout which wall time is UTC plus `offset`."""

    start: int
    end: int
    offset: int


@lru_cache(maxsize=512)
def zone_of(name: str) -> ZoneInfo:
    """The IANA zone. Raises Failed (bad data) for a name that isn't one."""
    try:
        return ZoneInfo(name)
    # OSError: "Europe" is a directory of the zones, and reading it fails as such.
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise failed(Reason.BAD_DATA, f'"{name}" is not an IANA time zone, such as Europe/Berlin') from error


def offset_at(zone: ZoneInfo, at: int) -> int:
    """Seconds that wall time is ahead of UTC at the UTC epoch second `at`."""
    found = datetime.fromtimestamp(at, UTC).astimezone(zone).utcoffset()
    # West of Greenwich days is -1: seconds alone would be a day too many.
    return 0 if found is None else found.days * DAY + found.seconds


@lru_cache(maxsize=4096)
def stretches(name: str, start: int, end: int) -> tuple[Stretch, ...]:
    """The zone's stretches from `start` to `end`, without a hole."""
    zone = zone_of(name)
    found: list[Stretch] = []
    begun, offset = start, offset_at(zone, start)
    low = start
    while low < end - 1:
        high = min(low + _STRIDE, end - 1)
        if offset_at(zone, high) != offset:
            change = _change(zone, low, high, offset)
            found.append(Stretch(begun, change, offset))
            begun, offset = change, offset_at(zone, change)
        low = high
    return (*found, Stretch(begun, end, offset))


def _change(zone: ZoneInfo, low: int, high: int, offset: int) -> int:
    """The first second after `low`, where `offset` holds, at which it doesn't."""
    while high - low > 1:
        middle = (low + high) // 2
        if offset_at(zone, middle) == offset:
            low = middle
        else:
            high = middle
    return high
