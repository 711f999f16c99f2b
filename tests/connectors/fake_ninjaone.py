"""A NinjaOne in memory: OAuth with rotating refresh tokens, pages, queries by cursor, actions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx

from mspterm.config.model import Connection
from mspterm.connectors.ninjaone.connector import NinjaConnector
from mspterm.connectors.ninjaone.tokens import KeepSecret, Renewing
from mspterm.domain.secret import Secret
from mspterm.net.pacer import FreePacer

NOW = datetime(2026, 11, 24, 8, 0, 0, tzinfo=UTC)
AT = NOW.timestamp()
NINJA = Connection("ninja", "ninjaone", "https://eu.ninjarmm.com/v2", settings={"client_id": "abc"})
MACHINE = {"client_secret": Secret("s3cret-CANARY")}
PERSON = {"refresh_token": Secret("refresh-0")}
BOTH = {**MACHINE, **PERSON}
UID = "5d1a6c3e-1111-4222-8333-444455556666"
ALERT = "aaaaaaaa-1111-4222-8333-444455556666"
ACTION_UID = "bbbbbbbb-1111-4222-8333-444455556666"
SCRIPTS = [
    {"type": "SCRIPT", "id": 42, "name": "Restart print spooler", "language": "powershell"},
    {"type": "ACTION", "uid": ACTION_UID, "name": "Clear temp files"},
]
Answer = httpx.Response | Exception


def device(number: int, **more: Any) -> dict[str, Any]:
    """A row of devices-detailed, as the description has it: no system, volumes or user in it."""
    return {
        "id": number,
        "uid": f"00000000-0000-4000-8000-{number:012}",
        "organizationId": 3,
        "locationId": 4,
        "nodeClass": "WINDOWS_SERVER",
        "approvalStatus": "APPROVED",
        "offline": False,
        "displayName": f"HVD-SRV{number:02}",
        "lastContact": AT - 60,
        "ipAddresses": ["10.0.0.5", "fe80::1%4", "nonsense"],
        **more,
    }


def activity(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "activityTime": AT,
        "deviceId": 7,
        "activityType": "SYSTEM",
        "statusCode": "X",
        **more,
    }


@dataclass
class FakeNinja:
    """`odd` replaces the answer of one method and path, once for each entry; `on_run` is what a
    script's run puts among the activities."""

    devices: list[dict[str, Any]] = field(default_factory=lambda: [device(7), device(8)])
    alerts: list[dict[str, Any]] = field(default_factory=list)
    activities: list[dict[str, Any]] = field(default_factory=list)
    queries: dict[str, list[list[dict[str, Any]]]] = field(default_factory=dict)
    parts: dict[str, Any] = field(default_factory=dict)
    run_answer: httpx.Response = field(default_factory=lambda: httpx.Response(204))
    on_run: list[dict[str, Any]] = field(default_factory=list)
    on_reboot: list[dict[str, Any]] = field(default_factory=list)
    odd: dict[tuple[str, str], list[Answer]] = field(default_factory=dict)
    refresh: int = 0
    good: set[str] = field(default_factory=set)
    requests: list[httpx.Request] = field(default_factory=list)

    def asked(self, method: str, path: str) -> list[httpx.Request]:
        return [r for r in self.requests if (r.method, r.url.path) == (method, path)]

    def bodies(self, method: str, path: str) -> list[Any]:
        return [json.loads(r.content) for r in self.asked(method, path)]

    def forms(self) -> list[dict[str, str]]:
        return [dict(parse_qsl(r.content.decode())) for r in self.asked("POST", "/ws/oauth/token")]

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        key = (request.method, request.url.path)
        if self.odd.get(key):
            found = self.odd[key].pop(0)
            if isinstance(found, Exception):
                raise found
            return found
        if key == ("POST", "/ws/oauth/token"):
            return self._token(dict(parse_qsl(request.content.decode())))
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.good:
            return httpx.Response(401, json={"error": "invalid_token"})
        if request.method != "GET" and token.startswith("machine"):
            body = {"error": "user_context_required", "error_code": 5, "error_description": "no user"}
            return httpx.Response(403, json=body)
        return self._routed(request)

    def _token(self, form: dict[str, str]) -> httpx.Response:
        if form["grant_type"] == "client_credentials":
            token = f"machine-{len(self.good)}"
            self.good.add(token)
            return httpx.Response(
                200, json={"access_token": token, "expires_in": 3600, "token_type": "Bearer"}
            )
        if form["refresh_token"] != f"refresh-{self.refresh}":
            return httpx.Response(400, json={"error": "invalid_grant"})
        self.refresh += 1
        token = f"person-{len(self.good)}"
        self.good.add(token)
        body = {"access_token": token, "expires_in": 3600, "refresh_token": f"refresh-{self.refresh}"}
        return httpx.Response(200, json=body)

    def _routed(self, request: httpx.Request) -> httpx.Response:
        for pattern, serve in _ROUTES:
            match = re.fullmatch(pattern, f"{request.method} {request.url.path}")
            if match:
                found = serve(self, match.groups(), request)
                return found if isinstance(found, httpx.Response) else _ok(found)
        return _missing()

    def _devices(self, groups: tuple[str, ...], request: httpx.Request) -> Any:
        params = request.url.params
        wanted = re.fullmatch(r"id in \(([\d,]+)\)", params.get("df", ""))
        ids = {int(n) for n in wanted[1].split(",")} if wanted else None
        after, size = int(params.get("after", "0")), int(params.get("pageSize", "50"))
        rows = [d for d in self.devices if d["id"] > after and (ids is None or d["id"] in ids)]
        return rows[:size]

    def _query(self, groups: tuple[str, ...], request: httpx.Request) -> Any:
        pages = self.queries.get(groups[0], [])
        at = int(request.url.params.get("cursor", "page-0").removeprefix("page-"))
        rows = pages[at] if at < len(pages) else []
        return {
            "cursor": {"name": f"page-{at + 1}", "offset": at, "count": 1, "expires": AT},
            "results": rows,
        }

    def _activities(self, groups: tuple[str, ...], request: httpx.Request) -> Any:
        params = request.url.params
        newer, size = int(params.get("newerThan", "0")), int(params.get("pageSize", "200"))
        of = [a for a in self.activities if not groups or a["deviceId"] == int(groups[0])]
        rows = sorted((a for a in of if a["id"] > newer), key=lambda a: -a["id"])[:size]
        last = max((a["id"] for a in self.activities), default=0)
        return {"lastActivityId": last, "activities": rows}

    def _device(self, groups: tuple[str, ...], request: httpx.Request) -> Any:
        return next((d for d in self.devices if d["id"] == int(groups[0])), None) or _missing()

    def _part(self, groups: tuple[str, ...], request: httpx.Request) -> Any:
        return self.parts.get(groups[1], {} if groups[1] == "last-logged-on-user" else [])

    def _run(self, groups: tuple[str, ...], request: httpx.Request) -> Any:
        self.activities += self.on_run
        return self.run_answer

    def _reboot(self, groups: tuple[str, ...], request: httpx.Request) -> Any:
        self.activities += self.on_reboot
        return httpx.Response(204)

    def _maintenance(self, groups: tuple[str, ...], request: httpx.Request) -> Any:
        found = next(d for d in self.devices if d["id"] == int(groups[0]))
        found.pop("maintenance", None)
        if request.method == "PUT":
            found["maintenance"] = {"status": "IN_MAINTENANCE", **json.loads(request.content)}
        return httpx.Response(204)

    def _reset(self, groups: tuple[str, ...], request: httpx.Request) -> Any:
        self.alerts = [a for a in self.alerts if a["uid"] != groups[0]]
        return httpx.Response(204)


