"""One question to NinjaOne, with what is needed to answer it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from starlette.requests import Request

from mspterm.sandbox import ninja_filter
from mspterm.sandbox.devices import Device
from mspterm.sandbox.life import Life
from mspterm.sandbox.ninja_auth import failure
from mspterm.sandbox.world import World


@dataclass(frozen=True, slots=True)
class NinjaAsk:
    request: Request
    life: Life
    alert_counts: Counter[int]
    """Open alerts by device."""

    @property
    def world(self) -> World:
        return self.life.world

    def device(self) -> Device:
        """The device in the path. Refuses one that doesn't exist (404)."""
        found = self.world.device(int(self.request.path_params["id"]))
        if found is None:
            raise failure(404, "HTTP 404 Not Found")
        return found

    def count(self, name: str, default: int, low: int = 0, high: int = 1 << 31) -> int:
        """A whole number of the query. Refuses others (400)."""
        text = self.request.query_params.get(name)
        if text is None:
            return default
        if not text.isdecimal() or not low <= int(text) <= high:
            raise failure(400, f"HTTP 400 Bad Request: {name}")
        return int(text)

    def devices(self, after: int = 0) -> Iterator[Device]:
        """The devices that pass `df`, from behind an id."""
        passes = ninja_filter.parse(self.request.query_params.get("df"))
        every = self.world.device_ids
        found = (self.world.device(number) for number in range(max(every.start, after + 1), every.stop))
        return (device for device in found if device is not None and passes(device))
