"""What NinjaOne is asked, and what is made of its answers. Each trap of the reference by its name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from mspterm.connectors.base import Batch
from mspterm.connectors.ninjaone import mapping, wire
from mspterm.connectors.ninjaone.connector import NinjaConnector
from mspterm.connectors.ninjaone.manifest import MANIFEST
from mspterm.connectors.registry import manifest
from mspterm.domain.device import Device, Disk, Maintenance
from mspterm.domain.reasons import Failed, Reason
from mspterm.domain.text import clean
from mspterm.net.pacer import FreePacer
from tests.connectors.fake_ninjaone import (
    ALERT,
    AT,
    MACHINE,
    NINJA,
    NOW,
    FakeNinja,
    activity,
    connector,
    device,
)
from tests.connectors.spec_check import NINJAONE, spec_of

DETAILED = ("GET", "/v2/devices-detailed")


@pytest.fixture
def fake(shared: Path) -> Iterator[FakeNinja]:
    """A NinjaOne whose every request, at the end, has to be one that the description knows."""
    made = FakeNinja()
    yield made
    spec = spec_of(shared, NINJAONE)
    sent = [r for r in made.requests if r.url.path != "/ws/oauth/token"]
    assert [problem for request in sent for problem in spec.problems(request)] == []


async def run(ninja: NinjaConnector, cursor: str | None = None, **more: Any) -> list[Batch]:
    return [batch async for batch in ninja.feed(cursor, **more)]


def devices_of(batches: list[Batch]) -> list[Device]:
    return [d for b in batches for d in b.devices]


def mapped(fleet: mapping.Fleet | None = None, **more: Any) -> Device:
    row = wire.item(httpx.Response(200, json=device(7, **more)).content, wire.Device)
    return mapping.device(row, fleet or mapping.Fleet(), "ninja", "https://eu.ninjarmm.com", NOW)


async def test_reads_go_under_the_machines_token(fake: FakeNinja) -> None:
    await run(connector(fake))
    [form] = fake.forms()
    assert form == {
        "grant_type": "client_credentials",
        "client_id": "abc",
        "client_secret": "s3cret-CANARY",
        "scope": "monitoring",
    }
    assert {r.headers["Authorization"] for r in fake.requests[1:]} == {"Bearer machine-0"}
    assert {r.url.host for r in fake.requests} == {"eu.ninjarmm.com"}


async def test_trap_lists_without_page_size_are_cut_silently(fake: FakeNinja) -> None:
    await run(connector(fake))
    lists = [
        r
        for r in fake.requests
        if r.url.path in ("/v2/devices-detailed", "/v2/organizations", "/v2/locations")
    ]
    queries = [r for r in fake.requests if "/queries/" in r.url.path]
    assert len(lists) == 3
    assert {r.url.params["pageSize"] for r in [*lists, *queries]} == {"1000"}


async def test_pages_follow_the_last_id(fake: FakeNinja) -> None:
    fake.devices = [device(n) for n in range(1, 1502)]
    batches = await run(connector(fake))
    assert len(devices_of(batches)) == 1501
    assert [r.url.params.get("after") for r in fake.asked(*DETAILED)] == [None, "1000"]


async def test_trap_queries_end_with_no_rows_and_not_with_a_short_page(fake: FakeNinja) -> None:
    fake.queries["device-health"] = [[{"deviceId": 7, "alertCount": 2}], [{"deviceId": 8, "alertCount": 3}]]
    found = devices_of(await run(connector(fake)))
    assert [d.alerts_open for d in found] == [2, 3]
    asked = fake.asked("GET", "/v2/queries/device-health")
    assert [r.url.params.get("cursor") for r in asked] == [None, "page-1", "page-2"]


async def test_what_devices_detailed_lacks_comes_from_the_queries(fake: FakeNinja) -> None:
    fake.queries = {
        "device-health": [[{"deviceId": 7, "pendingOSPatchesCount": 2, "pendingRebootReason": "update"}]],
        "volumes": [[{"deviceId": 7, "driveLetter": "C:", "capacity": 100, "freeSpace": 9}]],
        "operating-systems": [[{"deviceId": 7, "name": "Windows Server 2022", "lastBootTime": AT - 3600}]],
        "computer-systems": [
            [{"deviceId": 7, "serialNumber": "SN7", "domainRole": "Primary Domain Controller"}]
        ],
        "logged-on-users": [[{"deviceId": 7, "userName": "HVD\\dana"}]],
    }
    first = devices_of(await run(connector(fake)))[0]
    assert (first.ref, first.name, first.client, first.site) == (
        "ninja:7",
        "HVD-SRV07",
        "Harborview Dental",
        "Main office",
    )
    assert (first.os, first.serial, first.user) == ("Windows Server 2022", "SN7", "HVD\\dana")
    assert first.booted_at == NOW - timedelta(hours=1)
    assert first.disks == (Disk(clean("C:"), 100, 9),)
    assert (first.patches.status, first.patches.pending, first.needs_reboot) == ("pending", 2, True)
    assert first.flags == ("domain-controller",)
    assert first.ips == ("10.0.0.5",)


async def test_rows_that_bring_it_all_save_the_queries(fake: FakeNinja) -> None:
    whole = {
        "os": {"name": "Windows 11", "needsReboot": True},
        "system": {"serialNumber": "SN9"},
        "volumes": [{"name": "C:", "capacity": 10, "freeSpace": 5}],
        "lastLoggedInUser": "dana",
        "references": {"organization": {"name": "HVD"}, "location": {"name": "Main"}},
    }
    fake.devices = [device(9, **whole)]
    [only] = devices_of(await run(connector(fake)))
    assert (only.os, only.serial, only.user, only.client, only.site) == (
        "Windows 11",
        "SN9",
        "dana",
        "HVD",
        "Main",
    )
    assert [r.url.path for r in fake.requests if "queries" in r.url.path] == ["/v2/queries/device-health"]


async def test_a_decommissioned_device_is_none(fake: FakeNinja) -> None:
    fake.devices[0]["approvalStatus"] = "DECOMMISSIONED"
    assert [d.id for d in devices_of(await run(connector(fake)))] == ["8"]


async def test_one_odd_row_does_not_cost_the_page(fake: FakeNinja) -> None:
    fake.devices[0]["displayName"] = {"not": "a name"}
    batches = await run(connector(fake))
    assert [s.id for b in batches for s in b.skipped] == ["7"]
    assert [d.id for d in devices_of(batches)] == ["8"]


async def test_nothing_new_is_one_small_request(fake: FakeNinja) -> None:
    fake.activities = [activity(50)]
    ninja = connector(fake)
    cursor = (await run(ninja))[-1].cursor
    before = len(fake.requests)
    [last] = await run(ninja, cursor)
    assert (last.cursor, last.full, last.devices) == (cursor, False, ())
    [request] = fake.requests[before:]
    assert dict(request.url.params) == {"pageSize": "1000", "newerThan": "50"}


async def test_trap_newer_than_gives_later_ids_whatever_the_description_says(fake: FakeNinja) -> None:
    fake.activities = [activity(50)]
    ninja = connector(fake)
    cursor = (await run(ninja))[-1].cursor
    fake.activities.append(activity(51, deviceId=8))
    fake.devices[1]["offline"] = True
    batches = await run(ninja, cursor)
    assert [(d.id, d.online) for d in devices_of(batches)] == [("8", False)]
    assert batches[-1].cursor == '{"activity": 51}'
    assert fake.asked(*DETAILED)[-1].url.params["df"] == "id in (8)"


async def test_a_delta_of_known_devices_asks_little(fake: FakeNinja) -> None:
    fake.queries["volumes"] = [[{"deviceId": 8, "name": "C:", "capacity": 10, "freeSpace": 5}]]
    ninja = connector(fake)
    cursor = (await run(ninja))[-1].cursor
    fake.activities.append(activity(51, deviceId=8))
    before = len(fake.requests)
    [changed] = devices_of(await run(ninja, cursor))
    paths = [r.url.path for r in fake.requests[before:]]
    assert paths == ["/v2/activities", "/v2/devices-detailed", "/v2/queries/device-health", "/v2/alerts"]
    assert (changed.client, len(changed.disks)) == ("Harborview Dental", 1)


async def test_a_delta_in_a_new_process_asks_what_it_does_not_know(fake: FakeNinja) -> None:
    fake.activities.append(activity(51, deviceId=8))
    [changed] = devices_of(await run(connector(fake), '{"activity": 50}'))
    assert changed.client == "Harborview Dental"
    assert {r.url.params["df"] for r in fake.requests if "queries" in r.url.path} == {"id in (8)"}


async def test_a_deleted_device_is_gone(fake: FakeNinja) -> None:
    fake.activities.append(activity(51, deviceId=99, statusCode="NODE_DELETED"))
    batches = await run(connector(fake), '{"activity": 50}')
    assert [r for b in batches for r in b.gone] == ["ninja:99"]


async def test_as_many_activities_as_fit_make_a_full_run(fake: FakeNinja) -> None:
    fake.activities = [activity(n) for n in range(51, 1052)]
    batches = await run(connector(fake), '{"activity": 50}')
    assert batches[-1].full
    assert batches[-1].cursor == '{"activity": 1051}'


async def test_alerts_come_and_go(fake: FakeNinja) -> None:
    fake.alerts = [
        {
            "uid": ALERT,
            "deviceId": 7,
            "message": "Disk C: 4 % free",
            "severity": "MAJOR",
            "createTime": AT - 60.5,
        }
    ]
    ninja = connector(fake)
    first = await run(ninja)
    [alert] = [a for b in first for a in b.alerts]
    assert (alert.device_ref, alert.client, alert.severity) == ("ninja:7", "Harborview Dental", "major")
    assert alert.raised_at == NOW - timedelta(seconds=60.5)
    fake.alerts = []
    fake.activities.append(activity(51, statusCode="RESET", seriesUid=ALERT))
    assert [r for b in await run(ninja, first[-1].cursor) for r in b.gone] == [alert.ref]


async def test_a_reset_is_seen_by_a_process_that_never_saw_the_alert(fake: FakeNinja) -> None:
    fake.activities.append(activity(51, statusCode="RESET", seriesUid=ALERT, activityType="CONDITION"))
    batches = await run(connector(fake), '{"activity": 50}')
    assert [r for b in batches for r in b.gone] == [f"ninja:alert:{ALERT}"]


@pytest.mark.parametrize(
    ("severity", "priority", "ours"),
    [
        ("CRITICAL", "NONE", "critical"),
        ("MODERATE", "HIGH", "minor"),
        ("MINOR", None, "warning"),
        ("NONE", "HIGH", "major"),
        (None, None, "info"),
        ("NEW_ONE", None, "info"),
    ],
)
def test_severities_keep_their_order(severity: str | None, priority: str | None, ours: str) -> None:
    row = wire.Alert(ALERT, severity=severity, priority=priority)
    assert mapping.alert(row, "ninja", None, NOW).severity == ours


@pytest.mark.parametrize(
    ("value", "at"),
    [
        (1764000000.25, datetime(2025, 11, 24, 16, 0, 0, 250000, UTC)),
        (1764000000000.0, datetime(2025, 11, 24, 16, 0, tzinfo=UTC)),
        ("2025-11-24T16:00:00Z", datetime(2025, 11, 24, 16, 0, tzinfo=UTC)),
        ("soon", None),
        (0.0, None),
        (float("nan"), None),
        (None, None),
    ],
)
def test_trap_times_are_epoch_seconds_and_maintenance_may_be_otherwise(
    value: wire.Time, at: datetime | None
) -> None:
    assert mapping.instant(value) == at


@pytest.mark.parametrize(
    ("node_class", "kind"),
    [
        ("WINDOWS_SERVER", "server"),
        ("MAC", "workstation"),
        ("VMWARE_VM_HOST", "hypervisor"),
        ("HYPERV_VMM_GUEST", "server"),
        ("NMS_FIREWALL", "network"),
        ("APPLE_IPADOS", "mobile"),
        ("CLOUD_MONITOR_TARGET", "other"),
        (None, "other"),
    ],
)
def test_kinds(node_class: str | None, kind: str) -> None:
    assert mapped(nodeClass=node_class).kind == kind


def test_a_hypervisor_is_flagged() -> None:
    assert mapped(nodeClass="HYPERV_VMM_HOST").flags == ("hypervisor",)


def test_what_is_not_told_is_none() -> None:
    found = mapped(offline=None)
    assert (found.online, found.needs_reboot, found.alerts_open, found.user) == (None, None, None, None)
    assert found.patches.status == "unknown"


@pytest.mark.parametrize(("status", "on"), [("IN_MAINTENANCE", True), ("PENDING", False), ("FAILED", False)])
def test_only_a_window_that_is_on_is_maintenance(status: str, on: bool) -> None:
    found = mapped(maintenance={"status": status, "end": AT + 60, "reasonMessage": "patching"}).maintenance
    assert found == (Maintenance(NOW + timedelta(seconds=60), clean("patching")) if on else None)


def test_vendor_text_is_cleaned() -> None:
    assert mapped(displayName="a\x1b[31mb\n").name == "ab␊"


async def test_a_device_with_all_its_parts(fake: FakeNinja) -> None:
    fake.queries["device-health"] = [[{"deviceId": 7, "alertCount": 1, "failedOSPatchesCount": 1}]]
    fake.parts = {
        "volumes": [{"driveLetter": "C:\\", "capacity": 100, "freeSpace": 50}, {"name": "empty"}],
        "disks": [{"model": "Samsung", "status": "OK"}],
        "os-patches": [{"name": "KB1", "status": "APPROVED"}, {"name": "KB2", "status": "FAILED"}],
        "windows-services": [
            {"displayName": "Print Spooler", "state": "START_PENDING", "startType": "AUTO_START"}
        ],
        "network-interfaces": [{"interfaceName": "LAN", "ipAddress": ["10.0.0.5"], "macAddress": ["aa:bb"]}],
        "last-logged-on-user": {"userName": "HVD\\dana"},
    }
    fake.activities = [activity(5, message="Agent started", activityType="SYSTEM")]
    detail = await connector(fake).device("7")
    assert detail.device.user == "HVD\\dana"
    assert detail.device.disks == (Disk(clean("C:"), 100, 50, "ok"),)
    assert (detail.device.patches.status, detail.device.patches.failed, detail.device.patches.approved) == (
        "failed",
        1,
        1,
    )
    assert [(s.name, s.state, s.start_type) for s in detail.services] == [
        ("Print Spooler", "start pending", "auto start")
    ]
    assert [e.message for e in detail.event_log] == ["SYSTEM: Agent started"]
    assert [(i.name, i.mac, i.addresses) for i in detail.interfaces] == [("LAN", "aa:bb", ("10.0.0.5",))]
    assert detail.hardware["Disk 0"] == "Samsung, OK"
    assert {"series", "checks", "cpu", "memory"} <= set(detail.unavailable)


async def test_a_part_that_fails_leaves_its_reason(fake: FakeNinja) -> None:
    fake.odd[("GET", "/v2/device/7/disks")] = [httpx.Response(403, json={"errorMessage": "no right"})]
    fake.odd[("GET", "/v2/device/7/windows-services")] = [httpx.Response(500)]
    detail = await connector(fake).device("7")
    assert detail.unavailable["hardware"] == "NinjaOne refused this for ninja: no right."
    assert "services" in detail.unavailable
    assert detail.device.name == "HVD-SRV07"


async def test_services_of_a_mac_are_not_asked_for(fake: FakeNinja) -> None:
    fake.devices[0]["nodeClass"] = "MAC"
    assert "Windows" in (await connector(fake).device("7")).unavailable["services"]
    assert fake.asked("GET", "/v2/device/7/windows-services") == []


@pytest.mark.parametrize("id", ["../devices", "99", "x"])
async def test_no_such_device(fake: FakeNinja, id: str) -> None:
    with pytest.raises(Failed) as caught:
        await connector(fake).device(id)
    assert caught.value.failure.reason is Reason.NOT_FOUND


def test_trap_there_is_no_live_cpu() -> None:
    ninja = NinjaConnector(NINJA, MACHINE, pacer=FreePacer(), now=lambda: NOW)
    with pytest.raises(Failed, match="no CPU or memory"):
        ninja.live("7")
    assert not MANIFEST.able("telemetry").possible


async def test_whoami_says_whose_login_it_is(fake: FakeNinja) -> None:
    machine = await connector(fake, MACHINE).whoami()
    assert (machine.technician.id, machine.kind) == ("machine", "shared")
    person = await connector(fake, connection=replace(NINJA, me="ines@msp.example")).whoami()
    assert (person.technician.id, person.kind) == ("ines@msp.example", "personal")


async def test_tickets_are_the_psas(fake: FakeNinja) -> None:
    with pytest.raises(Failed):
        await connector(fake).ticket("7")
    assert (await connector(fake).choices()).statuses == ()
    assert fake.requests == []


def test_the_registry_knows_it() -> None:
    assert manifest(NINJA) is MANIFEST
