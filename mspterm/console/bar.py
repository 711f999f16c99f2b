"""A line of text in roles, sent to the terminal only where it differs from what is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.theme import Theme
from textual.widget import Widget

from mspterm.console.row_text import fit
from mspterm.console.theme import roles_of

Run = tuple[str, str]
"""Text and its role; never markup."""


class Bar(Widget):
    """One line, `base` the role of its background. Subclasses say what stands in it in `runs`."""

    DEFAULT_CSS = "Bar { height: 1; width: 1fr; }"

    def __init__(self, base: str = "bar", *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._base = base
        self._shown: tuple[Run, ...] = ()

    def runs(self, width: int) -> Sequence[Run]:
        """What to show in `width` cells; asked again at every `look`."""
        return self._shown

    def say(self, runs: Iterable[Run]) -> None:
        """Show this, for a line that doesn't make its own text."""
        self._put(tuple(runs))

    def look(self) -> None:
        """Make the text anew, and repaint if it differs."""
        self._put(tuple(self.runs(self.size.width)))

    def _put(self, runs: tuple[Run, ...]) -> None:
        if runs != self._shown:
            was, self._shown = self._shown, runs
            self.refresh(Region(0, 0, self._differs_up_to(was, runs), 1))

    def _differs_up_to(self, was: Sequence[Run], now: Sequence[Run]) -> int:
        """In cells from the left: what is right of it is not sent again."""
        whole = max(self.size.width, width_of(was), width_of(now))
        old, new = (_signs([*runs, (" " * (whole - width_of(runs)), self._base)]) for runs in (was, now))
        same = takewhile(lambda pair: pair[0] == pair[1], zip(reversed(old), reversed(new), strict=False))
        return min(self.size.width, whole - sum(cell_len(sign) for (sign, _), _ in same))

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, self._theme_changed)

    def _theme_changed(self, theme: Theme) -> None:
        self.refresh()

    def on_resize(self) -> None:
        self.look()

    def render_line(self, y: int) -> Strip:
        roles = roles_of(self.app.current_theme)
        base = roles["text"] + roles[self._base]
        strip = Strip([Segment(text, base + roles[role]) for text, role in self._shown])
        return strip.adjust_cell_length(self.size.width, base)


def _signs(runs: Iterable[Run]) -> list[Run]:
    return [(sign, role) for text, role in runs for sign in text]


def width_of(runs: Iterable[Run]) -> int:
    return sum(cell_len(text) for text, _ in runs)


def cut(runs: Sequence[Run], width: int) -> list[Run]:
    """The runs in at most `width` cells, the last one that fits in part cut with `…`."""
    kept: list[Run] = []
    left = width
    for text, role in runs:
        size = cell_len(text)
        if size > left:
            if left > 1:
                kept.append((fit(text, left), role))
            break
        kept.append((text, role))
        left -= size
    return kept
