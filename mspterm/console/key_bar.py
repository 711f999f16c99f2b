"""The footer: the keys that matter here, made from the tables; what can't be done is in parentheses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mspterm.console.bar import Bar, Run, width_of
from mspterm.console.commands import COMMANDS, KeyMap, Where, shown
from mspterm.desk.actions import ACTIONS
from mspterm.domain.action import ActionSpec

Unavailable = Callable[[ActionSpec], str | None]
"""Why an action can't be done on what is under the cursor; None where it can."""


class KeyBar(Bar):
    """Help and the way out, then the actions, then what is left, as far as they fit."""

    def __init__(self, keys: KeyMap, where: Sequence[Where], unavailable: Unavailable) -> None:
        super().__init__("bar", id="keys")
        self._keys = keys
        self._where = where
        self._unavailable = unavailable
        self._hint: tuple[Run, ...] = ()

    def hint(self, runs: Sequence[Run]) -> None:
        """Show this instead of the keys; nothing brings the keys back."""
        self._hint = tuple(runs)
        self.look()

    def runs(self, width: int) -> Sequence[Run]:
        if self._hint:
            return self._hint
        listed = (c for c in COMMANDS if c.bar and c.where in (*self._where, Where.ANYWHERE))
        commands = sorted(listed, key=lambda c: c.bar)
        entries = [self._entry(c.name, c.title) for c in commands if c.bar <= 10]
        entries += [self._entry(s.name, s.title, bool(self._unavailable(s))) for s in ACTIONS]
        entries += [self._entry(c.name, c.title) for c in commands if c.bar > 10]
        made: list[Run] = []
        for entry in entries:
            if width_of([*made, *entry]) > width:
                break
            made += entry
        return made

    def _entry(self, name: str, title: str, barred: bool = False) -> list[Run]:
        key = shown(self._keys[name][0])
        if barred:
            return [(f" ({key} {title})", "muted")]
        return [(f" {key} ", "link"), (f"{title} ", "bar")]
