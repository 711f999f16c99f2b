"""MeshCentral's answers as the desk's values. Pure: nothing here asks or waits."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from msgspec import UNSET

from mspterm.config.model import Connection
from mspterm.connectors.meshcentral import wire
from mspterm.connectors.meshcentral.kinds import kind_of
from mspterm.connectors.meshcentral.urls import device_page
from mspterm.domain.device import Device, DeviceEvent, Disk, Interface, PowerSpan, Sample, Service
from mspterm.domain.text import SafeText, clean

AGENT = 1
"""The bit of `conn` that says that the agent itself is connected."""

_NODE_ID = re.compile(r"node/[A-Za-z0-9_.-]*/[A-Za-z0-9@$]{1,128}")
_SI = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)([KMGTP]?)i?B?")
# Without 0 (unknown) and 7 (present), which don't say whether it is on.
_POWER = {1: "on", 2: "sleep", 3: "sleep", 4: "sleep", 5: "sleep", 6: "off", 8: "off"}
_HARDWARE = {
    "cpu_name": "CPU",
    "product_name": "Product",
    "board_vendor": "Board maker",
    "board_name": "Board",
    "bios_vendor": "BIOS maker",
    "bios_version": "BIOS",
    "bios_date": "BIOS date",
}
_SERIALS = ("product_serial", "bios_serial", "board_serial")
# What a board says that was never given one; devices must not be matched by it.
_NO_SERIALS = frozenset({"", "none", "0", "default string", "to be filled by o.e.m.", "system serial number"})


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of one device by now; pushes replace parts of it."""

    node: wire.Node
    sys: wire.System | None = None
    net: wire.Network | None = None
    seen_ms: float | None = None


def node_id(value: object) -> str | None:
    """The id, if it has the shape of one: it goes into refs, links and questions."""
    return value if isinstance(value, str) and _NODE_ID.fullmatch(value) else None


def instant(ms: float | None) -> datetime | None:
    """Epoch milliseconds in UTC; None for what is no time."""
    # An agent may send any number, also one that no datetime holds.
    if ms is None or not math.isfinite(ms) or not 0 < ms < 1e14:
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)


def device(known: Known, connection: Connection, groups: dict[str, str], now: datetime) -> Device:
    """One device. A group names the client only where the connection says `client_from = "group"`;
    else it is shown as the site."""
    node = known.node
    online = bool((node.conn or 0) & AGENT)
    name = clean(node.name or node.rname or node.id)
    group = clean(groups[node.meshid]) if node.meshid in groups else None
    by_group = connection.client_from == "group"
    return Device(
        ref=f"{connection.name}:{node.id}",
        connection=connection.name,
        id=node.id,
        name=name,
        observed_at=now,
        client=group if by_group else None,
        client_id=clean(node.meshid) if by_group and node.meshid else None,
        site=None if by_group else group,
        kind=kind_of(name, node.osdesc or "", node.icon, node.mtype),
        os=clean(node.osdesc) if node.osdesc else None,
        online=online,
        # Its coming (agct) may be later than the last leaving that we know of.
        last_seen=now if online else instant(max(known.seen_ms or 0, node.agct or 0)),
        booted_at=instant(node.lastbootuptime),
        user=clean(", ".join(node.users)) if node.users else None,
        ips=_addresses(known),
        serial=_serial(known.sys),
        needs_reboot=_needs_reboot(known.sys),
        disks=_disks(known.sys),
        url=device_page(connection, node.id),
    )


def _addresses(known: Known) -> tuple[str, ...]:
    rows = (row.address for rows in _netif(known.net).values() for row in rows)
    own = [found for value in rows if (found := _address(value)) is not None]
    # The agent on the server's own host is seen at 127.0.0.1, which is better than nothing.
    if not own and known.node.ip and (seen := _address(known.node.ip, loopback=True)):
        own = [seen]
    return tuple(dict.fromkeys(own))


def _address(value: str | None, *, loopback: bool = False) -> str | None:
    try:
        # Without its zone (%eth0), which means something on that device only.
        found = ip_address((value or "").split("%")[0])
    except ValueError:
        return None
    return None if found.is_link_local or (found.is_loopback and not loopback) else str(found)


def _netif(net: wire.Network | None) -> dict[str, list[wire.Address]]:
    return (net.netif2 or {}) if net is not None else {}


def interfaces(net: wire.Network | None) -> tuple[Interface, ...]:
    """The network interfaces that have an address, loopback left out."""
    found = (_interface(name, rows) for name, rows in _netif(net).items())
    return tuple(one for one in found if one is not None)


def _interface(name: str, rows: list[wire.Address]) -> Interface | None:
    addresses = tuple(a for row in rows if (a := _address(row.address)) is not None)
    if not addresses:
        return None
    macs = [row.mac for row in rows if row.mac]
    gateways = [g for row in rows if (g := _address(row.gateway)) is not None]
    return Interface(
        name=clean(name),
        mac=clean(macs[0]) if macs else None,
        addresses=addresses,
        gateway=gateways[0] if gateways else None,
        up=any(row.status == "up" for row in rows),
    )


