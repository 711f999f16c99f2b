"""A PSA as a judge sees it: by its own records, past every proxy; and as an mspterm process is told of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Told = dict[str, Any]
"""The fields of a `config.model.Connection`, as JSON has them."""


@dataclass(frozen=True, slots=True)
class Held:
    """What the server says of a ticket besides its texts; `owner` is a login."""

    status: str
    owner: str | None
    minutes: int


class Judge(Protocol):
    """The server's own word. `me` is whose writes they are; `statuses` are two that a technician may set;
    `reopens` is the one that a reply may bring about by itself."""

    name: str
    me: str
    statuses: tuple[str, str]
    reopens: str | None

    @property
    def url(self) -> str: ...

    @property
    def secrets(self) -> Mapping[str, str]: ...

    def connection(self, url: str, timeout_s: float) -> Told:
        """How mspterm reaches it at `url`, which may be a proxy's."""
        ...

    async def new_ticket(self, subject: str) -> str:
        """The id of a ticket that nobody holds."""
        ...

    async def said(self, id: str) -> Counter[str]:
        """Every text on the ticket, and how often it is there."""
        ...

    async def held(self, id: str) -> Held: ...

    async def resolve(self, id: str) -> None: ...

    async def aclose(self) -> None: ...
