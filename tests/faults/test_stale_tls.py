"""TLS that went bad: certificates past their day, for another name or of nobody we trust, sessions that
end in the middle of their handshake or between two calls. Before the sandbox's real servers."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from mspterm.desk.desk import Desk
from mspterm.desk.perform import Performer
from mspterm.desk.sync import Sync
from mspterm.domain.action import Consent, State
from mspterm.domain.reasons import Failure, Reason
from tests.faults.boxed import Box, CwJudge, boxed, told
from tests.faults.certs import OTHER, Authority, authority
from tests.faults.life import desk_for, plan
from tests.faults.proxy import Proxy, proxied
from tests.faults.repertoire import said_well

TIMEOUT_S = 1.0
LIMIT_S = 8.0


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    try:
        return authority(tmp_path_factory.mktemp("ca"))
    except FileNotFoundError:
        pytest.skip("openssl is not here")


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with boxed() as made:
        yield made


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as made:
        yield made


async def desk_at(
    stack: AsyncExitStack, box: Box, ca: Authority, state: Path, *urls: str, which: str = "psa"
) -> Desk:
    """A desk whose connections trust the CA: `far_0`, `far_1`... at the urls, and `near`, without TLS."""
    connection = box.psa if which == "psa" else box.rmm
    far = [
        {**told(connection, url, TIMEOUT_S), "name": f"far_{n}", "ca_bundle": ca.pem}
        for n, url in enumerate(urls)
    ]
    near = {**told(connection, connection.url, 20.0), "name": "near"}
    secrets = {c["name"]: box.secrets[which] for c in (*far, near)}
    desk = desk_for(state, [*far, near], secrets)
    stack.push_async_callback(desk.aclose)
    return desk


async def polled(desk: Desk) -> dict[str, Failure | None]:
    """Every connection at once, in time."""
    began, sync = time.monotonic(), Sync(desk)
    found = await asyncio.gather(*map(sync.once, desk.connections))
    assert time.monotonic() - began < LIMIT_S
    return dict(zip(desk.connections, found, strict=True))


def told_of(failure: Failure | None, name: str, words: str) -> None:
    said_well(failure, {Reason.OFFLINE}, name)
    assert words in str(failure)


BAD: dict[str, tuple[Callable[[Authority], ssl.SSLContext], str]] = {
    "expired": (lambda ca: ca.server("expired", days=-1), "has expired"),
    "for another name": (lambda ca: ca.server("elsewhere", OTHER), "is for another name"),
    "self-signed": (lambda ca: ca.self_signed("me"), "is not trusted"),
}


@pytest.mark.parametrize("which", ["psa", "rmm"])
async def test_a_bad_certificate_is_named_and_gets_no_credential(
    box: Box, ca: Authority, tmp_path: Path, stack: AsyncExitStack, which: str
) -> None:
    upstream = box.psa.url if which == "psa" else box.rmm.url
    shown = [make(ca) for make, _ in BAD.values()]
    proxies = [await stack.enter_async_context(proxied(upstream, tls=context)) for context in shown]
    desk = await desk_at(stack, box, ca, tmp_path, *(p.url for p in proxies), which=which)
    found = await polled(desk)
    assert found.pop("near") is None
    for (name, failure), (_, words) in zip(found.items(), BAD.values(), strict=True):
        told_of(failure, name, words)
    assert [p.seen for p in proxies] == [[], [], []]


async def changed(stack: AsyncExitStack, box: Box, ca: Authority, state: Path) -> tuple[Desk, Proxy, str]:
    """A good server that was polled, then shows a certificate that nobody vouches for."""
    proxy = await stack.enter_async_context(proxied(box.psa.url, tls=ca.server("good")))
    judge = CwJudge(box)
    ticket = await judge.new_ticket("a certificate changes")
    await judge.aclose()
    desk = await desk_at(stack, box, ca, state, proxy.url)
    assert (await polled(desk))["far_0"] is None
    port = int(proxy.url.rpartition(":")[2])
    await proxy.stop()
    proxy.tls = ca.self_signed("changed")
    await proxy.listen(port)
    return desk, proxy, ticket


async def test_a_certificate_that_changes_leaves_the_last_data_and_what_is_written_waits(
    box: Box, ca: Authority, tmp_path: Path, stack: AsyncExitStack
) -> None:
    desk, proxy, ticket = await changed(stack, box, ca, tmp_path)
    before, asked = desk.store.tickets.get(f"far_0:{ticket}"), len(proxy.seen)
    told_of((await polled(desk))["far_0"], "far_0", "is not trusted")
    assert desk.store.tickets.get(f"far_0:{ticket}") == before is not None
    note = plan({"do": "note", "ref": f"far_0:{ticket}", "text": "it waits"})
    [result] = await Performer(desk).perform(note, Consent(plan_hash=note.hash))
    assert result.outcome.state is State.QUEUED
    assert "nothing has been sent yet" in str(result.outcome.failure)
    assert len(proxy.seen) == asked, "no credential reached it"


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
SERVER_HELLO = bytes.fromhex("1603030040020000")


async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(64)


async def half_a_hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(64)
    writer.write(SERVER_HELLO)
    await writer.drain()


async def half_a_hello_and_silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await half_a_hello(reader, writer)
    await reader.read(-1)


async def plain_text(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(64)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()


HANDSHAKES: tuple[Serve, ...] = (close, half_a_hello, half_a_hello_and_silence, plain_text)


async def serving(stack: AsyncExitStack, serve: Serve) -> str:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    stack.callback(server.close)
    return f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_handshake_that_ends_in_the_middle_is_offline_in_time(
    box: Box, ca: Authority, tmp_path: Path, stack: AsyncExitStack
) -> None:
    urls = [await serving(stack, serve) for serve in HANDSHAKES]
    found = await polled(await desk_at(stack, box, ca, tmp_path, *urls))
    assert found.pop("near") is None
    for name, failure in found.items():
        said_well(failure, {Reason.OFFLINE}, name)


async def test_a_session_that_died_between_two_calls_costs_neither_a_read_nor_a_write(
    box: Box, ca: Authority, tmp_path: Path, stack: AsyncExitStack
) -> None:
    """The server keeps connections open for more, and drops all of them, as a firewall does."""
    judge, tunnels = CwJudge(box), Tunnels(box.psa.url)
    url = await tunnels.start(stack, ca.server("tunnel"))
    desk = await desk_at(stack, box, ca, tmp_path, url)
    ref = f"far_0:{await judge.new_ticket('a stale session')}"
    assert (await polled(desk))["far_0"] is None
    await tunnels.drop()
    assert (await polled(desk))["far_0"] is None
    await tunnels.drop()
    note = plan({"do": "note", "ref": ref, "text": "after the pause"})
    [result] = await Performer(desk).perform(note, Consent(plan_hash=note.hash))
    assert result.outcome.state is State.DONE
    assert (await judge.said(ref.partition(":")[2]))["after the pause"] == 1
    assert tunnels.opened >= 3
    await judge.aclose()


class Tunnels:
    """TLS outside, the server inside, byte by byte; all of them cut at once when told so."""

    def __init__(self, upstream: str) -> None:
        self._port = int(upstream.rpartition(":")[2])
        self._open: set[asyncio.StreamWriter] = set()
        self.opened = 0

    async def start(self, stack: AsyncExitStack, tls: ssl.SSLContext) -> str:
        server = await asyncio.start_server(self._tunnel, "127.0.0.1", 0, ssl=tls)
        stack.push_async_callback(self.drop)
        stack.callback(server.close)
        return f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, out = await asyncio.open_connection("127.0.0.1", self._port)
        self._open |= {writer, out}
        self.opened += 1
        await asyncio.gather(_pour(reader, out), _pour(inner, writer))

    async def drop(self) -> None:
        """Without a goodbye, and long enough ago that the other end has heard of it."""
        gone, self._open = self._open, set()
        for writer in gone:
            writer.transport.abort()
        await asyncio.gather(*(w.wait_closed() for w in gone), return_exceptions=True)


async def _pour(source: asyncio.StreamReader, into: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            into.write(data)
            await into.drain()
    except (OSError, ssl.SSLError):
        pass
    finally:
        into.close()
