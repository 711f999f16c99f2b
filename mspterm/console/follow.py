"""The store's active rows as the queue shows them, kept up by revision, whoever wrote the change.

The same way in the process that polls and in one that only looks: nothing is handed over in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from mspterm.domain.filter import Filter, FilterContext
from mspterm.domain.row import TicketRow
from mspterm.domain.tables import FIRE_S
from mspterm.domain.views import DomainView, counts
from mspterm.store.store import Store


class Board:
    """Rows, counts of the views, and what a view shows. `clock` gives epoch seconds."""

    def __init__(self, views: Sequence[DomainView], clock: Callable[[], float]) -> None:
        self.views = views
        self.counts: Mapping[str, int] = {}
        self.me: Mapping[str, frozenset[str]] = {}
        self.seen_revision: int | None = None
        self.seen: dict[str, int] = {}
        self.revision = 0
        self._clock = clock
        self._rows: dict[str, TicketRow] = {}
        self._sorted: dict[str, list[TicketRow]] = {}

    @property
    def rows(self) -> Collection[TicketRow]:
        return self._rows.values()

    @property
    def size(self) -> int:
        return len(self._rows)

    def load(self, store: Store) -> None:
        """Read everything active. What changes meanwhile is found by the next `follow`."""
        self.revision = store.database.revision
        self._rows = {row.ref: row for row in store.tickets.active()}
        self.recount()

    def follow(self, store: Store) -> bool:
        """Take in what changed since the last look; whether anything did."""
        latest = store.database.revision
        if latest == self.revision:
            return False
        if store.purged_since(self.revision):
            self.load(store)
            return True
        changes = store.tickets.changed_since(self.revision)
        self.revision = max([latest, *(row.revision for row, _ in changes)])
        for row, active in changes:
            if active:
                self._rows[row.ref] = row
            else:
                self._rows.pop(row.ref, None)
        if changes:
            self.recount()
        return bool(changes)

    def recount(self) -> None:
        """Count the views anew: after a change of rows, of time, of what was seen, of who I am."""
        self._sorted.clear()
        self.counts = counts(list(self._rows.values()), self.views, self.context())

    def context(self) -> FilterContext:
        return FilterContext(self._clock(), self.me, self.seen_revision, self.seen)

    def is_new(self, row: TicketRow) -> bool:
        """Whether the row changed since it was last looked at."""
        return self.seen_revision is not None and row.revision > self.seen.get(row.ref, self.seen_revision)

    def looked_at(self, ref: str) -> None:
        """The ticket has been seen as it is now."""
        if ref in self._rows:
            self.seen[ref] = self._rows[ref].revision

    def shown(self, view: DomainView, filter_: Filter[TicketRow], sort: str) -> list[TicketRow]:
        """The rows of a view, narrowed and in order."""
        context = self.context()
        return filter_.select(view.filter.select(self._in_order(sort), context), context)

    def _in_order(self, sort: str) -> list[TicketRow]:
        if sort not in self._sorted:
            # With it comes the whole ticket, which the first frame has no use for.
            from mspterm.domain.order import SORTS

            key: Callable[[TicketRow], Any] = SORTS[sort]
            self._sorted[sort] = sorted(self._rows.values(), key=key)
        return self._sorted[sort]

    def next_instant(self) -> float | None:
        """When time alone next moves a ticket into a view: a clock catches fire or is breached."""
        now = self._clock()
        dues = (row.due for row in self._rows.values() if row.due is not None)
        return min((at for due in dues for at in (due - FIRE_S, due) if at > now), default=None)
