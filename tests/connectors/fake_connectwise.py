"""A ConnectWise in memory, as strict where the real one is known to be, lenient where it lies: a
nested PATCH path is answered with 200 and changes nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from mspterm.config.model import Connection
from mspterm.connectors.connectwise.connector import CwConnector
from mspterm.domain.secret import Secret
from mspterm.net.pacer import FreePacer, Pacer

NOW = datetime(2026, 11, 24, 8, 0, 0, tzinfo=UTC)
CODEBASE = "v2025_1/"
PREFIX = r"^/v[0-9_a-z]+/apis/3\.0"
SECRETS = {"public_key": Secret("pub"), "private_key": Secret("priv")}
ACME = Connection(
    "acme",
    "connectwise",
    "https://na.myconnectwise.net",
    settings={"company": "msp", "client_id": "11111111-2222-3333-4444-555555555555"},
    me="ines",
)
STATUSES: dict[int, list[dict[str, Any]]] = {
    1: [
        {"id": 16, "name": "New", "sortOrder": 0, "escalationStatus": "NotResponded", "defaultFlag": True},
        {"id": 17, "name": "In Progress", "sortOrder": 1, "escalationStatus": "Responded"},
        {"id": 18, "name": "Assigned", "sortOrder": 2, "escalationStatus": "Responded"},
        {"id": 19, "name": "Waiting Customer", "sortOrder": 3, "escalationStatus": "NoEscalation"},
        {
            "id": 20,
            "name": "No Time",
            "sortOrder": 4,
            "escalationStatus": "Responded",
            "timeEntryNotAllowed": True,
        },
        {"id": 21, "name": "Resolved", "sortOrder": 5, "escalationStatus": "Resolved"},
        {"id": 22, "name": "Closed", "sortOrder": 6, "escalationStatus": "Resolved", "closedStatus": True},
    ],
    2: [
        {"id": 31, "name": "New", "sortOrder": 0, "escalationStatus": "NotResponded"},
        {"id": 32, "name": "Queued", "sortOrder": 1, "escalationStatus": "NotResponded", "defaultFlag": True},
    ],
}
BOARDS = [{"id": 1, "name": "Help Desk"}, {"id": 2, "name": "Tier 2"}]
PRIORITIES = [
    {"id": 4, "name": "Priority 1 - Emergency", "sortOrder": 1},
    {"id": 8, "name": "Priority 3 - Normal", "sortOrder": 3},
]
MEMBERS = [
    {"id": 176, "identifier": "ines", "firstName": "Ines", "lastName": "Duarte", "licenseClass": "F"},
    {"id": 177, "identifier": "tom", "firstName": "Tom", "lastName": "Okafor", "licenseClass": "F"},
    {"id": 178, "identifier": "robot", "firstName": "A", "lastName": "Key", "licenseClass": "A"},
]
LISTS: dict[str, list[dict[str, Any]]] = {
    "/service/boards": BOARDS,
    "/service/priorities": PRIORITIES,
    "/company/companies": [{"id": 5, "identifier": "HVD", "name": "Harborview Dental"}],
    "/company/contacts": [{"id": 9, "firstName": "Dana", "lastName": "Reyes"}],
}
Answer = httpx.Response | Exception


def row(number: int, **more: Any) -> dict[str, Any]:
    """A ticket as a list gives it; a None leaves the key out, as new servers do with null."""
    made = {
        "id": number,
        "summary": f"Ticket {number}",
        "recordType": "ServiceTicket",
        "board": {"id": 1, "name": "Help Desk"},
        "status": {"id": 16, "name": "New"},
        "company": {"id": 5, "name": "Harborview Dental"},
        "contact": {"id": 9, "name": "Dana Reyes"},
        "contactPhoneNumber": "5550100",
        "contactEmailAddress": "dana@hvd.test",
        "type": {"name": "Server"},
        "priority": {"name": "Priority 3 - Normal"},
        "source": {"name": "Phone"},
        "closedFlag": False,
        "automaticEmailContactFlag": True,
        "_info": {"lastUpdated": "2026-11-24T07:00:00Z", "dateEntered": "2026-11-24T06:00:00Z"},
        **more,
    }
    return {key: value for key, value in made.items() if value is not None}


@dataclass
class FakeCw:
    """Answers by path. `odd` replaces the answer of one method and path, once for each entry."""

    tickets: dict[int, dict[str, Any]] = field(default_factory=dict)
    notes: dict[int, dict[str, Any]] = field(default_factory=dict)
    entries: dict[int, dict[str, Any]] = field(default_factory=dict)
    configurations: list[dict[str, Any]] = field(default_factory=list)
    linked: dict[int, list[int]] = field(default_factory=dict)
    odd: dict[tuple[str, str], list[Answer]] = field(default_factory=dict)
    lost: set[tuple[str, str]] = field(default_factory=set)
    lies: set[str] = field(default_factory=set)
    codebase: str = CODEBASE
    requests: list[httpx.Request] = field(default_factory=list)

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.answer)

    def asked(self, method: str, path: str) -> list[httpx.Request]:
        return [r for r in self.requests if (r.method, _path(r)) == (method, path)]

    def bodies(self, method: str, path: str) -> list[Any]:
        return [json.loads(r.content) for r in self.asked(method, path)]

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.path.startswith("/login/companyinfo/"):
            return httpx.Response(200, json={"Codebase": self.codebase, "IsCloud": "True"})
        if not request.url.path.startswith(f"/{self.codebase}"):
            return httpx.Response(404, json={"code": "NotFound", "message": "no such page"})
        key = (request.method, _path(request))
        if self.odd.get(key):
            found = self.odd[key].pop(0)
            if isinstance(found, Exception):
                raise found
            return found
        answered = _projected(self._routed(request, key[1]), request.url.params.get("fields"))
        if key in self.lost:
            self.lost.discard(key)
            raise httpx.ReadTimeout("lost", request=request)
        return answered

    def _routed(self, request: httpx.Request, path: str) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        if request.method == "GET" and path in LISTS:
            return _ok(LISTS[path])
        if request.method == "GET" and path == "/system/info/members":
            wanted = re.search(r'identifier="(\w+)"', request.url.params.get("conditions", ""))
            return _ok([m for m in MEMBERS if wanted is None or m["identifier"] == wanted[1]])
        for pattern, serve in _ROUTES:
            match = re.fullmatch(pattern, f"{request.method} {path}")
            if match:
                return serve(self, [int(g) for g in match.groups()], body)
        return httpx.Response(404, json={"code": "NotFound", "message": "unknown path"})

    def patch(self, ids: list[int], ops: list[dict[str, Any]]) -> httpx.Response:
        ticket = self.tickets[ids[0]]
        for op in ops:
            path = op["path"]
            if "/" in path or path in self.lies:
                continue  # the false 200
            if op["op"] == "remove":
                ticket.pop(path, None)
            else:
                ticket[path] = _full(path, op["value"])
        if "status" in ticket:
            known = {s["id"]: s for found in STATUSES.values() for s in found}
            ticket["closedFlag"] = bool(known[ticket["status"]["id"]].get("closedStatus"))
        return _ok(ticket)

    def add_note(self, ids: list[int], body: dict[str, Any]) -> httpx.Response:
        number = 100 + len(self.notes)
        self.notes[number] = {"dateCreated": "2026-11-24T08:00:00Z", **body, "id": number, "ticketId": ids[0]}
        return _ok(self.notes[number], 201)

    def add_entry(self, ids: list[int], body: dict[str, Any]) -> httpx.Response:
        number = 500 + len(self.entries)
        spent = datetime.fromisoformat(body["timeEnd"]) - datetime.fromisoformat(body["timeStart"])
        hours = round(spent.total_seconds() / 3600, 2)
        self.entries[number] = {**body, "id": number, "actualHours": hours}
        return _ok(self.entries[number], 201)

    def add_ticket(self, ids: list[int], body: dict[str, Any]) -> httpx.Response:
        number = 1000 + len(self.tickets)
        text = body.pop("initialDescription", None)
        refs = {path: _full(path, value) for path, value in body.items()}
        made = {"lastUpdated": "2026-11-24T08:00:00Z", "dateEntered": "2026-11-24T08:00:00Z"}
        self.tickets[number] = row(number, **{"contact": None, "_info": made, **refs})
        if text:
            self.add_note([number], {"text": text, "detailDescriptionFlag": True})
        return _ok(self.tickets[number], 201)

    def attach(self, ids: list[int], body: dict[str, Any]) -> httpx.Response:
        for child in body["childTicketIds"]:
            self.tickets[child]["parentTicketId"] = ids[0]
        return httpx.Response(200, json={"success": True})

    def link(self, ids: list[int], body: dict[str, Any]) -> httpx.Response:
        self.linked.setdefault(ids[0], []).append(body["id"])
        return _ok({"id": body["id"]}, 201)


_Serve = Callable[[FakeCw, list[int], Any], httpx.Response]


def _one(rows: dict[int, dict[str, Any]], number: int) -> httpx.Response:
    missing = httpx.Response(404, json={"code": "NotFound", "message": "Ticket not found"})
    return _ok(rows[number]) if number in rows else missing


_ROUTES: list[tuple[str, _Serve]] = [
    (r"GET /service/tickets", lambda f, ids, body: _ok(list(f.tickets.values()))),
    (r"POST /service/tickets", FakeCw.add_ticket),
    (r"GET /service/tickets/(\d+)", lambda f, ids, body: _one(f.tickets, ids[0])),
    (r"PATCH /service/tickets/(\d+)", FakeCw.patch),
    (
        r"GET /service/tickets/(\d+)/notes",
        lambda f, ids, body: _ok([n for n in f.notes.values() if n["ticketId"] == ids[0]]),
    ),
    (r"POST /service/tickets/(\d+)/notes", FakeCw.add_note),
    (r"GET /service/tickets/(\d+)/notes/(\d+)", lambda f, ids, body: _one(f.notes, ids[1])),
    (
        r"GET /service/tickets/(\d+)/configurations",
        lambda f, ids, body: _ok([{"id": n} for n in f.linked.get(ids[0], [])]),
    ),
    (r"POST /service/tickets/(\d+)/configurations", FakeCw.link),
    (r"POST /service/tickets/(\d+)/attachChildren", FakeCw.attach),
    (r"GET /service/tickets/(\d+)/documents", lambda f, ids, body: _ok([])),
    (r"GET /time/entries", lambda f, ids, body: _ok(list(f.entries.values()))),
    (r"POST /time/entries", FakeCw.add_entry),
    (r"GET /time/entries/(\d+)", lambda f, ids, body: _one(f.entries, ids[0])),
    (r"GET /service/boards/(\d+)/statuses", lambda f, ids, body: _ok(STATUSES[ids[0]])),
    (
        r"GET /service/boards/(\d+)/types",
        lambda f, ids, body: _ok([{"id": 8, "name": "Server"}, {"id": 9, "name": "PC"}]),
    ),
    (r"GET /service/boards/(\d+)/(?:subtypes|items|teams)", lambda f, ids, body: _ok([])),
    (r"GET /company/configurations", lambda f, ids, body: _ok(f.configurations)),
    (
        r"GET /company/contacts/(\d+)",
        lambda f, ids, body: _ok(
            {
                "id": ids[0],
                "communicationItems": [{"value": "5550199", "extension": "4", "communicationType": "Phone"}],
            }
        ),
    ),
    (r"GET /system/info", lambda f, ids, body: _ok({"version": "v2025.1.90000"})),
]


def _full(path: str, value: Any) -> Any:
    """What a reference becomes in the row: its name beside its id."""
    names = {
        "board": {b["id"]: b["name"] for b in BOARDS},
        "status": {s["id"]: s["name"] for found in STATUSES.values() for s in found},
        "priority": {p["id"]: p["name"] for p in PRIORITIES},
    }
    if path == "owner":
        login = value.get("identifier")
        found = next((m for m in MEMBERS if m["identifier"] == login), None)
        return {**found, "name": f"{found['firstName']} {found['lastName']}"} if found else value
    return {**value, "name": names[path].get(value["id"])} if path in names else value


def _ok(body: Any, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=body, headers={"Date": "Tue, 24 Nov 2026 08:00:00 GMT"})


def _projected(answer: httpx.Response, fields: str | None) -> httpx.Response:
    """Only the fields that were asked for."""
    if not fields or answer.status_code >= 400:
        return answer
    wanted = [name.split("/") for name in fields.split(",")]
    found = answer.json()
    picked = [_picked(one, wanted) for one in found] if isinstance(found, list) else _picked(found, wanted)
    return httpx.Response(answer.status_code, json=picked, headers={"Date": answer.headers["Date"]})


def _picked(row: dict[str, Any], wanted: list[list[str]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, *inner in wanted:
        if name in row and inner and isinstance(row[name], dict):
            made.setdefault(name, {}).update({k: v for k, v in row[name].items() if k == inner[0]})
        elif name in row:
            made[name] = row[name]
    return made


def _path(request: httpx.Request) -> str:
    return re.sub(PREFIX, "", request.url.path)


def connector(fake: FakeCw, connection: Connection = ACME, *, pacer: Pacer | None = None) -> CwConnector:
    return CwConnector(
        connection, SECRETS, pacer=pacer or FreePacer(), now=lambda: NOW, transport=fake.transport
    )
