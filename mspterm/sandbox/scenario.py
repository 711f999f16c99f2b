"""What is to happen at which time: the demo's own, or a TOML file's.

background = false          # nothing besides what stands here
[[event]]
at = 330                    # seconds after the start
kind = "outage"             # outage, disk, service, agent, backup, call, reply, throttle, down
client = "KSL"              # outage: client and site (its place in the client's list)
device = "SMB-FS01"         # disk, service, agent, backup
vendor = "connectwise"      # throttle, down
seconds = 30                # agent, throttle
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from mspterm.sandbox import incidents, unfolding
from mspterm.sandbox.clients import CLIENT_CODED
from mspterm.sandbox.devices import Device
from mspterm.sandbox.draw import Draw
from mspterm.sandbox.faults import CONNECTWISE, NINJAONE
from mspterm.sandbox.life import Life

_LONGEST_S = 366 * 24 * 3600


class BadScenario(Exception):
    """The file can't be used; `str()` says why."""


@dataclass(frozen=True, slots=True)
class Happening:
    at: float
    kind: str
    client: str = ""
    site: int = 0
    device: str = ""
    vendor: str = CONNECTWISE
    seconds: float = 10


@dataclass(frozen=True, slots=True)
class Scenario:
    happenings: tuple[Happening, ...]
    background: bool = True


DEMO = Scenario(
    (
        Happening(40, "call"),
        Happening(75, "disk", device="SMB-FS01"),
        Happening(150, "reply"),
        Happening(200, "service", device="OAK-MES01"),
        Happening(330, "outage", client="KSL", site=0),
        Happening(600, "agent", device="TCU-SQL01", seconds=300),
        Happening(780, "down", vendor=CONNECTWISE),
    )
)
"""A stranger's first quarter of an hour: each kind of incident once, the storm after five minutes."""


def read(path: Path) -> Scenario:
    """The scenario in a file. Raises BadScenario."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadScenario(f"{path}: {error}") from None
    unknown = set(table) - {"background", "event"}
    if unknown:
        raise BadScenario(f"{path}: no such key: {sorted(unknown)[0]}")
    background, events = table.get("background", True), table.get("event", [])
    if not isinstance(background, bool):
        raise BadScenario(f"{path}: background is true or false")
    if not isinstance(events, list) or not all(isinstance(entry, dict) for entry in events):
        raise BadScenario(f"{path}: each event is a table of its own, under [[event]]")
    found = tuple(_happening(f"{path}: event {n}", entry) for n, entry in enumerate(events, 1))
    return Scenario(found, background)


def _happening(where: str, entry: dict[str, Any]) -> Happening:
    unknown = set(entry) - {field.name for field in fields(Happening)}
    if unknown or not {"at", "kind"} <= set(entry):
        raise BadScenario(
            f"{where}: {'no such key: ' + sorted(unknown)[0] if unknown else 'needs at and kind'}"
        )
    for key, value in entry.items():
        if not _fits(key, value):
            raise BadScenario(f"{where}: {key} is {_MEANT.get(key, 'a text in quotes')}")
    happening = Happening(**entry)
    if happening.kind not in _KINDS:
        raise BadScenario(f"{where}: kind is one of {', '.join(_KINDS)}")
    if happening.kind == "outage":
        client = CLIENT_CODED.get(happening.client)
        if client is None or not 0 <= happening.site < len(client.sites):
            raise BadScenario(f"{where}: no such client or site")
    if happening.vendor not in (CONNECTWISE, NINJAONE):
        raise BadScenario(f"{where}: vendor is connectwise or ninjaone")
    return happening


_SECONDS = f"a number of seconds, 0 to {_LONGEST_S}"
_MEANT = {"at": _SECONDS, "seconds": _SECONDS, "site": "a whole number"}


def _fits(key: str, value: object) -> bool:
    """Whether a value of the file is of its key's kind. To Python a bool is a number."""
    if key not in _MEANT:
        return isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # TOML has infinity and no-number, too: neither is in the range.
    return isinstance(value, int) if key == "site" else 0 <= value <= _LONGEST_S


def begin(life: Life, scenario: Scenario) -> None:
    """Sets going what the scenario says."""
    for place, happening in enumerate(scenario.happenings):
        life.after(life.world.clock.began, happening.at, partial(_happen, life, happening, place))
    if scenario.background:
        unfolding.begin(life)


def _happen(life: Life, happening: Happening, place: int, at: datetime) -> None:
    _KINDS[happening.kind](life, at, happening, Draw(life.world.seed, "scenario", place))


def _on_device(effect: Callable[[Life, datetime, Device], None]) -> _Kind:
    def happen(life: Life, at: datetime, happening: Happening, draw: Draw) -> None:
        world = life.world
        # Only the first have fixed names; a search makes each device it looks at.
        found = (world.device(number) for number in list(world.device_ids)[:200])
        device = next((d for d in found if d is not None and d.name == happening.device), None)
        if device is not None:
            effect(life, at, world.edit_device(device.id))

    return happen


def _outage(life: Life, at: datetime, happening: Happening, draw: Draw) -> None:
    incidents.outage(life, at, CLIENT_CODED[happening.client].sites[happening.site].id)


def _agent(life: Life, at: datetime, happening: Happening, draw: Draw) -> None:
    def drop(life: Life, at: datetime, device: Device) -> None:
        incidents.agent_drops(life, at, device, happening.seconds)

    _on_device(drop)(life, at, happening, draw)


def _throttle(life: Life, at: datetime, happening: Happening, draw: Draw) -> None:
    # Not stretched by the speed: the reader waits for Retry-After in its own seconds.
    life.faults.throttled_until[happening.vendor] = at + timedelta(seconds=happening.seconds)


def _down(life: Life, at: datetime, happening: Happening, draw: Draw) -> None:
    life.faults.broken[happening.vendor] = 1


_Kind = Callable[[Life, datetime, Happening, Draw], None]
_KINDS: dict[str, _Kind] = {
    "outage": _outage,
    "disk": _on_device(incidents.disk_fills),
    "service": _on_device(incidents.service_hangs),
    "backup": _on_device(incidents.backup_runs),
    "agent": _agent,
    "call": lambda life, at, happening, draw: unfolding.arrival(life, at, draw),
    "reply": lambda life, at, happening, draw: unfolding.reply(life, at, draw),
    "throttle": _throttle,
    "down": _down,
}
