"""NinjaOne's devices and alerts as the desk's. Pure: nothing here asks or waits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from mspterm.connectors.ninjaone import wire
from mspterm.domain.device import (
    Alert,
    Device,
    DeviceEvent,
    Disk,
    Interface,
    Maintenance,
    Patches,
    Service,
)
from mspterm.domain.text import SafeText, clean

SEVERITIES = {
    "CRITICAL": "critical",
    "MAJOR": "major",
    "MODERATE": "minor",
    "MINOR": "warning",
}
PRIORITIES = {"HIGH": "major", "MEDIUM": "minor", "LOW": "warning"}
_KINDS = {
    "WINDOWS_SERVER": "server",
    "LINUX_SERVER": "server",
    "MAC_SERVER": "server",
    "VMWARE_VM_GUEST": "server",
    "HYPERV_VMM_GUEST": "server",
    "WINDOWS_WORKSTATION": "workstation",
    "LINUX_WORKSTATION": "workstation",
    "MAC": "workstation",
    "VMWARE_VM_HOST": "hypervisor",
    "HYPERV_VMM_HOST": "hypervisor",
    "ANDROID": "mobile",
    "APPLE_IOS": "mobile",
    "APPLE_IPADOS": "mobile",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS = 1e11
"""Seconds don't get that large before the year 5138."""
_GOOD = frozenset({"ok", "healthy", "good", "online"})
_BAD = frozenset({"pred fail", "error", "degraded", "failed", "nonrecover", "unhealthy"})


@dataclass(slots=True)
class Fleet:
    """What the fleet queries say of devices, by device id; names of organisations and locations."""

    health: dict[int, wire.Health] = field(default_factory=dict)
    volumes: dict[int, list[wire.Volume]] = field(default_factory=dict)
    systems: dict[int, wire.System] = field(default_factory=dict)
    computers: dict[int, wire.Computer] = field(default_factory=dict)
    users: dict[int, str] = field(default_factory=dict)
    organizations: dict[int, str] = field(default_factory=dict)
    locations: dict[int, str] = field(default_factory=dict)


def instant(value: wire.Time) -> datetime | None:
    """Epoch seconds; milliseconds and ISO 8601 too, which the description has for maintenance."""
    if isinstance(value, str):
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            return None
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    if value is None or not math.isfinite(value) or not 0 < value < 1e14:
        return None
    return _EPOCH + timedelta(seconds=value / 1000 if value >= _MILLISECONDS else value)


def line(value: str | int | None) -> SafeText | None:
    """One line of vendor text; None for what is empty."""
    return clean(str(value)) if value not in (None, "") else None


def kind_of(node_class: str | None) -> str:
    """server, workstation, network, hypervisor, mobile or other."""
    name = node_class or ""
    return _KINDS.get(name, "network" if name.startswith("NMS_") else "other")


def device(row: wire.Device, fleet: Fleet, connection: str, base_url: str, now: datetime) -> Device:
    """One device: its row, and of the fleet's queries what the row doesn't have."""
    system = row.os or fleet.systems.get(row.id)
    computer = row.system or fleet.computers.get(row.id)
    health = fleet.health.get(row.id)
    references = row.references or wire.References()
    serial = (computer.serial_number or computer.bios_serial_number) if computer else None
    return Device(
        ref=f"{connection}:{row.id}",
        connection=connection,
        id=str(row.id),
        name=clean(row.display_name or row.system_name or row.dns_name or f"device {row.id}"),
        observed_at=now,
        client=_name(references.organization, fleet.organizations, row.organization_id),
        client_id=line(row.organization_id),
        site=_name(references.location, fleet.locations, row.location_id),
        kind=kind_of(row.node_class),
        os=line(system.name) if system else None,
        online=None if row.offline is None else not row.offline,
        last_seen=instant(row.last_contact),
        booted_at=instant(system.last_boot_time) if system else None,
        user=line(row.last_logged_in_user or fleet.users.get(row.id)),
        ips=addresses(row.ip_addresses or ()),
        serial=line(serial),
        needs_reboot=_needs_reboot(system, health),
        maintenance=maintenance(row.maintenance),
        disks=disks(row.volumes if row.volumes is not None else fleet.volumes.get(row.id, ())),
        patches=patches(health, _needs_reboot(system, health)),
        alerts_open=health.alert_count if health else None,
        flags=_flags(row, computer),
        url=f"{base_url}/#/deviceDashboard/{row.id}/overview",
    )


def _name(ref: wire.Named | None, names: Mapping[int, str], id: int | None) -> SafeText | None:
    return line((ref.name if ref else None) or (names.get(id) if id is not None else None))


def _needs_reboot(system: wire.System | None, health: wire.Health | None) -> bool | None:
    # A yes of either counts: systems are read hourly, health with every change.
    if system is not None and system.needs_reboot:
        return True
    if health is not None:
        return bool(health.pending_reboot_reason)
    return system.needs_reboot if system is not None else None


