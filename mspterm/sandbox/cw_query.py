"""Lists that ConnectWise answers: conditions, order, page. Ten thousand tickets are never made for a
question that can be answered from the changed ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from mspterm.sandbox import conditions
from mspterm.sandbox.conditions import BadConditions, Node
from mspterm.sandbox.cw_http import Page, Refused
from mspterm.sandbox.cw_rows import HIDDEN, TICKET, Row, View, stamp
from mspterm.sandbox.tickets import Ticket

_ORDER = "asc", "desc"
_KEPT = 16
# Rows carry it under `_info` only; conditions take either name.
_UPDATED = ("lastUpdated", "_info/lastUpdated")


@dataclass(frozen=True, slots=True)
class Query:
    """What a list is asked for, besides its page."""

    where: Node = conditions.EVERYTHING
    children: Node = conditions.EVERYTHING
    order: tuple[tuple[str, bool], ...] = ()
    text: str = ""


def query_of(asked: dict[str, str], known: Iterable[str]) -> Query:
    """Reads `conditions`, `childConditions` and `orderBy`; refuses fields that aren't known (400)."""
    names = set(known)
    where, children = (_parsed(asked.get(key, "")) for key in ("conditions", "childConditions"))
    for path in conditions.fields_of(where) | conditions.fields_of(children):
        if path.split("/")[0] not in names:
            raise _unknown(path)
    order = tuple(_order(part, names) for part in asked.get("orderBy", "").split(",") if part.strip())
    return Query(where, children, order, asked.get("conditions", "").strip())


def _parsed(text: str) -> Node:
    try:
        return conditions.parse(text)
    except BadConditions as error:
        raise Refused(400, "ApiFindCondition", f"Condition is invalid: {error}") from None


def _unknown(path: str) -> Refused:
    return Refused(400, "ApiFindCondition", f"Condition is invalid: there is no field '{path}'")


def _order(part: str, names: set[str]) -> tuple[str, bool]:
    words = part.split()
    if (
        len(words) > 2
        or (words[-1].lower() not in _ORDER and len(words) == 2)
        or words[0].split("/")[0] not in names
    ):
        raise Refused(400, "ApiFindCondition", f"orderBy is invalid: '{part.strip()}'")
    return words[0], words[-1].lower() == "desc"


def walk(value: Any, path: list[str]) -> Any:
    """What a path leads to. A path through a list belongs in `childConditions`: refused (400)."""
    for name in path:
        if isinstance(value, list):
            raise Refused(400, "ApiFindCondition", "A list is searched with childConditions")
        value = value.get(name) if isinstance(value, dict) else None
    return value


def rows_matching(rows: list[Row], query: Query, page: Page) -> list[Row]:
    """Of a list that is whole in memory: the rows that match, in their order."""

    def matches(row: Row) -> bool:
        if page.after is not None and row["id"] <= page.after:
            return False
        found = query.where.holds(lambda path: walk(row, path.split("/")))
        return found and _a_child_matches(row, query.children)

    found = [row for row in rows if matches(row)]
    for path, down in reversed(query.order):
        found.sort(key=lambda row: sort_key(walk(row, path.split("/"))), reverse=down)
    return found


def _a_child_matches(row: Row, children: Node) -> bool:
    paths = conditions.fields_of(children)
    if not paths:
        return True
    items = row.get(next(iter(paths)).split("/")[0]) or []
    return any(
        children.holds(lambda path, item=item: walk(item, path.split("/")[1:]))  # type: ignore[misc]
        for item in items
    )


def sort_key(value: Any) -> tuple[int, Any]:
    """Rows without a value come first, as NULL does in SQL Server."""
    return (0, 0) if value is None else (1, value.casefold() if isinstance(value, str) else value)


@dataclass(slots=True)
class TicketLists:
    """Answers over tickets. What matches among the seeded rows is kept, as those never change."""

    project: bool
    _kept: dict[str, list[int]] = field(default_factory=dict)

    def matching(self, view: View, query: Query, page: Page | None) -> list[int]:
        """The ids of the tickets that match, in their order."""
        world, after = view.world, page.after if page and page.after is not None else 0
        # What is kept was true of the seeded row: a ticket that was changed since is tried anew.
        seeded = (number for number in self._seeded(view, query) if number not in world.tickets_changed)
        changed = (t.id for t in world.tickets_changed.values() if self._fits(view, t, query.where))
        found = sorted(number for number in (*seeded, *changed) if number > after)
        for path, down in reversed(query.order):
            get = _getter(path)
            found.sort(key=lambda number: sort_key(get(view, _there(view, number))), reverse=down)
        return found

    def _fits(self, view: View, ticket: Ticket, where: Node) -> bool:
        return ticket.project == self.project and where.holds(lambda path: _getter(path)(view, ticket))

    def _seeded(self, view: View, query: Query) -> Iterable[int]:
        if not query.text:
            return view.world.seeded_ids(project=self.project)
        if query.text not in self._kept:
            found = list(self._scan(view, query.where))
            # An answer that moves with the clock is right only once.
            if not _depends_on_now(query.where):
                self._kept[query.text] = found
                if len(self._kept) > _KEPT:
                    # The oldest, as a dict keeps its order.
                    self._kept.pop(next(iter(self._kept)))
            return found
        return self._kept[query.text]

    def _scan(self, view: View, where: Node) -> Iterator[int]:
        world = view.world
        for number in self._candidates(view, where):
            # Safe to leave out of what is kept: a changed ticket never becomes a seeded one again.
            ticket = None if number in world.tickets_changed else world.ticket(number)
            if ticket is not None and self._fits(view, ticket, where):
                yield number

    def _candidates(self, view: View, where: Node) -> Iterable[int]:
        """The seeded ids among which all that match must be."""
        every: Iterable[int] = view.world.seeded_ids(project=self.project)
        began = str(stamp(view.world.clock.began)).casefold()
        for need in conditions.required(where):
            if need.negated:
                continue
            if need.field in _UPDATED and need.op in (">", ">=", "=") and str(need.value) > began:
                # Nothing seeded was touched after the world began.
                return ()
            if need.field == "id" and need.op in ("=", "in"):
                wanted = set(need.value if need.op == "in" else [need.value])
                every = [number for number in every if number in wanted]
        return every


def _depends_on_now(where: Node) -> bool:
    return bool(conditions.fields_of(where) & {"isInSla", "minutesWaiting"})


def _there(view: View, number: int) -> Ticket:
    ticket = view.world.ticket(number)
    assert ticket is not None
    return ticket


def _getter(path: str) -> Callable[[View, Ticket], Any]:
    name, *rest = path.split("/")
    make = HIDDEN.get(name) or TICKET[name]
    if not rest:
        return make
    return lambda view, ticket: walk(make(view, ticket), rest)
