"""The sandbox's two servers in a process of their own, and its ConnectWise as a judge sees it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from mspterm.config.load import load
from mspterm.config.model import Connection
from tests.faults.judge import Held, Told

ROOT = Path(__file__).resolve().parents[2]
API = "/v2025_1/apis/3.0"
BOARD = "Help Desk"


@dataclass(frozen=True, slots=True)
class Box:
    """A running sandbox: its two connections, and the secrets by connection and field."""

    psa: Connection
    rmm: Connection
    secrets: Mapping[str, Mapping[str, str]]


@contextlib.asynccontextmanager
async def boxed() -> AsyncIterator[Box]:
    """A sandbox in which nothing happens by itself, for the time of the block."""
    with tempfile.TemporaryDirectory(prefix="mspterm-box-") as folder:
        file = Path(folder) / "config.toml"
        argv = (sys.executable, "-m", "mspterm.sandbox", "--still", "--tied", "--config-out", str(file))
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # A request that was cut is a traceback there.
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            assert process.stdout is not None
            assert (await process.stdout.readline()).startswith(b"ready")
            yield _box(file)
        finally:
            process.kill()
            await process.communicate()


def _box(file: Path) -> Box:
    connections = load(file).connections
    lines = file.with_name(f"{file.name}.env").read_text().splitlines()
    given = dict(line.removeprefix("export ").split("=", 1) for line in lines)
    secrets = {
        name: {
            key.removeprefix(f"MSPTERM_SECRET_{name.upper()}_").lower(): value
            for key, value in given.items()
            if key.startswith(f"MSPTERM_SECRET_{name.upper()}_")
        }
        for name in connections
    }
    return Box(connections["psa"], connections["rmm"], secrets)


def told(connection: Connection, url: str, timeout_s: float) -> Told:
    """One of the sandbox's connections, to be reached at `url`."""
    return {
        "name": connection.name, "kind": connection.kind, "url": url, "timeout_s": timeout_s,
        "settings": dict(connection.settings), "me": connection.me,
        "status_classes": dict(connection.status_classes), "priorities": dict(connection.priorities),
    }  # fmt: skip


@dataclass(slots=True)
class CwJudge:
    """ConnectWise's own records: notes and time entries, the ticket's owner and status."""

    box: Box
    name: str = "psa"
    me: str = "ines"
    statuses: tuple[str, str] = ("In Progress", "Waiting on Client")
    reopens: str | None = None
    _client: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        keys, settings = self.secrets, self.box.psa.settings
        self._client = httpx.AsyncClient(
            base_url=f"{self.url}{API}",
            auth=(f"{settings['company']}+{keys['public_key']}", keys["private_key"]),
            headers={"clientId": settings["client_id"]},
        )

    @property
    def url(self) -> str:
        return self.box.psa.url

    @property
    def secrets(self) -> Mapping[str, str]:
        return self.box.secrets["psa"]

    def connection(self, url: str, timeout_s: float) -> Told:
        return told(self.box.psa, url, timeout_s)

    async def _ask(self, method: str, path: str, **more: Any) -> Any:
        answer = await self._client.request(method, path, **more)
        answer.raise_for_status()
        return answer.json()

    async def new_ticket(self, subject: str) -> str:
        company = (await self._ask("GET", "/company/companies", params={"pageSize": 1}))[0]
        body = {"summary": subject, "company": {"id": company["id"]}, "board": {"name": BOARD}}
        return str((await self._ask("POST", "/service/tickets", json=body))["id"])

    async def said(self, id: str) -> Counter[str]:
        notes = await self._ask("GET", f"/service/tickets/{id}/notes", params={"pageSize": 1000})
        texts = [note.get("text") for note in notes]
        texts += [entry.get("notes") for entry in await self._entries(id)]
        return Counter(" ".join(text.split()) for text in texts if text)

    async def _entries(self, id: str) -> list[dict[str, Any]]:
        query = {"conditions": f"chargeToId={id}", "pageSize": 1000}
        found: list[dict[str, Any]] = await self._ask("GET", "/time/entries", params=query)
        return found

    async def held(self, id: str) -> Held:
        row = await self._ask("GET", f"/service/tickets/{id}")
        owner = (row.get("owner") or {}).get("identifier")
        minutes = sum(round(entry["actualHours"] * 60) for entry in await self._entries(id))
        return Held(row["status"]["name"], owner, minutes)

    async def touch_an_old_one(self) -> tuple[str, str]:
        """Adds a note to a ticket that is there since long; its client and its summary."""
        query = {"conditions": "closedFlag=false", "pageSize": 1}
        [row] = await self._ask("GET", "/service/tickets", params=query)
        note = {"text": "rang", "internalAnalysisFlag": True}
        await self._ask("POST", f"/service/tickets/{row['id']}/notes", json=note)
        return row["company"]["name"], row["summary"]

    async def resolve(self, id: str) -> None:
        """It goes with the sandbox."""

    async def aclose(self) -> None:
        await self._client.aclose()
