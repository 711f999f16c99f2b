"""The queue: a list of ticket rows that repaints only what looks different.

Textual's DataTable sends 35 KB for one changed cell at 200x50; a plain `reactive` repaints its whole
widget, and a change of `virtual_size` lays the screen out again (reference/terminal.md 3a). Here every
change goes one way: work out how each line on screen should look (`row_text.Line`), and refresh the
lines, or only their ticking cells, that differ from what was painted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import Blur, Click, Focus, MouseScrollDown, MouseScrollUp, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.theme import Theme
from textual.timer import Timer
from textual.widget import Widget

from mspterm.console import row_text
from mspterm.console.columns import WIDE, layout_for
from mspterm.console.nothing import Nothing, nothing_line
from mspterm.console.picks import Picks
from mspterm.console.row_text import Line
from mspterm.console.row_window import RowWindow
from mspterm.console.theme import roles_of
from mspterm.domain.row import TicketRow

_CACHED_STRIPS = 512
_LEAST_WAIT_S = 0.25
_WHEEL_ROWS = 3


class QueueList(Widget, can_focus=True):
    """One line a ticket under a fixed header line, in the order given.

    The cursor and the selection are refs, so that they survive refresh, sorting and filtering.
    `clock` gives epoch seconds.
    """

    DEFAULT_CSS = "QueueList { height: 1fr; width: 1fr; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False, id="list.down"),
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="list.page_down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="list.page_up"),
        Binding("home", "first", "First", show=False, id="list.first"),
        Binding("end", "last", "Last", show=False, id="list.last"),
        Binding("enter", "open", "Open", show=False, id="list.open"),
        Binding("right", "unfold(True)", "Unfold", show=False, id="list.unfold"),
        Binding("left", "unfold(False)", "Fold", show=False, id="list.fold"),
        Binding("space", "mark", "Mark", show=False, id="list.mark"),
        Binding("shift+down", "extend(1)", "Mark down", show=False, id="list.extend_down"),
        Binding("shift+up", "extend(-1)", "Mark up", show=False, id="list.extend_up"),
    ]

    class CursorMoved(Message):
        """The cursor is on another ticket; None: the list is empty."""

        def __init__(self, ref: str | None) -> None:
            self.ref = ref
            super().__init__()

    class Opened(Message):
        """Enter or a double click on a ticket."""

        def __init__(self, ref: str) -> None:
            self.ref = ref
            super().__init__()

    class SelectionChanged(Message):
        """`hidden` of the `count` marked tickets are not in the list as it is filtered now."""

        def __init__(self, count: int, hidden: int) -> None:
            self.count, self.hidden = count, hidden
            super().__init__()

    class Unfolded(Message):
        """The storm that the ticket stands for or belongs to is to be opened, or closed."""

        def __init__(self, ref: str, open: bool) -> None:
            self.ref, self.open = ref, open
            super().__init__()

    def __init__(self, clock: Callable[[], float] = time.time, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._clock = clock
        self._window = RowWindow()
        self._picks = Picks()
        self._seen_revision: int | None = None
        self._seen: dict[str, int] = {}
        self.folds: Mapping[str, str] = {}
        self._nothing: tuple[Nothing, str] = (Nothing.LOADING, "")
        self._columns = layout_for(0)
        self._fitted = Size(0, 0)
        self._painted: list[Line] = []
        self._strips: dict[Line, Strip] = {}
        self._timer: Timer | None = None

    # What is shown

    @property
    def rows(self) -> Sequence[TicketRow]:
        return self._window.rows

    @property
    def cursor_row(self) -> TicketRow | None:
        return self._window.row

    @property
    def cursor_ref(self) -> str | None:
        row = self._window.row
        return row.ref if row else None

    @property
    def place(self) -> tuple[int, int]:
        """The cursor's place, from 1, and how many rows there are."""
        return (self._window.cursor + 1 if self.rows else 0), len(self.rows)

    def set_rows(self, rows: Sequence[TicketRow]) -> None:
        """Show another view: the cursor stays on its ticket if that is in it, else goes to the top."""
        self._replace(rows, same_view=False)

    def apply(self, rows: Sequence[TicketRow]) -> None:
        """Show the same view refreshed: a cursor whose ticket left it goes to the nearest neighbour,
        and what is on screen stays where it is when rows come or go above it."""
        self._replace(rows, same_view=True)

    def set_nothing(self, why: Nothing, sentence: str) -> None:
        """What to say while there are no rows."""
        if (why, sentence) != self._nothing:
            self._nothing = (why, sentence)
            if not self.rows:
                self.refresh()

    def _replace(self, rows: Sequence[TicketRow], *, same_view: bool) -> None:
        before, was_empty = self.cursor_ref, not self.rows
        self._window.replace(rows, same_view=same_view)
        self._measure()
        if was_empty or not self.rows:
            self.refresh()
        self._repaint()
        if self.cursor_ref != before:
            self.post_message(self.CursorMoved(self.cursor_ref))

    # What is new

    def looked(self, revision: int) -> None:
        """Everything up to the store's `revision` has been seen; later rows get the mark for new."""
        self._seen_revision = revision
        self._seen.clear()
        self._repaint()

    def looked_at(self, ref: str) -> None:
        """The ticket `ref` has been seen as it is now."""
        at = self._window.positions.get(ref)
        if at is not None:
            self._seen[ref] = self.rows[at].revision
            self._repaint()

    def _fresh(self, row: TicketRow) -> bool:
        if self._seen_revision is None:
            return False
        return row.revision > self._seen.get(row.ref, self._seen_revision)

    # The selection

    @property
    def selected(self) -> frozenset[str]:
        """The marked tickets' refs, also of those that the filter hides now."""
        return self._picks.refs

    @property
    def hidden_selected(self) -> int:
        """How many marked tickets are not in the list."""
        return len(self.selected - self._window.positions.keys()) if self.selected else 0

    def select(self, refs: frozenset[str]) -> None:
        """Mark exactly `refs`."""
        self._picks.choose(refs)
        self._selection_changed()

    def action_mark(self) -> None:
        """Mark or unmark the ticket under the cursor, and go down."""
        if self.cursor_ref is not None:
            self._picks.toggle(self.cursor_ref)
            self._selection_changed()
            self._go(self._window.cursor + 1)

    def action_extend(self, step: int) -> None:
        """Mark from where extending began to the next row."""
        if self.cursor_ref is None:
            return
        anchor = self._picks.anchored(self.cursor_ref)
        start = self._window.positions.get(anchor, self._window.cursor)
        self._moved(self._window.go(self._window.cursor + step))
        first, last = sorted((start, self._window.cursor))
        self._picks.span(row.ref for row in self.rows[first : last + 1])
        self._selection_changed()

    def action_select_all(self) -> None:
        self.select(self.selected | self._window.positions.keys())

    def action_clear_selection(self) -> None:
        self.select(frozenset())

    def _selection_changed(self) -> None:
        self._repaint()
        self.post_message(self.SelectionChanged(len(self.selected), self.hidden_selected))

    # The cursor

    def go_to(self, ref: str) -> bool:
        """Put the cursor on the ticket `ref`; False where it is not in the list."""
        at = self._window.positions.get(ref)
        if at is not None:
            self._go(at)
        return at is not None

    def action_move(self, step: int) -> None:
        self._go(self._window.cursor + step)

    def action_page(self, pages: int) -> None:
        rows = pages * self._window.page
        self._window.scroll(rows)
        self._go(self._window.cursor + rows)

    def action_first(self) -> None:
        self._go(0)

    def action_last(self) -> None:
        self._go(len(self.rows) - 1)

    def action_open(self) -> None:
        """Open the ticket; of a closed storm, the storm."""
        if self.folds.get(self.cursor_ref or "", "").startswith("[+"):
            self.action_unfold(True)
        elif self.cursor_ref is not None:
            self.post_message(self.Opened(self.cursor_ref))

    def action_unfold(self, open: bool) -> None:
        if self.cursor_ref is not None and self.cursor_ref in self.folds:
            self.post_message(self.Unfolded(self.cursor_ref, open))

    def _go(self, index: int) -> None:
        self._picks.let_go()
        if self.rows:
            self._moved(self._window.go(index))

    def _moved(self, moved: bool) -> None:
        self._repaint()
        if moved:
            self.post_message(self.CursorMoved(self.cursor_ref))

    def on_click(self, event: Click) -> None:
        index = self._window.top + event.y - 1
        if event.y >= 1 and index < len(self.rows):
            self._go(index)
            if event.chain > 1:
                self.action_open()

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        self._wheel(_WHEEL_ROWS)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        self._wheel(-_WHEEL_ROWS)

    def _wheel(self, rows: int) -> None:
        window = self._window
        window.scroll(rows)
        self._go(max(window.top, min(window.top + window.page - 1, window.cursor)))

    # Painting

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, self._theme_changed)

    def _theme_changed(self, theme: Theme) -> None:
        self._strips.clear()
        self.refresh()

    def on_resize(self, event: Resize) -> None:
        self._fit()
        self._repaint()

    def render_lines(self, crop: Region) -> list[Strip]:
        # Textual paints a new size before it tells of it: without this the first frame has no rows.
        self._fit()
        return super().render_lines(crop)

    def _fit(self) -> None:
        if self.size != self._fitted:
            self._fitted = self.size
            self._window.resize(self.size.height - 1)
            self._measure()
            self._painted = self._lines()

    def on_focus(self, event: Focus) -> None:
        self._repaint()

    def on_blur(self, event: Blur) -> None:
        self._repaint()

    def tick(self) -> None:
        """Repaint the clocks whose text time has changed."""
        self._repaint()

    def _measure(self) -> None:
        """Lay out the columns: numbers get the width of the longest."""
        width = self.size.width
        names = (row.ref for row in self.rows) if width >= WIDE else (row.number for row in self.rows)
        columns = layout_for(width, max(map(len, names), default=0))
        if columns != self._columns:
            self._columns = columns
            self._strips.clear()
            self.refresh()

    def _lines(self) -> list[Line]:
        now, window = self._clock(), self._window
        cursor = "cursor" if self.has_focus else "cursor-idle"
        return [
            row_text.line_for(
                row,
                now,
                selected=row.ref in self.selected,
                fresh=self._fresh(row),
                cursor=cursor if index == window.cursor else "",
                fold=self.folds.get(row.ref, ""),
            )
            for index, row in enumerate(window.visible, window.top)
        ]

    def _repaint(self) -> None:
        """Refresh the lines that differ from the painted ones, and wait for the next clock."""
        lines, old = self._lines(), self._painted
        for y in range(max(len(lines), len(old))):
            was, line = (old[y] if y < len(old) else None), (lines[y] if y < len(lines) else None)
            if was != line:
                self.refresh(Region(0, y + 1, self._changed_width(was, line), 1))
        self._painted = lines
        self._wait()

    def _changed_width(self, was: Line | None, line: Line | None) -> int:
        if was is None or line is None or not line.only_ticked(was):
            return self.size.width
        return self._columns.ticking("clock" if line.age == was.age else "age")

    def _wait(self) -> None:
        """One timer for the next change of any clock on screen; none where none will change."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        now = self._clock()
        waits = (row_text.changes_in(row, self._columns, now) for row in self._window.visible)
        soonest = min((wait for wait in waits if wait is not None), default=None)
        if soonest is not None and self.is_mounted:
            self._timer = self.set_timer(max(_LEAST_WAIT_S, soonest), self.tick)

    def render_line(self, y: int) -> Strip:
        roles = roles_of(self.app.current_theme)
        if y == 0:
            return row_text.header(self._columns, roles)
        if not self.rows:
            return nothing_line(*self._nothing, y - 1, self.size.width, roles)
        if y > len(self._painted):
            return Strip.blank(self.size.width, roles["text"])
        line = self._painted[y - 1]
        strip = self._strips.get(line)
        if strip is None:
            if len(self._strips) >= _CACHED_STRIPS:
                self._strips.clear()
            row = self.rows[self._window.top + y - 1]
            strip = self._strips[line] = row_text.render(row, line, self._columns, roles)
        return strip
