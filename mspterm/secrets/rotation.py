"""Refresh tokens that rotate: renewed by one process at a time, as the old one ends with its use."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from mspterm.config.locked import locked, take
from mspterm.config.paths import place, private_dir
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.secret import Secret

KeepSecret = Callable[[str, Secret], Awaitable[None]]
"""Stores a secret of one connection under a field's name, in place of the old one."""

RENEW_S = 45.0
"""More than one answer of a vendor may take, so that a process which hangs stops nobody for ever."""
_LOOK_S = 0.05


@contextmanager
def alone(connection: str, field: str, env: Mapping[str, str]) -> Iterator[None]:
    """While one secret is compared and stored: milliseconds."""
    with locked(_lock(connection, field, "store", env)):
        yield


@asynccontextmanager
async def alone_for_long(connection: str, field: str, env: Mapping[str, str]) -> AsyncIterator[None]:
    """While a vendor is asked. Raises Failed where another process keeps it for RENEW_S seconds."""
    path = _lock(connection, field, "renew", env)
    loop = asyncio.get_running_loop()
    until = loop.time() + RENEW_S
    while (handle := take(path)) is None:
        if loop.time() > until:
            sentence = (
                f"{connection}: another mspterm has been renewing its {field} for {RENEW_S:g} s: end it."
            )
            raise failed(Reason.OFFLINE, sentence, connection)
        await asyncio.sleep(_LOOK_S)
    try:
        yield
    finally:
        os.close(handle)


def _lock(connection: str, field: str, what: str, env: Mapping[str, str]) -> Path:
    """At the user's own place whatever the state directory: the backend is the user's as well."""
    return private_dir(place("state", env) / "locks") / f"{connection}.{field}.{what}"
