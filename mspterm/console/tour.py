"""The five keys that matter, in a strip below the queue until it is put away."""

from __future__ import annotations

from collections.abc import Sequence

from mspterm.console.bar import Bar, Run, cut, width_of
from mspterm.console.commands import KeyMap, shown

_KEYS = (
    ("next", "Next ticket for you", "Next"),
    ("open", "Open it", "Open"),
    ("update", "Text, time and status in one go", "Update"),
    ("filter", "Narrow the list", "Filter"),
    ("palette", "Every command", "All commands"),
)
"""Each command with its words, long and short."""


class Tour(Bar):
    """Takes no key from the queue and no row that the queue can't spare."""

    def __init__(self, keys: KeyMap) -> None:
        super().__init__("selected", id="tour")
        self._keys = keys

    def runs(self, width: int) -> Sequence[Run]:
        away = shown(self._keys["tour"][0])
        long = self._words(1, f"   {away} puts this away")
        return long if width_of(long) <= width else cut(self._words(2, f"   {away} Hide"), width)

    def _words(self, which: int, end: str) -> list[Run]:
        made: list[Run] = [(" Start here:", "selected")]
        for entry in _KEYS:
            made += [(f"  {shown(self._keys[entry[0]][0])} ", "link"), (entry[which], "selected")]
        return [*made, (end, "muted")]
