"""Opening hours on the wall: a zone, the hours of each weekday, and the dates that differ."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.domain.zones import DAY, zone_of

Span = tuple[int, int]
"""From the first second to before the second, of a day's wall clock or of UTC."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EPOCH = date(1970, 1, 1).toordinal()
_TIME = re.compile(r"(\d\d):(\d\d)(?::(\d\d))?")


@dataclass(frozen=True, slots=True)
class Calendar:
    """When an agreement's clock runs. Days are counted from 1970-01-01, times in seconds of the day.

    A holiday is closed, whatever else is said of it; a shift replaces the weekday's hours; a break
    is cut out of either.
    """

    zone: str
    weekly: tuple[tuple[Span, ...], ...]
    holidays: frozenset[int] = frozenset()
    breaks: Mapping[int, tuple[Span, ...]] = field(default_factory=dict)
    shifts: Mapping[int, tuple[Span, ...]] = field(default_factory=dict)

    def hours(self, day: int) -> tuple[Span, ...]:
        """The open spans of a local date, ordered and apart."""
        if day in self.holidays:
            return ()
        hours = self.shifts.get(day)
        if hours is None:
            # 1970-01-01 was a Thursday, and the week here begins with Monday.
            hours = self.weekly[(day + 3) % 7]
        breaks = self.breaks.get(day)
        return subtract(hours, breaks) if breaks else hours


def calendar_of(table: Mapping[str, Any]) -> Calendar:
    """The calendar that a table of the config, or of `sla_cases.json`, describes.

    Raises Failed (bad data) with a sentence that names what is wrong.
    """
    name = table.get("timezone")
    if not isinstance(name, str):
        raise _bad('the calendar has no "timezone"')
    # For its error: a misspelt zone is told with the config and not at the first ticket's clock.
    zone_of(name)
    weekly = _table(table, "weekly")
    unknown = sorted(set(weekly) - set(WEEKDAYS))
    if unknown:
        raise _bad(f'"{unknown[0]}" is not a weekday; they are {", ".join(WEEKDAYS)}')
    return Calendar(
        name,
        tuple(_spans(weekly.get(day, ()), day) for day in WEEKDAYS),
        frozenset(_day(text) for text in table.get("holidays") or ()),
        _dated(table, "breaks"),
        _dated(table, "shifts"),
    )


def union(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same time in ordered spans that don't touch; empty ones are dropped."""
    merged: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def subtract(spans: Iterable[Span], holes: Iterable[Span]) -> tuple[Span, ...]:
    """`spans` without `holes`."""
    left = list(spans)
    for low, high in holes:
        cut = [part for a, b in left for part in ((a, min(b, low)), (max(a, high), b))]
        left = [(a, b) for a, b in cut if a < b]
    return tuple(left)


def day_number(on: date) -> int:
    """A date as days since 1970-01-01."""
    return on.toordinal() - _EPOCH


def _dated(table: Mapping[str, Any], key: str) -> Mapping[int, tuple[Span, ...]]:
    if not table.get(key):
        return {}
    return {_day(on): _spans(spans, on) for on, spans in _table(table, key).items()}


def _table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = table.get(key) or {}
    if not isinstance(found, Mapping):
        raise _bad(f'the calendar\'s "{key}" is not a table')
    return found


def _spans(value: Any, where: str) -> tuple[Span, ...]:
    try:
        spans = [(_second(start), _second(end)) for start, end in value]
    except (TypeError, ValueError) as error:
        raise _bad(f'the hours of {where} are pairs such as ["09:00", "17:00"]') from error
    for start, end in spans:
        if start >= end:
            raise _bad(
                f"the hours of {where} end before they start; write a night as two, to 24:00 and from 00:00"
            )
    return union(spans)


def _second(text: str) -> int:
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    # 24:00 is the end of a day and may stand; a second later is no time.
    if minute > 59 or second > 59 or (total := hour * 3600 + minute * 60 + second) > DAY:
        raise ValueError(text)
    return total


def _day(text: Any) -> int:
    try:
        # TOML brings dates, the JSON of the cases texts.
        return day_number(text if isinstance(text, date) else date.fromisoformat(text))
    except (TypeError, ValueError) as error:
        raise _bad(f'"{text}" is not a date such as 2026-12-25') from error


def _bad(sentence: str) -> Failed:
    return failed(Reason.BAD_DATA, sentence)
