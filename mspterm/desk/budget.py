"""Each connection's budget of calls, and the waits that servers ask for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from mspterm.domain.reasons import Failed, Failure, Reason
from mspterm.net.pacer import CallClass
from mspterm.store.store import Store


class SharedPacer:
    """A Retry-After binds every process of the user: it is kept in the store until it has passed."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    async def turn(self, connection: str, kind: CallClass) -> None:
        held = self._store.database.get(f"hold:{connection}")
        if held is None:
            return
        until = datetime.fromisoformat(held)
        if until > self._now():
            sentence = (
                f"{connection} asked us to wait until {until:%H:%M:%S} UTC; nothing is sent before that."
            )
            raise Failed(Failure(Reason.RATE_LIMIT, sentence, connection, until))

    def limited(self, connection: str, until: datetime) -> None:
        self._store.database.put(f"hold:{connection}", until.isoformat())
