"""Configurations: what NinjaOne's integration keeps in ConnectWise of each device.

Fields are a table, so that a condition costs only what it looks at, and what matched among the devices
that nobody has changed is remembered: each of twenty pages asks the same of twenty thousand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from mspterm.sandbox import conditions
from mspterm.sandbox.clients import SITE
from mspterm.sandbox.conditions import Node
from mspterm.sandbox.cw_ask import Ask
from mspterm.sandbox.cw_http import answer, link, not_found, only, page_of
from mspterm.sandbox.cw_query import Query, query_of, sort_key, walk
from mspterm.sandbox.cw_rows import Row, View, stamp
from mspterm.sandbox.devices import Device

# So that no configuration has a device's id by chance: only `deviceIdentifier` leads to the RMM.
CONFIGURATION_OFFSET = 700_000
_KEPT = 16

Field = Callable[[View, Device], Any]


def _type(view: View, device: Device) -> Row:
    managed = device.model.os is not None
    return {"id": 5 if managed else 6, "name": "Managed Device" if managed else "Network Device"}


def _site(view: View, device: Device) -> Row:
    site = SITE[device.site][0]
    return view.ref(f"company/companies/{device.client}/sites", site.id, site.name, "site")


CONFIGURATION: dict[str, Field] = {
    "id": lambda view, d: d.id + CONFIGURATION_OFFSET,
    "name": lambda view, d: d.name,
    "type": _type,
    "status": lambda view, d: {"id": 2, "name": "Active"},
    "company": lambda view, d: view.company(d.client),
    "site": _site,
    "deviceIdentifier": lambda view, d: str(d.id),
    "serialNumber": lambda view, d: d.serial,
    "modelNumber": lambda view, d: d.model.model,
    "macAddress": lambda view, d: d.mac,
    "ipAddress": lambda view, d: d.ip,
    "lastLoginName": lambda view, d: d.user,
    "osType": lambda view, d: d.model.os[0] if d.model.os else None,
    "osInfo": lambda view, d: d.model.os[1] if d.model.os else None,
    "manufacturer": lambda view, d: {"id": 1, "name": d.model.maker},
    "activeFlag": lambda view, d: True,
    "_info": lambda view, d: {"lastUpdated": stamp(d.created), "updatedBy": "ninjaone"},
}
# Accepted in conditions and orderBy, though rows carry it under `_info` only.
_HIDDEN: dict[str, Field] = {"lastUpdated": lambda view, d: stamp(d.created)}


@dataclass(slots=True)
class Configurations:
    """Their three endpoints."""

    _kept: dict[str, list[int]] = field(default_factory=dict)

    async def page(self, ask: Ask) -> Response:
        page = page_of(ask.request)
        found = self._matching(ask, _query(ask), page.after)
        cut = page.cut(found)
        rows = [_row(ask.view, _device(ask, number), page.fields) for number in cut]
        last = cut[-1] + CONFIGURATION_OFFSET if cut else None
        return answer(rows, headers=link(ask.request, page, len(found), last))

    async def count(self, ask: Ask) -> Response:
        return answer({"count": len(self._matching(ask, _query(ask), None))})

    async def one(self, ask: Ask) -> Response:
        device = _device(ask, ask.number("id") - CONFIGURATION_OFFSET)
        return answer(_row(ask.view, device, page_of(ask.request).fields))

    def _matching(self, ask: Ask, query: Query, after: int | None) -> list[int]:
        """The devices that match, in their order; those behind the configuration `after`."""
        if query.children != conditions.EVERYTHING:
            # A configuration has no list in it.
            return []
        changed, least = ask.world.devices_changed, (after or 0) - CONFIGURATION_OFFSET
        # What is kept is true of unchanged devices only; the changed ones are tried each time.
        same = (number for number in self._unchanged(ask, query) if number not in changed)
        fit = (number for number in changed if _fits(ask, number, query.where))
        found = sorted(number for number in (*same, *fit) if number > least)
        # The last key first, as sorting is stable.
        for path, down in reversed(query.order):
            found.sort(key=_sorter(ask, path), reverse=down)
        return found

    def _unchanged(self, ask: Ask, query: Query) -> Iterable[int]:
        """Among the devices that nobody has changed those that match, and some of the changed."""
        if not query.text:
            return ask.world.device_ids
        if query.text not in self._kept:
            among = _candidates(ask, query.where)
            self._kept[query.text] = [number for number in among if _fits(ask, number, query.where)]
            if len(self._kept) > _KEPT:
                self._kept.pop(next(iter(self._kept)))
        return self._kept[query.text]


def _query(ask: Ask) -> Query:
    return query_of(dict(ask.request.query_params), CONFIGURATION.keys() | _HIDDEN.keys())


def _candidates(ask: Ask, where: Node) -> Iterable[int]:
    """The devices among which all that match must be."""
    # By an id, which is how a connector asks for one device: no other is made.
    for need in conditions.required(where):
        if need.field in ("id", "deviceIdentifier") and need.op in ("=", "in") and not need.negated:
            values = need.value if need.op == "in" else (need.value,)
            offset = CONFIGURATION_OFFSET if need.field == "id" else 0
            ids = [int(value) - offset for value in values if str(value).isdecimal()]
            return [number for number in ids if number in ask.world.device_ids]
    return ask.world.device_ids


def _fits(ask: Ask, number: int, where: Node) -> bool:
    device = _device(ask, number)
    return where.holds(lambda path: _getter(path)(ask.view, device))


def _sorter(ask: Ask, path: str) -> Callable[[int], Any]:
    get = _getter(path)
    return lambda number: sort_key(get(ask.view, _device(ask, number)))


def _device(ask: Ask, number: int) -> Device:
    device = ask.world.device(number)
    if device is None:
        raise not_found("Configuration", number + CONFIGURATION_OFFSET)
    return device


def _row(view: View, device: Device, fields: tuple[str, ...]) -> Row:
    names = CONFIGURATION.keys() & {path.split("/")[0] for path in fields} if fields else CONFIGURATION
    row = {name: value for name in names if (value := CONFIGURATION[name](view, device)) is not None}
    return only(row, fields)


def _getter(path: str) -> Field:
    name, *rest = path.split("/")
    make = _HIDDEN.get(name) or CONFIGURATION[name]
    if not rest:
        return make
    return lambda view, device: walk(make(view, device), rest)
