"""What every backend is asked, and what it answers: a state and a sentence, never an exception."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from mspterm.domain.secret import Secret


class State(StrEnum):
    """How a look into a backend ended."""

    FOUND = "found"
    STORED = "stored"
    DELETED = "deleted"
    ABSENT = "absent"
    LOCKED = "locked"
    NO_BACKEND = "no backend"
    READ_ONLY = "read only"
    TIMED_OUT = "timed out"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of one call. `sentence` says what to do, or where the secret is."""

    state: State
    sentence: str
    secret: Secret | None = None

    @property
    def reachable(self) -> bool:
        """Whether the backend itself works, whatever it holds."""
        # LOCKED is not among them: what can't be read now says nothing of what is kept.
        return self.state in (State.FOUND, State.STORED, State.DELETED, State.ABSENT)


class SecretStore(Protocol):
    """A backend. `name` is its word in auth.toml, `title` its name in a sentence."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    def get(self, connection: str, field: str) -> Answer:
        """The secret, or why there is none. Never asks anybody anything."""
        ...

    def set(self, connection: str, field: str, secret: Secret) -> Answer:
        """Stores the secret in place of an earlier one: STORED, or why not."""
        ...

    def delete(self, connection: str, field: str) -> Answer:
        """DELETED, ABSENT where there was none, or why not."""
        ...


class Unusable:
    """Stands for a backend that can't be told: every call is answered with the reason."""

    title = "no backend"

    def __init__(self, name: str, sentence: str) -> None:
        self.name, self._sentence = name, sentence

    def get(self, connection: str, field: str) -> Answer:
        return Answer(State.FAILED, f"{connection}: {self._sentence}")

    def set(self, connection: str, field: str, secret: Secret) -> Answer:
        return self.get(connection, field)

    def delete(self, connection: str, field: str) -> Answer:
        return self.get(connection, field)
