"""NinjaOne's device filter `df`: `org=7 AND class in (WINDOWS_SERVER,MAC) AND offline`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from mspterm.sandbox.devices import Device
from mspterm.sandbox.ninja_auth import failure
from mspterm.sandbox.ninja_rows import ROLE_IDS

Test = Callable[[Device], bool]
_PART = re.compile(r"(\w+)\s*(=|!=|\bin\b|\bnin\b|\bnotin\b|\bbefore\b|\bafter\b)?\s*(.*)", re.IGNORECASE)
_FIELDS: dict[str, Callable[[Device], str]] = {
    "org": lambda device: str(device.client),
    "organization": lambda device: str(device.client),
    "loc": lambda device: str(device.site),
    "location": lambda device: str(device.site),
    "role": lambda device: str(ROLE_IDS[device.model.node_class]),
    "id": lambda device: str(device.id),
    "class": lambda device: device.model.node_class,
    # There is no device here that waits for its approval.
    "status": lambda device: "APPROVED",
}


def parse(text: str | None) -> Test:
    """Whether a device passes. Refuses what isn't in the filter's syntax (400); it has no OR."""
    parts = [part.strip() for part in re.split(r"\s+AND\s+", text or "", flags=re.IGNORECASE) if part.strip()]
    tests = [_part(part) for part in parts]
    return lambda device: all(test(device) for test in tests)


def _part(part: str) -> Test:
    word = part.lower()
    if word in ("online", "offline"):
        return lambda device: device.offline == (word == "offline")
    match = _PART.fullmatch(part)
    if match is None or not match[2] or not match[3]:
        raise failure(400, f"Invalid device filter: {part}")
    name, op, value = match[1].lower(), match[2].lower(), match[3].strip()
    if name == "created" and op in ("before", "after"):
        return _created(op, value)
    get = _FIELDS.get(name)
    if get is None or op in ("before", "after"):
        raise failure(400, f"Invalid device filter: {part}")
    values = {item.strip().strip("\"'") for item in value.strip("()").split(",")}
    wanted = op in ("=", "in")
    return lambda device: (get(device) in values) == wanted


def _created(op: str, value: str) -> Test:
    try:
        day = datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise failure(400, f"Invalid device filter: created {op} {value}") from None
    return lambda device: device.created < day if op == "before" else device.created > day
