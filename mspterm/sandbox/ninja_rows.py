"""NinjaOne's rows. Times are epoch seconds; what has no value is left out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from mspterm.sandbox.clients import CLIENT, SITE, Client
from mspterm.sandbox.devices import GB, MODELS, Device
from mspterm.sandbox.draw import Draw
from mspterm.sandbox.monitor import CONDITIONS
from mspterm.sandbox.world import Activity, Alert, Job, World

Row = dict[str, Any]
# Sorted, as a set's order differs from run to run and these are ids.
ROLE_IDS = {
    node_class: 10 + n for n, node_class in enumerate(sorted({m.node_class for m in MODELS.values()}))
}
_PRIORITY = {"CRITICAL": "HIGH", "MAJOR": "MEDIUM", "MODERATE": "LOW", "MINOR": "LOW", "NONE": "NONE"}
_DASHBOARD = "https://app.ninjarmm.example/#/deviceDashboard"


def epoch(at: datetime) -> float:
    return at.timestamp()


def device_row(world: World, device: Device) -> Row:
    heard = device.heard if device.offline else world.now()
    row = {
        "id": device.id,
        "uid": device.uid,
        "organizationId": device.client,
        "locationId": device.site,
        "nodeClass": device.model.node_class,
        "nodeRoleId": ROLE_IDS[device.model.node_class],
        "rolePolicyId": 50 + ROLE_IDS[device.model.node_class],
        "approvalStatus": "APPROVED",
        "offline": device.offline,
        "displayName": device.name,
        "systemName": device.name,
        "dnsName": f"{device.name.lower()}.{CLIENT[device.client].code.lower()}.example",
        "netbiosName": device.name[:15],
        "created": epoch(device.created),
        "lastContact": epoch(heard),
        "lastUpdate": epoch(heard),
        "tags": [],
    }
    if window := _maintenance(world, device):
        row["maintenance"] = window
    return row


def _maintenance(world: World, device: Device) -> Row | None:
    window, now = device.maintenance, world.now()
    # It is over by itself, with no event at its end.
    if window is None or window.end <= now:
        return None
    return {
        "status": "PENDING" if window.start > now else "IN_MAINTENANCE",
        "start": epoch(window.start),
        "end": epoch(window.end),
        "reasonMessage": window.reason,
    }


def detailed_row(world: World, device: Device) -> Row:
    model = device.model
    row = {
        **device_row(world, device),
        "references": _references(device),
        "ipAddresses": [device.ip],
        "macAddresses": [device.mac],
        # A range for documentation (RFC 5737): it is nobody's.
        "publicIP": f"198.51.100.{device.site % 200 + 10}",
        "notes": [],
        "deviceType": "NMS" if model.os is None else "AGENT",
    }
    if model.os is None:
        return row
    row["os"] = operating_system(device)
    row["system"] = system(device)
    row["memory"] = {"capacity": memory(device)}
    row["volumes"] = volume_rows(device)
    if device.user:
        row["lastLoggedInUser"] = device.user
    return row


def _references(device: Device) -> Row:
    site = SITE[device.site][0]
    node_class = device.model.node_class
    return {
        "organization": {"id": device.client, "name": CLIENT[device.client].name},
        "location": {"id": site.id, "name": site.name, "address": site.city},
        "role": {"id": ROLE_IDS[node_class], "name": node_class, "nodeClass": node_class},
    }


def operating_system(device: Device) -> Row:
    assert device.model.os is not None
    name, build, release = device.model.os
    return {
        "manufacturer": device.model.maker,
        "name": name,
        "architecture": "64-bit",
        "lastBootTime": epoch(device.boot),
        "buildNumber": build,
        "releaseId": release,
        "locale": "en-US",
        "language": "English",
        "needsReboot": device.reboot_reason is not None,
    }


def system(device: Device) -> Row:
    model = device.model
    return {
        "name": device.name,
        "manufacturer": model.maker,
        "model": model.model,
        "biosSerialNumber": device.serial,
        "serialNumber": device.serial,
        "domain": f"{CLIENT[device.client].code.lower()}.example",
        "domainRole": "DOMAIN_CONTROLLER" if device.role == "DC" else "MEMBER",
        "totalPhysicalMemory": memory(device),
        "virtualMachine": model.virtual,
        "chassisType": "LAPTOP" if device.role == "LT" else "DESKTOP",
    }


def memory(device: Device) -> int:
    return (16 if device.role in ("WS", "LT", "MAC") else 64) * GB


def volume_rows(device: Device) -> list[Row]:
    return [
        {
            "name": f"{volume.letter}:" if len(volume.letter) == 1 else volume.letter,
            **({"driveLetter": f"{volume.letter}:"} if len(volume.letter) == 1 else {}),
            "label": volume.label,
            "deviceType": "Local Disk",
            "fileSystem": "NTFS" if len(volume.letter) == 1 else "btrfs",
            "autoMount": True,
            "compressed": False,
            "capacity": volume.capacity,
            "freeSpace": volume.free,
            "serialNumber": f"{device.id:08X}",
        }
        for volume in device.volumes
    ]


def disk_rows(world: World, device: Device) -> list[Row]:
    failing = any(a.device == device.id and a.kind == "smart" for a in world.alerts.values())
    return [
        {
            "name": f"\\\\.\\PHYSICALDRIVE{n}",
            "model": "Samsung PM893" if n == 0 else "Seagate EXOS 7E10",
            "manufacturer": "(Standard disk drives)",
            "size": volume.capacity,
            "serialNumber": f"S{device.id}{n:03}",
            "interfaceType": "SCSI",
            "mediaType": "Fixed hard disk media",
            "partitionCount": 1,
            "bytesPerSector": 512,
            "smartCapable": True,
            "status": "Pred Fail" if failing and n == len(device.volumes) - 1 else "OK",
        }
        for n, volume in enumerate(device.volumes)
    ]


def service_rows(device: Device) -> list[Row]:
    return [
        {
            "name": service.name,
            "displayName": service.title,
            "description": "",
            "startType": service.start,
            "userName": "LocalSystem",
            "state": service.state,
        }
        for service in device.services
    ]


def patch_rows(world: World, device: Device) -> list[Row]:
    # By the device, so that its patches keep their ids from question to question.
    draw = Draw(world.seed, "patches", device.id)
    rows = []
    for n in range(device.pending_patches + device.failed_patches):
        kb = f"KB50{draw.below(90000) + 10000}"
        rows.append(
            {
                "id": draw.uid(),
                "name": f"2026-11 Cumulative Update ({kb})",
                "severity": draw.pick(("CRITICAL", "IMPORTANT", "MODERATE")),
                "status": "FAILED" if n < device.failed_patches else "PENDING",
                "type": draw.pick(("SECURITY_UPDATES", "UPDATE_ROLLUPS")),
                "kbNumber": kb,
            }
        )
    return rows


def install_rows(world: World, device: Device) -> list[Row]:
    draw = Draw(world.seed, "installs", device.id)
    return [
        {
            "id": draw.uid(),
            "name": f"2026-{10 - n:02} Cumulative Update",
            "severity": "IMPORTANT",
            "status": "INSTALLED",
            "type": "SECURITY_UPDATES",
            "installedAt": epoch(world.clock.began - timedelta(days=30 * n + 12)),
            "kbNumber": f"KB50{draw.below(90000) + 10000}",
        }
        for n in range(3 if device.model.os else 0)
    ]


def health_row(world: World, device: Device, alerts: int) -> Row:
    jobs = sum(job.device == device.id for job in world.jobs.values())
    bad = device.offline or alerts > 1
    return {
        "deviceId": device.id,
        "alertCount": alerts,
        "activeJobCount": jobs,
        "pendingOSPatchesCount": device.pending_patches,
        "failedOSPatchesCount": device.failed_patches,
        "pendingSoftwarePatchesCount": 0,
        "failedSoftwarePatchesCount": 0,
        **({"pendingRebootReason": device.reboot_reason} if device.reboot_reason else {}),
        "activeThreatsCount": 0,
        "quarantinedThreatsCount": 0,
        "blockedThreatsCount": 0,
        "healthStatus": "UNHEALTHY" if bad else "NEEDS_ATTENTION" if alerts else "HEALTHY",
        "criticalVulnerabilityCount": 0,
        "highVulnerabilityCount": 0,
        "mediumVulnerabilityCount": 0,
        "lowVulnerabilityCount": 0,
        "installationIssuesCount": 0,
        "offline": device.offline,
        "parentOffline": False,
    }


def alert_row(world: World, alert: Alert) -> Row:
    condition = CONDITIONS[alert.kind]
    device = world.device(alert.device)
    return {
        "uid": alert.uid,
        "deviceId": alert.device,
        "message": alert.message,
        "createTime": epoch(alert.raised),
        "updateTime": epoch(alert.raised),
        "sourceType": condition.source,
        "sourceName": condition.name,
        "subject": condition.name,
        **({"psaTicketId": {"id": alert.ticket}} if alert.ticket else {}),
        "data": {"message": {"code": alert.kind, "params": {"detail": alert.detail}}},
        **({"device": device_row(world, device)} if device else {}),
        "priority": _PRIORITY[condition.severity],
        "severity": condition.severity,
        "conditionName": condition.name,
        "conditionHealthStatus": "UNHEALTHY" if condition.severity == "CRITICAL" else "NEEDS_ATTENTION",
    }


def activity_row(activity: Activity) -> Row:
    row = {
        "id": activity.id,
        "activityTime": epoch(activity.at),
        "deviceId": activity.device,
        "severity": activity.severity,
        "priority": _PRIORITY[activity.severity],
        "seriesUid": activity.series,
        "activityType": activity.type,
        "statusCode": activity.code,
        "status": activity.code.replace("_", " ").capitalize(),
        "activityResult": activity.result,
        "sourceName": activity.subject,
        "subject": activity.subject,
        "userId": activity.user,
        "message": activity.message,
        "type": activity.type.replace("_", " ").capitalize(),
        "data": activity.data,
    }
    return {name: value for name, value in row.items() if value is not None}


def job_row(job: Job) -> Row:
    return {
        "uid": job.uid,
        "deviceId": job.device,
        "message": job.name,
        "createTime": epoch(job.started),
        "updateTime": epoch(job.started),
        "sourceName": job.name,
        "subject": job.name,
        "userId": job.user,
        "jobStatus": "IN_PROCESS",
        "jobType": "SCRIPTING",
    }


def organization_row(client: Client) -> Row:
    return {
        "id": client.id,
        "name": client.name,
        "description": client.trade.capitalize(),
        "nodeApprovalMode": "AUTOMATIC",
    }


def location_rows(client: Client) -> list[Row]:
    return [{"id": s.id, "name": s.name, "address": s.city, "description": ""} for s in client.sites]


def dashboard_url(device: Device) -> str:
    return f"{_DASHBOARD}/{device.id}/overview"
