"""An RT in memory that answers as the captures do: 200 with a sentence where it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from mspterm.config.model import Connection
from mspterm.connectors.rt.connector import RtConnector
from mspterm.domain.secret import Secret
from mspterm.net.pacer import FreePacer

NOW = datetime(2026, 11, 24, 8, 0, 0, tzinfo=UTC)
NEVER = "1970-01-01T00:00:00Z"
USERS = {"28": "ines", "30": "marcus", "6": "Nobody"}
STATUSES = ("new", "open", "stalled", "resolved", "rejected")
QUEUES = {"3": "Service Desk", "4": "Tier 2"}
Answer = httpx.Response | Exception


def iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def user(login: str, **more: str) -> dict[str, Any]:
    return {"id": login, "type": "user", "Name": login, "RealName": login.title(), **more}


def row(number: int, **more: Any) -> dict[str, Any]:
    """A ticket as a list gives it."""
    return {
        "id": str(number),
        "Subject": f"Ticket {number}",
        "Status": "new",
        "Priority": "50",
        "Owner": user("Nobody"),
        "Queue": {"id": "3", "Name": "Service Desk"},
        "Requestor": [user("dana@hvd.test", EmailAddress="dana@hvd.test")],
        "LastUpdatedBy": user("ines"),
        "Created": "2026-11-24T06:00:00Z",
        "LastUpdated": "2026-11-24T06:00:00Z",
        "Due": NEVER,
        "Starts": NEVER,
        "Told": NEVER,
        "Resolved": NEVER,
        "TimeWorked": "0",
        "CustomFields": [{"id": "2", "name": "Client", "values": ["Harborview Dental Group"]}],
        "_hyperlinks": [],
        **more,
    }


@dataclass
class Call:
    method: str
    path: str
    query: dict[str, str]
    json: Any
    headers: httpx.Headers


@dataclass
class FakeRt:
    """Tickets 1.. with their transactions; `denied` names fields that the identity may not write.

    `before` and `after` hold one answer for the next call of "METHOD /path-regex": instead of the
    call, or after RT has acted on it.
    """

    me: str = "ines"
    now: datetime = NOW
    tickets: dict[int, dict[str, Any]] = field(default_factory=dict)
    transactions: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    parts: list[dict[str, Any]] = field(default_factory=list)
    denied: set[str] = field(default_factory=set)
    before: dict[str, Answer] = field(default_factory=dict)
    after: dict[str, Answer] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    next_transaction: int = 100

    def connector(self, connection: Connection | None = None) -> RtConnector:
        return RtConnector(
            connection or Connection("acme", "rt", "http://rt.test"),
            {"token": Secret("1-28-cafe0badbeef")},
            pacer=FreePacer(),
            now=lambda: self.now,
            transport=httpx.MockTransport(self.answer),
            sleep=self.wait,
        )

    async def wait(self, seconds: float) -> None:
        """What happens while the connector waits."""

    def add(self, *rows: dict[str, Any]) -> None:
        for made in rows:
            self.tickets[int(made["id"])] = made
            self.transactions.setdefault(int(made["id"]), [])

    def sent(self, method: str = "") -> list[Call]:
        """The writes, or the calls of one method."""
        wanted = (method,) if method else ("POST", "PUT")
        return [call for call in self.calls if call.method in wanted]

    def record(self, number: int, kind: str, **more: Any) -> int:
        """One more transaction, by us unless said otherwise."""
        self.next_transaction += 1
        entry = {
            "id": str(self.next_transaction),
            "Type": kind,
            "Creator": user(self.me),
            "Created": iso(self.now),
            "TimeTaken": "0",
            **more,
        }
        self.transactions[number].append(entry)
        return self.next_transaction

    def answer(self, request: httpx.Request) -> httpx.Response:
        content = request.content.decode()
        query = dict(request.url.params)
        path = request.url.path.removeprefix("/REST/2.0")
        call = Call(request.method, path, query, json.loads(content) if content else None, request.headers)
        self.calls.append(call)
        scripted = self._scripted(self.before, call)
        if scripted is not None:
            return scripted
        made = self._route(call)
        made.headers["Date"] = self.now.strftime("%a, %d %b %Y %H:%M:%S GMT")
        return self._scripted(self.after, call) or made

    def _scripted(self, script: dict[str, Answer], call: Call) -> httpx.Response | None:
        line = f"{call.method} {call.path}"
        key = next((pattern for pattern in script if re.fullmatch(pattern, line)), None)
        if key is None:
            return None
        found = script.pop(key)
        if isinstance(found, Exception):
            raise found
        return found

    def _route(self, call: Call) -> httpx.Response:
        line = f"{call.method} {call.path}"
        routes: tuple[tuple[str, Callable[..., httpx.Response]], ...] = (
            (
                r"GET /Helpers/.*",
                lambda: httpx.Response(200, json=[{"value": "ines", "label": "ines (Ines Duarte)"}]),
            ),
            (r"GET /rt", lambda: httpx.Response(200, json={"Version": "5.0.3"})),
            (r"GET /user/(.+)", self._user),
            (
                r"GET /queues/all",
                lambda: _page([{"id": id_, "Name": name} for id_, name in QUEUES.items()], None),
            ),
            (r"GET /assets", lambda: _page([], None)),
            (r"GET /users", lambda: _page([user("dana@hvd.test", EmailAddress="dana@hvd.test")], 1)),
            (r"GET /tickets", lambda: self._search(call.query)),
            (r"GET /ticket/(\d+)", self._ticket),
            (r"GET /ticket/(\d+)/history", lambda number: self._history(int(number), call.query)),
            (r"GET /(ticket|transaction)/(\d+)/attachments", self._attachments),
            (
                r"POST /ticket/(\d+)/(comment|correspond)",
                lambda number, way: self._say(int(number), way, call.json),
            ),
            (r"POST /ticket", lambda: self._create(call.json)),
            (r"PUT /ticket/(\d+)/(take|steal)", lambda number, verb: self._steal(int(number), verb)),
            (r"PUT /ticket/(\d+)", lambda number: self._put(int(number), call)),
        )
        for pattern, handle in routes:
            match = re.fullmatch(pattern, line)
            if match:
                return handle(*match.groups())
        return httpx.Response(404, json={"message": "Not Found"})

    def _user(self, login: str) -> httpx.Response:
        name = USERS.get(login, login)
        return httpx.Response(200, json=user(name, WorkPhone="+1 555 0100" if "@" in name else ""))

    def _search(self, query: dict[str, str]) -> httpx.Response:
        asked = query["query"]
        some, after = re.findall(r"id = '?(\d+)'?", asked), re.search(r"id > (\d+)", asked)
        found = [made for number, made in sorted(self.tickets.items()) if not some or str(number) in some]
        found = [made for made in found if not after or int(made["id"]) > int(after[1])]
        subject, ago = re.search(r"Subject = '([^']*)'", asked), re.search(r"'(\d+) seconds ago'", asked)
        found = [made for made in found if not subject or made["Subject"] == subject[1]]
        if ago and not subject:
            since = iso(self.now - timedelta(seconds=int(ago[1])))
            found = [made for made in found if made["LastUpdated"] >= since]
        if "__Active__" in asked:
            found = [made for made in found if made["Status"] in STATUSES[:3]]
        return _page(found[:100], len(found))

    def _ticket(self, number: str) -> httpx.Response:
        made = self.tickets.get(int(number))
        if made is None:
            return httpx.Response(404, json={"message": "Not Found"})
        return httpx.Response(200, json=made, headers={"ETag": f'"{self._etag(int(number))}"'})

    def _etag(self, number: int) -> int:
        return int(self.transactions[number][-1]["id"]) if self.transactions[number] else 1

    def _history(self, number: int, query: dict[str, str]) -> httpx.Response:
        entries = list(self.transactions[number])
        if query.get("order") == "DESC":
            entries.reverse()
        size, page = int(query["per_page"]), int(query.get("page", "1"))
        return _page(entries[(page - 1) * size : page * size], None)

    def _attachments(self, of: str, number: str) -> httpx.Response:
        if of == "transaction":
            return _page([part for part in self.parts if part["TransactionId"] == number], None)
        ids = {entry["id"] for entry in self.transactions[int(number)]}
        return _page([part for part in self.parts if part["TransactionId"] in ids], None)

    def _say(self, number: int, way: str, body: dict[str, Any]) -> httpx.Response:
        if number not in self.tickets or way in self.denied:
            return httpx.Response(400, json={"message": "Permission Denied"})
        if body.get("Content") and not body.get("ContentType"):
            return httpx.Response(
                400, json={"message": "ContentType is a required field for application/json"}
            )
        transaction = self.record(number, way.capitalize(), TimeTaken=str(body.get("TimeTaken", 0)))
        self.part(transaction, body.get("Content", ""))
        said = ["Comments added" if way == "comment" else "Correspondence added"]
        if "Status" in body:
            said += self._set(number, "Status", body["Status"])
        location = {"Location": f"/REST/2.0/transaction/{transaction}"}
        return httpx.Response(201, json=said, headers=location)

    def part(self, transaction: int, content: str, kind: str = "text/plain", **more: str) -> None:
        self.parts.append(
            {
                "id": str(1000 + len(self.parts)),
                "TransactionId": str(transaction),
                "ContentType": kind,
                "Filename": "",
                "Content": content,
                **more,
            }
        )

    def _put(self, number: int, call: Call) -> httpx.Response:
        if call.headers.get("if-match") not in (None, f'"{self._etag(number)}"'):
            return httpx.Response(412, json={"message": "Precondition Failed"})
        said = [
            f"Ticket {number}: {sentence}"
            for name, value in call.json.items()
            for sentence in self._set(number, name, value)
        ]
        return httpx.Response(200, json=said)

    def _set(self, number: int, name: str, value: Any) -> list[str]:
        made = self.tickets[number]
        if name in self.denied:
            return ["Permission Denied"]
        if name == "Status" and value not in STATUSES:
            return [f"Status '{value}' isn't a valid status for this ticket."]
        if name == "Owner" and value not in USERS.values():
            return ["That user does not exist"]
        if name == "Queue" and value not in QUEUES.values():
            return [f"Queue {value} does not exist"]
        if name == "CustomFields":
            made["CustomFields"] = [{"id": "9", "name": key, "values": [v]} for key, v in value.items()]
            return [f"{key} {v} added" for key, v in value.items()]
        shown = {"Owner": user(str(value)), "Queue": {"id": "4", "Name": value}, "Priority": str(value)}
        if name == "Starts":
            # RT stores what it is sent; only this form reads back as a date.
            good = re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", value)
            shown["Starts"] = value.replace(" ", "T") + "Z" if good else NEVER
        made[name] = shown.get(name, value)
        self.record(number, "Set", Field=name)
        return [f"{name} changed from 'x' to '{value}'"]

    def _steal(self, number: int, verb: str) -> httpx.Response:
        if verb in self.denied:
            return httpx.Response(200, json=["Permission Denied"])
        if verb == "take" and self.tickets[number]["Owner"]["Name"] != "Nobody":
            return httpx.Response(200, json=["You can only take tickets that are unowned"])
        self.record(number, "Set", Field="Owner")
        self.tickets[number]["Owner"] = user(self.me)
        return httpx.Response(200, json=[f"Owner changed from marcus to {self.me}"])

    def _create(self, body: dict[str, Any]) -> httpx.Response:
        if body.get("Queue") not in QUEUES.values():
            sentence = f"No permission to create tickets in the queue '{body.get('Queue')}'"
            return httpx.Response(403, json={"message": sentence})
        number = max(self.tickets, default=0) + 1
        client = body.get("CustomFields", {}).get("Client", "")
        values = [] if client in self.denied else [client]
        links = [{"ref": "refers-to", "type": "asset", "id": a[6:]} for a in body.get("RefersTo", [])]
        links += [{"ref": "parent", "type": "ticket", "id": parent} for parent in body.get("MemberOf", [])]
        requestor = body.get("Requestor", self.me)
        self.add(
            row(
                number,
                Subject=body["Subject"],
                Owner=user(body.get("Owner", "Nobody")),
                Priority=str(body.get("Priority", 0)),
                CustomFields=[{"id": "2", "name": "Client", "values": values}],
                _hyperlinks=links,
                Requestor=[user(requestor, EmailAddress=requestor)],
            )
        )
        self.part(self.record(number, "Create"), body.get("Content", ""))
        return httpx.Response(201, json={"id": str(number), "type": "ticket"})


def _page(items: list[dict[str, Any]], total: int | None) -> httpx.Response:
    return httpx.Response(200, json={"items": items, "total": total, "count": len(items)})
