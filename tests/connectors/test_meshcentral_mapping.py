"""Recorded answers and what the desk sees of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mspterm.config.model import Connection
from mspterm.connectors.meshcentral import mapping, wire
from mspterm.connectors.meshcentral.kinds import kind_of
from mspterm.connectors.meshcentral.mapping import Known
from mspterm.domain.device import Device, Disk, PowerSpan
from mspterm.domain.text import clean

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
GIB = 2**30


@pytest.fixture
def captures(shared: Path) -> Path:
    return shared / "captures" / "meshcentral"


def details(captures: Path) -> wire.Details:
    data = json.loads((captures / "getDeviceDetails.json").read_text())["data"]
    return wire.decode(data, list[wire.Details])[0]


def node(captures: Path, name: str) -> wire.Node:
    rows = wire.decode((captures / name).read_bytes(), wire.NodesAnswer).nodes
    return wire.decode(next(iter(rows.values()))[0], wire.Node)


def shown(known: Known, client_from: str | None = None, groups: dict[str, str] | None = None) -> Device:
    connection = Connection("mesh", "meshcentral", "wss://mesh.example.test", client_from=client_from)
    return mapping.device(known, connection, groups or {}, NOW)


def system(**hardware: Any) -> wire.System:
    return wire.decode(json.dumps({"hardware": hardware}).encode(), wire.System)


def test_a_device_of_the_bulk_read(captures: Path) -> None:
    row = details(captures)
    assert row.last is not None
    known = Known(row.node, row.sys, row.net, row.last.time)
    device = shown(known, groups={row.node.meshid or "": "Acme HQ"})
    assert device.ref == f"mesh:{row.node.id}"
    assert (device.name, device.os) == ("vm", "Debian GNU/Linux 12 (bookworm)")
    assert (device.online, device.last_seen, device.kind) == (True, NOW, "server")
    assert device.booted_at == datetime(2026, 11, 24, 5, 30, 30, tzinfo=UTC)
    assert device.ips == ("192.0.2.2", "fd00::2")
    assert device.serial == "LAB0001"
    assert device.disks == (Disk(clean("/"), 264212084 * 1024, 70408360 * 1024),)
    assert (device.client, device.site) == (None, "Acme HQ")
    assert (device.needs_reboot, device.alerts_open, device.maintenance) == (None, None, None)
    assert device.patches.status == "unknown"
    assert device.url == (
        "https://mesh.example.test/?gotonode="
        "uIxfILBEwRr2niJdRnukUpBPumQirwax41PiSSi8ujoEl7yEaLY0nI385Mq%24MGRa&viewmode=10"
    )


def test_a_group_is_the_client_only_where_config_says_so(captures: Path) -> None:
    row = details(captures)
    device = shown(Known(row.node), "group", {row.node.meshid or "": "Acme HQ"})
    assert (device.client, device.client_id, device.site) == ("Acme HQ", row.node.meshid, None)


def test_offline_is_a_missing_conn(captures: Path) -> None:
    device = shown(Known(node(captures, "nodes-offline.json"), seen_ms=1795499790715))
    assert device.online is False
    assert device.last_seen == datetime(2026, 11, 24, 5, 56, 30, 715000, tzinfo=UTC)


def test_without_network_the_address_the_server_saw(captures: Path) -> None:
    assert shown(Known(node(captures, "nodes.json"))).ips == ("127.0.0.1",)


def test_hostile_names_are_made_safe(captures: Path) -> None:
    bad = wire.decode(
        json.dumps(
            {"_id": "node//" + "a" * 64, "name": "\x1b]52;c;aGk=\x07PC\u202e", "users": ["\x9b31m bob"]}
        ),
        wire.Node,
    )
    device = shown(Known(bad))
    assert device.name == clean("PC\u202e")
    assert "\x1b" not in device.name
    assert "\x9b" not in str(device.user)


@pytest.mark.parametrize("value", ["node//", "node//a b", "mesh//" + "a" * 64, "node//a\x1b[m", None, 5])
def test_an_id_must_look_like_one(value: object) -> None:
    assert mapping.node_id(value) is None


def test_disks_of_windows_with_the_health_of_its_only_drive() -> None:
    report = system(
        windows={
            "volumes": {
                "C": {"size": 100 * GIB, "sizeremaining": 4 * GIB, "recoveryPassword": "123456-123456"},
                "D": {"size": str(50 * GIB), "sizeremaining": "1024"},
                "E": {"size": 0, "cdrom": True},
                "F": {"size": 8 * GIB, "sizeremaining": 1, "removable": True},
            },
            "drives": [{"Model": "Lab SSD", "Status": "Pred Fail"}],
            "memory": [{"Capacity": str(8 * GIB)}, {"Capacity": 8 * GIB}],
        }
    )
    device = shown(Known(wire.Node(id="node//" + "a" * 64), report))
    assert device.disks == (
        Disk(clean("C:"), 100 * GIB, 4 * GIB, "warning"),
        Disk(clean("D:"), 50 * GIB, 1024, "warning"),
    )
    shows = mapping.hardware(report)
    assert shows == {"Memory": "16 GiB", "Drive 0": "Lab SSD, Pred Fail"}
    assert "123456" not in repr(report)


def test_two_drives_leave_a_volume_of_unknown_health() -> None:
    report = system(
        windows={
            "volumes": {"C": {"size": GIB, "sizeremaining": 1}},
            "drives": [{"Status": "OK"}, {"Status": "OK"}],
        }
    )
    assert shown(Known(wire.Node(id="node//" + "a" * 64), report)).disks[0].health == "unknown"


def test_disks_of_a_mac_are_in_si() -> None:
    report = system(darwin={"volumes": [{"size": "494G", "available": "12.5G", "mount_point": "/"}]})
    disks = shown(Known(wire.Node(id="node//" + "a" * 64), report)).disks
    assert disks == (Disk(clean("/"), 494 * 10**9, 12_500_000_000),)


@pytest.mark.parametrize(
    ("pending", "expected"),
    [({}, None), ({"pendingReboot": None}, False), ({"pendingReboot": "Windows Update"}, True)],
)
def test_a_pending_reboot_is_known_on_windows_only(pending: dict[str, object], expected: bool | None) -> None:
    report = wire.decode(json.dumps({"hardware": {}, **pending}), wire.System)
    assert shown(Known(wire.Node(id="node//" + "a" * 64), report)).needs_reboot is expected


def test_interfaces_with_an_address(captures: Path) -> None:
    network = wire.decode((captures / "getnetworkinfo.json").read_bytes(), wire.Network)
    (eth0,) = mapping.interfaces(network)
    assert (eth0.name, eth0.mac, eth0.gateway, eth0.up) == ("eth0", "02:FC:00:00:00:01", "192.0.2.1", True)
    assert eth0.addresses == ("192.0.2.2", "fd00::2")


def test_power_as_recorded(captures: Path) -> None:
    timeline = wire.decode((captures / "powertimeline.json").read_bytes(), wire.Timeline).timeline
    since = datetime(2026, 11, 24, 5, 56, 10, tzinfo=UTC)
    assert mapping.power(timeline) == (PowerSpan(since, None, "on"),)


def test_power_by_differences() -> None:
    at = [datetime(2026, 11, 24, h, tzinfo=UTC) for h in (1, 2, 4)]
    assert mapping.power([0, at[0].timestamp(), 1, 3600, 0, 7200.5, 3]) == (
        PowerSpan(at[0], at[1], "on"),
        PowerSpan(at[1], at[2].replace(microsecond=500000), "unknown"),
        PowerSpan(at[2].replace(microsecond=500000), None, "sleep"),
    )


@pytest.mark.parametrize("timeline", [[], [1, 1795499770000, 1]])
def test_no_power_history_is_not_a_span_from_1970(timeline: list[float]) -> None:
    assert mapping.power(timeline) == ()


def test_events_newest_first_with_who(captures: Path) -> None:
    rows = wire.decode((captures / "events-after.json").read_bytes(), wire.EventsAnswer).events
    log = mapping.events(rows)
    assert (log[0].message, log[0].who) == ("Added device share: bob.", "admin")
    assert log[0].at == datetime(2026, 11, 24, 5, 50, 44, 560000, tzinfo=UTC)
    assert len(log) == 12


@pytest.mark.parametrize(("name", "cpu"), [("cpuinfo-0", None), ("cpuinfo-1", 100.0), ("cpuinfo-2", 91.0)])
def test_a_reading(captures: Path, name: str, cpu: float | None) -> None:
    answer = wire.decode((captures / f"{name}.json").read_bytes(), wire.CpuAnswer)
    reading = mapping.sample(answer, NOW)
    assert reading.cpu_percent == cpu
    assert reading.memory_percent is not None
    assert 9 < reading.memory_percent < 12


@pytest.mark.parametrize(
    ("name", "os", "icon", "mtype", "kind"),
    [
        ("HVD-DC01", "Debian GNU/Linux 12 (bookworm)", 8, 2, "server"),
        ("KSL-LT-014", "Debian GNU/Linux 12 (bookworm)", 8, 2, "workstation"),
        ("X1", "Microsoft Windows Server 2022 Standard - 21H2/20348", 1, 2, "server"),
        ("ACME-SQL", "Microsoft Windows 11 Pro - 23H2/22631", 1, 2, "workstation"),
        ("bob", "macOS 14.5", 2, 2, "workstation"),
        ("esx1", "VMware ESXi 8.0", 4, 2, "hypervisor"),
        ("fw", "", 6, 3, "network"),
        ("kvm-port-3", "", 1, 4, "network"),
        ("tab", "Android 14", 3, 2, "mobile"),
        ("what", "", 1, 3, "other"),
    ],
)
def test_the_kind_of_a_device(name: str, os: str, icon: int, mtype: int, kind: str) -> None:
    assert kind_of(name, os, icon, mtype) == kind
