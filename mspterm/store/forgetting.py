"""What the store forgets: what is old, one client's rows, or all. The outbox's open intents stay."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from mspterm.domain.device import Alert, Asset, Device
from mspterm.store.codec import unpack
from mspterm.store.db import Database
from mspterm.store.intents import OPEN

Belongs = Callable[[str | None, str], bool]
"""Whether a client's name, as a connection gives it, is the client in question."""
PURGED = "purged"
"""The revision of the last purge, by which a console knows that rows have gone without a trace."""
# What can be asked for again: what was spent of a budget and who polls can't be, and stay.
_ALL = ("ticket", "ticket_data", "ticket_detail", "ticket_asset", "device", "asset", "alert")
_NOT_OPEN = f"state NOT IN ({', '.join(repr(s) for s in OPEN)})"


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many of each were purged. `waiting` are writes still to be sent, which stay; `left` tells that
    another process kept the old bytes from being overwritten."""

    tickets: tuple[str, ...]
    bodies: int
    devices: int
    assets: int
    alerts: int
    texts: int
    waiting: int
    left: bool = False


def retain(database: Database, before: datetime, bodiless: Sequence[str]) -> None:
    """Forgets inactive tickets, and bodies, that were last asked for before, and bodies of clients that
    keep none. Writes only where there is something to forget."""
    old = before.timestamp()
    marks = ", ".join("?" * len(bodiless))
    # What waits to be sent needs its ticket's row.
    gone = "SELECT ref FROM ticket WHERE active = 0 AND observed < ? AND pending = 0"
    bodies = (
        "SELECT ref FROM ticket_detail WHERE observed < ?"
        f" UNION SELECT ref FROM ticket JOIN ticket_detail USING(ref) WHERE client IN ({marks})"
    )
    # Looked for outside a transaction: most times there is nothing, and nobody need wait for the lock.
    tickets = [r[0] for r in database.connection.execute(gone, (old,))]
    details = [r[0] for r in database.connection.execute(bodies, (old, *bodiless))]
    if tickets or details:
        with database.write() as db:
            _drop(db, "ticket_detail", details)
            _drop_tickets(db, tickets)


def purge_all(database: Database) -> bool:
    """Forgets all that can be asked for again; whether the bytes are gone too."""
    with database.write() as db:
        for table in _ALL:
            db.execute(f"DELETE FROM {table}")
        db.execute(f"DELETE FROM intent WHERE {_NOT_OPEN}")
        _ask_anew(db)
        database.put(PURGED, str(database.next_revision()))
    # After the commit, as VACUUM can't run in a transaction.
    return database.scrub()


def purge_client(database: Database, belongs: Belongs) -> Forgotten:
    """Forgets all that is one client's: rows, conversations, devices, alerts, and texts that were sent."""
    with database.write() as db:
        rows = db.execute("SELECT ref, connection, client FROM ticket").fetchall()
        tickets = [ref for ref, connection, client in rows if belongs(client, connection)]
        # All is read before anything is dropped: a device may be this client's by its asset alone.
        assets = [a for a in _assets(db) if belongs(a.client, a.connection)]
        devices = _devices(db, belongs, {a.device_ref for a in assets})
        alerts = _alerts(db, belongs, {*devices})
        targets = [*tickets, *devices]
        waiting = sum(_count(db, f"SELECT count(*) FROM intent WHERE ref = ? AND NOT {_NOT_OPEN}", targets))
        texts = _drop(db, "intent", targets, f" AND {_NOT_OPEN}")
        bodies = _drop(db, "ticket_detail", tickets)
        _drop_tickets(db, tickets)
        for table, refs in (("device", devices), ("asset", [a.ref for a in assets]), ("alert", alerts)):
            _drop(db, table, refs)
        _ask_anew(db)
        database.put(PURGED, str(database.next_revision()))
    clean = database.scrub()
    return Forgotten(
        tuple(tickets), bodies, len(devices), len(assets), len(alerts), texts, waiting, left=not clean
    )


@dataclass(frozen=True, slots=True)
class _Asset:
    ref: str
    connection: str
    client: str | None
    device_ref: str | None


def _assets(db: sqlite3.Connection) -> list[_Asset]:
    rows = db.execute("SELECT data, device_ref FROM asset").fetchall()
    found = ((unpack(data, Asset), device) for data, device in rows)
    return [_Asset(a.ref, a.connection, a.client, device) for a, device in found]


def _devices(db: sqlite3.Connection, belongs: Belongs, tied: set[str | None]) -> list[str]:
    """Of a device whose RMM names no client, the asset's counts."""
    found = (unpack(r[0], Device) for r in db.execute("SELECT data FROM device"))
    return [d.ref for d in found if (belongs(d.client, d.connection) if d.client else d.ref in tied)]


def _alerts(db: sqlite3.Connection, belongs: Belongs, devices: set[str]) -> list[str]:
    found = (unpack(r[0], Alert) for r in db.execute("SELECT data FROM alert"))
    return [a.ref for a in found if a.device_ref in devices or belongs(a.client, a.connection)]


def _count(db: sqlite3.Connection, sql: str, refs: Iterable[str]) -> Iterable[int]:
    return [int(db.execute(sql, (ref,)).fetchone()[0]) for ref in refs]


def _drop(db: sqlite3.Connection, table: str, refs: Iterable[str], also: str = "") -> int:
    # Row by row: one client's refs may be more than a statement takes parameters.
    sql = f"DELETE FROM {table} WHERE ref = ?{also}"
    return sum(db.execute(sql, (ref,)).rowcount for ref in refs)


def _drop_tickets(db: sqlite3.Connection, refs: Sequence[str]) -> None:
    for table in ("ticket_detail", "ticket_data", "ticket_asset", "ticket"):
        _drop(db, table, refs)


def _ask_anew(db: sqlite3.Connection) -> None:
    """What a delta would not bring again is asked for in full; kept choices name clients."""
    db.execute("UPDATE connection SET cursor = NULL, checked_at = NULL, full_at = NULL")
    db.execute("DELETE FROM meta WHERE key LIKE 'choices:%'")