def _flags(row: wire.Device, computer: wire.Computer | None) -> tuple[str, ...]:
    """What a reboot of it would take along."""
    role = (computer.domain_role or "").lower().replace("_", " ") if computer else ""
    flags = ["domain-controller"] if "domain controller" in role else []
    return tuple([*flags, "hypervisor"] if kind_of(row.node_class) == "hypervisor" else flags)


def addresses(values: Iterable[str]) -> tuple[str, ...]:
    found = []
    for value in values:
        try:
            address = ip_address(value.split("%")[0].split("/")[0])
        except ValueError:
            continue
        if not (address.is_link_local or address.is_loopback):
            found.append(str(address))
    return tuple(dict.fromkeys(found))


def maintenance(found: wire.Maintenance | None) -> Maintenance | None:
    """A window that is on; one that is planned or failed to begin is none."""
    if found is None or found.status != "IN_MAINTENANCE":
        return None
    return Maintenance(instant(found.end), line(found.reason_message))


def disks(volumes: Iterable[wire.Volume], health: str = "unknown") -> tuple[Disk, ...]:
    """Volumes with a size; `health` is that of the physical disks, where it is known and the same."""
    return tuple(
        Disk(
            clean((v.drive_letter or v.name or v.label or "?").rstrip("\\") or "?"),
            v.capacity,
            v.free_space,
            health,
        )
        for v in volumes
        if v.capacity
    )


def disk_health(found: Iterable[wire.Disk]) -> str:
    """ok or failed where every physical disk says the same; which volume is on which isn't told."""
    states = {_health(d.status) for d in found}
    return states.pop() if len(states) == 1 else "unknown"


def _health(status: str | None) -> str:
    word = (status or "").strip().lower()
    return "ok" if word in _GOOD else "failed" if word in _BAD else "unknown"


def patches(health: wire.Health | None, needs_reboot: bool | None, approved: int | None = None) -> Patches:
    """Counts of the operating system's and of other software's patches together."""
    if health is None:
        return Patches()
    pending = (health.pending_os_patches or 0) + (health.pending_software_patches or 0)
    broken = (health.failed_os_patches or 0) + (health.failed_software_patches or 0)
    status = "failed" if broken else "pending" if pending else "reboot" if needs_reboot else "current"
    return Patches(status, pending, broken, approved)


def alert(row: wire.Alert, connection: str, client: SafeText | None, now: datetime) -> Alert:
    """An alert that is on; its uid is the series of its activities."""
    subject, message = row.subject or row.condition_name or row.source_name, row.message
    text = message or subject or row.source_type or "alert"
    return Alert(
        ref=alert_ref(connection, row.uid),
        connection=connection,
        id=clean(row.uid),
        device_ref=f"{connection}:{row.device_id}" if row.device_id is not None else None,
        client=client,
        severity=_severity(row),
        message=clean(text),
        raised_at=instant(row.create_time) or now,
        can=("resolve",),
    )


def _severity(row: wire.Alert) -> str:
    """By its severity; where that says nothing, by its priority."""
    if row.severity in (None, "NONE"):
        return PRIORITIES.get(row.priority or "NONE", "info")
    return SEVERITIES.get(row.severity or "", "info")


def alert_ref(connection: str, uid: str) -> str:
    return f"{connection}:alert:{clean(uid)}"


def services(rows: Iterable[wire.Service]) -> tuple[Service, ...]:
    return tuple(
        Service(
            clean(r.display_name or r.name or "?"),
            clean((r.state or "unknown").lower().replace("_", " ")),
            line((r.start_type or "").lower().replace("_", " ")),
        )
        for r in rows
    )


def interfaces(rows: Iterable[wire.Interface]) -> tuple[Interface, ...]:
    return tuple(
        Interface(
            clean(r.interface_name or r.adapter_name or "?"),
            line(next(iter(r.mac_address or ()), None)),
            addresses(r.ip_address or ()),
            next(iter(addresses([r.default_gateway])), None) if r.default_gateway else None,
            None if r.status is None else r.status.lower() in ("up", "connected", "ifoperstatusup"),
        )
        for r in rows
    )


def events(rows: Iterable[wire.Activity]) -> tuple[DeviceEvent, ...]:
    """What NinjaOne did and saw there, newest first."""
    found = ((instant(r.activity_time), r) for r in rows)
    made = [DeviceEvent(at, clean(_words(r))) for at, r in found if at is not None]
    return tuple(sorted(made, key=lambda event: event.at, reverse=True))


def _words(row: wire.Activity) -> str:
    said = row.message or row.subject or row.source_name or row.status_code or "?"
    return f"{row.activity_type}: {said}" if row.activity_type else said
