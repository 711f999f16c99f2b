"""Readings over time as one row of characters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mspterm.domain.device import PowerSpan

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = "_.-=+*#@"
"""For terminals whose font or encoding has no blocks."""

_POWER = {"on": "█", "sleep": "▄", "off": "▁"}
_POWER_PLAIN = {"on": "#", "sleep": "-", "off": "_"}


def sparkline(values: Sequence[float | None], cells: int, *, plain: bool = False) -> str:
    """The last `cells` percentages (0 to 100), oldest left; a reading that wasn't given is a gap."""
    levels = PLAIN if plain else BLOCKS
    shown = "".join(" " if v is None else levels[_level(v, len(levels))] for v in values[-cells:])
    return shown.rjust(cells)


def _level(value: float, levels: int) -> int:
    # What an agent reports may lie outside; 100 itself is in the highest level.
    return max(0, min(levels - 1, int(value * levels / 100)))


def bar(percent: float, cells: int, *, plain: bool = False) -> str:
    """How much of a whole is used."""
    used = max(0, min(cells, round(percent * cells / 100)))
    full, empty = ("#", ".") if plain else ("█", "░")
    return full * used + empty * (cells - used)


def power_strip(
    spans: Sequence[PowerSpan], since: datetime, until: datetime, cells: int, *, plain: bool = False
) -> str:
    """The power timeline from `since` to `until`; a blank where nothing is known."""
    marks = _POWER_PLAIN if plain else _POWER
    step = (until - since) / cells
    # The middle of each cell: at its edges two states meet.
    instants = (since + step * (cell + 0.5) for cell in range(cells))
    return "".join(marks.get(_state(spans, at), " ") for at in instants)


def _state(spans: Sequence[PowerSpan], at: datetime) -> str:
    found = (s.state for s in spans if s.since <= at and (s.until is None or at < s.until))
    return next(found, "unknown")
