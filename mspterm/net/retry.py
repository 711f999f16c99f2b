"""When a read is tried again, and how long it waits first. Writes are never repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

RETRIED_STATUSES = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Retry:
    """At most `tries` in all and `total_s` seconds from the first; waits with full jitter."""

    tries: int = 3
    total_s: float = 20.0
    base_s: float = 0.5

    def wait(self, attempt: int, rng: Callable[[], float]) -> float:
        """Seconds before the try after `attempt` (1, 2...): anything up to a doubling ceiling, so
        that many consoles that failed together don't come back together."""
        return rng() * self.base_s * float(2**attempt)


def retry_after(value: str | None, now: datetime) -> datetime | None:
    """The instant a Retry-After names, in seconds or as an HTTP date (RFC 9110 10.2.3); None if none."""
    if value is None:
        return None
    text = value.strip()
    # isdigit alone also takes characters like a superscript two, which int refuses.
    if text.isascii() and text.isdigit():
        # A server may say nonsense; nobody waits longer than a day for one.
        return now + timedelta(seconds=min(int(text[:9]), 86_400))
    return http_date(text)


def http_date(value: str | None) -> datetime | None:
    """An HTTP date as UTC, None if it isn't one."""
    try:
        at = parsedate_to_datetime(value or "")
    except ValueError:
        return None
    # "-0000" is parsed without a zone, and means UTC.
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
