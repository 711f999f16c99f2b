"""The RMM's script library, and what a script prints on a device in the state that it is in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mspterm.sandbox import monitor
from mspterm.sandbox.devices import GB, Device
from mspterm.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Script:
    id: int
    name: str
    description: str
    language: str
    seconds: tuple[int, int]
    windows: bool = True


SCRIPTS = (
    Script(11, "Free disk space", "Deletes temp files and old logs", "powershell", (15, 30)),
    Script(12, "Top 10 folders by size", "Lists what fills a volume", "powershell", (10, 25)),
    Script(13, "Restart service", "Restarts the service named in the parameters", "powershell", (6, 12)),
    Script(14, "System information", "Uptime, memory, processes", "powershell", (4, 9)),
    Script(15, "Flush DNS and renew address", "ipconfig /flushdns and /renew", "batchfile", (4, 9)),
    Script(16, "Run command", "Runs the line in the parameters", "powershell", (4, 10)),
    Script(17, "Check backup jobs", "State of the last backup jobs", "powershell", (6, 14)),
    Script(21, "System information (shell)", "uptime, free, df", "sh", (3, 8), windows=False),
    Script(22, "Run command (shell)", "Runs the line in the parameters", "sh", (3, 8), windows=False),
)
SCRIPT = {script.id: script for script in SCRIPTS}
ACTIONS = {
    "5c1d6c7a-29c2-4f3e-9f0e-0b0d5a1f0a01": "Clean up temporary files",
    "5c1d6c7a-29c2-4f3e-9f0e-0b0d5a1f0a02": "Refresh agent data",
}


def fits(script: Script, device: Device) -> bool:
    # Either for Windows, which Hyper-V hosts are as well, or for all the rest with an agent.
    return device.model.os is not None and script.windows == device.model.node_class.startswith(
        ("WINDOWS", "HYPERV")
    )


def run(world: World, at: datetime, device: Device, script: Script, parameters: str) -> tuple[bool, str]:
    """What the script does to the device, whether it succeeded, and what it printed."""
    if script.id == 11:
        return True, _free_space(world, at, device)
    if script.id == 12:
        return True, _folders(device)
    if script.id == 13:
        return restart_service(world, at, device, parameters.strip().removeprefix("-Name").strip(" \"'"))
    if script.id == 15:
        return True, f"Successfully flushed the DNS Resolver Cache.\nIPv4 Address: {device.ip}"
    if script.id == 17:
        return True, "Nightly-VM   Failed    repository full\nDaily-SQL    Success   02:14\n"
    # Lines of the two scripts that run a command; one without a line tells about the system.
    if script.id in (16, 22) and parameters.strip():
        return _command(world, at, device, parameters.strip())
    return True, _information(at, device)


def _free_space(world: World, at: datetime, device: Device) -> str:
    rows = []
    for volume in device.volumes:
        freed = min(int(volume.capacity * 0.18), volume.capacity - volume.free)
        volume.free += freed
        rows.append(f"{volume.letter}: freed {freed / GB:.1f} GB, now {volume.free / GB:.1f} GB free")
        why = f"{volume.letter}: has {volume.free_percent:.0f} % free again."
        monitor.clear_all(world, at, device.id, "disk", why, volume.letter)
    return "\n".join(["Deleting temp files, old logs, update caches ...", *rows])


def _folders(device: Device) -> str:
    volume = device.volumes[-1]
    used = (volume.capacity - volume.free) / GB
    shares = (("Staging", 0.46), ("Shares\\Projects", 0.21), ("SQLBackup", 0.12), ("Profiles", 0.08))
    return "\n".join(f"{used * share:9.1f} GB  {volume.letter}:\\{name}" for name, share in shares)


def restart_service(world: World, at: datetime, device: Device, name: str) -> tuple[bool, str]:
    """Starts a service again, by its name or its title."""
    wanted = name.casefold()
    service = next((s for s in device.services if wanted in (s.name.casefold(), s.title.casefold())), None)
    if service is None:
        return False, f"Restart-Service : Cannot find any service with service name '{name}'."
    service.state = "RUNNING"
    monitor.clear_all(world, at, device.id, "service", f"{service.title} is running again.", service.name)
    return True, f"Status   Name               DisplayName\nRunning  {service.name:<18} {service.title}"


def _information(at: datetime, device: Device) -> str:
    days = (at - device.boot).total_seconds() / 86400
    rows = [f"{device.name}  {device.model.os[0] if device.model.os else ''}", f"Up {days:.1f} days"]
    rows += [f"{v.letter}: {v.free / GB:.0f} of {v.capacity / GB:.0f} GB free" for v in device.volumes]
    stopped = [service.title for service in device.services if service.state != "RUNNING"]
    rows.append("Stopped services: " + (", ".join(stopped) or "none"))
    rows.append(f"Reboot pending: {device.reboot_reason or 'no'}")
    return "\n".join(rows)


def _command(world: World, at: datetime, device: Device, line: str) -> tuple[bool, str]:
    word = line.split()[0].casefold()
    if word in ("hostname", "whoami"):
        return True, device.name if word == "hostname" else "nt authority\\system"
    if word in ("restart-service", "net"):
        return restart_service(world, at, device, line.split()[-1])
    if word in ("df", "uptime", "systeminfo", "get-volume", "get-psdrive"):
        return True, _information(at, device)
    if word in ("ipconfig", "ip", "ifconfig"):
        return True, f"IPv4 Address: {device.ip}\nPhysical Address: {device.mac}"
    if word in ("echo", "write-output"):
        return True, line.partition(" ")[2].strip("\"'")
    return False, f"{word} : The term '{word}' is not recognized as the name of a cmdlet or program."
