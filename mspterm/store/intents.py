"""The outbox: every write on disk before it leaves, and what became of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from mspterm.domain.action import Attach, NewTicket, OpenSession, Reboot, RunCommand, Update, Write
from mspterm.domain.reasons import Reason, failed
from mspterm.store.codec import pack, unpack
from mspterm.store.db import Database

OPEN = ("queued", "sending", "sent", "uncertain")
"""States that are not the end of it: they stay listed, and count as pending on their ticket."""
# The same in SQL.
_OPEN = "('queued', 'sending', 'sent', 'uncertain')"
KEPT = timedelta(days=7)
"""Decided intents hold texts of clients: the evidence is in the journal, without them."""
# The names are on disk: under another one, what waits could not be read any more.
_KINDS: dict[str, type[Write]] = {
    k.__name__: k for k in (Update, NewTicket, RunCommand, Reboot, OpenSession, Attach)
}
# An earlier intent on the same ticket that has not gone yet keeps later ones back. Earlier by the
# order in which they came, as a clock may step back.
_EARLIER = (
    "SELECT 1 FROM intent o WHERE o.ref = intent.ref AND o.state IN ('queued', 'sending', 'uncertain')"
    " AND o.rowid < intent.rowid"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a ticket was like when a write on it was decided upon."""

    status: str
    closed: bool
    owner: str | None
    customer_replied_at: datetime | None


@dataclass(frozen=True, slots=True)
class Intent:
    """`state`: queued, sending, sent (done, and not yet in the journal as done), confirmed, failed,
    uncertain or cancelled."""

    intent_id: str
    ref: str
    connection: str
    action: str
    state: str
    reason: str | None
    created_at: datetime
    attempts: int
    plan_hash: str
    write: Write
    seen: Seen | None = None


@dataclass(frozen=True, slots=True)
class _Stored:
    kind: str
    body: bytes
    seen: Seen | None = None


