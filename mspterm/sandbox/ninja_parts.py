"""What NinjaOne tells of a device besides its row: `/device/ID/PART`, and over the fleet `/queries/NAME`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mspterm.sandbox import ninja_rows
from mspterm.sandbox.devices import Device
from mspterm.sandbox.ninja_ask import NinjaAsk
from mspterm.sandbox.ninja_rows import Row

DeviceRows = Callable[[NinjaAsk, Device], Any]
FleetRows = Callable[[NinjaAsk, Device], list[Row]]


def _services(ask: NinjaAsk, device: Device) -> list[Row]:
    name, state = (ask.request.query_params.get(key) for key in ("name", "state"))
    return [
        row
        for row in ninja_rows.service_rows(device)
        if name in (None, row["name"]) and state in (None, row["state"])
    ]


def _patches(ask: NinjaAsk, device: Device) -> list[Row]:
    status = ask.request.query_params.get("status")
    return [row for row in ninja_rows.patch_rows(ask.world, device) if status in (None, row["status"])]


def _interfaces(ask: NinjaAsk, device: Device) -> list[Row]:
    return [
        {
            "adapterName": "Ethernet",
            "interfaceName": "Ethernet",
            "ipAddress": [device.ip],
            "macAddress": [device.mac],
            "defaultGateway": device.ip.rpartition(".")[0] + ".1",
            "linkSpeed": "1000000000",
            "status": "DOWN" if device.offline else "UP",
        }
    ]


def _last_user(ask: NinjaAsk, device: Device) -> Row:
    if device.user is None:
        return {}
    return {"userName": device.user, "logonTime": ninja_rows.epoch(device.boot)}


def _processors(ask: NinjaAsk, device: Device) -> list[Row]:
    if device.model.os is None:
        return []
    cores = 8 if ninja_rows.memory(device) < 1 << 35 else 16
    name = "Intel(R) Xeon(R) Silver 4314" if cores == 16 else "Intel(R) Core(TM) i5-13500"
    # No load: NinjaOne tells none (rmm-apis 1.4).
    speeds = {"clockSpeed": 2_400_000_000, "maxClockSpeed": 3_400_000_000}
    return [{"name": name, "architecture": "x64", **speeds, "numCores": cores, "numLogicalCores": cores * 2}]


# Empty ones are there to be asked: a 404 would mean that there is no such device.
PARTS: dict[str, DeviceRows] = {
    "disks": lambda ask, device: ninja_rows.disk_rows(ask.world, device),
    "volumes": lambda ask, device: ninja_rows.volume_rows(device),
    "processors": _processors,
    "os-patches": _patches,
    "os-patch-installs": lambda ask, device: ninja_rows.install_rows(ask.world, device),
    "software-patches": lambda ask, device: [],
    "software-patch-installs": lambda ask, device: [],
    "windows-services": _services,
    "software": lambda ask, device: [],
    "network-interfaces": _interfaces,
    "last-logged-on-user": _last_user,
    "custom-fields": lambda ask, device: {},
    "dashboard-url": lambda ask, device: {"url": ninja_rows.dashboard_url(device)},
}


def _stamped(ask: NinjaAsk, device: Device, rows: list[Row]) -> list[Row]:
    return [{**row, "deviceId": device.id, "timestamp": ninja_rows.epoch(ask.world.now())} for row in rows]


def _health(ask: NinjaAsk, device: Device) -> list[Row]:
    wanted = ask.request.query_params.get("health")
    row = ninja_rows.health_row(ask.world, device, ask.alert_counts[device.id])
    return [row] if wanted is None or row["healthStatus"] in wanted.split(",") else []


def _users(ask: NinjaAsk, device: Device) -> list[Row]:
    found = _last_user(ask, device)
    return [{**found, "deviceId": device.id}] if found else []


FLEET: dict[str, FleetRows] = {
    "device-health": _health,
    "volumes": lambda ask, device: _stamped(ask, device, ninja_rows.volume_rows(device)),
    "disks": lambda ask, device: _stamped(ask, device, ninja_rows.disk_rows(ask.world, device)),
    "operating-systems": lambda ask, device: (
        _stamped(ask, device, [ninja_rows.operating_system(device)]) if device.model.os else []
    ),
    "computer-systems": lambda ask, device: (
        _stamped(ask, device, [ninja_rows.system(device)]) if device.model.os else []
    ),
    "os-patches": lambda ask, device: _stamped(ask, device, _patches(ask, device)),
    "windows-services": lambda ask, device: _stamped(ask, device, _services(ask, device)),
    "logged-on-users": _users,
}
