"""What an action on a device brings about after a while."""

from __future__ import annotations

from datetime import datetime

from mspterm.sandbox import monitor, scripts
from mspterm.sandbox.devices import Device, Maintenance
from mspterm.sandbox.draw import Draw
from mspterm.sandbox.life import Life
from mspterm.sandbox.scripts import Script
from mspterm.sandbox.world import Job

USER = 7
"""The technician whose refresh token the sandbox gives out."""

_WAITS_FOR_AGENT = 20


def run_script(life: Life, device: Device, script: Script, parameters: str, run_as: str) -> Job:
    """Starts a script: its result is found in the activities when it is done. A device that is
    offline runs it when it is back."""
    world, now = life.world, life.world.now()
    draw = Draw(world.seed, "script", world.next_id("script", 1))
    job = Job(draw.uid(), device.id, script.name, now, USER)
    world.jobs[job.uid] = job
    _tell(life, now, job, "START_REQUESTED", f"Run {script.name} as {run_as}")

    def finish(at: datetime) -> None:
        held = world.edit_device(device.id)
        if held.offline:
            life.after(at, _WAITS_FOR_AGENT, finish)
            return
        good, output = scripts.run(world, at, held, script, parameters)
        world.jobs.pop(job.uid, None)
        result = "SUCCESS" if good else "FAILURE"
        message = f"{script.name} completed with result code {0 if good else 1}.\n{output}"
        data: dict[str, object] = {"message": {"code": "script_result", "params": {"output": output}}}
        _tell(life, at, job, "COMPLETED", message, result=result, data=data)

    def start(at: datetime) -> None:
        _tell(life, at, job, "STARTED", f"{script.name} started")

    life.after(now, 2, start)
    life.after(now, draw.between(*script.seconds), finish)
    return job


def run_action(life: Life, device: Device, name: str) -> Job:
    """One of NinjaOne's built-in actions."""
    seconds = (6, 12)
    # They borrow what two scripts of the library do.
    effect = 11 if "temporary" in name else 14
    script = Script(effect, name, "", "native", seconds)
    return run_script(life, device, script, "", "system")


def _tell(
    life: Life,
    at: datetime,
    job: Job,
    code: str,
    message: str,
    *,
    result: str | None = None,
    data: dict[str, object] | None = None,
) -> None:
    life.world.log(
        at,
        job.device,
        "SCRIPTING",
        code,
        job.name,
        message,
        result=result,
        series=job.uid,
        user=job.user,
        data=data,
    )


def reboot(life: Life, device: Device, reason: str) -> None:
    """The agent goes in a few seconds and is back after a minute or two."""
    world, now = life.world, life.world.now()
    draw = Draw(world.seed, "reboot", world.next_id("reboot", 1))
    world.log(now, device.id, "ACTION", "START_REQUESTED", "Reboot", f"Reboot requested: {reason}", user=USER)

    if device.offline:
        # It is told to the agent, which doesn't hear it.
        return

    def down(at: datetime) -> None:
        monitor.go_offline(world, at, world.edit_device(device.id), alerts=False)

    def up(at: datetime) -> None:
        held = world.edit_device(device.id)
        held.boot, held.reboot_reason = at, None
        for service in held.services:
            service.state = "RUNNING"
        monitor.come_back(world, at, held)
        for kind in ("reboot", "service", "memory"):
            monitor.clear_all(world, at, held.id, kind, f"{held.name} was restarted.")
        world.log(
            at, held.id, "SYSTEM", "SYSTEM_REBOOTED", "System rebooted", f"{held.name} rebooted.",
            result="SUCCESS",
        )  # fmt: skip

    life.after(now, 5, down)
    life.after(now, draw.between(60, 120), up)


def control_service(life: Life, device: Device, name: str, action: str) -> None:
    """START, STOP, PAUSE or RESTART, which take effect within seconds."""
    world, now = life.world, life.world.now()

    def effect(at: datetime) -> None:
        held = world.edit_device(device.id)
        service = next(service for service in held.services if service.name == name)
        if action in ("START", "RESTART"):
            scripts.restart_service(world, at, held, name)
        else:
            service.state = "STOPPED" if action == "STOP" else "PAUSED"
        code = "STOP_SERVICE" if action == "STOP" else "RESTART_SERVICE"
        world.log(
            at, held.id, "REMOTE_TOOLS", f"REMOTE_TOOLS_{code}_SUCCESS", service.title,
            f"{action} {service.title}", result="SUCCESS", user=USER,
        )  # fmt: skip

    life.after(now, 4, effect)


def mute(life: Life, device: Device, window: Maintenance | None) -> None:
    """Puts a device into maintenance, or takes it out."""
    held, now = life.world.edit_device(device.id), life.world.now()
    held.maintenance = window
    message = f"Maintenance until {window.end:%Y-%m-%d %H:%M} UTC" if window else "Maintenance cancelled"
    life.world.log(now, device.id, "ACTION", "COMPLETED", "Maintenance", message, user=USER)


def reset_alert(life: Life, uid: str) -> None:
    """A reset alert is gone; it comes back where its condition is still true."""
    world, now = life.world, life.world.now()
    alert = world.alerts.pop(uid)
    name = monitor.CONDITIONS[alert.kind].name
    world.log(now, alert.device, "CONDITION", "RESET", name, "Reset by a technician.", series=uid, user=USER)

    def again(at: datetime) -> None:
        # Asked when it is time, since it may have been mended by then.
        if _still_true(life, alert.device, alert.kind, alert.detail):
            device = world.edit_device(alert.device)
            monitor.fire(world, at, device, alert.kind, alert.detail, alert.message, alert.ticket)

    if alert.lasts:
        life.after(now, 120, again)


def _still_true(life: Life, device: int, kind: str, detail: str) -> bool:
    held = life.world.edit_device(device)
    if kind == "disk":
        volume = held.volume(detail)
        return volume is not None and volume.free_percent < 5
    if kind == "service":
        return any(service.name == detail and service.state != "RUNNING" for service in held.services)
    if kind in ("offline", "ping"):
        return held.offline
    return kind == "reboot" and held.reboot_reason is not None


def apply_patches(life: Life, device: Device) -> None:
    """Installs what is pending; Windows wants a reboot after it."""
    world, now = life.world, life.world.now()
    kind, name = "PATCH_MANAGEMENT", "OS patches"
    world.log(now, device.id, kind, "PATCH_MANAGEMENT_APPLY_PATCH_STARTED", name, "Apply started", user=USER)

    def done(at: datetime) -> None:
        held = world.edit_device(device.id)
        count, held.pending_patches = held.pending_patches, 0
        held.reboot_reason = "Windows Update" if count else held.reboot_reason
        message = f"{count} patches installed on {held.name}"
        world.log(
            at, held.id, kind, "PATCH_MANAGEMENT_APPLY_PATCH_COMPLETED", name, message, result="SUCCESS"
        )

    life.after(now, 90, done)
