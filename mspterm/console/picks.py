"""The marked tickets of a list, as refs, with the anchor from which shift and an arrow extend."""

from __future__ import annotations

from collections.abc import Iterable


class Picks:
    """A set of refs. While extending, the span replaces the last one: going back shrinks it."""

    def __init__(self) -> None:
        self.refs: frozenset[str] = frozenset()
        self._anchor: str | None = None
        self._before: frozenset[str] = frozenset()

    def choose(self, refs: frozenset[str]) -> None:
        self.refs = refs
        # A mark by hand is a new place to extend from; the old anchor would take marks away again.
        self.let_go()

    def toggle(self, ref: str) -> None:
        self.choose(self.refs ^ {ref})

    def anchored(self, ref: str) -> str:
        """Where the extending began; it begins at `ref` if it hadn't."""
        if self._anchor is None:
            self._anchor, self._before = ref, self.refs
        return self._anchor

    def span(self, refs: Iterable[str]) -> None:
        """Mark `refs` beside what was marked before extending began."""
        self.refs = self._before | frozenset(refs)

    def let_go(self) -> None:
        """A plain move ends the extending."""
        self._anchor = None
