"""The queue's columns: which a width has room for, and how wide each is.

What ticks (clock, then age) stands leftmost: Textual sends a changed region from its widget's left
edge, so a tick costs its own few cells only there (DESIGN 6).
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Column:
    """`width` in cells; 0 takes what is left."""

    name: str
    title: str
    width: int
    right: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns that a list `width` cells wide has room for."""

    columns: tuple[Column, ...]
    width: int

    @property
    def needed(self) -> int:
        """Cells that the columns take with a blank between them; more than `width` in a list that is
        too narrow for them."""
        return sum(column.width + 1 for column in self.columns) - 1

    def has(self, name: str) -> bool:
        return any(column.name == name for column in self.columns)

    def ticking(self, name: str) -> int:
        """Cells from the left edge to the end of the ticking column `name`, clock or age."""
        ticking = ("clock",) if name == "clock" else ("clock", "age")
        return sum(c.width + 1 for c in self.columns if c.name in ticking)


_CLOCK = Column("clock", "Due", 8, right=True)
_AGE = Column("age", "Upd", 4, right=True)
_MARKS = Column("marks", "", 4)
_PRIORITY = Column("priority", "P", 2)
_NUMBER = Column("number", "#", 5)
_SUMMARY = Column("summary", "Summary", 0)


def _text(name: str, title: str, width: int) -> Column:
    return Column(name, title, width)


WIDE = 180
"""From this many cells on there is room for whole refs, telemetry's device and the contact."""

_BY_WIDTH: tuple[tuple[int, tuple[Column, ...]], ...] = (
    (
        WIDE,
        (
            *(_CLOCK, _AGE, _MARKS, _PRIORITY, Column("ref", "Ref", 5)),
            *(_text("status", "Status", 11), _text("word", "In the PSA", 12), _text("client", "Client", 20)),
            *(_SUMMARY, _text("owner", "Owner", 14), _text("tier", "Tier", 6)),
            *(_text("queue", "Queue", 14), _text("contact", "Contact", 14), _text("device", "Device", 14)),
        ),
    ),
    (
        110,
        (
            *(_CLOCK, _AGE, _MARKS, _PRIORITY, _NUMBER, _text("status", "Status", 10)),
            *(_text("client", "Client", 16), _SUMMARY, _text("owner", "Owner", 12)),
            _text("queue", "Queue", 12),
        ),
    ),
    (
        76,
        (
            *(_CLOCK, _MARKS, _PRIORITY, _NUMBER, _text("status", "Status", 9)),
            *(_text("client", "Client", 12), _SUMMARY, _text("owner", "Owner", 8)),
        ),
    ),
    (0, (_CLOCK, _MARKS, _PRIORITY, _NUMBER, _text("client", "Client", 10), _SUMMARY)),
)


def layout_for(width: int, number_width: int = 5) -> Layout:
    """The columns for a list `width` cells wide; ticket numbers get 3 to 14 cells."""
    columns = next(columns for least, columns in _BY_WIDTH if width >= least)
    number = max(3, min(14, number_width))
    columns = tuple(replace(c, width=number) if c.name in ("number", "ref") else c for c in columns)
    left = width - sum(c.width + 1 for c in columns) + 1
    return Layout(tuple(c if c.width else replace(c, width=max(1, left)) for c in columns), width)
