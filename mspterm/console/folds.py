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


class Folding:
    """The storms of one look, ready to fold any list. `again` names the closed parent of a ticket whose
    cause is back, `cleared` are those whose alerts have gone."""

    def __init__(
        self, storms: Iterable[Storm] = (), again: Mapping[str, str] = _NONE, cleared: Collection[str] = ()
    ) -> None:
        storms = tuple(storms)
        self._storms = {ref: storm for storm in storms for ref in storm.refs}
        self._again, self._cleared = again, cleared
        # What is said of single tickets, the one thing that matters most.
        self._alone = {
            **dict.fromkeys(cleared, "(cleared) "),
            **{s.tickets[0]: f"({_alerts(len(s.alerts))}) " for s in storms if _is_loud(s)},
            **{ref: f"(again {_number(parent)}) " for ref, parent in again.items()},
        }

    def folded(self, rows: Sequence[TicketRow], opened: Collection[str] = ()) -> Folded:
        """The rows with each storm's under the one that stands for it. `opened` are keys of storms."""
        groups = self._groups(rows)
        if not groups:
            return Folded(rows, self._alone, 0)
        stands = {group.stands: group for group in groups}
        members = {row.ref for group in groups for row in group.members}
        marks = {ref: mark for ref, mark in self._alone.items() if ref not in members}
        for group in groups:
            marks[group.stands] = self._mark(group, group.storm.key in opened)
        shown: list[TicketRow] = [row for row in rows if row.ref not in members]
        for at in reversed([n for n, row in enumerate(shown) if row.ref in stands] if opened else []):
            group = stands[shown[at].ref]
            if group.storm.key in opened:
                shown[at + 1 : at + 1] = group.members
                marks |= {row.ref: MEMBER + self._alone.get(row.ref, "") for row in group.members}
        return Folded(shown, marks, len(rows) - len(shown))

    def hidden(self, rows: Iterable[TicketRow]) -> frozenset[str]:
        """The refs that have no row of their own where nothing is opened."""
        return frozenset(row.ref for group in self._groups(rows) for row in group.members)

    def storm_of(self, ref: str) -> Storm | None:
        """The storm that the ticket is part of."""
        return self._storms.get(ref)

    def _groups(self, rows: Iterable[TicketRow]) -> list[_Group]:
        """What folds here: a view may lack a storm's head, or hold one of its tickets alone."""
        storms, present = self._storms, dict[str, list[TicketRow]]()
        for row in rows:
            if row.ref in storms:
                present.setdefault(storms[row.ref].key, []).append(row)
        groups = (_group(storms[found[0].ref], found) for found in present.values() if len(found) > 1)
        return [group for group in groups if group.members]

    def _mark(self, group: _Group, is_open: bool) -> str:
        return f"[{'-' if is_open else '+'}{len(group.members) + 1}{self._more(group.storm)}] "

    def _more(self, storm: Storm) -> str:
        """What is said of single tickets, of all of a storm's."""
        back = next((self._again[ref] for ref in storm.refs if ref in self._again), None)
        if back is not None:
            return f" again {_number(back)}"
        if storm.alerts:
            return f" {_alerts(len(storm.alerts))}"
        return " cleared" if all(ref in self._cleared for ref in storm.refs) else ""


def _is_loud(storm: Storm) -> bool:
    """Whether it is one ticket and alerts that have none."""
    return len(storm.refs) == len(storm.alerts) + 1 and bool(storm.alerts)


def _alerts(count: int) -> str:
    return f"+{count} alert{'s' * (count > 1)}"


def _number(ref: str) -> str:
    return f"#{ref.rpartition(':')[2]}"


def _group(storm: Storm, found: Sequence[TicketRow]) -> _Group:
    """The head stands for the others. One that waits stands low in the queue: a storm of new tickets
    must not sink with it, so that then the first that is work does. A P1 has a row of its own,
    whatever it was when the storm was found."""
    work = [row for row in found if row.status_class is not StatusClass.WAITING] or found
    stands = next((row.ref for row in work if row.ref == storm.head), work[0].ref)
    return _Group(storm, stands, [row for row in found if row.ref != stands and row.priority > 1])
