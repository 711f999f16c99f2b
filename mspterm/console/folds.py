"""A storm's tickets as one row that opens: which rows a list shows, and what stands before their words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from mspterm.domain.row import StatusClass, TicketRow
from mspterm.domain.storms import Storm

MEMBER = "| "
_NONE: Mapping[str, str] = {}


class Folded(NamedTuple):
    """Rows, the marks of those that stand for a storm or belong to an opened one, how many are hidden."""

    rows: Sequence[TicketRow]
    marks: Mapping[str, str]
    hidden: int


class _Group(NamedTuple):
    storm: Storm
    stands: str
    members: Sequence[TicketRow]


def folded(
    rows: Sequence[TicketRow],
    storms: Iterable[Storm],
    opened: Collection[str],
    again: Mapping[str, str] = _NONE,
    cleared: Collection[str] = (),
) -> Folded:
    """The rows with each storm's under the one that stands for it. `opened` are keys of storms; `again`
    names the closed parent of a ticket whose cause is back, `cleared` are those whose alerts have gone."""
    storms = tuple(storms)
    groups = _groups(rows, storms)
    alone = _alone(rows, storms, again, cleared)
    if not groups:
        return Folded(rows, alone, 0)
    stands = {group.stands: group for group in groups}
    members = {row.ref for group in groups for row in group.members}
    shown: list[TicketRow] = []
    marks = {ref: mark for ref, mark in alone.items() if ref not in members}
    for row in rows:
        if row.ref in members:
            continue
        shown.append(row)
        if row.ref in stands:
            group = stands[row.ref]
            is_open = group.storm.key in opened
            more = _more(group, again, cleared)
            marks[row.ref] = f"[{'-' if is_open else '+'}{len(group.members) + 1}{more}] "
            if is_open:
                shown += group.members
                marks |= {member.ref: MEMBER + alone.get(member.ref, "") for member in group.members}
    return Folded(shown, marks, len(rows) - len(shown))


def _alone(
    rows: Sequence[TicketRow], storms: Sequence[Storm], again: Mapping[str, str], cleared: Collection[str]
) -> dict[str, str]:
    """What is said of single tickets, the one thing that matters most."""
    alerts = {storm.tickets[0]: len(storm.alerts) for storm in storms if len(storm.tickets) == 1}
    marks = {}
    for row in rows:
        if row.ref in again:
            marks[row.ref] = f"(again {_number(again[row.ref])}) "
        elif alerts.get(row.ref):
            marks[row.ref] = f"({_alerts(alerts[row.ref])}) "
        elif row.ref in cleared:
            marks[row.ref] = "(cleared) "
    return marks


def _more(group: _Group, again: Mapping[str, str], cleared: Collection[str]) -> str:
    """The same of all of a storm's, behind their number."""
    tickets = group.storm.tickets
    back = next((again[ref] for ref in tickets if ref in again), None)
    if back is not None:
        return f" again {_number(back)}"
    if group.storm.alerts:
        return f" {_alerts(len(group.storm.alerts))}"
    return " cleared" if all(ref in cleared for ref in tickets) else ""


def _alerts(count: int) -> str:
    return f"+{count} alert{'s' * (count > 1)}"


def _number(ref: str) -> str:
    return f"#{ref.rpartition(':')[2]}"


def hidden(rows: Sequence[TicketRow], storms: Iterable[Storm]) -> frozenset[str]:
    """The refs that have no row of their own where nothing is opened."""
    return frozenset(row.ref for group in _groups(rows, storms) for row in group.members)


def storm_of(ref: str, storms: Iterable[Storm]) -> Storm | None:
    """The storm that the ticket is part of."""
    return next((storm for storm in storms if ref in storm.refs), None)


def _groups(rows: Sequence[TicketRow], storms: Iterable[Storm]) -> list[_Group]:
    """What folds here: a view may lack a storm's head, or hold one of its tickets alone."""
    by_ref = {ref: storm for storm in storms for ref in storm.refs}
    present: dict[str, list[TicketRow]] = {}
    for row in rows:
        storm = by_ref.get(row.ref)
        if storm is not None:
            present.setdefault(storm.key, []).append(row)
    groups = (_group(by_ref[found[0].ref], found) for found in present.values())
    return [group for group in groups if group.members]


def _group(storm: Storm, found: Sequence[TicketRow]) -> _Group:
    """The head stands for the others. One that waits stands low in the queue: a storm of new tickets
    must not sink with it, so that then the first that is work does. A P1 has a row of its own,
    whatever it was when the storm was found."""
    work = [row for row in found if row.status_class is not StatusClass.WAITING] or found
    stands = next((row.ref for row in work if row.ref == storm.head), work[0].ref)
    return _Group(storm, stands, [row for row in found if row.ref != stands and row.priority > 1])
