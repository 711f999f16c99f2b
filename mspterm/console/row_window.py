"""Which rows of a list are on screen and where its cursor is, by ref; no drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from mspterm.domain.row import TicketRow


class RowWindow:
    """`page` rows from `top` on are on screen; `cursor` is an index into `rows`."""

    def __init__(self) -> None:
        self.rows: Sequence[TicketRow] = ()
        self.top = 0
        self.cursor = 0
        self.page = 1
        self._positions: dict[str, int] | None = None

    @property
    def row(self) -> TicketRow | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if self.rows else None

    @property
    def visible(self) -> Sequence[TicketRow]:
        return self.rows[self.top : self.top + self.page]

    @property
    def positions(self) -> Mapping[str, int]:
        """Index by ref; made when first asked for, since 50,000 rows cost milliseconds."""
        if self._positions is None:
            self._positions = {row.ref: index for index, row in enumerate(self.rows)}
        return self._positions

    def replace(self, rows: Sequence[TicketRow], *, same_view: bool) -> None:
        """Show other rows with the cursor on its ticket; where that is not among them, at the nearest
        neighbour in the same view, at the top of another."""
        old, height = self.rows, self.cursor - self.top
        ref = self.row.ref if self.row else None
        self.rows, self._positions = list(rows), None
        self.cursor = self._settled(old, ref, same_view)
        # At the top the newest must come into view; anywhere else what is being read must not move.
        self._scroll_to(self.cursor - height if self.top else 0)
        self.reveal()

    def _settled(self, old: Sequence[TicketRow], ref: str | None, same_view: bool) -> int:
        at = self.cursor
        if ref is None or not self.rows:
            return 0
        if at < len(self.rows) and self.rows[at].ref == ref:
            return at
        if ref in self.positions or not same_view:
            return self.positions.get(ref, 0)
        neighbours = chain(old[at + 1 :], reversed(old[:at]))
        return next((self.positions[row.ref] for row in neighbours if row.ref in self.positions), 0)

    def go(self, index: int) -> bool:
        """Move the cursor, kept inside; whether it moved."""
        before, self.cursor = self.cursor, max(0, min(len(self.rows) - 1, index))
        self.reveal()
        return self.cursor != before

    def scroll(self, rows: int) -> None:
        """Scroll without the cursor; `go` it afterwards to where it is to be."""
        self._scroll_to(self.top + rows)

    def resize(self, page: int) -> None:
        self.page = max(1, page)
        self._scroll_to(self.top)
        self.reveal()

    def reveal(self) -> None:
        """Scroll by half a page where the cursor is off screen: a scroll repaints every line, so one
        press in twenty pays for it rather than each."""
        if not self.top <= self.cursor < self.top + self.page:
            self._scroll_to(self.cursor - self.page // 2)

    def _scroll_to(self, top: int) -> None:
        self.top = max(0, min(len(self.rows) - self.page, top))
