"""A server on loopback that speaks as MeshCentral 1.1.55 did when it was recorded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

Message = dict[str, Any]
NODE = "node//uIxfILBEwRr2niJdRnukUpBPumQirwax41PiSSi8ujoEl7yEaLY0nI385Mq$MGRa"
NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
GROUP = "mesh//IFyp4d7IjopJaDuJNHy9wuDkgo$AldYAkJlBhg9Ln2GptAmk12B3KuwdysBbjacu"


class Sleeps:
    """Counts the waits and takes none."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


class FakeMesh:
    """Replays recorded answers with the asker's ids put where the recording had ids.

    `answers` maps an action (`msg:TYPE` for messages to an agent) to what is sent back, None for
    nothing at all; `received` is every message that came in, pings apart.
    """

    def __init__(self, captures: Path) -> None:
        self.captures = captures
        self.received: list[Message] = []
        self.headers: list[str] = []
        self.greeting = self.frames("02-device-read.jsonl")[:3]
        self.pinged = asyncio.Event()
        self.asked = asyncio.Event()
        self.answers: dict[str, Callable[[Message], list[Message]] | None] = {}
        self.sockets: set[ServerConnection] = set()
        self.url = ""
        self.acknowledge = True
        for name, file in {
            "nodes": "nodes",
            "getDeviceDetails": "getDeviceDetails",
            "getsysinfo": "getsysinfo",
            "getnetworkinfo": "getnetworkinfo",
            "lastconnect": "lastconnect",
            "powertimeline": "powertimeline",
            "events": "events-after",
            "getNotes": "getNotes2",
            "msg:services": "services",
            "msg:cpuinfo": "cpuinfo-1",
            "runcommands": "runcommands-reply",
            "poweraction": "poweraction-bad",
        }.items():
            self.answer(name, self.capture(file))
        meshes = [m for m in self.frames("01-login-create.jsonl") if m["action"] == "meshes"]
        self.answer("meshes", meshes[-1])

    def capture(self, name: str) -> Message:
        found: Message = json.loads((self.captures / f"{name}.json").read_text())
        return found

    def frames(self, name: str) -> list[Message]:
        """The messages that the server sent in one recorded session."""
        lines = (json.loads(line) for line in (self.captures / name).read_text().splitlines())
        return [line["msg"] for line in lines if line["dir"] == "recv"]

    def answer(self, name: str, *recorded: Message) -> None:
        def replay(question: Message) -> list[Message]:
            ids = {key: question[key] for key in ("responseid", "tag") if key in question}
            return [m | {key: ids[key] for key in ids if key in m} for m in recorded]

        self.answers[name] = replay

    def silent(self, *names: str) -> None:
        for name in names:
            self.answers[name] = None

    def asked_for(self, action: str) -> list[Message]:
        return [m for m in self.received if m["action"] == action]

    async def push(self, **event: Any) -> None:
        await self.send({"action": "event", "event": event})

    async def send(self, message: Message) -> None:
        for socket in self.sockets:
            await socket.send(json.dumps(message))

    def drop(self) -> None:
        """Cuts every connection without a closing handshake."""
        for socket in self.sockets:
            socket.transport.abort()

    async def talk(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.headers.append(socket.request.headers.get("x-meshauth", ""))
        self.sockets.add(socket)
        try:
            for message in self.greeting:
                await socket.send(json.dumps(message))
            if self.greeting and self.greeting[-1]["action"] == "close":
                return
            async for text in socket:
                await self._hear(socket, json.loads(text))
        finally:
            self.sockets.discard(socket)

    async def _hear(self, socket: ServerConnection, question: Message) -> None:
        if question["action"] == "ping":
            self.pinged.set()
            await socket.send("{invalid")
            return
        self.received.append(question)
        self.asked.set()
        name = f"msg:{question['type']}" if question["action"] == "msg" else question["action"]
        reply = self.answers.get(name)
        if reply is None:
            return
        if question["action"] == "msg" and self.acknowledge:
            await socket.send(
                json.dumps({"action": "msg", "result": "OK", "responseid": question["responseid"]})
            )
        for message in reply(question):
            await socket.send(json.dumps(message))


@asynccontextmanager
async def running(shared: Path) -> AsyncIterator[FakeMesh]:
    fake = FakeMesh(shared / "captures" / "meshcentral")
    async with serve(fake.talk, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        fake.url = f"ws://127.0.0.1:{port}"
        yield fake
