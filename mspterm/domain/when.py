"""Dates and spans as people type them: `tomorrow 9:00`, `+2h`, `fri`, `1h30`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

MORNING = time(9, 0)
"""The time of a day that was named without one."""

EXAMPLES = "tomorrow 9:00, fri 14:00, +2h, 16:30, 2026-11-30 08:00"
LONGEST_MINUTES = 24 * 60

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_AHEAD = re.compile(
    r"(?:\+|in ) ?(?:(\d{1,6}) ?w(?:eeks?)?)? ?(?:(\d{1,6}) ?d(?:ays?)?)? ?(?:(\d{1,6}) ?h(?:ours?)?)?"
    r" ?(?:(\d{1,6}) ?(?:m|min|minutes?)?)?"
)
_CLOCK = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm)?")
_DATE_AND_TIME = re.compile(r"(\d{4}-\d\d-\d\d)t")
_SPAN = re.compile(r"(?:(\d{1,4}) ?h ?)?(?:(\d{1,4}) ?(?:m|min)?)?|(\d{1,4}):(\d{2})")


@dataclass(frozen=True, slots=True)
class WhenError:
    """Why a text is no date or span, in a sentence."""

    sentence: str


def parse_when(text: str, now: datetime, zone: tzinfo | None = None) -> datetime | WhenError:
    """The instant meant by `text`, in UTC. `zone` is the technician's, None for this machine's.

    A day without a time is 9:00; a time without a day is its next occurrence; a weekday is the
    next day of that name after today. What is past already is an error.
    """
    words = " ".join(_DATE_AND_TIME.sub(r"\1 ", text.casefold()).split())
    # The text as typed: an ISO instant's Z is read in upper case only.
    found = _exact(text) or _ahead(words, now) or _named(words, now, zone)
    if found is None:
        return WhenError(f"{text!r} is no date that is understood here; write for example {EXAMPLES}.")
    if found <= now:
        return WhenError(f"{text!r} is past already: {found.astimezone(zone):%Y-%m-%d %H:%M}.")
    return found


def parse_minutes(text: str) -> int | WhenError:
    """Minutes worked: `15`, `15m`, `1h`, `1h30` or `1:30`; at least one, at most a day."""
    match = _SPAN.fullmatch(text.strip().casefold())
    hours, minutes = (int(match[1] or match[3] or 0), int(match[2] or match[4] or 0)) if match else (0, 0)
    total = hours * 60 + minutes
    if not 0 < total <= LONGEST_MINUTES:
        return WhenError(f"{text!r} is no time worked; write minutes, or for example 1h30 (at most 24 h).")
    return total


def _exact(text: str) -> datetime | None:
    """An ISO instant that brings its own offset."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return None if found.tzinfo is None else found.astimezone(UTC)


def _ahead(words: str, now: datetime) -> datetime | None:
    match = _AHEAD.fullmatch(words)
    if match is None or not any(match.groups()):
        return None
    weeks, days, hours, minutes = (int(group or 0) for group in match.groups())
    try:
        return (now + timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)).astimezone(UTC)
    # Six digits of weeks lead past the year 9999.
    except OverflowError:
        return None


def _named(words: str, now: datetime, zone: tzinfo | None) -> datetime | None:
    here = now.astimezone(zone)
    first, _, rest = words.partition(" ")
    day = _day(first, here.date())
    if day is None:
        at = _clock(words)
        if at is None:
            return None
        today = _utc(here.date(), at, zone)
        return today if today > now else _utc(here.date() + timedelta(days=1), at, zone)
    at = _clock(rest) if rest else MORNING
    return None if at is None else _utc(day, at, zone)


def _day(word: str, today: date) -> date | None:
    if word == "today":
        return today
    if word in ("tomorrow", "tom"):
        return today + timedelta(days=1)
    for number, name in enumerate(_DAYS):
        if len(word) >= 3 and name.startswith(word):
            return today + timedelta(days=(number - today.weekday() - 1) % 7 + 1)
    try:
        return date.fromisoformat(word)
    except ValueError:
        return None


def _clock(words: str) -> time | None:
    match = _CLOCK.fullmatch(words.removeprefix("at "))
    if match is None:
        return None
    hour, half = int(match[1]), match[3]
    if half and not 1 <= hour <= 12:
        return None
    # 12 am is midnight and 12 pm noon.
    hour = hour if half is None else hour % 12 + (12 if half == "pm" else 0)
    try:
        return time(hour, int(match[2] or 0))
    except ValueError:
        return None


def _utc(day: date, at: time, zone: tzinfo | None) -> datetime:
    # A naive datetime converts by this machine's rules for that day, so summer time is right.
    naive = datetime.combine(day, at)
    return (naive if zone is None else naive.replace(tzinfo=zone)).astimezone(UTC)
