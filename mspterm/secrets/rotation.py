"""Refresh tokens that rotate: renewed by one process at a time, as the old one ends with its use."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Protocol

from mspterm.config.locked import locked, take
from mspterm.config.paths import place, private_dir
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.secret import Secret
from mspterm.secrets.aside import aside

RENEW_S = 45.0
"""More than one answer of a vendor may take, so that a process which hangs stops nobody for ever."""
# Looked at again and again: a flock that blocks in a thread has no time limit and can't be cancelled.
_LOOK_S = 0.05


class Chain(Protocol):
    """The part of `secrets.chain.Credentials` that renews."""

    def rotate(self, connection: str, field: str, old: Secret | None, new: Secret) -> str: ...

    def renewing(self, connection: str, field: str) -> AbstractAsyncContextManager[Secret | None]: ...


class Keeper:
    """One connection's tokens as its connector knows them: `keep` and `renewing` are its callbacks."""

    def __init__(self, chain: Chain, connection: str, secrets: Mapping[str, Secret]) -> None:
        self._chain, self._connection, self._last = chain, connection, dict(secrets)

    async def keep(self, field: str, new: Secret) -> None:
        """Stores what the server gave in place of the last one. Raises Failed, as `rotate` does."""
        old = self._last.get(field)
        # Whether or not it can be stored: the server has ended the old one.
        self._last[field] = new
        await aside(lambda: self._chain.rotate(self._connection, field, old, new))

    @asynccontextmanager
    async def renewing(self, field: str) -> AsyncIterator[Secret | None]:
        """While a token is renewed, alone, with the one to renew by; the caller's own where None."""
        async with self._chain.renewing(self._connection, field) as newest:
            if newest is not None:
                self._last[field] = newest
            yield newest


@contextmanager
def alone(connection: str, field: str, env: Mapping[str, str]) -> Iterator[None]:
    """While one secret is compared and stored: milliseconds."""
    # Another lock than `renew`: `rotate` comes here while `renewing` is held, and would wait for itself.
    with locked(_lock(connection, field, "store", env)):
        yield


@asynccontextmanager
async def alone_for_long(connection: str, field: str, env: Mapping[str, str]) -> AsyncIterator[None]:
    """While a vendor is asked. Raises Failed where another process keeps it for RENEW_S seconds."""
    path = _lock(connection, field, "renew", env)
    loop = asyncio.get_running_loop()
    until = loop.time() + RENEW_S
    # A process that is killed in there lets go too: the kernel drops its lock.
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
