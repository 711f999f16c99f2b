"""One device with all that NinjaOne gives about it, its parts asked at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from typing import TypeVar

from mspterm.connectors.ninjaone import mapping, wire
from mspterm.connectors.ninjaone.client import NinjaClient
from mspterm.connectors.ninjaone.feed import Feed
from mspterm.connectors.ninjaone.manifest import NO_LIVE
from mspterm.domain.device import DeviceDetail
from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.domain.text import SafeText, clean
from mspterm.net.pacer import CallClass

T = TypeVar("T")
RECENT = 50
_NEVER = {
    "series": f"{NO_LIVE}.",
    "cpu": f"{NO_LIVE}.",
    "memory": f"{NO_LIVE}.",
    "checks": "NinjaOne lists no checks, only the conditions that are met now: its alerts.",
    "power": "NinjaOne keeps no power timeline.",
    "notes": "NinjaOne's notes are not read.",
    "windows_event_log": "NinjaOne has no event log; what is listed are its own activities.",
}
_NOT_WINDOWS = "NinjaOne knows services of Windows devices only."


class Detail:
    """Reads devices whole."""

    def __init__(self, client: NinjaClient, feed: Feed) -> None:
        self._client, self._feed = client, feed

    async def row(self, id: str, *, kind: CallClass = "interactive") -> wire.Device:
        """A device as it is now. Raises Failed (not found) where it isn't one of ours to see."""
        if not (id.isascii() and id.isdigit()):
            sentence = f"{clean(id)} is no device of {self._client.name}: NinjaOne numbers them."
            raise failed(Reason.NOT_FOUND, sentence, self._client.name)
        return await self._client.get("/v2/device/{id}", wire.Device, kind=kind, id=int(id))

    async def device(self, id: str) -> DeviceDetail:
        row = await self.row(id)
        get, parts = self._client.rows, _Parts()
        path = "/v2/device/{id}/"
        async with asyncio.TaskGroup() as group:
            fleet = group.create_task(parts.get("health", self._feed.facts(row)))
            volumes = group.create_task(parts.get("disks", get(f"{path}volumes", wire.Volume, id=row.id)))
            hardware = group.create_task(parts.get("hardware", get(f"{path}disks", wire.Disk, id=row.id)))
            updates = group.create_task(parts.get("patches", get(f"{path}os-patches", wire.Patch, id=row.id)))
            network = group.create_task(
                parts.get("interfaces", get(f"{path}network-interfaces", wire.Interface, id=row.id))
            )
            user = group.create_task(
                parts.get("user", self._client.get(f"{path}last-logged-on-user", wire.User, id=row.id))
            )
            log = group.create_task(
                parts.get(
                    "event_log",
                    self._client.activities(None, size=RECENT, kind="interactive", device=row.id),
                )
            )
            running = group.create_task(self._services(row, parts))
        fleet.result()
        physical = hardware.result() or []
        # After the group: `facts` has put health and names into the fleet by now.
        device = self._feed.map(row)
        device = replace(
            device,
            disks=mapping.disks(volumes.result() or (), mapping.disk_health(physical)) or device.disks,
            user=(mapping.line(found.user_name) if (found := user.result()) else None) or device.user,
            patches=replace(device.patches, approved=_approved(updates.result())),
        )
        if device.user is None:
            parts.unavailable.setdefault("user", "NinjaOne has seen nobody log on there.")
        return DeviceDetail(
            device=device,
            event_log=mapping.events(events[0] if (events := log.result()) else ()),
            interfaces=mapping.interfaces(network.result() or ()),
            services=mapping.services(running.result() or ()),
            hardware=_hardware(row, self._feed, physical),
            unavailable={**_NEVER, **parts.unavailable},
        )

    async def _services(self, row: wire.Device, parts: _Parts) -> list[wire.Service] | None:
        if not (row.node_class or "").startswith("WINDOWS"):
            parts.unavailable["services"] = _NOT_WINDOWS
            return None
        asked = self._client.rows("/v2/device/{id}/windows-services", wire.Service, id=row.id)
        return await parts.get("services", asked)


class _Parts:
    """Answers as far as they come; each that fails leaves its reason."""

    def __init__(self) -> None:
        self.unavailable: dict[str, str] = {}

    async def get(self, what: str, answer: Awaitable[T]) -> T | None:
        try:
            return await answer
        except Failed as error:
            self.unavailable[what] = error.failure.sentence
            return None


def _approved(patches: list[wire.Patch] | None) -> int | None:
    if patches is None:
        return None
    return sum((patch.status or "").upper() == "APPROVED" for patch in patches)


def _hardware(row: wire.Device, feed: Feed, disks: list[wire.Disk]) -> dict[str, SafeText]:
    computer = row.system or feed.fleet.computers.get(row.id) or wire.Computer()
    memory = computer.total_physical_memory
    facts = {
        "Maker": computer.manufacturer,
        "Model": computer.model,
        "Memory": f"{memory / 2**30:.0f} GiB" if memory else None,
        "Domain": computer.domain,
        "Domain role": computer.domain_role,
        "Public address": row.public_ip,
    }
    for number, disk in enumerate(disks):
        facts[f"Disk {number}"] = f"{disk.model or disk.name or '?'}, {disk.status or 'state not told'}"
    return {name: clean(value) for name, value in facts.items() if value}
