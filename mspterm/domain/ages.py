"""Ages and countdowns as text that changes seldom: over SSH every change is bytes.

Seconds are shown only in a clock's last five minutes; everything else steps, and `next_change` says
when, so that a screen sets timers and never polls.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from math import ceil, floor

MINUTE, HOUR, DAY = 60, 3600, 86_400
FINAL_S = 5 * MINUTE
"""From here on a countdown shows seconds."""

_STEPS = (0, 15, MINUTE, 2 * MINUTE, 5 * MINUTE)
_NAMES = ("now", "15s", "1m", "2m")
# With a sign and the "d" these are the seven characters of a countdown: a vendor's "no date" fits too.
_MOST_DAYS = 99_999


def age(seconds: float) -> str:
    """How long ago: now, 15s, 1m, 2m, then in steps of five minutes, hours, days."""
    whole = int(max(seconds, 0))
    if whole < FINAL_S:
        return _NAMES[bisect_right(_STEPS, whole) - 1]
    if whole < HOUR:
        return f"{whole // FINAL_S * 5}m"
    if whole < 2 * DAY:
        return f"{whole // HOUR}h"
    return f"{min(whole // DAY, _MOST_DAYS)}d"


def age_changes_in(seconds: float) -> float:
    """Seconds until `age` of something this old says something else."""
    seconds = max(seconds, 0.0)
    if seconds < FINAL_S:
        return _STEPS[bisect_right(_STEPS, seconds)] - seconds
    step = FINAL_S if seconds < HOUR else HOUR if seconds < 2 * DAY else DAY
    return step - seconds % step


def countdown(due: datetime, now: datetime) -> str:
    """What is left, at most seven characters: `12d`, `3h05`, `42m`, in the end `4:59`; from the due
    instant on what it is overdue by, `-0m`, `-2h14`, `-3d`."""
    # Up before the due instant, down after it: neither due nor overdue is ever said too early.
    left = (due - now).total_seconds()
    if left <= 0:
        return "-" + _coarse(floor(-left))
    whole = ceil(left)
    return f"{whole // MINUTE}:{whole % MINUTE:02d}" if whole <= FINAL_S else _coarse(whole)


def next_change(due: datetime, now: datetime) -> float:
    """Seconds until `countdown` says something else; always more than 0."""
    left = (due - now).total_seconds()
    if left <= 0:
        step = _step(floor(-left))
        return (floor(-left) // step + 1) * step + left
    whole = ceil(left)
    if whole <= FINAL_S:
        # Rounding up leaves more than 0 here: a timer of 0 would run for ever.
        return left - (whole - 1)
    step = _step(whole)
    # One second below the step, as seconds are rounded up; at FINAL_S at the latest, where they begin.
    return left - max(whole // step * step - 1, FINAL_S)


def _step(whole: int) -> int:
    return MINUTE if whole < 2 * DAY else DAY


def _coarse(whole: int) -> str:
    if whole < HOUR:
        return f"{whole // MINUTE}m"
    if whole < 2 * DAY:
        return f"{whole // HOUR}h{whole % HOUR // MINUTE:02d}"
    return f"{min(whole // DAY, _MOST_DAYS)}d"
