"""The store's active rows as the queue shows them, kept up by revision, whoever wrote the change.

The same way in the process that polls and in one that only looks: nothing is handed over in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from mspterm.domain.filter import Filter, FilterContext, parse
from mspterm.domain.row import TicketRow
from mspterm.domain.views import DomainView
from mspterm.store.store import Store

if TYPE_CHECKING:
    from mspterm.domain.holding import Holding, Ordered

_MANY = 1000
"""With so many rows changed at once, all are put in order and judged anew: it costs no more."""


class Board:
    """Rows, which of them each view holds, and what is shown. `clock` gives epoch seconds.

    What a view holds changes with a row, at an instant known beforehand, and by `looked`: nothing else
    looks at all rows again.
    """

    def __init__(self, views: Sequence[DomainView], clock: Callable[[], float]) -> None:
        self.views = views
        self.me: Mapping[str, frozenset[str]] = {}
        self.seen_revision: int | None = None
        self.seen: dict[str, int] = {}
        self.revision = 0
        self._clock = clock
        self._at = 0.0
        self._moved = False
        self._rows: dict[str, TicketRow] = {}
        self._held: dict[str, Holding] = {}
        self._new: Holding | None = None
        self._narrowed: tuple[str, Filter[TicketRow], Holding] | None = None
        self._shown: Holding | None = None
        self._sorted: tuple[str, Ordered] | None = None

    @property
    def rows(self) -> Collection[TicketRow]:
        return self._rows.values()

    @property
    def size(self) -> int:
        return len(self._rows)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many tickets each view holds; empty before the rows are read."""
        return {name: len(held.refs) for name, held in self._held.items()}

    def load(self, store: Store) -> None:
        """Read everything active. What changes meanwhile is found by the next `follow`."""
        self.revision = store.database.revision
        self._rows = {row.ref: row for row in store.tickets.active()}
        self._count()

    def follow(self, store: Store) -> bool:
        """Take in what changed since the last look; whether there is anything else to show."""
        moved, self._moved = self._moved, False
        latest = store.database.revision
        if latest == self.revision:
            return moved
        if store.purged_since(self.revision):
            self.load(store)
            return True
        changes = store.tickets.changed_since(self.revision)
        self.revision = max([latest, *(row.revision for row, _ in changes)])
        if len(changes) > _MANY:
            for row, active in changes:
                self._rows.pop(row.ref, None)
                self._rows.update({row.ref: row} if active else {})
            self._count()
        else:
            self._take(changes)
        return bool(changes) or moved

    def _take(self, changes: Sequence[tuple[TicketRow, bool]]) -> None:
        context = self.context()
        for row, active in changes:
            before = self._rows.pop(row.ref, None)
            if self._sorted is not None:
                self._sorted[1].put(before, row if active else None)
            if active:
                self._rows[row.ref] = row
            for held in self._holdings():
                held.take(row, context) if active else held.drop(row.ref)

    def _holdings(self) -> Iterator[Holding]:
        """Every one that is kept up."""
        yield from self._held.values()
        if self._new is not None:
            yield self._new
        if self._narrowed is not None:
            yield self._narrowed[2]

    def recount(self) -> None:
        """All from scratch, to be shown by the next `follow`: I am another, or the clock was set back."""
        self._count()
        self._moved = True

    def _count(self) -> None:
        from mspterm.domain.holding import Holding

        self._sorted = self._narrowed = self._shown = None
        self._held = {view.name: Holding(view.filter) for view in self.views}
        new = parse("is:new")
        assert isinstance(new, Filter)
        self._new = Holding(new)
        context = self.context()
        for held in self._holdings():
            held.fill(self.rows, context)
        self._at = context.now

    def pass_time(self) -> bool:
        """Judge what time alone has moved since; whether other rows are to be shown."""
        context = self.context()
        if context.now < self._at:
            self._count()
            return True
        self._at = context.now
        moved = [held for held in self._holdings() if held.pass_time(self._rows, context)]
        return self._shown in moved

    def next_instant(self) -> float | None:
        """When time alone next moves a ticket into a view or out of it."""
        return min((held.next_at for held in self._holdings() if held.next_at is not None), default=None)

    def context(self) -> FilterContext:
        return FilterContext(self._clock(), self.me, self.seen_revision, self.seen)

    # What is new

    def is_new(self, row: TicketRow) -> bool:
        """Whether the row changed since it was last looked at."""
        return self.seen_revision is not None and row.revision > self.seen.get(row.ref, self.seen_revision)

    def looked(self) -> None:
        """All that is here has been seen as it is now."""
        self.seen_revision = self.revision
        self.seen.clear()
        self._judge(tuple(self._new.refs) if self._new is not None else ())

    def looked_at(self, ref: str) -> None:
        """The ticket has been seen as it is now."""
        if ref in self._rows:
            self.seen[ref] = self._rows[ref].revision
            self._judge((ref,))

    def _judge(self, refs: Collection[str]) -> None:
        context = self.context()
        for held in self._holdings():
            for ref in refs:
                held.judge(self._rows[ref], context)

    @property
    def new(self) -> int:
        """How many of the shown rows changed since they were looked at."""
        return len(self._new.refs & self._shown.refs) if self._new and self._shown else 0

    # What is shown

    def shown(self, view: DomainView, filter_: Filter[TicketRow], sort: str) -> list[TicketRow]:
        """The rows of a view, narrowed and in order."""
        self._shown = self._holding(view, filter_)
        refs = self._shown.refs
        return [row for row in self._in_order(sort) if row.ref in refs]

    def _holding(self, view: DomainView, filter_: Filter[TicketRow]) -> Holding:
        from mspterm.domain.holding import Holding

        if not filter_.terms and view.name in self._held:
            self._narrowed = None
            return self._held[view.name]
        if self._narrowed is None or self._narrowed[:2] != (view.name, filter_):
            self._narrowed = (view.name, filter_, Holding(view.filter & filter_))
            self._narrowed[2].fill(self.rows, self.context())
        return self._narrowed[2]

    def _in_order(self, sort: str) -> Sequence[TicketRow]:
        if self._sorted is None or self._sorted[0] != sort:
            # With it comes the whole ticket, which the first frame has no use for.
            from mspterm.domain.holding import Ordered
            from mspterm.domain.order import SORTS

            self._sorted = (sort, Ordered(self.rows, SORTS[sort]))
        return self._sorted[1].rows
