"""The outbox: every write on disk before it leaves, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mspterm.domain.action import NewTicket, Reboot, RunCommand, Update, Write
from mspterm.store.codec import pack, unpack
from mspterm.store.db import Database

OPEN = ("queued", "sending", "uncertain")
_KINDS: dict[str, type[Update] | type[NewTicket] | type[RunCommand] | type[Reboot]] = {
    k.__name__: k for k in (Update, NewTicket, RunCommand, Reboot)
}


@dataclass(frozen=True, slots=True)
class Intent:
    """`state`: queued, sending, sent, confirmed, failed, uncertain or cancelled."""

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


@dataclass(frozen=True, slots=True)
class _Stored:
    kind: str
    body: bytes


class Intents:
    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, intent: Intent) -> None:
        data = pack(_Stored(type(intent.write).__name__, pack(intent.write)))
        at = intent.created_at.timestamp()
        with self._db.write() as db:
            db.execute(
                "INSERT INTO intent VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (intent.intent_id, intent.ref, intent.connection, intent.action, intent.state, intent.reason,
                 at, at, intent.attempts, intent.plan_hash, data),
            )  # fmt: skip

    def move(
        self, intent_id: str, state: str, reason: str | None, at: datetime, *, attempt: bool = False
    ) -> None:
        with self._db.write() as db:
            db.execute(
                "UPDATE intent SET state = ?, reason = ?, changed_at = ?, attempts = attempts + ? WHERE intent_id = ?",
                (state, reason, at.timestamp(), int(attempt), intent_id),
            )

    def get(self, intent_id: str) -> Intent | None:
        found = self._select("WHERE intent_id = ?", intent_id)
        return found[0] if found else None

    def listed(self, now: datetime) -> list[Intent]:
        """Undecided ones, and decided ones of the last day."""
        since = (now - timedelta(days=1)).timestamp()
        return self._select("WHERE state IN ('queued', 'sending', 'uncertain') OR changed_at >= ?", since)

    def queued(self, connection: str) -> list[Intent]:
        """What waits for this connection, oldest first."""
        return self._select("WHERE connection = ? AND state = 'queued'", connection)

    def in_state(self, state: str) -> list[Intent]:
        return self._select("WHERE state = ?", state)

    def pending(self, ref: str) -> int:
        sql = "SELECT count(*) FROM intent WHERE ref = ? AND state IN ('queued', 'sending', 'uncertain')"
        return int(self._db.connection.execute(sql, (ref,)).fetchone()[0])

    def _select(self, where: str, *values: object) -> list[Intent]:
        sql = (
            "SELECT intent_id, ref, connection, action, state, reason, created_at, attempts, plan_hash, data"
            f" FROM intent {where} ORDER BY created_at, intent_id"
        )
        return [_intent(r) for r in self._db.connection.execute(sql, values)]


def _intent(r: tuple[object, ...]) -> Intent:
    stored = unpack(_bytes(r[9]), _Stored)
    write = unpack(stored.body, _KINDS[stored.kind])
    made = datetime.fromtimestamp(float(str(r[6])), UTC)
    reason = None if r[5] is None else str(r[5])
    attempts = int(str(r[7]))
    return Intent(
        str(r[0]), str(r[1]), str(r[2]), str(r[3]), str(r[4]), reason, made, attempts, str(r[8]), write
    )


def _bytes(value: object) -> bytes:
    assert isinstance(value, bytes)
    return value
