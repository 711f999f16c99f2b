"""Why something failed, as a value: one word to act on and one sentence that says what to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Reason(StrEnum):
    """The kinds of failure that a person handles differently."""

    AUTH = "auth"
    PERMISSION = "permission"
    RATE_LIMIT = "rate limit"
    OFFLINE = "offline"
    SERVER = "server"
    BAD_DATA = "bad data"
    NOT_FOUND = "not found"
    CONFLICT = "conflict"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure of one connection (or of mspterm itself, where `connection` is None).

    `sentence` is a whole sentence for a person: what happened, to what, and what to do. It never
    holds a secret, a header, a query string or a body. `retry_at` (UTC) is when trying again makes
    sense, where that is known.
    """

    reason: Reason
    sentence: str
    connection: str | None = None
    retry_at: datetime | None = None

    def __str__(self) -> str:
        """The form that `--json` and the journal use: the reason word, then the sentence."""
        return f"{self.reason.value}: {self.sentence}"


class Failed(Exception):
    """Carries a Failure through a call stack; caught at the layer that shows or stores it."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure))
        self.failure = failure


def failed(reason: Reason, sentence: str, connection: str | None = None) -> Failed:
    """The exception for a failure without a time to retry at."""
    return Failed(Failure(reason, sentence, connection))
