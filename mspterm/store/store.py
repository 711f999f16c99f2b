"""The store as the desk and the front ends see it.

`Store` and what hangs on it is the interface, and there is no second one: SQL, the file and its errors
stay in this package (a test holds it), so that a store on a shared server can stand beside it as another
class with these attributes. A Protocol of all these methods would only repeat them while there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mspterm.store.db import Database, StoreError
from mspterm.store.rows import Rows

if TYPE_CHECKING:
    from mspterm.store.budgets import Budgets
    from mspterm.store.connections import Connections
    from mspterm.store.devices import Devices
    from mspterm.store.forgetting import Belongs, Forgotten
    from mspterm.store.intents import Intents
    from mspterm.store.tickets import Tickets


__all__ = ["Store", "StoreError"]


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
    def budgets(self) -> Budgets:
        from mspterm.store.budgets import Budgets

        return Budgets(self.database)

    @cached_property
    def intents(self) -> Intents:
        from mspterm.store.intents import Intents

        return Intents(self.database)

    def retain(self, before: datetime, bodiless: Sequence[str] = ()) -> None:
        """Forgets closed tickets and conversations not asked for since, and conversations of clients that
        keep none (`bodiless`, by name)."""
        from mspterm.store.forgetting import retain

        retain(self.database, before, bodiless)

    def purge(self) -> bool:
        """Forgets all that can be asked for again, and texts that were sent; open intents stay. False
        where the bytes are not gone from the file yet, as another process was at work."""
        from mspterm.store.forgetting import purge_all

        return purge_all(self.database)

    def purge_client(self, belongs: Belongs) -> Forgotten:
        """The same of one client."""
        from mspterm.store.forgetting import purge_client

        return purge_client(self.database, belongs)

    def purged_since(self, revision: int) -> bool:
        """Whether rows went, by anybody's purge, that no change since then tells of."""
        from mspterm.store.forgetting import PURGED

        return int(self.database.get(PURGED) or 0) > revision

    def close(self) -> None:
        self.database.close()
