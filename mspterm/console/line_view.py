"""A text of prepared lines that scrolls: what panes are made of, and frugal on the wire.

Each line is one row of styled spans; a new set of lines repaints only those on screen that differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import MouseScrollDown, MouseScrollUp, Resize
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.theme import Theme
from textual.widget import Widget

from mspterm.console.row_text import Roles, fit
from mspterm.console.theme import roles_of

STEP = 2
"""Lines that an arrow key scrolls: every scroll repaints the whole view, so one line is too dear."""

_WORD = re.compile(r"\s*\S+")


class Span(NamedTuple):
    """A stretch of text in one of the theme's roles."""

    text: str
    role: str = "text"


class TextLine(NamedTuple):
    """One row. `fold`: the key of what is folded away here, or was opened."""

    spans: tuple[Span, ...] = ()
    fold: str | None = None


BLANK = TextLine()


def line(text: str, role: str = "text") -> TextLine:
    return TextLine((Span(text, role),))


def wrap(text: str, width: int, indent: str = "") -> list[str]:
    """`text` in rows of at most `width` cells, at spaces where there are any, each behind `indent`."""
    room = max(8, width - cell_len(indent))
    return [indent + row for row in _rows(text, room)]


def _rows(text: str, room: int) -> Iterable[str]:
    for paragraph in text.split("\n"):
        if cell_len(paragraph) <= room:
            yield paragraph
            continue
        row = ""
        for word in _WORD.findall(paragraph):
            if cell_len(row) + cell_len(word) <= room:
                row += word
                continue
            if row:
                yield row
            *full, row = chop_cells(word.lstrip() if row else word, room)
            yield from full
        yield row


def flow(facts: Sequence[Sequence[Span]], width: int, *, gap: str = "  ", indent: int = 0) -> list[TextLine]:
    """Facts set one after the other, none broken over two rows; a row after the first is indented."""
    rows: list[list[Span]] = [[]]
    used = 0
    for fact in facts:
        size = sum(cell_len(span.text) for span in fact)
        if rows[-1] and used + len(gap) + size > width:
            rows.append([Span(" " * indent)] if indent else [])
            used = indent
        elif rows[-1]:
            rows[-1].append(Span(gap))
            used += len(gap)
        rows[-1] += fact
        used += size
    return [TextLine(tuple(row)) for row in rows if row]


