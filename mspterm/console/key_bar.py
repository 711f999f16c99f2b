"""The footer: the keys that matter here, made from the tables; what can't be done is in parentheses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mspterm.console.bar import Bar, Run, width_of
from mspterm.console.commands import COMMANDS, KeyMap, Where, shown
from mspterm.desk.actions import ACTIONS
from mspterm.domain.spec import ActionSpec

Unavailable = Callable[[ActionSpec], str | None]
"""Why an action can't be done on what is under the cursor; None where it can."""


class KeyBar(Bar):
    """Help and the way out, then the actions, then what is left, as far as they fit."""

    def __init__(
        self,
        keys: KeyMap,
        where: Sequence[Where],
        unavailable: Unavailable,
        pane: Sequence[tuple[str, str]] = (),
    ) -> None:
        """`pane`: keys and titles of what the screen's pane binds itself."""
        super().__init__("bar", id="keys")
        self._pane = pane
        self._keys = keys
        self._where = where
        self._unavailable = unavailable

    def runs(self, width: int) -> Sequence[Run]:
        listed = (c for c in COMMANDS if c.bar and c.where in (*self._where, Where.ANYWHERE))
        commands = sorted(listed, key=lambda c: c.bar)
        entries = [self._entry(c.name, c.title) for c in commands if c.bar <= 10]
        entries += [_shown(key, title) for key, title in self._pane]
        barred = [(s, bool(self._unavailable(s))) for s in ACTIONS]
        # The sort is stable: what is possible comes first, each part in the order of the table.
        entries += [self._entry(s.name, s.title, b) for s, b in sorted(barred, key=lambda entry: entry[1])]
        entries += [self._entry(c.name, c.title) for c in commands if c.bar > 10]
        made: list[Run] = []
        for entry in entries:
            if width_of([*made, *entry]) > width:
                break
            made += entry
        return made

    def _entry(self, name: str, title: str, barred: bool = False) -> list[Run]:
        key = shown(self._keys[name][0])
        return [(f" ({key} {title})", "muted")] if barred else _shown(key, title)


def _shown(key: str, title: str) -> list[Run]:
    return [(f" {key} ", "link"), (f"{title} ", "bar")]
