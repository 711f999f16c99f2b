"""The protocol by which every call asks for its share of a connection's budget."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from mspterm.domain.budget import CallClass

__all__ = ["CallClass", "FreePacer", "Pacer"]


class Pacer(Protocol):
    """Asked before every request and told of every limit that a server names."""

    async def turn(self, connection: str, kind: CallClass) -> None:
        """Returns when one request of this class may go."""
        ...

    def limited(self, connection: str, until: datetime) -> None:
        """The server answered 429 or 503 with a time before which nothing may be sent (UTC)."""
        ...

    def throttled(self, connection: str) -> None:
        """The server answered 429 without a time."""
        ...


class FreePacer:
    """No budget: for tests and for servers without a limit."""

    async def turn(self, connection: str, kind: CallClass) -> None:
        return None

    def limited(self, connection: str, until: datetime) -> None:
        return None

    def throttled(self, connection: str) -> None:
        return None
