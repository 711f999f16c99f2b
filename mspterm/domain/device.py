"""Devices, their telemetry, and the alerts that RMM systems raise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mspterm.domain.text import SafeText


@dataclass(frozen=True, slots=True)
class Disk:
    """One volume; sizes in bytes; `health` ok, warning, failed or unknown."""

    name: SafeText
    total_bytes: int | None = None
    free_bytes: int | None = None
    health: str = "unknown"


@dataclass(frozen=True, slots=True)
class Patches:
    """`status` current, pending, failed, reboot or unknown; counts None where the RMM has none."""

    status: str = "unknown"
    pending: int | None = None
    failed: int | None = None
    approved: int | None = None


@dataclass(frozen=True, slots=True)
class Maintenance:
    until: datetime | None
    reason: SafeText | None


@dataclass(frozen=True, slots=True)
class Device:
    """One device as its RMM knows it. `kind`: server, workstation, network, hypervisor, mobile, other.

    None means that the RMM doesn't say; it never means no. Percentages are 0 to 100.
    """

    ref: str
    connection: str
    id: str
    name: SafeText
    observed_at: datetime
    client: SafeText | None = None
    client_id: str | None = None
    site: SafeText | None = None
    kind: str = "other"
    os: SafeText | None = None
    online: bool | None = None
    last_seen: datetime | None = None
    booted_at: datetime | None = None
    user: SafeText | None = None
    ips: tuple[str, ...] = ()
    serial: SafeText | None = None
    needs_reboot: bool | None = None
    maintenance: Maintenance | None = None
    cpu_percent: float | None = None
    memory_percent: float | None = None
    disks: tuple[Disk, ...] = ()
    patches: Patches = field(default_factory=Patches)
    alerts_open: int | None = None
    flags: tuple[str, ...] = ()
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """A PSA's configuration item: the other half of an RMM's device. `device_uid` is the RMM's id
    of it where the PSA keeps one."""

    ref: str
    connection: str
    id: str
    name: SafeText
    client: SafeText | None = None
    client_id: str | None = None
    serial: SafeText | None = None
    kind: str = "other"
    description: SafeText | None = None
    device_uid: str | None = None
    ticket_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AssetKey:
    """What an asset is known by: as much of it as matching needs, for tens of thousands of them."""

    ref: str
    connection: str
    name: SafeText
    client: SafeText | None = None
    serial: SafeText | None = None
    device_uid: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """What a device is known by, likewise."""

    ref: str
    connection: str
    id: str
    name: SafeText
    client: SafeText | None = None
    serial: SafeText | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One live reading; percentages 0 to 100, None where the agent gave none (MeshCentral's first)."""

    at: datetime
    cpu_percent: float | None
    memory_percent: float | None


@dataclass(frozen=True, slots=True)
class DeviceEvent:
    at: datetime
    message: SafeText
    who: SafeText | None = None


@dataclass(frozen=True, slots=True)
class PowerSpan:
    """A stretch of the power timeline; `state` on, sleep, off or unknown; `until` None: up to now."""

    since: datetime
    until: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class Interface:
    name: SafeText
    mac: SafeText | None
    addresses: tuple[str, ...] = ()
    gateway: str | None = None
    up: bool | None = None


@dataclass(frozen=True, slots=True)
class Check:
    name: SafeText
    status: str
    message: SafeText | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Service:
    name: SafeText
    state: str
    start_type: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceDetail:
    """A device with what its RMM gives about one at a time.

    `unavailable` maps what it can't give (series, event_log, checks, services, user, patches...)
    to the reason in words; a screen shows the reason in that place.
    """

    device: Device
    series: tuple[Sample, ...] = ()
    event_log: tuple[DeviceEvent, ...] = ()
    power: tuple[PowerSpan, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    checks: tuple[Check, ...] = ()
    services: tuple[Service, ...] = ()
    notes: SafeText | None = None
    hardware: Mapping[str, SafeText] = field(default_factory=dict)
    unavailable: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alert:
    """`severity`: critical, major, minor, warning or info; `can`: what may be done with it there
    (resolve, acknowledge, snooze)."""

    ref: str
    connection: str
    id: str
    device_ref: str | None
    client: SafeText | None
    severity: str
    message: SafeText
    raised_at: datetime
    cleared_at: datetime | None = None
    acknowledged: bool | None = None
    ticket_ref: str | None = None
    can: tuple[str, ...] = ()
