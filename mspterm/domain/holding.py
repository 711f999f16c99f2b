"""What a filter holds, and rows in order, kept up by what changes: an edited row, an instant that passes.

Nothing here looks at all rows again after `fill`; at 50,000 tickets a clock catches fire twice a second.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import Any

from mspterm.domain.filter import Filter, FilterContext
from mspterm.domain.row import TicketRow


class Holding:
    """The refs of the rows that one filter holds. `next_at` is the instant (epoch seconds) from which on
    time alone may change them; None: never."""

    def __init__(self, filter_: Filter[TicketRow]) -> None:
        self.refs: set[str] = set()
        self._filter = filter_
        self._turns: list[tuple[float, str]] = []

    @property
    def next_at(self) -> float | None:
        return self._turns[0][0] if self._turns else None

    def fill(self, rows: Iterable[TicketRow], ctx: FilterContext) -> None:
        """Judge all rows from scratch."""
        rows = list(rows)
        self.refs = {row.ref for row in self._filter.select(rows, ctx)}
        self._turns = (
            [turn for row in rows for turn in self._turns_of(row, ctx)] if self._filter.turns else []
        )
        heapify(self._turns)

    def take(self, row: TicketRow, ctx: FilterContext) -> None:
        """The row is new, or another than before."""
        self.judge(row, ctx)
        # Those of the row as it was stay: at them it is judged once more, and nothing comes of it.
        for turn in self._turns_of(row, ctx):
            heappush(self._turns, turn)

    def judge(self, row: TicketRow, ctx: FilterContext) -> bool:
        """The row is the same, and what else its place depends on may not be; whether that moves it."""
        was, holds = row.ref in self.refs, self._filter.matches(row, ctx)
        (self.refs.add if holds else self.refs.discard)(row.ref)
        return was != holds

    def drop(self, ref: str) -> None:
        self.refs.discard(ref)

    def pass_time(self, rows: Mapping[str, TicketRow], ctx: FilterContext) -> bool:
        """Judge the rows whose instant has come; whether another set is held now."""
        turned: set[str] = set()
        while self._turns and self._turns[0][0] <= ctx.now:
            turned.add(heappop(self._turns)[1])
        changed = [self.judge(rows[ref], ctx) for ref in turned if ref in rows]
        return any(changed)

    def _turns_of(self, row: TicketRow, ctx: FilterContext) -> list[tuple[float, str]]:
        return [(at, row.ref) for at in self._filter.turns_after(row, ctx.now)]


class Ordered:
    """Rows in the order of `key`, which no two share for long."""

    def __init__(self, rows: Iterable[TicketRow], key: Callable[[TicketRow], Any]) -> None:
        self._key = key
        self._rows = sorted(rows, key=key)

    @property
    def rows(self) -> Sequence[TicketRow]:
        return self._rows

    def put(self, before: TicketRow | None, after: TicketRow | None) -> None:
        """`after` in the place that is its own instead of `before`, a row that is held; None: none."""
        if before is not None:
            at = bisect_left(self._rows, self._key(before), key=self._key)
            while self._rows[at] is not before:
                at += 1
            del self._rows[at]
        if after is not None:
            insort(self._rows, after, key=self._key)
