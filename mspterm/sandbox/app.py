"""The two servers as one application: which one is asked is told by the port, and every call counted."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from uuid import uuid4

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mspterm.sandbox import catalogue as desk
from mspterm.sandbox import monitor, scenario
from mspterm.sandbox.clock import Clock
from mspterm.sandbox.connectwise_api import ConnectWise
from mspterm.sandbox.cw_http import Keys
from mspterm.sandbox.faults import CONNECTWISE, NINJAONE
from mspterm.sandbox.life import Life
from mspterm.sandbox.ninja_api import Ninja
from mspterm.sandbox.ninja_auth import NinjaAuth
from mspterm.sandbox.tickets import Layout
from mspterm.sandbox.world import World

# Without this each ticket would be an endpoint of its own in the count.
_ID = re.compile(r"/(\d+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?=/|$)")
# Neither counted nor throttled: here a test asks what was asked.
_PRIVATE = "/sandbox/"


@dataclass(frozen=True, slots=True)
class Options:
    """How the sandbox is asked for on the command line."""

    seed: int = 1
    speed: float = 1.0
    still: bool = False
    tickets: int = 60
    devices: int = 40
    scenario: Path | None = None


@dataclass(slots=True)
class Counted:
    """Calls, answers by status and bytes of one endpoint."""

    calls: int = 0
    bytes: int = 0
    statuses: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Sandbox:
    """The world with its two servers. `apps` are by vendor; `ports` say which port is whose."""

    life: Life
    connectwise: ConnectWise
    ninjaone: Ninja
    apps: dict[str, ASGIApp] = field(default_factory=dict)
    ports: dict[int, str] = field(default_factory=dict)
    counted: dict[str, dict[str, Counted]] = field(default_factory=dict)
    since: datetime | None = None

    def app(self, vendor: str) -> ASGIApp:
        """One vendor's server, with the counting around it."""

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            await self._answer(vendor, scope, receive, send)

        return application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # One uvicorn serves both sockets: the port is all that tells the vendors apart.
        await self._answer(self.ports[scope["server"][1]], scope, receive, send)

    async def _answer(self, vendor: str, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(_PRIVATE):
            await self._private(scope, send)
            return
        endpoint = f"{scope['method']} {_endpoint(scope['path'])}"
        counted = self.counted.setdefault(vendor, {}).setdefault(endpoint, Counted())
        counted.calls += 1

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                counted.statuses[str(message["status"])] += 1
            counted.bytes += len(message.get("body", b""))
            await send(message)

        await self.apps[vendor](scope, receive, counting)

    async def _private(self, scope: Scope, send: Send) -> None:
        """`/sandbox/calls`: what was called; `/sandbox/mails`: what would have been mailed. DELETE
        of the calls begins the count anew."""
        status, what = 200, scope["path"].removeprefix(_PRIVATE)
        body = b""
        if what == "calls" and scope["method"] == "DELETE":
            self.counted.clear()
            self.since, status = self.life.world.now(), 204
        elif what == "calls":
            since = self.since or self.life.world.clock.began
            body = msgspec.json.encode(
                {"since": since, "rows_made": self.life.world.rows_made, **self.counted}
            )
        elif what == "mails":
            body = msgspec.json.encode(self.life.world.mails)
        else:
            status = 404
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def make(options: Options, clock: Clock) -> Sandbox:
    """The sandbox that the options ask for, with keys that nobody else has.

    Raises BadScenario where its file can't be used.
    """
    chosen = scenario.read(options.scenario) if options.scenario else scenario.DEMO
    layout = Layout(tickets=options.tickets, devices=options.devices)
    life = Life(World(options.seed, clock, layout))
    monitor.begin(life.world)
    if not options.still:
        scenario.begin(life, chosen)
    # Not from the seed, which everybody knows: other users of the host reach the ports too.
    keys = Keys(desk.COMPANY, token_hex(8), token_hex(8), str(uuid4()))
    connectwise = ConnectWise(life, keys)
    ninjaone = Ninja(life, NinjaAuth(life.world, token_hex(12), token_hex(24), token_hex(32)))
    apps: dict[str, ASGIApp] = {CONNECTWISE: connectwise.app(), NINJAONE: ninjaone.app()}
    return Sandbox(life, connectwise, ninjaone, apps)


def _endpoint(path: str) -> str:
    """The path without the ids in it."""
    return _ID.sub("/{id}", path)
