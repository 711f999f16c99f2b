"""One SQLite file in WAL mode: opening, migrating, and write transactions."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mspterm.domain.reasons import Reason, failed
from mspterm.store.place import must_be_local

SCHEMA = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES('revision', '0');
CREATE TABLE ticket(
  ref TEXT PRIMARY KEY, connection TEXT NOT NULL, number TEXT NOT NULL, summary TEXT NOT NULL, client TEXT,
  priority INTEGER NOT NULL, status TEXT NOT NULL, status_class TEXT NOT NULL, waiting_on TEXT,
  assignee TEXT, assignee_id TEXT, queue TEXT, tier TEXT, type TEXT NOT NULL, contact TEXT, device TEXT,
  due REAL, due_kind TEXT, due_state TEXT NOT NULL, created_at REAL NOT NULL, updated_at REAL NOT NULL,
  customer_replied_at REAL, next_action_at REAL, pending INTEGER NOT NULL DEFAULT 0,
  ord TEXT NOT NULL, revision INTEGER NOT NULL,
  active INTEGER NOT NULL, observed REAL NOT NULL, run INTEGER NOT NULL DEFAULT 0);
CREATE INDEX ticket_order ON ticket(active, ord);
CREATE INDEX ticket_revision ON ticket(revision);
CREATE TABLE ticket_data(ref TEXT PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE ticket_detail(ref TEXT PRIMARY KEY, data BLOB NOT NULL, observed REAL NOT NULL);
CREATE TABLE ticket_asset(ref TEXT NOT NULL, asset_ref TEXT NOT NULL, PRIMARY KEY(ref, asset_ref)) WITHOUT ROWID;
CREATE INDEX ticket_asset_asset ON ticket_asset(asset_ref);
CREATE TABLE device(
  ref TEXT PRIMARY KEY, connection TEXT NOT NULL, name TEXT NOT NULL, online INTEGER, revision INTEGER NOT NULL,
  observed REAL NOT NULL, run INTEGER NOT NULL DEFAULT 0, data BLOB NOT NULL);
CREATE INDEX device_revision ON device(revision);
CREATE TABLE asset(
  ref TEXT PRIMARY KEY, connection TEXT NOT NULL, name TEXT NOT NULL, device_ref TEXT,
  run INTEGER NOT NULL DEFAULT 0, data BLOB NOT NULL);
CREATE INDEX asset_device ON asset(device_ref);
CREATE TABLE alert(
  ref TEXT PRIMARY KEY, connection TEXT NOT NULL, revision INTEGER NOT NULL, cleared INTEGER NOT NULL,
  run INTEGER NOT NULL DEFAULT 0, data BLOB NOT NULL);
CREATE TABLE connection(
  name TEXT PRIMARY KEY, cursor TEXT, checked_at REAL, full_at REAL, run INTEGER NOT NULL DEFAULT 0,
  reason TEXT, sentence TEXT, failed_at REAL, retry_at REAL, skipped TEXT NOT NULL DEFAULT '[]',
  identity TEXT, skew REAL);
CREATE TABLE intent(
  intent_id TEXT PRIMARY KEY, ref TEXT NOT NULL, connection TEXT NOT NULL, action TEXT NOT NULL, state TEXT NOT NULL,
  reason TEXT, created_at REAL NOT NULL, changed_at REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
  plan_hash TEXT NOT NULL, data BLOB NOT NULL);
CREATE INDEX intent_ref ON intent(ref, created_at);
CREATE TABLE lease(name TEXT PRIMARY KEY, owner TEXT NOT NULL, until REAL NOT NULL, fence INTEGER NOT NULL);
"""
LATER = (
    "CREATE TABLE budget(tenant TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID",
    "ALTER TABLE ticket ADD COLUMN escalate_at REAL",
)
"""What made each format of the one before: the first of these made 2 of 1."""
VERSION = 1 + len(LATER)


StoreError = sqlite3.Error
"""What a call of the store may raise where the disk is full or another process has it too long."""


class Database:
    """One process's handle on the store's file.

    Reads are plain; every write goes through `write()`, which takes SQLite's single writer lock at
    once (`BEGIN IMMEDIATE`), so that two processes queue instead of failing half-way.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._open(path)
        except sqlite3.DatabaseError as error:
            raise failed(Reason.BAD_DATA, f"The store {path} can't be used ({error}). {_ADVICE}") from error
        except OSError as error:
            raise failed(
                Reason.REFUSED, f"The state directory {path.parent} can't be used: {error}."
            ) from error

    def _open(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Before SQLite opens anything there.
        must_be_local(path.parent)
        # Made by us, as SQLite would go by the umask; its WAL and shared memory take this file's mode.
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        # isolation_level None: the module would begin deferred transactions by itself, which fail when they
        # come to write after somebody else has.
        self.connection = sqlite3.connect(path, timeout=10, isolation_level=None, cached_statements=256)
        self.connection.execute("PRAGMA journal_mode=WAL")
        # A power cut may take the last commits, never the file: it can all be asked for again, and what
        # can't (`intents`) is written with FULL.
        self.connection.execute("PRAGMA synchronous=NORMAL")
        self._migrate()

    def _migrate(self) -> None:
        if self._version() == VERSION:
            return
        with self.write() as db:
            # Again, under the lock: another process may have migrated it meanwhile.
            found = self._version()
            if found > VERSION:
                raise sqlite3.DatabaseError(
                    f"it was written by a newer mspterm (format {found}, here {VERSION})"
                )
            if found == 0:
                # Not executescript, which commits before it begins.
                for statement in SCHEMA.split(";\n"):
                    if statement.strip():
                        db.execute(statement)
                found = 1
            for statement in LATER[found - 1 :]:
                db.execute(statement)
            # Part of the transaction: a cut leaves the old format whole.
            db.execute(f"PRAGMA user_version={VERSION}")

    def _version(self) -> int:
        return int(self.connection.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One write transaction; nested use joins the outer one."""
        if self.connection.in_transaction:
            yield self.connection
            return
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
        # A cancelled task or Ctrl-C too must not keep the one writer's lock.
        except BaseException:
            # A full disk makes SQLite take it back by itself, and then there is nothing to.
            with suppress(StoreError):
                self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def next_revision(self) -> int:
        """The number for the rows of this transaction; call inside `write()`."""
        row = self.connection.execute(
            "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'revision' RETURNING value"
        ).fetchone()
        return int(row[0])

    @property
    def revision(self) -> int:
        """The number of the last change by any process."""
        return int(self.connection.execute("SELECT value FROM meta WHERE key = 'revision'").fetchone()[0])

    def changed_elsewhere(self) -> int:
        """A number that differs when another process has committed since; costs microseconds."""
        return int(self.connection.execute("PRAGMA data_version").fetchone()[0])

    def get(self, key: str) -> str | None:
        row = self.connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def put(self, key: str, value: str) -> None:
        with self.write() as db:
            db.execute(
                "INSERT INTO meta VALUES(?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (key, value)
            )

    def scrub(self) -> bool:
        """Rewrites the file, so that no byte of what was deleted is left in it or in its WAL. False where
        another process at work kept that from being done."""
        try:
            # The copy that it is made from must not lie in a directory for all.
            self.connection.execute("PRAGMA temp_store=MEMORY")
            self.connection.execute("VACUUM")
            busy = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.OperationalError:
            return False
        return not busy

    def close(self) -> None:
        self.connection.close()


_ADVICE = "Move it away to start anew: only what was last known is lost, not what was done."
