"""Which PSA's asset is which RMM's device, found anew once something that tells it has changed."""

from __future__ import annotations

import asyncio
from pathlib import Path

from mspterm.desk.desk import Desk
from mspterm.domain.match import ClientOf, match
from mspterm.store.store import Store


class Linking:
    """One process's. Of 20,000 devices it takes most of a second: in a thread, so that no key waits."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._one_by_one = asyncio.Lock()

    async def look(self) -> None:
        """Tie what has changed; nothing is read where nothing has."""
        async with self._one_by_one:
            if self._desk.store.devices.unlinked:
                await asyncio.to_thread(_apart, self._desk.state_dir, self._desk.client_key)


def _apart(state_dir: Path, client_key: ClientOf) -> None:
    """Over a handle of its own: SQLite's belong to their threads."""
    store = Store(state_dir)
    try:
        relink(store, client_key)
    finally:
        store.close()


def relink(store: Store, client_key: ClientOf) -> None:
    """Ties assets to devices anew and names them on their tickets."""
    mark = store.devices.unlinked
    assets, devices = store.devices.asset_keys(), store.devices.keys()
    if assets:
        store.devices.tie(match(assets, devices, client_key))
        store.tickets.name_devices()
    store.devices.linked(mark)
