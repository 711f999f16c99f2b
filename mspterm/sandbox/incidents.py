"""What goes wrong, with a cause and an end."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from mspterm.sandbox import monitor
from mspterm.sandbox.clients import SITE
from mspterm.sandbox.devices import GB, Device
from mspterm.sandbox.life import Life

# In seconds of the world, but for _STORM, which counts tickets.
_STEP_S = 30
_STORM = 30
_STORM_S = 150
_OUTAGE_S = 1500
_THINGS = ("AP", "Camera", "Printer", "Phone", "Scanner", "Terminal")


def agent_drops(life: Life, at: datetime, device: Device, seconds: float) -> None:
    """A device is away for a while."""
    is_server = device.model.node_class not in ("WINDOWS_WORKSTATION", "MAC")
    monitor.go_offline(life.world, at, device, alerts=is_server)
    life.after(at, seconds, partial(_returns, life, device.id))


def _returns(life: Life, device: int, at: datetime) -> None:
    held = life.world.edit_device(device)
    # It may be back by now, after a reboot or with its site's line.
    if held.offline:
        monitor.come_back(life.world, at, held)


def disk_fills(life: Life, at: datetime, device: Device) -> None:
    """A job writes to the last volume until it is full; somebody must make room."""
    volume = device.volumes[-1]
    # In six steps, so that somebody who looks has the time to make room.
    step = max(GB, (volume.free - int(volume.capacity * 0.03)) // 6)
    life.world.log(
        at, device.id, "SYSTEM", "PROCESS_STARTED", "Export job", f"{device.name}: export to {volume.letter}:"
    )

    def write(when: datetime) -> None:
        held = life.world.edit_device(device.id)
        target = held.volumes[-1]
        target.free = max(int(target.capacity * 0.02), target.free - step)
        if target.free_percent < 5:
            monitor.low_on_disk(life.world, when, held, target.letter)
        else:
            life.after(when, _STEP_S, write)

    write(at)


def backup_runs(life: Life, at: datetime, device: Device) -> None:
    """A backup takes room while it runs and gives most of it back."""
    world = life.world
    started = world.log(
        at, device.id, "NINJA_BACKUP", "NINJA_BACKUP_BACKUPJOB_STARTED", "Backup", f"{device.name}: backup started"
    )  # fmt: skip
    taken = device.volumes[-1].free // 8
    device.volumes[-1].free -= taken

    def done(when: datetime) -> None:
        held = world.edit_device(device.id)
        held.volumes[-1].free += taken * 9 // 10
        world.log(
            when, held.id, "NINJA_BACKUP", "NINJA_BACKUP_BACKUPJOB_COMPLETED", "Backup",
            f"{held.name}: backup completed since activity {started.id}", result="SUCCESS",
        )  # fmt: skip

    life.after(at, 600, done)


def service_hangs(life: Life, at: datetime, device: Device) -> None:
    """The last service of the device's list stops: alert and ticket until somebody starts it."""
    world, service = life.world, device.services[-1]
    service.state = "STOPPED"
    message = f"{device.name}: service {service.title} stopped"
    body = f"Condition Windows service: {service.name} on {device.name} is STOPPED, expected RUNNING."
    ticket = monitor.open_ticket(world, at, device, "service", message, body)
    monitor.fire(world, at, device, "service", service.name, message, ticket.id)


def outage(life: Life, at: datetime, site: int) -> None:
    """A site loses its line: all its agents go, and its monitored things alert, thirty tickets in all."""
    world = life.world
    # Each has to be made to see its site, so a fleet of twenty thousand isn't searched whole.
    devices = [d for d in (world.device(n) for n in list(world.device_ids)[:2000]) if d and d.site == site]
    # By id: the events come later, and take the device as it is by then.
    down: list[int] = [device.id for device in devices if not device.offline][:_STORM]
    for place, device in enumerate(down):
        life.after(at, 4 + place * 9, partial(_dies, life, device))
    things: list[int] = []
    # A site with few devices makes a storm of the same size.
    for place in range(_STORM - len(down)):
        wait = 10 + place * _STORM_S / _STORM
        life.after(at, wait, partial(_unreachable, life, site, place, things))
    life.after(at, _OUTAGE_S, partial(_restored, life, down, things))


def _dies(life: Life, number: int, at: datetime) -> None:
    world, device = life.world, life.world.edit_device(number)
    alert = monitor.go_offline(world, at, device, alerts=True)
    summary = f"{device.name}: agent offline"
    ticket = monitor.open_ticket(
        world, at, device, "offline", summary, f"{device.name} is not heard any more."
    )
    if alert:
        alert.ticket = ticket.id


def _unreachable(life: Life, site: int, place: int, things: list[int], at: datetime) -> None:
    """A thing that the site's probe watches and that has no agent of its own."""
    here, client = SITE[site]
    thing = f"{client.code}-{_THINGS[place % len(_THINGS)]}-{place // len(_THINGS) + 1:02}"
    summary = f"{thing}: no answer to ping ({here.name})"
    body = f"Ping of {thing} lost at {here.name}."
    things.append(monitor.alert_ticket(life.world, at, client.id, site, "ping", summary, body).id)


def _restored(life: Life, down: list[int], things: list[int], at: datetime) -> None:
    for number in down:
        _returns(life, number, at)
    for number in things:
        monitor.tell_cleared(life.world, at, number, "It answers ping again.")
