"""A sandbox whose clock stands until a test moves it, and HTTP clients of its two servers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from mspterm.sandbox.app import Options, Sandbox, make
from mspterm.sandbox.clock import Clock
from mspterm.sandbox.faults import CONNECTWISE, NINJAONE

BEGAN = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
API = "/v2025_1/apis/3.0"


@dataclass
class Hand:
    """A clock that a hand moves."""

    at: datetime = BEGAN

    def __call__(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Bench:
    """One sandbox on a table."""

    options: Options = field(default_factory=lambda: Options(still=True))
    hand: Hand = field(default_factory=Hand)

    def __post_init__(self) -> None:
        self.sandbox: Sandbox = make(self.options, Clock(BEGAN, self.options.speed, self.hand))
        self.world = self.sandbox.life.world
        self.first_open = self.world.layout.first_open

    def connectwise(self, **headers: str) -> httpx.AsyncClient:
        """A client with the member's keys; a header given as "" is left out."""
        keys = self.sandbox.connectwise.keys
        sent = {"clientId": keys.client_id, **headers}
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.sandbox.app(CONNECTWISE)),
            base_url=f"http://connectwise.test{API}",
            auth=(f"{keys.company}+{keys.public}", keys.private),
            headers={name: value for name, value in sent.items() if value},
        )

    def ninjaone(self) -> httpx.AsyncClient:
        """A client that has no token yet."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.sandbox.app(NINJAONE)), base_url="http://ninja.test"
        )

    async def as_technician(self, client: httpx.AsyncClient) -> None:
        await self._log_in(
            client, grant_type="refresh_token", refresh_token=self.sandbox.ninjaone.auth.refresh_token
        )

    async def as_machine(
        self, client: httpx.AsyncClient, scope: str = "monitoring management control"
    ) -> None:
        secret = self.sandbox.ninjaone.auth.client_secret
        await self._log_in(client, grant_type="client_credentials", client_secret=secret, scope=scope)

    async def _log_in(self, client: httpx.AsyncClient, **form: str) -> None:
        form["client_id"] = self.sandbox.ninjaone.auth.client_id
        answer = await client.post("/ws/oauth/token", data=form)
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def run(self, seconds: float, step: float = 10) -> None:
        """Lets the world live on."""
        for _ in range(int(seconds / step)):
            self.hand.move(step)
            self.sandbox.life.advance()


def change(path: str, value: Any, op: str = "replace") -> dict[str, Any]:
    return {"op": op, "path": path, "value": value}
