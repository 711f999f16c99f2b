"""A device's flags: its RMM's own, and those that the config gives it by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from mspterm.desk.desk import Desk
from mspterm.domain.device import Device


def flagged(desk: Desk, device: Device) -> Device:
    """The device with the flags of `[guard] flags` among its own, each named once."""
    return next(all_flagged(desk, (device,)))


def all_flagged(desk: Desk, devices: Iterable[Device]) -> Iterator[Device]:
    wanted = {name.casefold(): flags for name, flags in desk.config.guard.flags.items()}
    for device in devices:
        more = wanted.get(device.name.casefold())
        yield replace(device, flags=tuple(dict.fromkeys((*device.flags, *more)))) if more else device
