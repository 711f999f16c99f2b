"""What every process of the user has spent of each tenant's budget."""

from __future__ import annotations

from collections.abc import Callable

from mspterm.domain.budget import Ledger
from mspterm.store.codec import pack, unpack
from mspterm.store.db import Database


class Budgets:
    """One small row a tenant. A call costs one short transaction, an idle connection none."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def get(self, tenant: str) -> Ledger:
        sql = "SELECT data FROM budget WHERE tenant = ?"
        found = self._db.connection.execute(sql, (tenant,)).fetchone()
        return Ledger() if found is None else unpack(found[0], Ledger)

    def change(self, tenant: str, change: Callable[[Ledger], Ledger | None]) -> None:
        """Reads and writes it with no other process in between; None leaves it as it is."""
        with self._db.write() as db:
            # Read within the transaction: two processes must not both find the last call free.
            new = change(self.get(tenant))
            if new is not None:
                db.execute("INSERT OR REPLACE INTO budget VALUES(?, ?)", (tenant, pack(new)))