_Serve = Callable[[FakeNinja, Any, httpx.Request], Any]
_ROUTES: list[tuple[str, _Serve]] = [
    (r"GET /v2/devices-detailed", FakeNinja._devices),
    (r"GET /v2/organizations", lambda f, groups, request: [{"id": 3, "name": "Harborview Dental"}]),
    (r"GET /v2/locations", lambda f, groups, request: [{"id": 4, "name": "Main office"}]),
    (r"GET /v2/queries/([a-z-]+)", FakeNinja._query),
    (r"GET /v2/activities", FakeNinja._activities),
    (r"GET /v2/alerts", lambda f, groups, request: f.alerts),
    (r"GET /v2/device/(\d+)", FakeNinja._device),
    (r"GET /v2/device/(\d+)/activities", FakeNinja._activities),
    (
        r"GET /v2/device/\d+/scripting/options",
        lambda f, groups, request: {"scripts": SCRIPTS, "credentials": {"roles": ["SYSTEM", "LoggedOnUser"]}},
    ),
    (r"GET /v2/device/(\d+)/([a-z-]+)", FakeNinja._part),
    (r"POST /v2/device/\d+/script/run", FakeNinja._run),
    (r"POST /v2/device/\d+/reboot/NORMAL", FakeNinja._reboot),
    (r"(?:PUT|DELETE) /v2/device/(\d+)/maintenance", FakeNinja._maintenance),
    (r"POST /v2/alert/([0-9a-f-]+)/reset", FakeNinja._reset),
]


def _ok(body: Any) -> httpx.Response:
    return httpx.Response(200, json=body, headers={"Date": "Tue, 24 Nov 2026 08:00:00 GMT"})


def _missing() -> httpx.Response:
    return httpx.Response(404, json={"resultCode": "FAILURE", "errorMessage": "Not found", "incidentId": "1"})


class Clock:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.slept = 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds


def connector(
    fake: FakeNinja,
    secrets: dict[str, Secret] | None = None,
    *,
    keep: KeepSecret | None = None,
    renewing: Renewing | None = None,
    now: Callable[[], datetime] = lambda: NOW,
    clock: Clock | None = None,
    connection: Connection = NINJA,
) -> NinjaConnector:
    return NinjaConnector(
        connection,
        BOTH if secrets is None else secrets,
        pacer=FreePacer(),
        now=now,
        keep_secret=keep,
        renewing=renewing,
        sleep=(clock or Clock()).sleep,
        transport=httpx.MockTransport(fake.answer),
    )
