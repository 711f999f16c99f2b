"""What the sandbox answers is what the vendors' descriptions say: field names, types and enums."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.bench import Bench

# In real rows, not in the descriptions (psa-apis.md 1.5, rmm-apis.md 1.3).
NEWER_TICKET = {"respondByGoalUTC", "resplanGoalUTC", "resolutionGoalUTC", "minutesWaiting"}
NEWER_DEVICE = {"os", "system", "memory", "volumes", "lastLoggedInUser"}

CONNECTWISE = {
    "/service/tickets": "Ticket",
    "/project/tickets": "Ticket",
    "/service/boards": "Board",
    "/service/boards/1/statuses": "BoardStatus",
    "/service/boards/1/types": "BoardType",
    "/service/boards/1/teams": "BoardTeam",
    "/service/teams": "ServiceTeam",
    "/service/priorities": "Priority",
    "/service/sources": "Source",
    "/service/SLAs": "SLA",
    "/service/SLAs/1/priorities": "SLAPriority",
    "/system/members": "Member",
    "/system/info/members": "MemberInfo",
    "/company/companies": "Company",
    "/company/companies/21/sites": "CompanySite",
    "/company/contacts": "Contact",
    "/company/contacts/2100/communications": "ContactCommunication",
    "/company/configurations": "Company.Configuration",
    "/time/entries": "TimeEntry",
    "/time/workTypes": "WorkType",
    "/time/workRoles": "WorkRole",
    "/service/tickets/40241/notes": "ServiceNote",
    "/service/tickets/40241/allNotes": "ServiceTicketNote",
    "/service/tickets/40241/configurations": "ConfigurationReference",
}
NINJAONE = (
    "organizations",
    "organizations-detailed",
    "locations",
    "devices",
    "devices-detailed",
    "alerts",
    "activities",
    "jobs",
    "roles",
    "automation/scripts",
    "queries/device-health",
    "queries/volumes",
    "queries/operating-systems",
    "queries/os-patches",
    "queries/disks",
    "queries/logged-on-users",
    "queries/windows-services",
    *(
        f"device/{{id}}{part}"
        for part in (
            "",
            "/volumes",
            "/disks",
            "/processors",
            "/os-patches",
            "/os-patch-installs",
            "/windows-services",
            "/network-interfaces",
            "/last-logged-on-user",
            "/activities",
            "/alerts",
            "/jobs",
            "/scripting/options",
            "/dashboard-url",
        )
    ),
)
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}


class Checker:
    """Compares values with the schemas of one description; every difference is kept."""

    def __init__(self, document: dict[str, Any], extra: set[str]) -> None:
        self.schemas = document.get("components", {}).get("schemas", {})
        self.extra = extra
        self.wrong: list[str] = []

    def check(self, value: Any, schema: dict[str, Any], where: str) -> None:
        if "$ref" in schema:
            schema = self.schemas[schema["$ref"].rpartition("/")[2]]
        kind = schema.get("type")
        if kind and not isinstance(value, TYPES[kind]):
            self.wrong.append(f"{where}: {value!r} is no {kind}")
        elif "enum" in schema and value not in schema["enum"]:
            self.wrong.append(f"{where}: {value!r} is not in the enum")
        elif isinstance(value, dict) and schema.get("properties"):
            self._object(value, schema["properties"], where)
            missing = [name for name in schema.get("required", ()) if name not in value]
            self.wrong += [f"{where}.{name} is required" for name in missing]
        elif isinstance(value, list):
            for item in value:
                self.check(item, schema.get("items", {}), f"{where}[]")

    def _object(self, value: dict[str, Any], properties: dict[str, Any], where: str) -> None:
        for name, inner in value.items():
            if name in properties:
                self.check(inner, properties[name], f"{where}.{name}")
            elif name not in self.extra:
                self.wrong.append(f"{where}.{name} is not in the description")


@pytest.fixture
async def lived(bench: Bench) -> Bench:
    """A sandbox in which a script ran and time was entered."""
    async with bench.ninjaone() as rmm, bench.connectwise() as psa:
        await bench.as_technician(rmm)
        await rmm.post("/v2/device/1001/script/run", json={"type": "SCRIPT", "id": 14})
        bench.hand.move(60)
        await rmm.post("/v2/device/1001/script/run", json={"type": "SCRIPT", "id": 14})
        entry = {"chargeToId": 40241, "chargeToType": "ServiceTicket", "timeStart": "2026-11-24T14:30:00Z"}
        made = await psa.post("/time/entries", json={**entry, "actualHours": 0.5, "notes": "Looked at it"})
        assert made.status_code == 201
    return bench


@pytest.mark.parametrize(("path", "schema"), CONNECTWISE.items(), ids=CONNECTWISE)
async def test_connectwise_rows_are_as_described(shared: Path, lived: Bench, path: str, schema: str) -> None:
    text = (shared / "specs/connectwise-psa-2022.1.trimmed.reconstructed.openapi.json").read_text()
    checker = Checker(json.loads(text), NEWER_TICKET)
    async with lived.connectwise() as client:
        rows = (await client.get(path, params={"pageSize": 1000})).json()
    assert rows
    checker.check(rows, {"type": "array", "items": {"$ref": schema}}, schema)
    assert checker.wrong == []


@pytest.mark.parametrize("path", NINJAONE)
async def test_ninjaone_answers_are_as_described(shared: Path, lived: Bench, path: str) -> None:
    document = json.loads((shared / "specs/ninjaone-console.json").read_text())
    responses = document["paths"][f"/v2/{path}"]["get"]["responses"]
    content = next(iter(responses.values())).get("content", {})
    schema = content["application/json"]["schema"]
    checker = Checker(document, NEWER_DEVICE)
    async with lived.ninjaone() as client:
        await lived.as_technician(client)
        answer: httpx.Response = await client.get(f"/v2/{path.replace('{id}', '1001')}")
    assert answer.status_code == 200
    checker.check(answer.json(), schema, path)
    assert checker.wrong == []
