"""Views: named filters that are the queue's tabs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mspterm.domain.filter import Filter, FilterError, parse
from mspterm.domain.row import TicketRow


@dataclass(frozen=True, slots=True)
class DomainView:
    """One tab of the queue."""

    name: str
    title: str
    filter: Filter[TicketRow]


def view(name: str, title: str, text: str) -> DomainView | FilterError:
    """A view of a filter's text, as the config gives it; or what is wrong with the text."""
    parsed = parse(text)
    return parsed if isinstance(parsed, FilterError) else DomainView(name, title, parsed)


def _defaults(rows: Sequence[tuple[str, str, str]]) -> tuple[DomainView, ...]:
    made = [view(*row) for row in rows]
    return tuple(v for v in made if isinstance(v, DomainView))


DEFAULT_VIEWS: tuple[DomainView, ...] = _defaults(
    (
        ("fire", "On fire", "is:fire"),
        ("mine", "Mine", "is:active is:mine"),
        ("replied", "Customer replied", "is:active is:replied"),
        ("unassigned", "Unassigned", "is:active is:unassigned"),
        ("waiting", "Waiting", "is:waiting"),
        ("all", "All", "is:active"),
    )
)
"""The six that every desk starts with: what burns, what is mine, who waits for us."""
