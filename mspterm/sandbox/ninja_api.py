"""NinjaOne's public API v2 over the sandbox's world."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mspterm.sandbox import ninja_actions, ninja_filter, ninja_rows
from mspterm.sandbox.clients import CLIENT, CLIENTS
from mspterm.sandbox.devices import Device
from mspterm.sandbox.faults import NINJAONE
from mspterm.sandbox.life import Life
from mspterm.sandbox.ninja_ask import NinjaAsk
from mspterm.sandbox.ninja_auth import NinjaAuth, NinjaRefused, failure, ninja_answer
from mspterm.sandbox.ninja_parts import FLEET, PARTS, DeviceRows, FleetRows
from mspterm.sandbox.ninja_rows import Row
from mspterm.sandbox.world import Activity, World

DEFAULT_PAGE, LARGEST_PAGE = 25, 1000
"""A list that is asked without pageSize is cut off here, and nothing says so."""

_CURSOR_LIFE = timedelta(minutes=15)
# The smallest page, the usual one and the largest (rmm-apis 1.2).
_ACTIVITIES = (10, 200, 1000)


Answer = Callable[[NinjaAsk], Awaitable[Response]]


@dataclass(slots=True)
class _Cursor:
    """Where a fleet query goes on: behind the device `after`, of the next one without `skip` rows."""

    path: str
    expires: datetime
    after: int = 0
    skip: int = 0
    offset: int = 0

    def take(self, ask: NinjaAsk, rows: FleetRows, size: int) -> list[Row]:
        page: list[Row] = []
        for device in ask.devices(self.after):
            found = rows(ask, device)[self.skip :]
            room = size - len(page)
            page += found[:room]
            # A device may have more rows than the page has room: the next one goes on inside it.
            if len(found) > room:
                self.skip += room
                break
            self.after, self.skip = device.id, 0
        self.offset += len(page)
        return page


@dataclass(slots=True)
class Ninja:
    """The server's state besides the world: tokens given out, and cursors that are open."""

    life: Life
    auth: NinjaAuth
    cursors: dict[str, _Cursor] = field(default_factory=dict)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/ws/oauth/token", self.auth.token, methods=["POST"]),
                # Some of NinjaOne's documents have this one (rmm-apis 1.1).
                Route("/oauth/token", self.auth.token, methods=["POST"]),
                Route("/ws/oauth/authorize", self.auth.authorize),
                *self._lists(),
                *self._device_routes(),
                *(self._query(name, rows) for name, rows in FLEET.items()),
                *self._actions(),
            ],
            exception_handlers={404: _no_route, 405: _no_method},
        )

    def _route(
        self, method: str, path: str, handler: Answer, scope: str = "monitoring", *, as_user: bool = False
    ) -> Route:
        async def endpoint(request: Request) -> Response:
            now = self.life.advance()
            try:
                if wait := self.life.faults.retry_after(NINJAONE, now):
                    body = failure(429, "Too many requests").body
                    return JSONResponse(body, 429, {"Retry-After": str(wait)})
                if self.life.faults.take_break(NINJAONE):
                    return Response("Service Unavailable", 503, media_type="text/plain")
                self.auth.check(request, scope, as_user=as_user)
                # Once a request: a page of health would go through all alerts for each of its devices.
                counts = Counter(alert.device for alert in self.life.world.alerts.values())
                return await handler(NinjaAsk(request, self.life, counts))
            except NinjaRefused as refused:
                return JSONResponse(refused.body, refused.status)

        return Route(path, endpoint, methods=[method])

    def _lists(self) -> list[Route]:
        return [
            self._route("GET", "/v2/organizations", _organizations(ninja_rows.organization_row)),
            self._route("GET", "/v2/organizations-detailed", _organizations(_organization_detail)),
            self._route("GET", "/v2/organization/{id:int}/locations", _organization_locations),
            self._route("GET", "/v2/organization/{id:int}/devices", _organization_devices),
            self._route("GET", "/v2/locations", _locations),
            self._route("GET", "/v2/devices", _devices(ninja_rows.device_row)),
            self._route("GET", "/v2/devices-detailed", _devices(ninja_rows.detailed_row)),
            self._route("GET", "/v2/devices/search", _search),
            self._route("GET", "/v2/alerts", _alerts),
            self._route("GET", "/v2/activities", _activities),
            self._route("GET", "/v2/jobs", _jobs),
            self._route("GET", "/v2/roles", _roles),
            self._route("GET", "/v2/groups", _groups),
            self._route("GET", "/v2/automation/scripts", ninja_actions.library),
        ]

    def _device_routes(self) -> list[Route]:
        here = "/v2/device/{id:int}"
        return [
            self._route("GET", here, _of_device(lambda ask, d: ninja_rows.detailed_row(ask.world, d))),
            *(self._route("GET", f"{here}/{name}", _of_device(rows)) for name, rows in PARTS.items()),
            self._route("GET", f"{here}/alerts", _device_alerts),
            self._route("GET", f"{here}/activities", _device_activities),
            self._route("GET", f"{here}/jobs", _device_jobs),
            self._route("GET", f"{here}/scripting/options", ninja_actions.options),
        ]

    def _actions(self) -> list[Route]:
        here, act = "/v2/device/{id:int}", ninja_actions
        control, manage = "control", "management"
        return [
            # These refuse a machine's token: user_context_required (rmm-apis 1.1).
            self._route("POST", f"{here}/script/run", act.run, control, as_user=True),
            self._route("POST", here + "/reboot/{mode}", act.reboot, control, as_user=True),
            self._route("POST", here + "/windows-service/{service}/control", act.service, control),
            self._route("POST", f"{here}/patch/os/apply", act.apply_patches, control),
            self._route("POST", f"{here}/patch/os/scan", act.scan_patches, control),
            self._route("PUT", f"{here}/maintenance", act.start_maintenance, manage),
            self._route("DELETE", f"{here}/maintenance", act.end_maintenance, manage),
            self._route("DELETE", "/v2/alert/{uid}", act.reset_alert, manage),
            self._route("POST", "/v2/alert/{uid}/reset", act.reset_alert, manage),
            # Only a system administrator may (rmm-apis 1.6).
            self._route("PUT", "/v2/webhook", _not_an_administrator, manage),
        ]

    def _query(self, name: str, rows: FleetRows) -> Route:
        """`/v2/queries/NAME`: a cursor that goes on from call to call, and ends with no rows."""

        async def handler(ask: NinjaAsk) -> Response:
            size = ask.count("pageSize", 1000, 1, 10_000)
            cursor_name, cursor = self._cursor(ask, name)
            # Told is where this page begins; `take` moves it on.
            offset = cursor.offset
            page = cursor.take(ask, rows, size)
            told = {
                "name": cursor_name,
                "offset": offset,
                "count": len(page),
                "expires": ninja_rows.epoch(cursor.expires),
            }
            return ninja_answer({"cursor": told, "results": page})

        return self._route("GET", f"/v2/queries/{name}", handler)

    def _cursor(self, ask: NinjaAsk, path: str) -> tuple[str, _Cursor]:
        name, now = ask.request.query_params.get("cursor"), ask.world.now()
        if name is None:
            name = f"c{ask.world.next_id('cursor', 1)}-{path}"
            self.cursors[name] = _Cursor(path, now + _CURSOR_LIFE)
        cursor = self.cursors.get(name)
        if cursor is None or cursor.path != path or cursor.expires <= now:
            raise failure(400, "HTTP 400 Bad Request: cursor has expired")
        return name, cursor