class LineView(Widget, can_focus=True):
    """Shows prepared lines; the first `pinned` of them stay while the rest scrolls."""

    DEFAULT_CSS = "LineView { height: 1fr; width: 1fr; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll_lines(1)", "Down", show=False, id="text.down"),
        Binding("up,k", "scroll_lines(-1)", "Up", show=False, id="text.up"),
        Binding("pagedown,space", "scroll_pages(1)", "Page down", show=False, id="text.page_down"),
        Binding("pageup", "scroll_pages(-1)", "Page up", show=False, id="text.page_up"),
        Binding("home", "first", "Top", show=False, id="text.first"),
        Binding("end", "last", "Bottom", show=False, id="text.last"),
    ]

    class Resized(Message):
        """The view has another width: its lines should be prepared anew."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[TextLine] = ()
        self._pinned = 0
        self._top = 0
        self._painted: list[TextLine] = []

    @property
    def prepared(self) -> Sequence[TextLine]:
        return self._lines

    @property
    def on_screen(self) -> Sequence[TextLine]:
        """The lines on screen now, from top to bottom."""
        return self._painted

    def set_lines(self, lines: Sequence[TextLine], *, pinned: int = 0, to_top: bool = False) -> None:
        """Show these lines instead, at the same place unless `to_top`."""
        self._lines, self._pinned = lines, min(pinned, len(lines))
        self._scroll(0 if to_top else self._top)

    def reveal(self, first: int, end: int) -> None:
        """Scrolls as little as brings these lines on screen, the first of them in any case."""
        self._scroll(min(first, max(self._top, end - self._room)) - self._pinned)

    @property
    def _room(self) -> int:
        return max(1, self.size.height - self._pinned)

    def _scroll(self, top: int) -> None:
        self._top = max(0, min(len(self._lines) - self._pinned - self._room, top))
        start = self._pinned + self._top
        shown = [*self._lines[: self._pinned], *self._lines[start : start + self._room]]
        if shown and self._pinned:
            shown[0] = self._with_place(shown[0])
        self._repaint(shown)

    def _with_place(self, title: TextLine) -> TextLine:
        """The first line with how far the text has been read, where it doesn't fit the screen."""
        body = len(self._lines) - self._pinned
        if body <= self._room:
            return title
        place = f" {self._top + 1}-{min(body, self._top + self._room)} of {body}"
        room = max(1, self.size.width - len(place))
        return title._replace(spans=(*_cut(title.spans, room), Span(place, "header")))

    def _repaint(self, shown: list[TextLine]) -> None:
        was, self._painted = self._painted, shown
        for y in range(max(len(was), len(shown))):
            old, new = (was[y] if y < len(was) else None), (shown[y] if y < len(shown) else None)
            if old != new:
                # Behind the longer of the two it is blank, and stays so.
                self.refresh(Region(0, y, min(self.size.width, max(_cells(old), _cells(new))), 1))

    def action_scroll_lines(self, direction: int) -> None:
        self._scroll(self._top + direction * STEP)

    def action_scroll_pages(self, pages: int) -> None:
        self._scroll(self._top + pages * max(1, self._room - 1))

    def action_first(self) -> None:
        self._scroll(0)

    def action_last(self) -> None:
        self._scroll(len(self._lines))

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        self._scroll(self._top + STEP)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        self._scroll(self._top - STEP)

    def on_resize(self, event: Resize) -> None:
        self._scroll(self._top)
        self.post_message(self.Resized())

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, self._theme_changed)

    def _theme_changed(self, theme: Theme) -> None:
        self.refresh()

    def render_line(self, y: int) -> Strip:
        roles = roles_of(self.app.current_theme)
        if y >= len(self._painted):
            return Strip.blank(self.size.width, roles["text"])
        base = "header" if y == 0 and self._pinned else "text"
        return painted(self._painted[y], self.size.width, roles, base)


def _cells(text: TextLine | None) -> int:
    return sum(cell_len(span.text) for span in text.spans) if text is not None else 0


def painted(text: TextLine, width: int, roles: Roles, base: str = "text") -> Strip:
    """The line as exactly `width` cells, in as few styles as it can be: each change of one is some 40 bytes
    on the wire, also between two that look alike."""
    ground = roles["text"] + roles[base]
    runs: list[tuple[str, Style]] = []
    for span in _cut(text.spans, width):
        style = ground + roles[span.role]
        if runs and (style == runs[-1][1] or (span.text.isspace() and _same_blank(style, runs[-1][1]))):
            runs[-1] = (runs[-1][0] + span.text, runs[-1][1])
        elif runs and runs[-1][0].isspace() and _same_blank(style, runs[-1][1]):
            runs[-1] = (runs[-1][0] + span.text, style)
        else:
            runs.append((span.text, style))
    return Strip([Segment(*run) for run in runs]).adjust_cell_length(width, ground)


def _same_blank(one: Style, other: Style) -> bool:
    """Whether spaces look the same in both."""
    drawn = (one.underline, one.strike, one.reverse), (other.underline, other.strike, other.reverse)
    return one.bgcolor == other.bgcolor and not any(map(any, drawn))


def _cut(spans: Sequence[Span], width: int) -> list[Span]:
    """The spans in `width` cells, `…` where the last didn't fit; filled with spaces up to it."""
    kept: list[Span] = []
    left = width
    for span in spans:
        size = cell_len(span.text)
        if size > left:
            if left > 0:
                kept.append(span._replace(text=fit(span.text, left)))
            return kept
        kept.append(span)
        left -= size
    return [*kept, Span(" " * left)] if left else kept
