"""One device with all that MeshCentral gives about it, its parts asked at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from mspterm.connectors.meshcentral import mapping, wire
from mspterm.connectors.meshcentral.inventory import Inventory
from mspterm.connectors.meshcentral.questions import Questions
from mspterm.domain.device import DeviceDetail, Service
from mspterm.domain.reasons import Failed
from mspterm.domain.text import clean

T = TypeVar("T")

_NEVER = {
    "series": "MeshCentral keeps no history of CPU and memory; what is drawn was read while you looked.",
    "checks": "MeshCentral runs no checks.",
    "patches": "MeshCentral does not know the state of patches.",
    "alerts": "MeshCentral raises no alerts.",
}
_NO_REPORT = "The agent has sent no hardware report yet, or this account may not see device details."
_OFFLINE = "Asked of the agent, which is not connected."


async def read_detail(nodeid: str, inventory: Inventory, questions: Questions) -> DeviceDetail:
    """The detail of a device whose row was just read; what isn't answered is named in `unavailable`."""
    parts = _Parts()
    # No part may raise in here: the group would cancel all the others.
    async with asyncio.TaskGroup() as group:
        systems = group.create_task(parts.get("hardware", questions.system(nodeid)))
        networks = group.create_task(parts.get("interfaces", questions.network(nodeid)))
        lasts = group.create_task(parts.get("last_seen", questions.last_connect(nodeid)))
        timeline = group.create_task(parts.get("power", questions.timeline(nodeid)))
        log = group.create_task(parts.get("event_log", questions.events(nodeid)))
        notes = group.create_task(parts.get("notes", questions.notes(nodeid)))
        services = group.create_task(parts.get("services", _services(nodeid, inventory, questions)))
    system, network, last = systems.result(), networks.result(), lasts.result()
    if system is not None and system[0] is None:
        parts.unavailable["hardware"] = parts.unavailable["disks"] = _NO_REPORT
    # Before the device is made, which is of what the inventory knows.
    _keep(nodeid, inventory, system, network, last)
    device = inventory.device(nodeid)
    # Not None, which is a question that failed and has its reason there already.
    if services.result() == ():
        parts.unavailable["services"] = (
            _OFFLINE if not device.online else "The agent lists no services there."
        )
    if device.user is None:
        parts.unavailable["user"] = "The agent does not say who is logged on."
    return DeviceDetail(
        device=device,
        event_log=mapping.events(log.result() or ()),
        power=mapping.power(timeline.result() or []),
        interfaces=mapping.interfaces(network),
        services=services.result() or (),
        notes=clean(text, multiline=True) if (text := notes.result()) else None,
        hardware=mapping.hardware(system[0] if system is not None else None),
        unavailable={**_NEVER, **parts.unavailable},
    )


class _Parts:
    """Answers as far as they come; each that fails leaves its reason."""

    def __init__(self) -> None:
        self.unavailable: dict[str, str] = {}

    async def get(self, what: str, answer: Awaitable[T]) -> T | None:
        try:
            return await answer
        except Failed as e:
            self.unavailable[what] = e.failure.sentence
            return None


async def _services(nodeid: str, inventory: Inventory, questions: Questions) -> tuple[Service, ...]:
    # An absent agent would be waited for as long as a part may take.
    if not inventory.device(nodeid).online:
        return ()
    return mapping.services(await questions.services(nodeid, inventory.name(nodeid)))


def _keep(
    nodeid: str,
    inventory: Inventory,
    system: tuple[wire.System | None, int | None] | None,
    network: wire.Network | None,
    last: wire.LastConnect | None,
) -> None:
    """What was read of one device serves the list too."""
    if system is not None and system[0] is not None:
        inventory.note(nodeid, sys=system[0])
    if network is not None:
        inventory.note(nodeid, net=network)
    if last is not None and last.time is not None:
        inventory.note(nodeid, seen_ms=last.time)