def _devices(row: Callable[[World, Device], Row]) -> Answer:
    async def handler(ask: NinjaAsk) -> Response:
        found = islice(ask.devices(ask.count("after", 0)), _page_size(ask))
        return ninja_answer([row(ask.world, device) for device in found])

    return handler


def _page_size(ask: NinjaAsk) -> int:
    return min(ask.count("pageSize", DEFAULT_PAGE, low=1), LARGEST_PAGE)


def _paged(ask: NinjaAsk, rows: Iterable[Row]) -> Response:
    # The id of the last row that was read, never the number of a page (rmm-apis 1.2).
    after = ask.count("after", 0)
    return ninja_answer(list(islice((row for row in rows if row["id"] > after), _page_size(ask))))


def _organizations(row: Callable[[Any], Row]) -> Answer:
    async def handler(ask: NinjaAsk) -> Response:
        return _paged(ask, [row(client) for client in CLIENTS])

    return handler


def _organization_detail(client: Any) -> Row:
    row = ninja_rows.organization_row(client)
    return {**row, "locations": ninja_rows.location_rows(client), "policies": [], "settings": {}}


async def _locations(ask: NinjaAsk) -> Response:
    rows = [{**row, "organizationId": c.id} for c in CLIENTS for row in ninja_rows.location_rows(c)]
    return _paged(ask, rows)


