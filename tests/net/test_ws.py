"""The websocket wrapper against real servers on loopback."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.utils import accept_key

from mspterm.config.model import Connection
from mspterm.domain.reasons import Failed, Reason
from mspterm.net.ws import open_socket


@asynccontextmanager
async def server(
    talk: Callable[[ServerConnection], Awaitable[None]],
    answer: Callable[[ServerConnection, Request], Response | None] | None = None,
) -> AsyncIterator[int]:
    async with serve(talk, "127.0.0.1", 0, process_request=answer) as running:
        port: int = next(iter(running.sockets)).getsockname()[1]
        yield port


async def echo(socket: ServerConnection) -> None:
    async for text in socket:
        await socket.send(text)


def connection(timeout_s: float = 5) -> Connection:
    return Connection("mesh", "meshcentral", "wss://mesh.example.test", timeout_s=timeout_s)


async def refusal(url: str, timeout_s: float = 5) -> Failed:
    with pytest.raises(Failed) as caught:
        await open_socket(connection(timeout_s), url, headers={"x-secret": "hunter2"})
    assert "hunter2" not in str(caught.value)
    assert caught.value.failure.connection == "mesh"
    return caught.value


async def test_text_goes_both_ways_and_nothing_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with server(echo) as port:
        url = f"ws://127.0.0.1:{port}/control.ashx?key=topsecret"
        socket = await open_socket(connection(), url, headers={"x-secret": "hunter2"})
        await socket.send('{"body":"patient"}')
        assert await socket.receive() == b'{"body":"patient"}'
        await socket.close()
    assert "/control.ashx" in caplog.text
    ours = "\n".join(r.getMessage() for r in caplog.records if r.name != "websockets.server")
    assert not any(word in ours for word in ("hunter2", "topsecret", "patient"))


async def test_nobody_listens() -> None:
    async with server(echo) as port:
        pass
    failure = (await refusal(f"ws://127.0.0.1:{port}/")).failure
    assert failure.reason is Reason.OFFLINE
    assert "127.0.0.1" in failure.sentence


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (HTTPStatus.UNAUTHORIZED, Reason.AUTH),
        (HTTPStatus.FORBIDDEN, Reason.PERMISSION),
        (HTTPStatus.NOT_FOUND, Reason.NOT_FOUND),
        (HTTPStatus.TOO_MANY_REQUESTS, Reason.RATE_LIMIT),
        (HTTPStatus.BAD_GATEWAY, Reason.SERVER),
        (HTTPStatus.OK, Reason.BAD_DATA),
    ],
)
async def test_an_http_status_has_a_reason(status: HTTPStatus, reason: Reason) -> None:
    async with server(echo, lambda socket, request: socket.respond(status, "no")) as port:
        failed = await refusal(f"ws://127.0.0.1:{port}/control.ashx")
    assert failed.failure.reason is reason


async def test_a_redirect_is_not_followed_with_credentials() -> None:
    seen: list[str] = []

    async def trap(socket: ServerConnection) -> None:
        seen.append("followed")

    async with server(trap) as elsewhere:

        def answer(socket: ServerConnection, request: Request) -> Response:
            return Response(302, "Found", Headers({"Location": f"ws://127.0.0.1:{elsewhere}/"}), b"")

        async with server(echo, answer) as port:
            failed = await refusal(f"ws://127.0.0.1:{port}/")
    assert failed.failure.reason is Reason.BAD_DATA
    assert seen == []


@asynccontextmanager
async def raw_server(first: Callable[[bytes], bytes]) -> AsyncIterator[int]:
    """Answers the first bytes with other bytes, then says nothing more until the client leaves."""
    left = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            writer.write(first(await reader.read(65536)))
            while await reader.read(65536):
                pass
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        left.set()

    running = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with running:
        yield running.sockets[0].getsockname()[1]
        async with asyncio.timeout(5):
            await left.wait()


async def test_a_server_that_never_answers_is_given_up_in_time() -> None:
    async with raw_server(lambda head: b"") as port:
        failed = await refusal(f"ws://127.0.0.1:{port}/", timeout_s=0.05)
    assert failed.failure.reason is Reason.OFFLINE
    assert "did not answer in time" in failed.failure.sentence


async def test_tls_to_a_server_without_it() -> None:
    async with raw_server(lambda hello: b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        failed = await refusal(f"wss://127.0.0.1:{port}/")
    assert failed.failure.reason is Reason.OFFLINE
    assert "TLS" in failed.failure.sentence


async def test_closing_does_not_wait_for_a_server_that_hangs() -> None:
    def accept(head: bytes) -> bytes:
        lines = head.decode().split("\r\n")
        key = next(line.split(": ")[1] for line in lines if line.lower().startswith("sec-websocket-key"))
        return (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n"
        ).encode()

    async with raw_server(accept) as port:
        socket = await open_socket(connection(), f"ws://127.0.0.1:{port}/", headers={})
        async with asyncio.timeout(4):
            await socket.close()
        with pytest.raises(Failed):
            await socket.receive()


async def test_a_message_over_the_cap_is_bad_data() -> None:
    async def flood(socket: ServerConnection) -> None:
        await socket.send("x" * 5000)
        await socket.wait_closed()

    async with server(flood) as port:
        socket = await open_socket(connection(), f"ws://127.0.0.1:{port}/", headers={}, max_bytes=1000)
        with pytest.raises(Failed) as caught:
            await socket.receive()
        await socket.close()
    assert caught.value.failure.reason is Reason.BAD_DATA


async def test_a_cut_connection_is_offline_for_both_ways() -> None:
    async def cut(socket: ServerConnection) -> None:
        socket.transport.abort()

    async with server(cut) as port:
        socket = await open_socket(connection(), f"ws://127.0.0.1:{port}/", headers={})
        with pytest.raises(Failed) as caught:
            await socket.receive()
        assert caught.value.failure.reason is Reason.OFFLINE
        with pytest.raises(Failed):
            await socket.send("late")
        await socket.close()