class Intents:
    """Every change is on disk when its call returns. Raises Failed where that can't be done."""

    def __init__(self, database: Database) -> None:
        self._db = database

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that outlives a power cut too, unlike those of what can be asked for again."""
        connection = self._db.connection
        # SQLite refuses to change `synchronous` within a transaction.
        assert not connection.in_transaction
        try:
            connection.execute("PRAGMA synchronous=FULL")
            with self._db.write() as db:
                yield db
        except sqlite3.Error as error:
            sentence = f"The outbox in {self._db.path} can't be written ({error}), so nothing is sent."
            raise failed(Reason.REFUSED, sentence) from error
        finally:
            # Always back, or each batch of a poll would wait for the disk as well.
            connection.execute("PRAGMA synchronous=NORMAL")

    def add(self, intent: Intent, *, sender: str | None = None, ordered: bool = False) -> bool:
        """Puts it on disk. `sender` is the process that sends it now. Where it is `ordered` and an
        earlier one on the same ticket waits, it is queued behind that; returns whether it is not."""
        body = pack(_Stored(type(intent.write).__name__, pack(intent.write), intent.seen))
        at = intent.created_at.timestamp()
        with self._write() as db:
            state = intent.state
            # Asked within the transaction, or two verbs at once would both find the ticket free.
            if ordered and self._waiting(intent.ref):
                state = "queued"
            db.execute(
                "INSERT INTO intent VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (intent.intent_id, intent.ref, intent.connection, intent.action, state, intent.reason,
                 at, at, intent.attempts if state == intent.state else 0, intent.plan_hash, body),
            )  # fmt: skip
            if state == "sending" and sender is not None:
                _sends(db, intent.intent_id, sender)
        return state == intent.state

    def _waiting(self, ref: str) -> bool:
        sql = "SELECT 1 FROM intent WHERE ref = ? AND state IN ('queued', 'sending') LIMIT 1"
        return self._db.connection.execute(sql, (ref,)).fetchone() is not None

    def claim(self, intent_id: str, state: str, sender: str, at: datetime, *, ordered: bool = False) -> bool:
        """Moves it from `state` to sending, for this one of all processes; False where another was
        quicker, or where it is `ordered` and an earlier one on the same ticket has not gone."""
        sql = (
            "UPDATE intent SET state = 'sending', changed_at = ?, attempts = attempts + 1"
            " WHERE intent_id = ? AND state = ?"
        )
        if ordered:
            sql += f" AND NOT EXISTS ({_EARLIER})"
        with self._write() as db:
            # The state in WHERE is the lock: of several processes one changes the row.
            won = db.execute(sql, (at.timestamp(), intent_id, state)).rowcount == 1
            if won:
                _sends(db, intent_id, sender)
        return won

    def move(
        self, intent_id: str, state: str, reason: str | None, at: datetime, *, expected: str | None = None
    ) -> bool:
        """Its new state; False where it is not (any more) in the one that is `expected`."""
        sql = "UPDATE intent SET state = ?, reason = ?, changed_at = ? WHERE intent_id = ?"
        values = (state, reason, at.timestamp(), intent_id)
        with self._write() as db:
            if expected is None:
                moved = db.execute(sql, values).rowcount == 1
            else:
                moved = db.execute(f"{sql} AND state = ?", (*values, expected)).rowcount == 1
            # What is sent still has to be journalled by its sender; recovery asks whether that one lives.
            if moved and state != "sent":
                db.execute("DELETE FROM lease WHERE name = ?", (f"send:{intent_id}",))
        return moved

    def rebase(self, ref: str, change: Callable[[Seen], Seen]) -> None:
        """What waits for this ticket takes our own change of it for granted."""
        waiting = [i for i in self._select("WHERE ref = ? AND state = 'queued'", ref) if i.seen is not None]
        if not waiting:
            return
        with self._write() as db:
            for intent in waiting:
                seen = None if intent.seen is None else change(intent.seen)
                body = pack(_Stored(type(intent.write).__name__, pack(intent.write), seen))
                db.execute("UPDATE intent SET data = ? WHERE intent_id = ?", (body, intent.intent_id))

    def prune(self, now: datetime) -> None:
        """Forgets what was decided a week ago."""
        sql = f"SELECT 1 FROM intent WHERE state NOT IN {_OPEN} AND changed_at < ? LIMIT 1"
        before = ((now - KEPT).timestamp(),)
        if self._db.connection.execute(sql, before).fetchone() is not None:
            with self._write() as db:
                db.execute(f"DELETE FROM intent WHERE state NOT IN {_OPEN} AND changed_at < ?", before)

    def get(self, intent_id: str) -> Intent | None:
        found = self._select("WHERE intent_id = ?", intent_id)
        return found[0] if found else None

    def listed(self, now: datetime) -> list[Intent]:
        """Undecided ones, and decided ones of the last day."""
        since = (now - timedelta(days=1)).timestamp()
        return self._select(f"WHERE state IN {_OPEN} OR changed_at >= ?", since)

    def queued(self, connection: str) -> list[Intent]:
        """What waits for this connection, oldest first."""
        return self._select("WHERE connection = ? AND state = 'queued'", connection)

    def unsettled(self, connection: str) -> bool:
        """Whether there is anything to send, to look for or to record."""
        sql = "SELECT 1 FROM intent WHERE connection = ? AND state IN ('queued', 'sent', 'uncertain') LIMIT 1"
        return self._db.connection.execute(sql, (connection,)).fetchone() is not None

    def uncertain(self, connection: str) -> list[Intent]:
        return self._select("WHERE connection = ? AND state = 'uncertain'", connection)

    def in_state(self, state: str) -> list[Intent]:
        return self._select("WHERE state = ?", state)

    def sender(self, intent_id: str) -> str | None:
        """The process that sends it."""
        sql = "SELECT owner FROM lease WHERE name = ?"
        found = self._db.connection.execute(sql, (f"send:{intent_id}",)).fetchone()
        return None if found is None else str(found[0])

    def confirmed_since(self, ref: str, since: datetime) -> list[Intent]:
        """What is known to have arrived on a ticket and was on its way after `since`."""
        sql = "WHERE ref = ? AND state IN ('sent', 'confirmed') AND changed_at >= ?"
        return self._select(sql, ref, since.timestamp())

    def acted_on_devices(self, since: datetime) -> int:
        """How many commands and restarts were begun after `since`, whatever became of them."""
        sql = "SELECT count(*) FROM intent WHERE action IN ('run', 'reboot') AND created_at > ?"
        return int(self._db.connection.execute(sql, (since.timestamp(),)).fetchone()[0])

    def pending(self, ref: str) -> int:
        sql = f"SELECT count(*) FROM intent WHERE ref = ? AND state IN {_OPEN}"
        return int(self._db.connection.execute(sql, (ref,)).fetchone()[0])

    def _select(self, where: str, *values: object) -> list[Intent]:
        sql = (
            "SELECT intent_id, ref, connection, action, state, reason, created_at, attempts, plan_hash, data"
            # In the order in which they came: created_at is by a clock that may be set.
            f" FROM intent {where} ORDER BY rowid"
        )
        return [_intent(r) for r in self._db.connection.execute(sql, values)]


def _sends(db: sqlite3.Connection, intent_id: str, sender: str) -> None:
    # Without a time: whether the sender lives is told by its lock file, which the kernel frees.
    db.execute("INSERT OR REPLACE INTO lease VALUES(?, ?, 0, 0)", (f"send:{intent_id}", sender))


def _intent(r: tuple[object, ...]) -> Intent:
    stored = unpack(_bytes(r[9]), _Stored)
    write = unpack(stored.body, _KINDS[stored.kind])
    made = datetime.fromtimestamp(float(str(r[6])), UTC)
    reason = None if r[5] is None else str(r[5])
    found = Intent(
        str(r[0]), str(r[1]), str(r[2]), str(r[3]), str(r[4]), reason, made, int(str(r[7])), str(r[8]), write
    )
    return replace(found, seen=stored.seen)


def _bytes(value: object) -> bytes:
    assert isinstance(value, bytes)
    return value
