"""Which connector serves which kind, loaded only when a connection of that kind is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from importlib import import_module
from typing import Protocol, cast

from mspterm.config.model import Connection
from mspterm.connectors.base import Connector, Manifest
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.secret import Secret
from mspterm.net.pacer import Pacer

# Names and no imports: to list kinds or read a manifest must load neither httpx nor wire types.
_KINDS = {
    "rt": ("mspterm.connectors.rt.manifest", "mspterm.connectors.rt.connector", "RtConnector"),
    "meshcentral": (
        "mspterm.connectors.meshcentral.manifest",
        "mspterm.connectors.meshcentral.connector",
        "MeshConnector",
    ),
    "connectwise": (
        "mspterm.connectors.connectwise.manifest",
        "mspterm.connectors.connectwise.connector",
        "CwConnector",
    ),
    "ninjaone": (
        "mspterm.connectors.ninjaone.manifest",
        "mspterm.connectors.ninjaone.connector",
        "NinjaConnector",
    ),
}


_ROTATING = frozenset({"ninjaone"})
"""Kinds whose server replaces a stored secret (an OAuth refresh token) as it is used."""


class Keeper(Protocol):
    """Where a connector hands the secret that its server gave in place of the last one."""

    async def keep(self, field: str, new: Secret) -> None: ...

    def renewing(self, field: str) -> AbstractAsyncContextManager[Secret | None]: ...


def manifest(connection: Connection) -> Manifest:
    """The light half. Raises Failed where this version has no connector of that kind."""
    return cast(Manifest, import_module(_entry(connection)[0]).MANIFEST)


def build(
    connection: Connection,
    secrets: Mapping[str, Secret],
    *,
    pacer: Pacer,
    now: Callable[[], datetime],
    keeper: Keeper,
) -> Connector:
    """The connector of one connection; makes no call yet."""
    _, module, name = _entry(connection)
    factory = cast(Callable[..., Connector], getattr(import_module(module), name))
    # Only for these: the other constructors are given no way to change a stored secret.
    if connection.kind in _ROTATING:
        hands = {"keep_secret": keeper.keep, "renewing": keeper.renewing}
        return factory(connection, secrets, pacer=pacer, now=now, **hands)
    return factory(connection, secrets, pacer=pacer, now=now)


def _entry(connection: Connection) -> tuple[str, str, str]:
    try:
        return _KINDS[connection.kind]
    except KeyError:
        known = ", ".join(sorted(_KINDS))
        sentence = (
            f"{connection.name}: this version has no connector for {connection.kind} yet (it has {known})."
        )
        raise failed(Reason.REFUSED, sentence, connection.name) from None
