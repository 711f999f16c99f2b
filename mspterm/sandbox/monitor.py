"""What the RMM notices: alerts that fire and clear, agents that go and return, tickets it opens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from mspterm.sandbox import catalogue as desk
from mspterm.sandbox.clients import CLIENT
from mspterm.sandbox.devices import FIXED, GB, Device
from mspterm.sandbox.draw import Draw
from mspterm.sandbox.stories import ALERT, MONITOR, STORIES
from mspterm.sandbox.tickets import Ticket
from mspterm.sandbox.world import Alert, World


@dataclass(frozen=True, slots=True)
class Condition:
    source: str
    name: str
    severity: str
    priority: int
    """Of the ticket that NinjaOne opens in the PSA."""


CONDITIONS = {
    "offline": Condition("AGENT_OFFLINE", "Agent offline", "CRITICAL", 15),
    "ping": Condition("CONDITION_PING", "No answer to ping", "CRITICAL", 15),
    "disk": Condition("CONDITION_AGENT_DISK_FREE_SPACE", "Disk free space", "MAJOR", 15),
    "service": Condition("CONDITION_WINDOWS_SERVICE_STATE_CHANGED", "Windows service", "MAJOR", 8),
    "backup": Condition("CONDITION_WINDOWS_EVENT_LOG_TRIGGERED", "Backup failed", "MAJOR", 15),
    # DEGRATED is how NinjaOne spells it (rmm-apis 1.5).
    "smart": Condition("CONDITION_SMART_STATUS_DEGRATED", "S.M.A.R.T. status", "CRITICAL", 15),
    "cpu": Condition("CONDITION_AGENT_CPU", "CPU load", "MODERATE", 7),
    "memory": Condition("CONDITION_AGENT_MEMORY", "Memory use", "MODERATE", 7),
    "reboot": Condition("CONDITION_PENDING_REBOOT", "Pending reboot", "MINOR", 7),
    "certificate": Condition("CONDITION_HTTP", "Certificate expires", "MINOR", 8),
    "tunnel": Condition("CONDITION_NMS_NETWORK_STATUS_CHANGE", "VPN tunnel", "MAJOR", 15),
}
# Words of the summaries in stories.py; the first that fits counts.
_KIND_OF_STORY = (
    ("backup", "backup"),
    ("disk D:", "disk"),
    ("certificate", "certificate"),
    ("service", "service"),
    ("reboot", "reboot"),
    ("S.M.A.R.T.", "smart"),
    ("VPN", "tunnel"),
)
# Not all: at ten thousand tickets a sandbox would start by making every one.
_LOOKED_AT = 60
_ONE_IN = 97
"""Of the devices beyond the first, one in so many has an alert."""


def begin(world: World) -> None:
    """The alerts that are open when the world begins, each with the ticket it opened and its cause."""
    first = world.layout.first_open
    for number in range(first, min(first + _LOOKED_AT, world.layout.after_last)):
        ticket = world.ticket(number)
        story = STORIES[ticket.story] if ticket and ticket.story is not None else None
        if ticket is None or story is None or story.source != ALERT or not ticket.configurations:
            continue
        kind = next((kind for word, kind in _KIND_OF_STORY if word in story.summary), "cpu")
        device = world.edit_device(ticket.configurations[0])
        detail = _cause(device, kind)
        fire(world, ticket.created, device, kind, detail, ticket.summary, ticket=ticket.id)
    for place in range(FIXED, world.layout.devices, _ONE_IN):
        device = world.edit_device(world.device_ids[place])
        message = f"{device.name}: CPU above 95 % for 5 minutes"
        fire(world, world.clock.began - timedelta(minutes=place % 600), device, "cpu", "", message)


def _cause(device: Device, kind: str) -> str:
    """Makes the device be in the state that the alert tells of."""
    if kind == "disk" and device.volumes:
        volume = device.volumes[-1]
        volume.free = int(volume.capacity * 0.04)
        return volume.letter
    if kind == "service" and device.services:
        # The first of every Windows server is the spooler, which the story names.
        device.services[0].state = "STOPPED"
        return device.services[0].name
    if kind == "reboot":
        device.reboot_reason = device.reboot_reason or "Windows Update"
    return ""


def fire(
    world: World,
    at: datetime,
    device: Device,
    kind: str,
    detail: str,
    message: str,
    ticket: int | None = None,
) -> Alert:
    """An alert fires; in maintenance that mutes alerts it only leaves an activity."""
    uid = Draw(world.seed, "alert", world.next_id("alert", 1)).uid()
    alert = Alert(uid, device.id, kind, detail, message, at, ticket)
    condition = CONDITIONS[kind]
    muted = device.maintenance and "ALERTS" in device.maintenance.features and at < device.maintenance.end
    if not muted:
        world.alerts[uid] = alert
    world.log(
        at,
        device.id,
        "CONDITION",
        "TRIGGERED",
        condition.name,
        message,
        severity=condition.severity,
        series=uid,
    )
    return alert


def clear(world: World, at: datetime, alert: Alert, why: str) -> None:
    """The condition is no longer true: the alert goes, and its ticket is told so."""
    # It may have been reset or cleared in the meantime.
    if world.alerts.pop(alert.uid, None) is None:
        return
    # For a reset that waits to fire it again.
    alert.lasts = False
    name = CONDITIONS[alert.kind].name
    world.log(at, alert.device, "CONDITION", "RESET", name, why, series=alert.uid)
    if alert.ticket:
        tell_cleared(world, at, alert.ticket, f"{name} has cleared. {why}")


def tell_cleared(world: World, at: datetime, number: int, text: str) -> None:
    """Comments an alert's ticket, and closes it where nobody has touched it."""
    ticket = world.ticket(number)
    if ticket is None or ticket.is_closed:
        return
    kept = world.edit(number)
    # The note first: closing stamps last, so that the ticket is updated by NinjaOne.
    world.add_note(kept, f"NinjaOne: {text}", "internal", at)
    if kept.owner is None and kept.responded is None:
        world.set_status(kept, desk.STATUS_OF[kept.board, desk.CLOSED].id, at, "ninjaone")