def _hardware(sys: wire.System | None) -> wire.Hardware:
    return (sys.hardware if sys is not None else None) or wire.Hardware()


def _serial(sys: wire.System | None) -> SafeText | None:
    hardware = _hardware(sys)
    values: list[object] = [hardware.linux.product_serial] if hardware.linux else []
    values += [(hardware.identifiers or {}).get(key) for key in _SERIALS]
    serials = (v for v in values if isinstance(v, str) and v.strip().lower() not in _NO_SERIALS)
    return next((clean(serial.strip()) for serial in serials), None)


def _needs_reboot(sys: wire.System | None) -> bool | None:
    # Absent is not null: only Windows sends it, and its null is a no.
    if sys is None or sys.pending_reboot is UNSET:
        return None
    return bool(sys.pending_reboot)


def _bytes(value: str | float | None, unit: int = 1) -> int | None:
    """A size in bytes: a number of `unit`, or one with an SI suffix (df -H on macOS)."""
    if isinstance(value, str):
        match = _SIZE.fullmatch(value.strip().upper())
        if match is None:
            return None
        suffix = match[2]
        return int(float(match[1]) * (_SI[suffix] if suffix else unit))
    return int(value * unit) if value is not None and math.isfinite(value) else None


def _disks(sys: wire.System | None) -> tuple[Disk, ...]:
    hardware = _hardware(sys)
    health = _health(hardware.windows)
    found: list[Disk] = []
    for system, unit in ((hardware.linux, 1024), (hardware.darwin, 1)):
        for v in (system.volumes or []) if system else []:
            found.append(_disk(v.mount_point or "?", _bytes(v.size, unit), _bytes(v.available, unit)))
    windows = (hardware.windows.volumes or {}) if hardware.windows else {}
    for letter, w in windows.items():
        if not (w.removable or w.cdrom):
            found.append(_disk(f"{letter}:", _bytes(w.size), _bytes(w.sizeremaining), health))
    return tuple(disk for disk in found if disk.total_bytes)


def _disk(name: str, total: int | None, free: int | None, health: str = "unknown") -> Disk:
    return Disk(clean(name), total, free, health)


def _health(windows: wire.Windows | None) -> str:
    """A volume's health, which is known only where there is one physical drive to be on."""
    drives = (windows.drives or []) if windows else []
    if len(drives) != 1:
        return "unknown"
    return {"ok": "ok", "pred fail": "warning", "degraded": "warning", "error": "failed"}.get(
        (drives[0].status or "").lower(), "unknown"
    )


def hardware(sys: wire.System | None) -> dict[str, SafeText]:
    """What the machine is made of, as label and text."""
    report = _hardware(sys)
    names = report.identifiers or {}
    found = {label: clean(str(names[key])) for key, label in _HARDWARE.items() if names.get(key)}
    if report.windows is not None:
        sizes = [size for m in report.windows.memory or [] if (size := _bytes(m.capacity))]
        if sizes:
            found["Memory"] = clean(f"{sum(sizes) / 2**30:g} GiB")
        for index, drive in enumerate(report.windows.drives or []):
            model, status = drive.model or drive.caption or "?", drive.status or "status unknown"
            found[f"Drive {index}"] = clean(f"{model}, {status}")
    return found


def power(timeline: list[float]) -> tuple[PowerSpan, ...]:
    """Decodes `[old, t0 seconds, state, dt, state, dt, state...]`.

    Where nothing was ever recorded the server answers `[state, now in milliseconds, state]`: no history.
    """
    if len(timeline) < 3 or timeline[1] > 1e11:
        return ()
    starts, states = [timeline[1]], [timeline[2]]
    for delta, state in zip(timeline[3::2], timeline[4::2], strict=False):
        starts.append(starts[-1] + delta)
        states.append(state)
    edges = [instant(start * 1000) for start in starts]
    spans = zip(edges, [*edges[1:], None], states, strict=True)
    return tuple(PowerSpan(at, until, _POWER.get(int(s), "unknown")) for at, until, s in spans if at)


def events(rows: Iterable[wire.LoggedEvent]) -> tuple[DeviceEvent, ...]:
    """MeshCentral's own log of the device, newest first; rows without a time are left out."""
    found = []
    for row in rows:
        try:
            at = datetime.fromisoformat(row.time).astimezone(UTC)
        except ValueError:
            continue
        found.append(DeviceEvent(at, clean(row.msg), clean(row.username) if row.username else None))
    return tuple(found)


def services(rows: Iterable[wire.ServiceRow]) -> tuple[Service, ...]:
    return tuple(
        Service(
            clean(row.display or row.name or "?"),
            clean((row.status.state if row.status else None) or "unknown").lower(),
            clean(row.start) if isinstance(row.start, str) else None,
        )
        for row in rows
    )


def sample(answer: wire.CpuAnswer, at: datetime) -> Sample:
    return Sample(
        at,
        _percent(answer.cpu.total if answer.cpu else None),
        _percent(answer.memory.percent if answer.memory else None),
    )


def _percent(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else min(100.0, max(0.0, float(value)))
