"""The lab's RT as a judge sees it: by its own REST, past every proxy."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from tests.faults.judge import Held, Told

API = "/REST/2.0"


def rt_connection(url: str, timeout_s: float) -> Told:
    return {
        "name": "rt",
        "kind": "rt",
        "url": url,
        "client_from": "cf:Client",
        "timeout_s": timeout_s,
        "me": "ines",
    }


@dataclass(slots=True)
class RtJudge:
    """RT's own records. One login, then its session, as a token costs RT 0.3 s a call."""

    url: str
    token: str
    name: str = "rt"
    me: str = "ines"
    statuses: tuple[str, str] = ("open", "stalled")
    reopens: str | None = "open"
    _client: httpx.AsyncClient | None = None
    _logging_in: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def secrets(self) -> Mapping[str, str]:
        return {"token": self.token}

    def connection(self, url: str, timeout_s: float) -> Told:
        return rt_connection(url, timeout_s)

    async def _ask(self, method: str, path: str, **more: object) -> httpx.Response:
        async with self._logging_in:
            if self._client is None:
                headers = {"Authorization": f"token {self.token}"}
                self._client = httpx.AsyncClient(base_url=self.url, headers=headers, timeout=60)
                await self._client.get("/Helpers/Autocomplete/Owners")
        answer = await self._client.request(method, API + path, **more)  # type: ignore[arg-type]
        answer.raise_for_status()
        return answer

    async def new_ticket(self, subject: str) -> str:
        fields = {"Client": "Oakline Manufacturing"}
        body = {"Queue": "Service Desk", "Subject": subject, "CustomFields": fields}
        return str((await self._ask("POST", "/ticket", json=body)).json()["id"])

    async def resolve(self, id: str) -> None:
        await self._ask("PUT", f"/ticket/{id}", json={"Status": "resolved"})

    async def held(self, id: str) -> Held:
        row = (await self._ask("GET", f"/ticket/{id}")).json()
        owner = str(row["Owner"]["id"])
        return Held(row["Status"], None if owner == "Nobody" else owner, int(row["TimeWorked"] or 0))

    async def said(self, id: str) -> Counter[str]:
        query = {"fields": "Content,ContentType", "per_page": "100", "page": "1"}
        found: Counter[str] = Counter()
        while True:
            page = (await self._ask("GET", f"/ticket/{id}/attachments", params=query)).json()
            texts = (i.get("Content") or "" for i in page["items"] if i.get("ContentType") == "text/plain")
            found.update(" ".join(text.split()) for text in texts)
            if len(page["items"]) < 100:
                return found
            query["page"] = str(int(query["page"]) + 1)

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()
