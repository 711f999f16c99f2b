"""What is known of each connection's own state, and who polls it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from mspterm.domain.reasons import Failure, Reason
from mspterm.store.db import Database


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """`checked_at`: when it last answered that we are up to date; `failure`: why it doesn't now."""

    name: str
    cursor: str | None = None
    checked_at: datetime | None = None
    full_at: datetime | None = None
    run: int = 0
    failure: Failure | None = None
    failed_at: datetime | None = None
    skipped: tuple[tuple[str, str], ...] = ()
    identity: str | None = None
    skew_s: float | None = None


def _time(value: float | None) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(value, UTC)


class Connections:
    def __init__(self, database: Database) -> None:
        self._db = database

    def get(self, name: str) -> ConnectionState:
        sql = (
            "SELECT cursor, checked_at, full_at, run, reason, sentence, failed_at, retry_at, skipped, identity, skew"
            " FROM connection WHERE name = ?"
        )
        r = self._db.connection.execute(sql, (name,)).fetchone()
        if r is None:
            return ConnectionState(name)
        failure = None if r[4] is None else Failure(Reason(r[4]), r[5], name, _time(r[7]))
        skipped = tuple((str(i), str(why)) for i, why in json.loads(r[8]))
        return ConnectionState(
            name, r[0], _time(r[1]), _time(r[2]), r[3], failure, _time(r[6]), skipped, r[9], r[10]
        )

    def _ensure(self, name: str) -> None:
        self._db.connection.execute("INSERT OR IGNORE INTO connection(name) VALUES(?)", (name,))

    def next_run(self, name: str) -> int:
        """A new generation number for a full run."""
        with self._db.write() as db:
            self._ensure(name)
            sql = "UPDATE connection SET run = run + 1 WHERE name = ? RETURNING run"
            return int(db.execute(sql, (name,)).fetchone()[0])

    def caught_up(
        self,
        name: str,
        at: datetime,
        cursor: str | None,
        *,
        full: bool,
        skipped: list[tuple[str, str]] | None,
    ) -> None:
        """The connection answered and we know all it has; clears its failure."""
        with self._db.write() as db:
            self._ensure(name)
            db.execute(
                "UPDATE connection SET cursor = coalesce(?, cursor), checked_at = ?, reason = NULL,"
                " sentence = NULL, failed_at = NULL, retry_at = NULL WHERE name = ?",
                (cursor, at.timestamp(), name),
            )
            if full:
                db.execute("UPDATE connection SET full_at = ? WHERE name = ?", (at.timestamp(), name))
            if skipped is not None:
                db.execute("UPDATE connection SET skipped = ? WHERE name = ?", (json.dumps(skipped), name))

    def failed(self, name: str, failure: Failure, at: datetime) -> None:
        """The last data stays; the reason stands beside its age."""
        retry = None if failure.retry_at is None else failure.retry_at.timestamp()
        with self._db.write() as db:
            self._ensure(name)
            db.execute(
                # Since the first failure in a row, not the last: `caught_up` clears it.
                "UPDATE connection SET reason = ?, sentence = ?, failed_at = coalesce(failed_at, ?), retry_at = ?"
                " WHERE name = ?",
                (failure.reason.value, failure.sentence, at.timestamp(), retry, name),
            )

    def acts_as(self, name: str, identity: str) -> None:
        with self._db.write() as db:
            self._ensure(name)
            db.execute("UPDATE connection SET identity = ? WHERE name = ?", (identity, name))

    def skewed(self, name: str, seconds: float) -> None:
        """How far the server's clock is ahead of ours."""
        with self._db.write() as db:
            self._ensure(name)
            db.execute("UPDATE connection SET skew = ? WHERE name = ?", (seconds, name))

    def lease(self, name: str, owner: str, now: datetime, seconds: float) -> int | None:
        """Takes or renews the right to poll; the fencing number, or None while another holds it."""
        with self._db.write() as db:
            held = db.execute("SELECT owner, until, fence FROM lease WHERE name = ?", (name,)).fetchone()
            if held is not None and held[0] != owner and held[1] > now.timestamp():
                return None
            # A renewal keeps the number: the holder's own batches under way must not be fenced off.
            fence = 1 if held is None else held[2] + (held[0] != owner)
            row = (name, owner, now.timestamp() + seconds, fence)
            db.execute("INSERT OR REPLACE INTO lease VALUES(?, ?, ?, ?)", row)
            return int(fence)

    def holder(self, name: str, now: datetime) -> str | None:
        """Who holds it; costs no write."""
        sql = "SELECT owner FROM lease WHERE name = ? AND until > ?"
        found = self._db.connection.execute(sql, (name, now.timestamp())).fetchone()
        return None if found is None else str(found[0])

    def fence(self, name: str, owner: str, until: datetime) -> int | None:
        """The owner's number where it holds it for as long as that; costs no write."""
        sql = "SELECT fence FROM lease WHERE name = ? AND owner = ? AND until > ?"
        found = self._db.connection.execute(sql, (name, owner, until.timestamp())).fetchone()
        return None if found is None else int(found[0])

    def release(self, name: str, owner: str) -> None:
        """Lets it go. Its number stays, so that the next holder's is another."""
        with self._db.write() as db:
            sql = "UPDATE lease SET owner = '', until = 0 WHERE name = ? AND owner = ?"
            db.execute(sql, (name, owner))