async def _organization_locations(ask: NinjaAsk) -> Response:
    client = CLIENT.get(ask.request.path_params["id"])
    if client is None:
        raise failure(404, "HTTP 404 Not Found")
    return ninja_answer(ninja_rows.location_rows(client))


async def _organization_devices(ask: NinjaAsk) -> Response:
    wanted = ask.request.path_params["id"]
    if wanted not in CLIENT:
        raise failure(404, "HTTP 404 Not Found")
    found = (device for device in ask.devices(ask.count("after", 0)) if device.client == wanted)
    return ninja_answer([ninja_rows.device_row(ask.world, d) for d in islice(found, _page_size(ask))])


async def _search(ask: NinjaAsk) -> Response:
    text = ask.request.query_params.get("q", "")
    hits = (d for d in ask.devices() if text.casefold() in f"{d.name} {d.serial} {d.ip}".casefold())
    rows = [
        {**ninja_rows.device_row(ask.world, d), "matchAttr": "systemName", "matchAttrValue": d.name}
        for d in islice(hits, ask.count("limit", 10))
    ]
    return ninja_answer({"query": text, "devices": rows})


async def _alerts(ask: NinjaAsk) -> Response:
    source = ask.request.query_params.get("sourceType")
    passes = ninja_filter.parse(ask.request.query_params.get("df"))
    rows = []
    for alert in ask.world.alerts.values():
        device = ask.world.device(alert.device)
        row = ninja_rows.alert_row(ask.world, alert)
        if device is not None and passes(device) and source in (None, row["sourceType"]):
            rows.append(row)
    return ninja_answer(rows)


async def _device_alerts(ask: NinjaAsk) -> Response:
    device = ask.device()
    found = (alert for alert in ask.world.alerts.values() if alert.device == device.id)
    return ninja_answer([ninja_rows.alert_row(ask.world, alert) for alert in found])


async def _activities(ask: NinjaAsk) -> Response:
    return ninja_answer(_activity_page(ask, list(ask.world.activities)))


async def _device_activities(ask: NinjaAsk) -> Response:
    device = ask.device()
    found = [activity for activity in ask.world.activities if activity.device == device.id]
    last = found[-1].id if found else 0
    return ninja_answer({**_activity_page(ask, found), "lastNodeActivityId": last})


def _activity_page(ask: NinjaAsk, found: list[Activity]) -> Row:
    """Newest first. `newerThan` gives ids above it: the description has the two the wrong way round."""
    query, (low, default, high) = ask.request.query_params, _ACTIVITIES
    size = ask.count("pageSize", default, low, high)
    newer, older = ask.count("newerThan", 0), ask.count("olderThan", 1 << 31)
    kind, status = query.get("activityType") or query.get("type"), query.get("status")
    series = query.get("seriesUid")
    matching = (
        activity
        for activity in reversed(found)
        if newer < activity.id < older
        and kind in (None, activity.type)
        and status in (None, activity.code)
        and series in (None, activity.series)
    )
    rows = [ninja_rows.activity_row(activity) for activity in islice(matching, size)]
    last = ask.world.activities[-1].id if ask.world.activities else 0
    return {"lastActivityId": last, "activities": rows}


async def _jobs(ask: NinjaAsk) -> Response:
    return ninja_answer([ninja_rows.job_row(job) for job in ask.world.jobs.values()])


async def _device_jobs(ask: NinjaAsk) -> Response:
    device = ask.device()
    found = (job for job in ask.world.jobs.values() if job.device == device.id)
    return ninja_answer([ninja_rows.job_row(job) for job in found])


async def _roles(ask: NinjaAsk) -> Response:
    roles = ninja_rows.ROLE_IDS.items()
    return ninja_answer([{"id": n, "name": name, "nodeClass": name, "custom": False} for name, n in roles])


async def _groups(ask: NinjaAsk) -> Response:
    return ninja_answer([])


async def _not_an_administrator(ask: NinjaAsk) -> Response:
    raise failure(403, "HTTP 403 Forbidden")


def _of_device(rows: DeviceRows) -> Answer:
    async def handler(ask: NinjaAsk) -> Response:
        return ninja_answer(rows(ask, ask.device()))

    return handler


async def _no_route(request: Request, error: Any) -> Response:
    return JSONResponse(failure(404, "HTTP 404 Not Found").body, 404)


async def _no_method(request: Request, error: Any) -> Response:
    return JSONResponse(failure(405, "HTTP 405 Method Not Allowed").body, 405)