def clear_all(world: World, at: datetime, device: int, kind: str, why: str, detail: str = "") -> None:
    """Clears a device's alerts of one kind, of one volume or service where it is named."""
    # A copy, as clearing takes from the dict.
    for alert in list(world.alerts.values()):
        if alert.device == device and alert.kind == kind and (not detail or alert.detail == detail):
            clear(world, at, alert, why)


def open_ticket(world: World, at: datetime, device: Device, kind: str, summary: str, body: str) -> Ticket:
    """The ticket that NinjaOne's integration opens in the PSA for an alert."""
    ticket = alert_ticket(world, at, device.client, device.site, kind, summary, body)
    ticket.configurations = [device.id]
    return ticket


def alert_ticket(
    world: World, at: datetime, client: int, site: int, kind: str, summary: str, body: str
) -> Ticket:
    """An alert ticket about a place, or about a thing that has no configuration."""
    ticket = Ticket(
        id=world.new_ticket_id(),
        summary=summary[:100],
        board=MONITOR,
        status=desk.STATUS_OF[MONITOR, desk.NEW].id,
        client=CLIENT[client].id,
        site=site,
        contact=None,
        type=desk.TYPE_OF[MONITOR, "Alert"],
        team=None,
        owner=None,
        priority=CONDITIONS[kind].priority,
        source=ALERT,
        created=at,
        updated=at,
        updated_by="ninjaone",
    )
    world.add_note(world.add_ticket(ticket), body, "description", at, issue=True)
    return ticket


def go_offline(world: World, at: datetime, device: Device, *, alerts: bool) -> Alert | None:
    """The agent is heard no more."""
    device.offline, device.heard = True, at
    world.log(at, device.id, "SYSTEM", "NODE_UPDATED", "Device offline", f"{device.name} went offline.")
    if not alerts:
        return None
    return fire(world, at, device, "offline", "", f"{device.name} is offline since {at:%H:%M} UTC.")


def come_back(world: World, at: datetime, device: Device) -> None:
    device.offline, device.heard = False, at
    world.log(at, device.id, "SYSTEM", "NODE_UPDATED", "Device online", f"{device.name} is online again.")
    clear_all(world, at, device.id, "offline", f"{device.name} is online again.")
    clear_all(world, at, device.id, "ping", f"{device.name} answers again.")


def low_on_disk(world: World, at: datetime, device: Device, letter: str) -> Alert:
    """A volume has come below five percent: alert and ticket."""
    volume = device.volume(letter)
    free = f"{volume.free / GB:.1f} GB free" if volume else "full"
    message = f"{device.name}: disk {letter}: below 5 % free"
    ticket = open_ticket(
        world, at, device, "disk", message, f"Condition Disk free space on {device.name}: {free}."
    )
    return fire(world, at, device, "disk", letter, f"{message} ({free})", ticket.id)
