"""A connection tried with secrets that are not stored yet: who would it act as?"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from mspterm.config.kinds import secret_variable
from mspterm.config.model import Config, Connection
from mspterm.desk.desk import Desk
from mspterm.domain.people import Identity
from mspterm.domain.secret import Secret
from mspterm.secrets.chain import Credentials


def greet(connection: Connection, secrets: Mapping[str, Secret], state_dir: Path) -> Identity:
    """Asks the server. Raises Failed, with what to do, where it refuses or can't be reached.

    The secrets take the environment's place in a mapping of this process, which no child inherits.
    """
    given = {secret_variable(connection.name, field): held.reveal() for field, held in secrets.items()}
    credentials = Credentials({**os.environ, **given})
    return asyncio.run(_greet(connection, credentials, state_dir))


async def _greet(connection: Connection, credentials: Credentials, state_dir: Path) -> Identity:
    # In the real state directory: these calls count in the tenant's budget, and a wait it asked for binds.
    desk = Desk(Config(connections={connection.name: connection}), state_dir, credentials=credentials)
    try:
        return await (await desk.connector(connection.name)).whoami()
    finally:
        await desk.aclose()


def is_somebody(identity: Identity) -> bool:
    """Whether it has a name: NinjaOne knows of a login, and not whose it is."""
    return " " not in identity.technician.id


def named(identity: Identity) -> str:
    """`Ines Duarte (ines), RT 5.0.3`."""
    who = identity.technician
    return (who.name if who.name == who.id else f"{who.name} ({who.id})") + (
        f", {identity.version}" if identity.version else ""
    )
