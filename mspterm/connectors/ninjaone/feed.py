"""The feed of one NinjaOne: the whole fleet, or what its activities say has changed."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from mspterm.connectors.base import Batch, Skipped
from mspterm.connectors.ninjaone import mapping, wire
from mspterm.connectors.ninjaone.client import NinjaClient, readable
from mspterm.connectors.ninjaone.mapping import Fleet
from mspterm.connectors.slices import in_slices
from mspterm.domain.device import Alert, Device
from mspterm.domain.text import SafeText, clean
from mspterm.net.pacer import CallClass

Row = TypeVar("Row", bound=wire.Wire)
ACTIVITIES = 1000
"""The most of one answer; when as many have come, what changed is the fleet."""
FEW = 100
"""Devices that are asked for by their ids; more are read as the whole fleet."""
SLOW = timedelta(hours=1)
"""How long names, systems and serial numbers are good for."""


class Feed:
    """Runs over devices and alerts. What devices-detailed lacks comes from the fleet's queries."""

    def __init__(self, client: NinjaClient, now: Callable[[], datetime]) -> None:
        self._client, self._now, self._name = client, now, client.name
        self.fleet = Fleet()
        self._clients: dict[int, SafeText | None] = {}
        self._alerts: set[str] = set()
        self._slow_at: datetime | None = None

    async def run(self, cursor: str | None, full: bool) -> AsyncGenerator[Batch, None]:
        last = _read(cursor)
        async for batch in self._full() if full or last is None else self._delta(last):
            yield batch

    def map(self, row: wire.Device) -> Device:
        found = mapping.device(row, self.fleet, self._name, self._client.base_url, self._now())
        self._clients[row.id] = found.client
        return found

    async def facts(self, row: wire.Device) -> None:
        """What is told of one device by queries only, for when it is read by itself."""
        df = f"id in ({row.id})"
        await self._health(df, "interactive")
        if row.id not in self._clients:
            await self._slow([row], df, "interactive")

    async def _load(self, rows: list[wire.Device], df: str | None) -> None:
        """Health of these devices, and what their rows lack and isn't known yet."""
        await self._health(df, "poll")
        # What was mapped once has its slow facts already: a delta of it costs one query.
        if df is not None and all(r.id in self._clients for r in rows):
            return
        if any(r.volumes is None for r in rows):
            await self._volumes(df)
        if any(r.last_logged_in_user is None for r in rows):
            await self._users(df)
        if df is not None or self._slow_at is None or self._now() - self._slow_at >= SLOW:
            await self._slow(rows, df, "poll")
            self._slow_at = self._now() if df is None else self._slow_at

    async def _full(self) -> AsyncIterator[Batch]:
        # Asked first: what happens while the fleet is read is read again by the next delta.
        _, last = await self._client.activities(None, size=10)
        loaded = False
        async for page in self._client.pages("/v2/devices-detailed"):
            rows, skipped = await self._read_rows(page)
            # After the first page, whose rows show which fields this server leaves to the queries.
            if not loaded:
                await self._load(rows, None)
                loaded = True
            devices = [self.map(row) async for row in in_slices(rows)]
            yield Batch(devices=tuple(devices), skipped=skipped)
        alerts, gone = await self._all_alerts()
        date = self._client.http.server_date
        yield Batch(alerts=alerts, gone=gone, cursor=_cursor(last), full=True, server_date=date)

    async def _delta(self, since: int) -> AsyncIterator[Batch]:
        """One small request where nothing happened; else the devices that something happened to."""
        happened, last = await self._client.activities(since, size=ACTIVITIES)
        devices = {a.device_id for a in happened if a.device_id is not None}
        if len(happened) >= ACTIVITIES or len(devices) > FEW:
            async for batch in self._full():
                yield batch
            return
        date = self._client.http.server_date
        if not happened:
            yield Batch(cursor=_cursor(max(last, since)), server_date=date)
            return
        if devices:
            yield await self._some(sorted(devices))
        alerts, gone = await self._all_alerts()
        # A process that has just begun can't miss what it never saw; the reset names it.
        reset = {a.series_uid for a in happened if a.status_code == "RESET" and a.series_uid}
        on = {a.id for a in alerts}
        left = {mapping.alert_ref(self._name, uid) for uid in reset - on}.union(gone)
        yield Batch(alerts=alerts, gone=tuple(sorted(left)), cursor=_cursor(last), server_date=date)

    async def _some(self, ids: list[int]) -> Batch:
        df = f"id in ({','.join(map(str, ids))})"
        rows: list[wire.Device] = []
        skipped: tuple[Skipped, ...] = ()
        async for page in self._client.pages("/v2/devices-detailed", {"df": df}):
            more, odd = await self._read_rows(page)
            rows, skipped = [*rows, *more], (*skipped, *odd)
        if rows:
            await self._load(rows, df)
        # A row that can't be read is there all the same, and must not be told as gone.
        seen = {row.id for row in rows} | {int(s.id) for s in skipped if s.id.isdigit()}
        gone = tuple(f"{self._name}:{n}" for n in ids if n not in seen)
        return Batch(devices=tuple(map(self.map, rows)), gone=gone, skipped=skipped)

    async def _read_rows(self, page: list[msgspec.Raw]) -> tuple[list[wire.Device], tuple[Skipped, ...]]:
        rows, skipped = [], []
        async for raw in in_slices(page):
            try:
                row = wire.item(raw, wire.Device)
            except msgspec.MsgspecError as error:
                skipped.append(Skipped(clean(wire.item_id(raw)), clean(str(error))))
                continue
            if row.approval_status != "DECOMMISSIONED":
                rows.append(row)
        return rows, tuple(skipped)

    async def _all_alerts(self) -> tuple[tuple[Alert, ...], tuple[str, ...]]:
        """Every alert that is on, and those that no longer are."""
        rows = await self._client.rows("/v2/alerts", wire.Alert, kind="poll")
        now = self._now()
        alerts = tuple(
            [
                mapping.alert(r, self._name, self._clients.get(r.device_id or 0), now)
                async for r in in_slices(rows)
            ]
        )
        before, self._alerts = self._alerts, {a.ref for a in alerts}
        return alerts, tuple(sorted(before - self._alerts))

    async def _health(self, df: str | None, kind: CallClass) -> None:
        async for page in self._client.query("device-health", wire.Health, df=df, kind=kind):
            self.fleet.health.update((h.device_id, h) for h in page)

    async def _volumes(self, df: str | None) -> None:
        found: dict[int, list[wire.Volume]] = {}
        async for page in self._client.query("volumes", wire.Volume, df=df):
            for volume in page:
                found.setdefault(volume.device_id or 0, []).append(_lean(volume))
        self.fleet.volumes.update(found)

    async def _users(self, df: str | None) -> None:
        found: dict[int, str] = {}
        async for page in self._client.query("logged-on-users", wire.User, df=df):
            found.update((u.device_id, u.user_name) for u in page if u.device_id and u.user_name)
        # Who has logged off is in no row: a whole fleet's answer replaces the one before.
        self.fleet.users = found if df is None else {**self.fleet.users, **found}

    async def _slow(self, rows: list[wire.Device], df: str | None, kind: CallClass) -> None:
        """What hardly changes: systems, serial numbers, and the names of clients and sites."""
        if any(r.os is None for r in rows):
            async for systems in self._client.query("operating-systems", wire.System, df=df, kind=kind):
                self.fleet.systems.update((s.device_id, _lean(s)) for s in systems if s.device_id)
        if any(r.system is None for r in rows):
            async for computers in self._client.query("computer-systems", wire.Computer, df=df, kind=kind):
                self.fleet.computers.update((c.device_id, _lean(c)) for c in computers if c.device_id)
        if any(r.references is None or r.references.organization is None for r in rows):
            for template, names in (
                ("/v2/organizations", self.fleet.organizations),
                ("/v2/locations", self.fleet.locations),
            ):
                async for page in self._client.pages(template, kind=kind):
                    found = readable(page, wire.Named)
                    names.update((one.id, one.name) for one in found if one.id is not None and one.name)


def _lean(row: Row) -> Row:
    """The row with one copy of each word that it shares with thousands of others."""
    for name in row.__struct_fields__:
        value = getattr(row, name)
        if isinstance(value, str):
            setattr(row, name, sys.intern(value))
    return row


def _cursor(last: int) -> str:
    return json.dumps({"activity": last})


def _read(cursor: str | None) -> int | None:
    """The last activity in a cursor; None where it isn't ours, which makes a full run."""
    try:
        return int(json.loads(cursor or "")["activity"])
    except (ValueError, KeyError, TypeError):
        return None
