"""Stored tickets: narrow rows for lists, whole values and conversations apart."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from mspterm.domain.order import device_text, row_of
from mspterm.domain.row import TicketRow
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Ticket, TicketDetail
from mspterm.store.codec import pack, unpack
from mspterm.store.db import Database
from mspterm.store.lateness import LATEST_S, later
from mspterm.store.rows import COLUMNS, Rows, row_from

Finish = Callable[[Ticket, Ticket | None], Ticket]

HELD = 20
"""Conversations that are kept in memory only: as many as somebody goes back and forth between."""
# As many as COLUMNS and three.
_MARKS = ", ".join("?" * 30)
_UPSERT = f"INSERT OR REPLACE INTO ticket({COLUMNS}, active, observed, run) VALUES({_MARKS})"
_KNOWN = (
    "SELECT t.observed, d.data, t.pending, t.active, t.run FROM ticket t JOIN ticket_data d ON d.ref = t.ref"
    " WHERE t.ref = ?"
)


class Tickets(Rows):
    """The tickets of the store, whole."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._held: dict[str, TicketDetail] = {}

    def get(self, ref: str) -> Ticket | None:
        """The whole ticket, its `device_refs` filled from the matched assets."""
        found = self._db.connection.execute("SELECT data FROM ticket_data WHERE ref = ?", (ref,)).fetchone()
        return None if found is None else unpack(found[0], Ticket)

    def recent(self, column: str, value: str, *, but: str, limit: int = 3) -> list[TicketRow]:
        """The last changed tickets, active or not, whose `column` (client or contact) holds `value`."""
        # It is put into the SQL as it is.
        assert column in ("client", "contact")
        sql = f"SELECT {COLUMNS} FROM ticket WHERE {column} = ? AND ref != ? ORDER BY updated_at DESC LIMIT ?"
        return [row_from(r) for r in self._db.connection.execute(sql, (value, but, limit))]

    def of_device(self, device_ref: str, *, but: str, limit: int = 3) -> list[TicketRow]:
        """The last changed tickets, active or not, whose assets are this device."""
        sql = (
            f"SELECT {COLUMNS} FROM ticket WHERE ref != ? AND ref IN (SELECT ta.ref FROM ticket_asset ta"
            " JOIN asset a ON a.ref = ta.asset_ref WHERE a.device_ref = ?) ORDER BY updated_at DESC LIMIT ?"
        )
        return [row_from(r) for r in self._db.connection.execute(sql, (but, device_ref, limit))]

    def whole(self, *, active_only: bool = True) -> list[Ticket]:
        """Whole tickets in the default order, for `--json`."""
        sql = "SELECT d.data FROM ticket t JOIN ticket_data d USING(ref)"
        sql += " WHERE t.active = 1 ORDER BY t.ord" if active_only else " ORDER BY t.ord"
        return [unpack(r[0], Ticket) for r in self._db.connection.execute(sql)]

    def left_since(self, at: datetime) -> dict[str, int]:
        """The tickets changed since then that are no longer active, each with its revision."""
        sql = "SELECT ref, revision FROM ticket WHERE active = 0 AND updated_at >= ?"
        return dict(self._db.connection.execute(sql, (at.timestamp(),)))

    def device_refs(self, of: str | None = None) -> dict[str, tuple[str, ...]]:
        """Ticket ref, or only the ticket `of`, to its devices: the RMM's where known, else the PSA's asset."""
        which, values = ("", ()) if of is None else (" WHERE ta.ref = ?", (of,))
        sql = (
            "SELECT ta.ref, coalesce(a.device_ref, ta.asset_ref) FROM ticket_asset ta"
            f" LEFT JOIN asset a ON a.ref = ta.asset_ref{which} ORDER BY 1, 2"
        )
        found: dict[str, tuple[str, ...]] = {}
        for ref, device in self._db.connection.execute(sql, values):
            found[ref] = (*found.get(ref, ()), device)
        return found

    def upsert(self, tickets: Iterable[Ticket], *, run: int = 0, finish: Finish | None = None) -> int:
        """Stores what is newer than what is known; returns how many rows really changed.

        An answer that was asked for earlier than the stored one never moves a row back. `finish`
        adds to a ticket what follows from it and from what was known of it.
        """
        changed = 0
        with self._db.write() as db:
            revision = 0
            for ticket in tickets:
                known = db.execute(_KNOWN, (ticket.ref,)).fetchone()
                observed = ticket.observed_at.timestamp()
                old = None if known is None else unpack(known[1], Ticket)
                # Before comparing: clocks and place follow from the ticket and are stored with it.
                if finish is not None:
                    ticket = finish(ticket, old)
                late = known is not None and later(known[0], observed)
                if known is not None and (late or _same(old, bool(known[3]), ticket)):
                    # Not back to a delta's 0: the full run under way would retire what it has seen.
                    sql = "UPDATE ticket SET observed = ?, run = max(run, ?) WHERE ref = ?"
                    db.execute(sql, (known[0] if late else observed, run, ticket.ref))
                    continue
                # Taken only where a row changes, and once: a new number wakes every follower.
                revision = revision or self._db.next_revision()
                pending = 0 if known is None else known[2]
                self._put(db, ticket, pending, revision, max(run, 0 if known is None else known[4]))
                changed += 1
        return changed

    def _put(self, db: sqlite3.Connection, ticket: Ticket, pending: int, revision: int, run: int) -> None:
        assets = [f"{ticket.connection}:asset:{i}" for i in ticket.asset_ids]
        db.execute("DELETE FROM ticket_asset WHERE ref = ?", (ticket.ref,))
        db.executemany("INSERT OR IGNORE INTO ticket_asset VALUES(?, ?)", [(ticket.ref, a) for a in assets])
        # After its links, from which the names are read.
        row = row_of(ticket, device_names=self._names(db, ticket.ref), pending=pending, revision=revision)
        observed = ticket.observed_at.timestamp()
        db.execute(_UPSERT, (*_columns(row), int(ticket.active), observed, run))
        db.execute("INSERT OR REPLACE INTO ticket_data VALUES(?, ?)", (ticket.ref, pack(ticket)))

    def _names(self, db: sqlite3.Connection, ref: str) -> list[SafeText]:
        sql = "SELECT a.name FROM ticket_asset ta JOIN asset a ON a.ref = ta.asset_ref WHERE ta.ref = ? ORDER BY 1"
        return [SafeText(r[0]) for r in db.execute(sql, (ref,))]

    def name_devices(self) -> None:
        """Fills in the device column of tickets that came before their assets."""
        # Ordered as `_names` are: another order would count as a change at every look.
        sql = (
            "SELECT t.ref, t.device, a.name FROM ticket t JOIN ticket_asset ta ON ta.ref = t.ref"
            " JOIN asset a ON a.ref = ta.asset_ref ORDER BY 1, 3"
        )
        with self._db.write() as db:
            named: dict[tuple[str, str | None], list[str]] = {}
            for ref, device, name in db.execute(sql):
                named.setdefault((ref, device), []).append(name)
            texts = [(device_text(names), ref, device) for (ref, device), names in named.items()]
            late = [(text, ref) for text, ref, device in texts if text != device]
            if late:
                revision = self._db.next_revision()
                rows = [(text, revision, ref) for text, ref in late]
                db.executemany("UPDATE ticket SET device = ?, revision = ? WHERE ref = ?", rows)

    def retire(self, connection: str, *, before_run: int, started: datetime) -> int:
        """Tombstones of active tickets that a full run didn't hold; returns how many.

        What was read after the run started (a ticket just created here) stays, unless that time has not
        come yet.
        """
        sql = (
            # Dated later than any answer of this run can be: by a clock that has been set back since.
            "SELECT ref FROM ticket WHERE connection = ?1 AND active = 1 AND run < ?2 AND (observed < ?3 OR observed >"
            " (SELECT max(coalesce(max(observed), 0), ?3) FROM ticket WHERE connection = ?1 AND run >= ?2) + ?4)"
        )
        values = (connection, before_run, started.timestamp(), LATEST_S)
        return self.gone([r[0] for r in self._db.connection.execute(sql, values)])

    def known(self, connection: str) -> dict[str, datetime]:
        """Ids of one connection's active tickets, each with its `updated_at`."""
        sql = "SELECT ref, updated_at FROM ticket WHERE connection = ? AND active = 1"
        start = len(connection) + 1
        rows = self._db.connection.execute(sql, (connection,))
        # Cut by length, as an id may hold a colon too.
        return {ref[start:]: datetime.fromtimestamp(at, UTC) for ref, at in rows}

    def seen(self, refs: Sequence[str], *, run: int) -> None:
        """A full run saw these unchanged."""
        with self._db.write() as db:
            db.executemany("UPDATE ticket SET run = max(run, ?) WHERE ref = ?", [(run, r) for r in refs])

    def gone(self, refs: Sequence[str], *, asked: datetime | None = None) -> int:
        """Marks tickets that the server no longer counts as active. What was read after `asked`, when
        the server was asked for these, is newer and stays."""
        if not refs:
            return 0
        latest = float("inf") if asked is None else asked.timestamp()
        with self._db.write() as db:
            revision = self._db.next_revision()
            db.executemany(
                "UPDATE ticket SET active = 0, revision = ? WHERE ref = ? AND active = 1 AND observed < ?",
                [(revision, r, latest) for r in refs],
            )
        return len(refs)

    def set_pending(self, ref: str, count: int) -> None:
        with self._db.write() as db:
            known = db.execute("SELECT pending FROM ticket WHERE ref = ?", (ref,)).fetchone()
            # Looked for first: a new number wakes every follower, and most counts are as they were.
            if known is not None and known[0] != count:
                sql = "UPDATE ticket SET pending = ?, revision = ? WHERE ref = ?"
                db.execute(sql, (count, self._db.next_revision(), ref))

    def detail(self, ref: str) -> TicketDetail | None:
        """The last known conversation."""
        if ref in self._held:
            return self._held[ref]
        found = self._db.connection.execute("SELECT data FROM ticket_detail WHERE ref = ?", (ref,)).fetchone()
        return None if found is None else unpack(found[0], TicketDetail)

    def put_detail(self, detail: TicketDetail, *, finish: Finish | None = None) -> None:
        detail = self._taken(detail, finish)
        observed = detail.ticket.observed_at.timestamp()
        with self._db.write() as db:
            data = (detail.ticket.ref, pack(detail), observed)
            db.execute("INSERT OR REPLACE INTO ticket_detail VALUES(?, ?, ?)", data)

    def hold_detail(self, detail: TicketDetail, *, finish: Finish | None = None) -> None:
        """As `put_detail`, for a client whose conversations are not stored: this process alone has it."""
        detail = self._taken(detail, finish)
        # Out first, so that it comes in as the newest: a dict keeps the order of coming.
        self._held.pop(detail.ticket.ref, None)
        while len(self._held) >= HELD:
            del self._held[next(iter(self._held))]
        self._held[detail.ticket.ref] = detail
        with self._db.write() as db:
            # It may lie there from before the config said that this client's are not stored.
            db.execute("DELETE FROM ticket_detail WHERE ref = ?", (detail.ticket.ref,))

    def _taken(self, detail: TicketDetail, finish: Finish | None) -> TicketDetail:
        self.upsert([detail.ticket], finish=finish)
        # The stored one: where a newer answer was there, this one didn't replace it.
        return replace(detail, ticket=self.get(detail.ticket.ref) or detail.ticket)

    def observed_at(self, ref: str) -> datetime | None:
        found = self._db.connection.execute("SELECT observed FROM ticket WHERE ref = ?", (ref,)).fetchone()
        return None if found is None else datetime.fromtimestamp(found[0], UTC)


def _columns(row: TicketRow) -> tuple[object, ...]:
    names = (n.strip() for n in COLUMNS.split(","))
    return tuple(getattr(row, "order" if n == "ord" else n) for n in names)


def _same(old: Ticket | None, active: bool, new: Ticket) -> bool:
    """Whether nothing but the time of asking differs from the stored ticket."""
    if old is None or active != new.active:
        return False
    names = (n for n in Ticket.__slots__ if n != "observed_at")
    return old.updated_at == new.updated_at and all(getattr(old, n) == getattr(new, n) for n in names)
