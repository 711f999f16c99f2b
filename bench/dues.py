"""Business time: 20,000 due times and the open seconds up to them, against a loop over minutes.

`python -m bench.dues [RUNS]`, in seconds of the processor: calendars with breaks and holidays in three
zones, targets of 15 minutes to 5 days, a pause in every fourth. The loop steps a minute at a time and asks
whether the calendar is open, as most scripts do; it gets a fiftieth of the tickets, and its answers are
compared with ours.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from random import Random
from statistics import median
from typing import NamedTuple

from mspterm.domain.business import BusinessTime
from mspterm.domain.calendar import Span, calendar_of

COUNT, PART = 20_000, 50
_MINUTE = 60
_ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
_TARGETS = (15 * _MINUTE, 4 * 3600, 8 * 3600, 40 * 3600)


class Case(NamedTuple):
    business: BusinessTime
    start: int
    seconds: int
    pauses: Sequence[Span]


def cases() -> list[Case]:
    calendars = [BusinessTime(calendar_of(_hours(zone))) for zone in _ZONES]
    draw, now = Random(7), int(datetime(2026, 11, 24, 15, tzinfo=UTC).timestamp())
    found = []
    for number in range(COUNT):
        start = now - draw.randrange(10 * 24 * 60) * _MINUTE
        pause = start + draw.randrange(600) * _MINUTE
        pauses = ((pause, pause + draw.randrange(1, 900) * _MINUTE),) if number % 4 == 0 else ()
        found.append(Case(draw.choice(calendars), start, draw.choice(_TARGETS), pauses))
    return found


def _hours(zone: str) -> dict[str, object]:
    day = [["08:00", "12:30"], ["13:15", "18:00"]]
    weekly = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), day)
    return {"timezone": zone, "weekly": weekly, "holidays": ["2026-11-26", "2026-12-25"]}


def stepped_due(case: Case) -> int:
    at, left = case.start, case.seconds
    while left > 0:
        left -= _MINUTE if _counts(case, at) else 0
        at += _MINUTE
    return at


def stepped_elapsed(case: Case, end: int) -> int:
    return sum(_MINUTE for at in range(case.start, end, _MINUTE) if _counts(case, at))


def _counts(case: Case, at: int) -> bool:
    return case.business.open_at(at) and not any(low <= at < high for low, high in case.pauses)


def due(case: Case) -> int:
    return case.business.due_at(case.start, case.seconds, case.pauses)


def elapsed(case: Case, end: int) -> int:
    return case.business.elapsed_at(case.start, end, case.pauses)


def _timed(work: Callable[[], list[int]]) -> tuple[float, list[int]]:
    started = time.process_time()
    found = work()
    return time.process_time() - started, found


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    every = cases()
    some = every[::PART]
    ends = [due(case) for case in every]
    few = ends[::PART]
    works = {
        "due": lambda: [due(case) for case in every],
        "due, a minute a step": lambda: [stepped_due(case) for case in some],
        "elapsed": lambda: [elapsed(case, end) for case, end in zip(every, ends, strict=True)],
        "elapsed, a minute a step": lambda: [
            stepped_elapsed(case, end) for case, end in zip(some, few, strict=True)
        ],
    }
    taken: dict[str, list[float]] = {name: [] for name in works}
    found: dict[str, list[int]] = {}
    for _ in range(runs):
        for name, work in works.items():
            seconds, found[name] = _timed(work)
            taken[name].append(seconds)
    _told(taken, found, len(some))


def _told(taken: dict[str, list[float]], found: dict[str, list[int]], part: int) -> None:
    for what in ("due", "elapsed"):
        ours, loop = median(taken[what]), median(taken[f"{what}, a minute a step"])
        rate, floor = COUNT / ours, part / loop
        same = found[what][::PART] == found[f"{what}, a minute a step"]
        agreed = "the same answers" if same else "OTHER ANSWERS"
        print(
            f"{what}: {COUNT:,} in {ours * 1000:.0f} ms (least {min(taken[what]) * 1000:.0f}, budget 50), "
            f"{rate:,.0f} a second; a minute a step {floor:,.0f} a second; {rate / floor:,.0f}x, {agreed}"
        )


if __name__ == "__main__":
    main()
