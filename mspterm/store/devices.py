"""Stored devices, PSA assets and alerts, and which asset is which device."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from mspterm.domain.device import Alert, Asset, AssetKey, Device, DeviceKey
from mspterm.store.codec import pack, unpack
from mspterm.store.db import Database
from mspterm.store.lateness import later

_UNLINKED = "devices:unlinked"


class Devices:
    """The RMM half and the PSA half of what clients own."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def all(self) -> list[Device]:
        """Every device an RMM knows, by name."""
        sql = "SELECT data FROM device ORDER BY name COLLATE NOCASE, ref"
        return [unpack(r[0], Device) for r in self._db.connection.execute(sql)]

    def get(self, ref: str) -> Device | None:
        found = self._db.connection.execute("SELECT data FROM device WHERE ref = ?", (ref,)).fetchone()
        return None if found is None else unpack(found[0], Device)

    def named(self, name: str) -> list[Device]:
        """Devices of that name, in any case."""
        sql = "SELECT data FROM device WHERE name = ? COLLATE NOCASE ORDER BY ref"
        return [unpack(r[0], Device) for r in self._db.connection.execute(sql, (name,))]

    def keys(self) -> list[DeviceKey]:
        """What every device is known by: a tenth of the memory of whole ones."""
        return [unpack(r[0], DeviceKey) for r in self._db.connection.execute("SELECT data FROM device")]

    def asset_keys(self) -> list[AssetKey]:
        return [unpack(r[0], AssetKey) for r in self._db.connection.execute("SELECT data FROM asset")]

    def names(self) -> dict[str, str]:
        """Device ref to its name."""
        return dict(self._db.connection.execute("SELECT ref, name FROM device"))

    def assets(self) -> list[Asset]:
        return [
            unpack(r[0], Asset) for r in self._db.connection.execute("SELECT data FROM asset ORDER BY ref")
        ]

    def asset(self, ref: str) -> Asset | None:
        found = self._db.connection.execute("SELECT data FROM asset WHERE ref = ?", (ref,)).fetchone()
        return None if found is None else unpack(found[0], Asset)

    def assets_of(self, device_ref: str) -> list[Asset]:
        sql = "SELECT data FROM asset WHERE device_ref = ? ORDER BY ref"
        return [unpack(r[0], Asset) for r in self._db.connection.execute(sql, (device_ref,))]

    def tickets_of(self, device_ref: str) -> list[str]:
        """Refs of active tickets whose assets are this device, or this asset."""
        sql = (
            "SELECT DISTINCT t.ref FROM ticket_asset ta JOIN ticket t ON t.ref = ta.ref WHERE +t.active = 1 AND"
            " ta.asset_ref IN (SELECT ?1 UNION ALL SELECT ref FROM asset WHERE device_ref = ?1) ORDER BY t.ord"
        )
        return [r[0] for r in self._db.connection.execute(sql, (device_ref,))]

    def upsert(self, devices: Iterable[Device], *, run: int = 0) -> None:
        with self._db.write() as db:
            revision = self._db.next_revision()
            for d in devices:
                observed = d.observed_at.timestamp()
                known = db.execute(
                    "SELECT observed, data, run FROM device WHERE ref = ?", (d.ref,)
                ).fetchone()
                if known is not None and later(known[0], observed):
                    db.execute("UPDATE device SET run = max(run, ?) WHERE ref = ?", (run, d.ref))
                    continue
                old = None if known is None else unpack(known[1], Device)
                if old is None or _told_by(old) != _told_by(d):
                    self._unlink()
                number = revision if old is None or not _same(old, d) else None
                online = None if d.online is None else int(d.online)
                self._put(d, online, number, observed, max(run, 0 if known is None else known[2]))

    def _put(self, d: Device, online: int | None, revision: int | None, observed: float, run: int) -> None:
        sql = (
            "INSERT INTO device VALUES(?, ?, ?, ?, coalesce(?, 0), ?, ?, ?) ON CONFLICT(ref) DO UPDATE SET"
            " name = excluded.name, online = excluded.online, observed = excluded.observed, run = excluded.run,"
            " data = excluded.data, revision = max(device.revision, excluded.revision)"
        )
        values = (d.ref, d.connection, d.name, online, revision, observed, run, pack(d))
        self._db.connection.execute(sql, values)

    def upsert_assets(self, assets: Iterable[Asset], *, run: int = 0) -> None:
        sql = (
            "INSERT INTO asset VALUES(?, ?, ?, NULL, ?, ?) ON CONFLICT(ref) DO UPDATE SET"
            " name = excluded.name, run = excluded.run, data = excluded.data"
        )
        with self._db.write() as db:
            known = "SELECT 1 FROM asset WHERE ref = ? AND data = ?"
            rows = [(a.ref, a.connection, a.name, run, pack(a)) for a in assets]
            if any(db.execute(known, (row[0], row[4])).fetchone() is None for row in rows):
                self._unlink()
            db.executemany(sql, rows)

    def changed_since(self, revision: int) -> list[Device]:
        sql = "SELECT data FROM device WHERE revision > ? ORDER BY revision"
        return [unpack(r[0], Device) for r in self._db.connection.execute(sql, (revision,))]

    def tie(self, matched: Mapping[str, str]) -> None:
        """Stores asset ref to device ref; an asset that isn't named is tied to none."""
        known = dict(self._db.connection.execute("SELECT ref, device_ref FROM asset"))
        rows = [(matched.get(ref), ref) for ref, device in known.items() if matched.get(ref) != device]
        if rows:
            with self._db.write() as db:
                db.executemany("UPDATE asset SET device_ref = ? WHERE ref = ?", rows)

    @property
    def unlinked(self) -> str | None:
        """A mark, while something has changed that tells which asset is which device; another each time."""
        return self._db.get(_UNLINKED) or None

    def linked(self, mark: str | None) -> None:
        """All is tied as it was when the mark was this."""
        with self._db.write():
            if mark is not None and self.unlinked == mark:
                self._db.put(_UNLINKED, "")

    def _unlink(self) -> None:
        self._db.put(_UNLINKED, os.urandom(4).hex())

    def client_names(self) -> dict[str, str]:
        """Device ref to the client that the PSA's half names."""
        sql = "SELECT device_ref, data FROM asset WHERE device_ref IS NOT NULL ORDER BY ref"
        found = ((r[0], unpack(r[1], Asset).client) for r in self._db.connection.execute(sql))
        return {ref: client for ref, client in found if client}

    def gone(self, refs: Sequence[str]) -> None:
        with self._db.write() as db:
            for table in ("device", "asset", "alert"):
                left = db.executemany(f"DELETE FROM {table} WHERE ref = ?", [(r,) for r in refs])
                if left.rowcount > 0 and table != "alert":
                    self._unlink()

    def retire(self, connection: str, *, before_run: int) -> None:
        """Forgets what a full run of this connection didn't hold."""
        with self._db.write() as db:
            for table in ("device", "asset", "alert"):
                sql = f"DELETE FROM {table} WHERE connection = ? AND run < ?"
                if db.execute(sql, (connection, before_run)).rowcount > 0 and table != "alert":
                    self._unlink()

    def alerts(self) -> list[Alert]:
        return [
            unpack(r[0], Alert) for r in self._db.connection.execute("SELECT data FROM alert ORDER BY ref")
        ]

    def upsert_alerts(self, alerts: Iterable[Alert], *, run: int = 0) -> None:
        with self._db.write() as db:
            revision = self._db.next_revision()
            rows = [
                (a.ref, a.connection, revision, int(a.cleared_at is not None), run, pack(a)) for a in alerts
            ]
            db.executemany("INSERT OR REPLACE INTO alert VALUES(?, ?, ?, ?, ?, ?)", rows)


def _told_by(device: Device) -> tuple[str | None, ...]:
    """What a device is matched by, its ref apart."""
    return device.name, device.client, device.serial


def _same(known: Device, new: Device) -> bool:
    names = (n for n in Device.__slots__ if n != "observed_at")
    return all(getattr(known, n) == getattr(new, n) for n in names)
