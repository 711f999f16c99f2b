"""The HTTP client against real sockets: every way an answer can fail, and what is kept from logs."""

from __future__ import annotations

import asyncio
import gzip
import logging
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mspterm.config.model import Connection
from mspterm.domain.reasons import Failed, Reason
from mspterm.net.faults import Answered, MaybeSent
from mspterm.net.http import Http
from mspterm.net.pacer import FreePacer
from mspterm.net.retry import Retry

Talk = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
ONCE = Retry(tries=1)


@asynccontextmanager
async def served(talk: Talk, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that hands each request's head to `talk` and closes; gives its port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(await reader.readuntil(b"\r\n\r\n"), writer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def answering(status: str, body: bytes = b"{}", *headers: str) -> Talk:
    async def talk(_: bytes, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
        writer.write("\r\n".join(lines).encode() + body)

    return talk


async def silent(_: bytes, __: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def hang_up(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


@asynccontextmanager
async def client(
    port: int, *, scheme: str = "http", host: str = "127.0.0.1", max_bytes: int = 1 << 20, **settings: object
) -> AsyncIterator[Http]:
    connection = Connection("acme", "rt", f"{scheme}://{host}:{port}")
    connection = replace(connection, **settings)  # type: ignore[arg-type]
    made = Http(connection, base_url=connection.url, pacer=FreePacer(), retry=ONCE, max_bytes=max_bytes)
    try:
        yield made
    finally:
        await made.aclose()


async def failure_of(call: Awaitable[object]) -> Failed:
    with pytest.raises(Failed) as caught:
        await call
    return caught.value


class Greeting(msgspec.Struct):
    hello: str


async def test_an_answer_is_decoded_and_its_date_kept() -> None:
    talk = answering("200 OK", b'{"hello":"you"}', "Date: Tue, 24 Nov 2026 05:46:58 GMT")
    async with served(talk) as port, client(port) as http:
        assert await http.get_json("/x", into=Greeting) == Greeting("you")
        assert http.server_date is not None
        assert http.server_date.isoformat() == "2026-11-24T05:46:58+00:00"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("400 Bad Request", Reason.REFUSED),
        ("401 Unauthorized", Reason.AUTH),
        ("403 Forbidden", Reason.PERMISSION),
        ("404 Not Found", Reason.NOT_FOUND),
        ("409 Conflict", Reason.CONFLICT),
        ("412 Precondition Failed", Reason.CONFLICT),
        ("429 Too Many Requests", Reason.RATE_LIMIT),
        ("500 Internal Server Error", Reason.SERVER),
        ("503 Service Unavailable", Reason.SERVER),
    ],
)
async def test_each_error_status_is_a_reason_with_a_sentence(status: str, reason: Reason) -> None:
    async with served(answering(status, b'{"message":"hush"}')) as port, client(port) as http:
        failed = await failure_of(http.get("/x"))
    assert isinstance(failed, Answered)
    assert failed.failure.reason is reason
    assert failed.failure.connection == "acme"
    assert failed.failure.sentence.endswith(".")
    assert failed.body == b'{"message":"hush"}'
    assert "hush" not in failed.failure.sentence


async def test_a_refused_connection_is_offline_before_sending() -> None:
    async with served(silent) as port:
        pass
    async with client(port) as http:
        failed = await failure_of(http.send("POST", "/x", json={}))
    assert failed.failure.reason is Reason.OFFLINE
    assert not isinstance(failed, MaybeSent)
    assert "running" in failed.failure.sentence


async def test_a_name_that_does_not_resolve_is_offline_and_says_so() -> None:
    async with client(1, host="no-such-host.invalid") as http:
        failed = await failure_of(http.get("/x"))
    assert failed.failure.reason is Reason.OFFLINE
    assert "can't be resolved" in failed.failure.sentence


@pytest.mark.parametrize("talk", [silent, hang_up])
async def test_a_write_whose_answer_never_came_may_have_been_sent(talk: Talk) -> None:
    async with served(talk) as port, client(port, timeout_s=0.2) as http:
        failed = await failure_of(http.send("POST", "/x", json={"a": 1}))
    assert isinstance(failed, MaybeSent)
    assert failed.failure.reason is Reason.OFFLINE


@pytest.mark.parametrize("status", ["500 Oops", "502 Bad Gateway", "504 Gateway Timeout"])
async def test_a_write_that_a_server_fell_over_may_have_been_done(status: str) -> None:
    async with served(answering(status)) as port, client(port) as http:
        assert isinstance(await failure_of(http.send("POST", "/x", json={})), MaybeSent)


async def test_a_write_refused_with_429_is_surely_not_done() -> None:
    async with served(answering("429 Slow Down", b"", "Retry-After: 30")) as port, client(port) as http:
        failed = await failure_of(http.send("POST", "/x", json={}))
    assert not isinstance(failed, MaybeSent)
    assert failed.failure.retry_at is not None


async def test_a_read_timeout_is_offline_and_names_the_setting() -> None:
    async with served(silent) as port, client(port, timeout_s=0.2) as http:
        failed = await failure_of(http.get("/x"))
    assert failed.failure.reason is Reason.OFFLINE
    assert "timeout_s" in failed.failure.sentence


async def test_a_server_that_drips_is_cut_off() -> None:
    async def drip(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with served(drip) as port, client(port, timeout_s=0.1) as http:
        failed = await failure_of(http.get("/x"))
    assert failed.failure.reason is Reason.OFFLINE


async def test_200_with_html_is_bad_data_that_says_so() -> None:
    async with served(answering("200 OK", b"\n<!doctype html><p>log in")) as port, client(port) as http:
        failed = await failure_of(http.get_json("/x", into=Greeting))
    assert failed.failure.reason is Reason.BAD_DATA
    assert "web page" in failed.failure.sentence
    assert "log in" not in failed.failure.sentence


@pytest.mark.parametrize("body", [b"", b"{", b'{"hello":5}', b"[]"])
async def test_json_of_another_shape_is_bad_data(body: bytes) -> None:
    async with served(answering("200 OK", body)) as port, client(port) as http:
        assert (await failure_of(http.get_json("/x", into=Greeting))).failure.reason is Reason.BAD_DATA


async def test_an_answer_over_the_cap_is_refused() -> None:
    async with served(answering("200 OK", b"x" * 2_000_000)) as port, client(port) as http:
        failed = await failure_of(http.get("/x"))
    assert failed.failure.reason is Reason.BAD_DATA
    assert "1 MiB" in failed.failure.sentence


async def test_a_compression_bomb_is_not_inflated_past_the_cap() -> None:
    bomb = gzip.compress(bytes(200_000_000), compresslevel=1)
    async with served(answering("200 OK", bomb, "Content-Encoding: gzip")) as port, client(port) as http:
        failed = await failure_of(http.get("/x"))
    assert "more than 1 MiB" in failed.failure.sentence


@pytest.mark.parametrize(("encoding", "body"), [("gzip", b"not gzip at all"), ("br", b"x"), ("gzip", b"")])
async def test_broken_or_unasked_compression_is_bad_data(encoding: str, body: bytes) -> None:
    talk = answering("200 OK", body, f"Content-Encoding: {encoding}")
    async with served(talk) as port, client(port) as http:
        assert (await failure_of(http.get_json("/x", into=Greeting))).failure.reason is Reason.BAD_DATA


async def test_gzip_is_read() -> None:
    body = gzip.compress(b'{"hello":"zip"}')
    async with served(answering("200 OK", body, "Content-Encoding: gzip")) as port, client(port) as http:
        assert (await http.get_json("/x", into=Greeting)).hello == "zip"


async def test_a_redirect_elsewhere_gets_no_credentials() -> None:
    heads: list[bytes] = []

    async def thief(head: bytes, writer: asyncio.StreamWriter) -> None:
        heads.append(head)

    async with served(thief) as other:
        talk = answering("302 Found", b"", f"Location: http://127.0.0.1:{other}/x")
        async with served(talk) as port, client(port) as http:
            failed = await failure_of(http.get("/x"))
    assert heads == []
    assert failed.failure.reason is Reason.BAD_DATA
    assert "not followed" in failed.failure.sentence


async def test_a_redirect_within_the_origin_is_followed_for_reads_only() -> None:
    async def moved(head: bytes, writer: asyncio.StreamWriter) -> None:
        here = head.startswith(b"GET /new")
        talk = (
            answering("200 OK", b'{"hello":"new"}') if here else answering("301 Moved", b"", "Location: /new")
        )
        await talk(head, writer)

    async with served(moved) as port, client(port) as http:
        assert (await http.get_json("/old", into=Greeting)).hello == "new"
        failed = await failure_of(http.send("POST", "/old", json={}))
    assert failed.failure.reason is Reason.BAD_DATA
    assert "after a write" in failed.failure.sentence
    assert isinstance(failed, MaybeSent)


async def test_a_write_whose_answer_can_not_be_used_may_have_been_done() -> None:
    async with served(answering("200 OK", b"x" * 2_000_000)) as port, client(port) as http:
        failed = await failure_of(http.send("POST", "/x", json={}))
    assert isinstance(failed, MaybeSent)
    assert failed.failure.reason is Reason.BAD_DATA


async def test_a_redirect_in_a_circle_ends() -> None:
    async with served(answering("302 Found", b"", "Location: /x")) as port, client(port) as http:
        assert "circle" in (await failure_of(http.get("/x"))).failure.sentence


async def test_cookies_are_kept_between_requests() -> None:
    heads: list[bytes] = []

    async def talk(head: bytes, writer: asyncio.StreamWriter) -> None:
        heads.append(head)
        await answering("200 OK", b"{}", "Set-Cookie: sid=abc; path=/")(head, writer)

    async with served(talk) as port, client(port) as http:
        await http.get("/x")
        await http.get("/x")
    assert b"sid=abc" not in heads[0]
    assert b"Cookie: sid=abc" in heads[1]


async def test_logs_hold_the_template_and_nothing_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with served(answering("200 OK", b'{"secret":"body"}')) as port:
        connection = Connection("acme", "rt", f"http://127.0.0.1:{port}")
        http = Http(
            connection,
            base_url=connection.url,
            pacer=FreePacer(),
            headers=lambda: {"Authorization": "token HUSH"},
        )
        await http.get("/user/{login}", login="dana@hvd.test", query={"token": "HUSH"})
        await http.send("POST", "/x", json={"text": "HUSH"})
        await http.aclose()
    ours = [record.getMessage() for record in caplog.records if record.name == "mspterm.net"]
    assert ours[0].startswith(f"GET 127.0.0.1:{port} /user/{{login}} 200 ")
    assert "HUSH" not in caplog.text
    assert "dana" not in caplog.text
    assert "secret" not in caplog.text


async def test_path_parameters_can_not_leave_their_segment() -> None:
    heads: list[bytes] = []

    async def talk(head: bytes, writer: asyncio.StreamWriter) -> None:
        heads.append(head)
        await answering("200 OK")(head, writer)

    async with served(talk) as port, client(port) as http:
        await http.get("/user/{login}", login="../a?b#c d")
    assert heads[0].split(b"\r\n")[0] == b"GET /user/..%2Fa%3Fb%23c%20d HTTP/1.1"


async def test_no_more_requests_at_once_than_slots() -> None:
    running, most = 0, 0
    gate = asyncio.Event()

    async def talk(head: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if most == 4:
            gate.set()
        await gate.wait()
        running -= 1
        await answering("200 OK")(head, writer)

    async with served(talk) as port, client(port) as http:
        await asyncio.gather(*(http.get("/x") for _ in range(12)))
    assert most == 4


@pytest.fixture(scope="module")
def private_ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 and its key, as a private CA's file would be."""
    folder = tmp_path_factory.mktemp("ca")
    command = [
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
        *("-days", "2", "-subj", "/CN=lab", "-addext", "subjectAltName=IP:127.0.0.1"),
        *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
    ]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not here")
    return folder


def tls_server(folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


async def test_ca_bundle_verifies_a_private_ca(private_ca: Path) -> None:
    talk = answering("200 OK", b'{"hello":"tls"}')
    async with (
        served(talk, tls_server(private_ca)) as port,
        client(port, scheme="https", ca_bundle=private_ca / "cert.pem") as http,
    ):
        assert (await http.get_json("/x", into=Greeting)).hello == "tls"


async def test_an_untrusted_certificate_names_ca_bundle(private_ca: Path) -> None:
    async with (
        served(answering("200 OK"), tls_server(private_ca)) as port,
        client(port, scheme="https") as http,
    ):
        failed = await failure_of(http.send("POST", "/x", json={}))
    assert failed.failure.reason is Reason.OFFLINE
    assert "ca_bundle of acme" in failed.failure.sentence
    assert not isinstance(failed, MaybeSent)


async def test_tls_to_a_plain_port_is_told_as_tls() -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server, client(server.sockets[0].getsockname()[1], scheme="https") as http:
        failed = await failure_of(http.get("/x"))
    assert failed.failure.reason is Reason.OFFLINE
    assert "No TLS" in failed.failure.sentence


@pytest.mark.parametrize("setting", ["ca_bundle", "client_cert"])
async def test_a_missing_certificate_file_is_named(setting: str, tmp_path: Path) -> None:
    files: dict[str, Any] = {setting: tmp_path / "gone.pem"}
    async with client(1, scheme="https", **files) as http:
        failed = await failure_of(http.send("POST", "/x", json={}))
    assert failed.failure.reason is Reason.BAD_DATA
    assert setting in failed.failure.sentence
    assert not isinstance(failed, MaybeSent)


async def test_an_explicit_proxy_is_used() -> None:
    heads: list[bytes] = []

    async def proxy(head: bytes, writer: asyncio.StreamWriter) -> None:
        heads.append(head)
        await answering("200 OK", b'{"hello":"proxied"}')(head, writer)

    async with (
        served(proxy) as port,
        client(9, host="rt.example", proxy=f"http://127.0.0.1:{port}") as http,
    ):
        assert (await http.get_json("/x", into=Greeting)).hello == "proxied"
    assert heads[0].startswith(b"GET http://rt.example:9/x ")
