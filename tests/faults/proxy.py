"""A proxy of ours on loopback in front of a real server, that breaks what passes as a test says.

It speaks just enough HTTP/1.1: one request, one answer, then the connection to the server is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came by: `number` from 1, `path` without its query."""

    number: int
    method: str
    path: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What to do to one request and its answer; the defaults let both pass.

    `request_bytes`: so many reach the server, then both connections break. `acts` False: the server
    never sees it. `answer_bytes`: so many of the answer come back, then a reset. `answer`: these
    bytes instead of the server's own. `endless`: these bytes, over and over. `delay_s` before the
    answer. `hangs`: no answer, the connection stays. `drip_s` between the answer's single bytes.
    `change` makes another answer of the server's own. `then` is awaited when the server has acted
    and nothing has come back.
    """

    request_bytes: int | None = None
    acts: bool = True
    answer_bytes: int | None = None
    answer: bytes | None = None
    endless: bytes = b""
    delay_s: float = 0.0
    hangs: bool = False
    drip_s: float = 0.0
    change: Callable[[bytes], bytes] | None = None
    then: Callable[[], Awaitable[None]] | None = None


PASS = Fault()
Rule = Callable[[Seen], Fault]


def http(status: str, body: bytes, kind: str = "application/json", **headers: str) -> bytes:
    """An answer in full."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


@dataclass(slots=True)
class Proxy:
    """Listens at `url`; each request is treated as `rule` says. `seen` are all requests. With `tls` it
    speaks that to its clients."""

    upstream: str
    rule: Rule = lambda _seen: PASS
    tls: ssl.SSLContext | None = None
    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    answered: list[bytes] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        await self.listen(0)
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()[:2]
        self.url = f"{'https' if self.tls else 'http'}://{host}:{port}"

    async def listen(self, port: int) -> None:
        """Anew, at the same place, after `stop`."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port, ssl=self.tls)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while (request := await _request(reader)) is not None:
                method, target = request.split(b" ", 2)[:2]
                seen = Seen(len(self.seen) + 1, method.decode(), urlsplit(target.decode()).path)
                self.seen.append(seen)
                if not await self._treat(request, self.rule(seen), writer):
                    return
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            _reset(writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _treat(self, request: bytes, fault: Fault, writer: asyncio.StreamWriter) -> bool:
        """Passes one request on; whether the client's connection still stands."""
        real = b""
        if fault.acts:
            real = await self._ask(request, fault)
            self.answered.append(real)
        if fault.then is not None:
            await fault.then()
        if fault.request_bytes is not None:
            _reset(writer)
            return False
        if fault.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(fault.delay_s)
        answer = real if fault.answer is None else fault.answer
        return await _send(writer, fault.change(answer) if fault.change else answer, fault)

    async def _ask(self, request: bytes, fault: Fault) -> bytes:
        """The server's answer to so much of the request as it gets."""
        at = urlsplit(self.upstream)
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        try:
            part = request if fault.request_bytes is None else request[: fault.request_bytes]
            writer.write(part)
            await writer.drain()
            if fault.request_bytes is not None and len(part) < len(request):
                _reset(writer)
                return b""
            return await reader.read(-1)
        finally:
            writer.close()


async def _send(writer: asyncio.StreamWriter, answer: bytes, fault: Fault) -> bool:
    part = answer if fault.answer_bytes is None else answer[: fault.answer_bytes]
    if fault.drip_s:
        for byte in part:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(fault.drip_s)
    else:
        writer.write(part)
        await writer.drain()
    while fault.endless:
        writer.write(fault.endless)
        await writer.drain()
    if fault.answer_bytes is not None:
        _reset(writer)
    return False


async def _request(reader: asyncio.StreamReader) -> bytes | None:
    """One whole request, asking the server to close when it has answered; None at the end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    lines = head[:-4].split(b"\r\n")
    lengths = [int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")]
    body = await reader.readexactly(lengths[0]) if lengths else b""
    kept = [line for line in lines if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*kept, b"Connection: close", b"", b""]) + body


def _reset(writer: asyncio.StreamWriter) -> None:
    """Ends a connection by RST, as a link that drops does."""
    sock = writer.get_extra_info("socket")
    with contextlib.suppress(OSError, AttributeError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextlib.asynccontextmanager
async def proxied(
    upstream: str, rule: Rule = lambda _seen: PASS, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Proxy]:
    """A proxy for the time of the block."""
    proxy = Proxy(upstream, rule, tls)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
