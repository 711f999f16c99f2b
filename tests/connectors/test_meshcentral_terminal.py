"""The tunnel to a device's shell, against a relay on loopback that speaks as MeshCentral's does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.asyncio.server import ServerConnection, serve

from mspterm.config.model import Connection
from mspterm.connectors.meshcentral.session import Session
from mspterm.connectors.meshcentral.terminal import MeshTerminal, open_terminal
from mspterm.domain.reasons import Failed, Reason
from mspterm.domain.secret import Secret
from mspterm.net.pacer import FreePacer
from tests.connectors.fake_meshcentral import NODE, FakeMesh

NOW = datetime(2026, 11, 24, 2, 10, tzinfo=UTC)
HOSTILE = b'\x1b]52;c;Y3VybA==\x07\x1b]2;pwned\x1b\\\x9b2J{"ctrlChannel":"102938"}'


class Relay:
    """Serves control.ashx by the fake server and meshrelay.ashx itself. `joined` is what it says once
    both are there; None: the agent never comes."""

    def __init__(self, fake: FakeMesh, joined: str | None = "c") -> None:
        self.fake, self.joined = fake, joined
        self.query: dict[str, list[str]] = {}
        self.heard: asyncio.Queue[str | bytes] = asyncio.Queue()
        self.peer: ServerConnection | None = None
        fake.answer("authcookie", {"action": "authcookie", "cookie": "c00k", "rcookie": "rc00k", "tag": ""})
        fake.silent("msg:tunnel")

    async def talk(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        where = urlsplit(socket.request.path)
        if where.path.endswith("/control.ashx"):
            await self.fake.talk(socket)
            return
        assert where.path == "/meshrelay.ashx"
        self.query, self.peer = parse_qs(where.query), socket
        if self.joined:
            await socket.send(self.joined)
        async for message in socket:
            self.heard.put_nowait(message)

    async def next_control(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(await self.heard.get())
        return found


@asynccontextmanager
async def opened(
    relay: Relay, *, shell: str = "auto", run_as: str = "system", timeout_s: float = 5
) -> AsyncIterator[MeshTerminal]:
    async with serve(relay.talk, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        where = Connection("mesh", "meshcentral", f"ws://127.0.0.1:{port}", timeout_s=timeout_s)
        session = Session(where, Secret("p"), pacer=FreePacer(), now=lambda: NOW)
        try:
            terminal = await open_terminal(
                session, where, NODE, "HVD-DC01", shell=shell, run_as=run_as, columns=100, rows=30
            )
            yield terminal
            await terminal.aclose()
        finally:
            await session.aclose()


async def test_both_ends_are_called_by_one_name_and_their_own_cookies(fake_mesh: FakeMesh) -> None:
    relay = Relay(fake_mesh)
    async with opened(relay) as terminal:
        assert await relay.next_control() == {
            "ctrlChannel": "102938",
            "type": "options",
            "cols": 100,
            "rows": 30,
        }
        assert await relay.heard.get() == "1"
        assert not terminal.recorded
    [call] = [m for m in fake_mesh.received if m.get("type") == "tunnel"]
    path, _, query = call["value"].partition("?")
    theirs = parse_qs(query)
    assert (path, call["nodeid"], call["usage"]) == ("*/meshrelay.ashx", NODE, 1)
    assert (theirs["nodeid"], theirs["rauth"]) == ([NODE], ["rc00k"])
    assert theirs["id"] == relay.query["id"]
    assert (relay.query["auth"], relay.query["browser"]) == (["c00k"], ["1"])


@pytest.mark.parametrize(
    ("shell", "run_as", "protocol"),
    [
        ("auto", "system", "1"),
        ("sh", "system", "1"),
        ("powershell", "system", "6"),
        ("cmd", "user", "8"),
        ("powershell", "user", "9"),
    ],
)
async def test_shell_and_run_as_choose_the_protocol(
    fake_mesh: FakeMesh, shell: str, run_as: str, protocol: str
) -> None:
    relay = Relay(fake_mesh)
    async with opened(relay, shell=shell, run_as=run_as):
        await relay.next_control()
        assert await relay.heard.get() == protocol


async def test_a_recorded_session_is_known(fake_mesh: FakeMesh) -> None:
    async with opened(Relay(fake_mesh, "cr")) as terminal:
        assert terminal.recorded


async def test_bytes_go_both_ways_and_control_stays_apart(fake_mesh: FakeMesh) -> None:
    relay = Relay(fake_mesh)
    async with opened(relay) as terminal:
        await relay.next_control()
        await relay.heard.get()
        assert relay.peer is not None
        await relay.peer.send(json.dumps({"ctrlChannel": "102938", "type": "ping"}))
        await relay.peer.send(HOSTILE)
        assert await terminal.read() == HOSTILE
        assert await relay.next_control() == {"ctrlChannel": "102938", "type": "pong"}
        await terminal.write(b"dir\r")
        assert await relay.heard.get() == b"dir\r"
        await terminal.resize(120, 40)
        assert await relay.next_control() == {
            "ctrlChannel": "102938",
            "type": "termsize",
            "cols": 120,
            "rows": 40,
        }


async def test_a_notice_of_the_agent_is_a_safe_line(fake_mesh: FakeMesh) -> None:
    relay = Relay(fake_mesh)
    async with opened(relay) as terminal:
        await relay.heard.get()
        assert relay.peer is not None
        notice = {"ctrlChannel": "102938", "type": "console", "msg": "Waiting\x1b]2;x\x07 for \u202euser"}
        await relay.peer.send(json.dumps(notice))
        assert await terminal.read() == b"\r\n[Waiting for <U+202E>user]\r\n"


async def test_the_end_of_the_session_is_an_empty_read(fake_mesh: FakeMesh) -> None:
    relay = Relay(fake_mesh)
    async with opened(relay) as terminal:
        assert relay.peer is not None
        await relay.peer.close()
        assert await terminal.read() == b""


async def test_an_agent_that_cannot_be_reached_is_told_at_once(fake_mesh: FakeMesh) -> None:
    relay = Relay(fake_mesh, joined=None)
    fake_mesh.acknowledge = False
    fake_mesh.answer("msg:tunnel", {"action": "msg", "result": "Unable to route", "responseid": ""})
    with pytest.raises(Failed, match="HVD-DC01 did not come") as caught:
        async with opened(relay, timeout_s=60):
            pass
    assert caught.value.failure.reason is Reason.OFFLINE


async def test_an_agent_that_never_comes_is_given_up(fake_mesh: FakeMesh) -> None:
    with pytest.raises(Failed) as caught:
        async with opened(Relay(fake_mesh, joined=None), timeout_s=0.3):
            pass
    assert caught.value.failure.reason is Reason.OFFLINE
    assert "c00k" not in caught.value.failure.sentence


async def test_an_account_without_cookies_may_not(fake_mesh: FakeMesh) -> None:
    relay = Relay(fake_mesh)
    fake_mesh.answer("authcookie", {"action": "authcookie", "tag": ""})
    with pytest.raises(Failed) as caught:
        async with opened(relay):
            pass
    assert caught.value.failure.reason is Reason.PERMISSION
