"""The store as the desk and the front ends see it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mspterm.store.db import Database
from mspterm.store.rows import Rows

if TYPE_CHECKING:
    from mspterm.store.connections import Connections
    from mspterm.store.devices import Devices
    from mspterm.store.intents import Intents
    from mspterm.store.tickets import Tickets


class Store:
    """Everything last known, in `STATE_DIR/store.db`. Calls are short and synchronous.

    `rows` is light; the rest is imported at its first use, so that the queue can be painted before.
    """

    def __init__(self, state_dir: Path) -> None:
        self.database = Database(state_dir / "store.db")
        self.rows = Rows(self.database)

    @cached_property
    def tickets(self) -> Tickets:
        from mspterm.store.tickets import Tickets

        return Tickets(self.database)

    @cached_property
    def devices(self) -> Devices:
        from mspterm.store.devices import Devices

        return Devices(self.database)

    @cached_property
    def connections(self) -> Connections:
        from mspterm.store.connections import Connections

        return Connections(self.database)

    @cached_property
    def intents(self) -> Intents:
        from mspterm.store.intents import Intents

        return Intents(self.database)

    def purge(self) -> None:
        """Forgets all that can be asked for again; intents stay."""
        with self.database.write() as db:
            for table in (
                "ticket",
                "ticket_data",
                "ticket_detail",
                "ticket_asset",
                "device",
                "asset",
                "alert",
            ):
                db.execute(f"DELETE FROM {table}")
            db.execute("UPDATE connection SET cursor = NULL, checked_at = NULL, full_at = NULL")
            self.database.next_revision()
        self.database.connection.execute("VACUUM")

    def close(self) -> None:
        self.database.close()
