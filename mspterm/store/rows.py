"""Narrow rows of stored tickets, by the index: all that a list needs, and nothing heavier imported."""

from __future__ import annotations

from collections.abc import Sequence
from sys import intern

from mspterm.domain.row import ClockState, StatusClass, TicketRow
from mspterm.store.db import Database

COLUMNS = (
    "ref, connection, number, summary, client, priority, status, status_class, waiting_on, assignee, "
    "assignee_id, queue, tier, type, contact, device, due, due_kind, due_state, created_at, updated_at, "
    "customer_replied_at, next_action_at, pending, ord, revision, escalate_at"
)
# A look here is faster than a call of the enum, and every row makes two.
_CLASSES = {c.value: c for c in StatusClass}
_STATES = {s.value: s for s in ClockState}


class Rows:
    """The queue's rows. Times in columns are POSIX seconds."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def page(self, limit: int, offset: int = 0) -> list[TicketRow]:
        """The first active rows in the default order, read by the index."""
        sql = f"SELECT {COLUMNS} FROM ticket WHERE active = 1 ORDER BY ord LIMIT ? OFFSET ?"
        return [row_from(r) for r in self._db.connection.execute(sql, (limit, offset))]

    def active(self) -> list[TicketRow]:
        """Every active row, in the default order."""
        return self.page(-1)

    def count_active(self) -> int:
        """How many are active."""
        return int(self._db.connection.execute("SELECT count(*) FROM ticket WHERE active = 1").fetchone()[0])

    def count_others(self, client: str, *, but: str) -> int:
        """How many of this client are active, beside the ticket `but`."""
        sql = "SELECT count(*) FROM ticket WHERE active = 1 AND client = ? AND ref != ?"
        return int(self._db.connection.execute(sql, (client, but)).fetchone()[0])

    def changed_since(self, revision: int) -> list[tuple[TicketRow, bool]]:
        """Rows changed after `revision`, each with whether it is (still) active."""
        sql = f"SELECT {COLUMNS}, active FROM ticket WHERE revision > ? ORDER BY revision"
        return [(row_from(r[:-1]), bool(r[-1])) for r in self._db.connection.execute(sql, (revision,))]

    def row(self, ref: str) -> TicketRow | None:
        found = self._db.connection.execute(f"SELECT {COLUMNS} FROM ticket WHERE ref = ?", (ref,)).fetchone()
        return None if found is None else row_from(found)


# The columns whose words are those of many other rows: connection, client, status, waiting_on to type, ...
_SHARED = (1, 4, 6, 8, 9, 10, 11, 12, 13, 14, 15, 17)


def row_from(found: Sequence[object]) -> TicketRow:
    """The row of a tuple of `COLUMNS`. One string stands for all equal ones: it halves the memory."""
    values = list(found)
    for at in _SHARED:
        if type(word := values[at]) is str:
            values[at] = intern(word)
    # The places of status_class and due_state in COLUMNS.
    values[7] = _CLASSES[str(values[7])]
    values[18] = _STATES[str(values[18])]
    return TicketRow(*values)  # type: ignore[arg-type]
