"""Rows to read in a dialog: as high as they are, and scrolled where the screen is lower."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

BACK = frozenset({"up", "page_up", "home"})
"""The ways to move that lead to the beginning; the others are down, page_down and end."""


class Passage(VerticalScroll, can_focus=False):
    """Groups of rows, each with its class. Never higher than they are: where the dialog gives several of
    these a share of its height, what one doesn't need is the others'."""

    DEFAULT_CSS = "Passage, Passage Static { height: auto; }"

    class Moved(Message):
        """Other rows are in view, or another number of them."""

    def __init__(self, id: str, **groups: Sequence[str]) -> None:
        super().__init__(id=id)
        self._groups = {name: rows for name, rows in groups.items() if rows}

    def compose(self) -> ComposeResult:
        for name, rows in self._groups.items():
            yield Static(Content("\n".join(rows)), classes=name)

    def on_mount(self) -> None:
        self.watch(self, "scroll_y", self._moved, init=False)

    def on_resize(self) -> None:
        width = self.scrollable_content_region.width
        self.styles.max_height = self.get_content_height(self.size, self.app.size, width)
        self._moved()

    def _moved(self) -> None:
        self.post_message(self.Moved())

    @property
    def all_seen(self) -> bool:
        """Whether nothing has to be scrolled."""
        return self.max_scroll_y == 0

    def can_move(self, way: str) -> bool:
        return self.scroll_y > 0 if way in BACK else self.scroll_y < self.max_scroll_y

    def move(self, way: str) -> None:
        """`up`, `page_down`, `home` and so on."""
        steps = {"up": -1, "down": 1, "page_up": -self.size.height, "page_down": self.size.height}
        ends = {"home": 0, "end": self.max_scroll_y}
        to = ends[way] if way in ends else self.scroll_y + steps[way]
        # At once: the next key must find it where this one left it.
        self.scroll_to(y=to, animate=False, immediate=True)

    def in_view(self) -> str:
        """`1-12 of 80`."""
        first = round(self.scroll_y)
        return f"{first + 1}-{first + self.size.height} of {self.virtual_size.height}"
