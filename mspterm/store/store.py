"""The store as the desk and the front ends see it."""

from __future__ import annotations

from pathlib import Path

from mspterm.store.connections import Connections
from mspterm.store.db import Database
from mspterm.store.devices import Devices
from mspterm.store.intents import Intents
from mspterm.store.tickets import Tickets


class Store:
    """Everything last known, in `STATE_DIR/store.db`. Calls are short and synchronous."""

    def __init__(self, state_dir: Path) -> None:
        self.database = Database(state_dir / "store.db")
        self.tickets = Tickets(self.database)
        self.devices = Devices(self.database)
        self.connections = Connections(self.database)
        self.intents = Intents(self.database)

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
