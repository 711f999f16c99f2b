"""The one HTTP client of every connector: TLS, proxy, limits, reasons, and retry of reads only."""

from __future__ import annotations

import asyncio
import logging
import random
import time
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import httpx
import msgspec

from mspterm import __version__
from mspterm.config.model import Connection
from mspterm.domain.reasons import Failed, Failure
from mspterm.net import tls
from mspterm.net.breaker import Breaker
from mspterm.net.faults import (
    BEFORE_SENDING,
    Answered,
    MaybeSent,
    bad_data,
    may_pass,
    status_failure,
    wire_failure,
)
from mspterm.net.pacer import CallClass, Pacer
from mspterm.net.retry import RETRIED_STATUSES, Retry, http_date, retry_after

log = logging.getLogger("mspterm.net")
# httpx logs whole URLs at INFO and httpcore headers at DEBUG: secrets and clients' names.
for _loud in ("httpx", "httpcore"):
    logging.getLogger(_loud).setLevel(logging.CRITICAL + 1)

T = TypeVar("T")
Query = Mapping[str, str | int]
MAX_BYTES = 32 * 1024 * 1024
MAX_REDIRECTS = 3
CONNECT_S = 10.0
UNSURE_STATUSES = frozenset({500, 502, 504})
"""After these a write may have been done: the server fell over it, or a gateway stopped waiting."""
NO_HEADERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer; `body` is decompressed, `date` the server's own clock."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    date: datetime | None


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    template: str
    path: str
    query: Query
    headers: Mapping[str, str]
    content: bytes | None
    kind: CallClass

    @property
    def endpoint(self) -> str:
        return f"{self.method} {self.template}"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Http:
    """Requests to one connection's server. Nothing is opened before the first.

    `headers` is asked before each request (for credentials that change). `kind` of a call is its
    share of the rate budget. Every method raises Failed, and nothing else on purpose: `Answered`
    for an error status, `MaybeSent` for a write whose answer never came.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        base_url: str,
        pacer: Pacer,
        headers: Callable[[], Mapping[str, str]] = lambda: NO_HEADERS,
        now: Callable[[], datetime] = _utc_now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: Callable[[], float] = random.random,
        retry: Retry = Retry(),  # noqa: B008 - frozen
        transport: httpx.AsyncBaseTransport | None = None,
        max_bytes: int = MAX_BYTES,
        concurrency: int = 4,
    ) -> None:
        self.server_date: datetime | None = None
        """The server's clock as the last answer told it."""
        self._skew = timedelta()
        self._connection = connection
        self._base = httpx.URL(base_url.rstrip("/"))
        self._host = self._base.netloc.decode("ascii")
        self._pacer, self._headers, self._now, self._sleep = pacer, headers, now, sleep
        self._rng, self._retry, self._transport, self._max_bytes = rng, retry, transport, max_bytes
        self._slots = asyncio.Semaphore(concurrency)
        self._breaker = Breaker(connection.name, now)
        self._client: httpx.AsyncClient | None = None

    async def get(
        self,
        template: str,
        *,
        kind: CallClass = "poll",
        query: Query | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        **params: str | int,
    ) -> Answer:
        """One read, tried again as `Retry` says. `params` fill `{names}` of the path template."""
        call = _Call("GET", template, _fill(template, params), query or {}, headers, None, kind)
        with self._breaker.guarding(call.endpoint, kind):
            return await self._read_with_retries(call)

    async def _read_with_retries(self, call: _Call) -> Answer:
        started, attempt = self._now(), 0
        while True:
            attempt += 1
            failed, again = await self._try(call)
            if isinstance(failed, Answer):
                return failed
            wait = self._wait_before_next(failed.failure, attempt, started) if again else None
            if wait is None:
                raise failed
            await self._sleep(wait)

    async def get_json(
        self,
        template: str,
        *,
        into: type[T],
        kind: CallClass = "poll",
        query: Query | None = None,
        **params: str | int,
    ) -> T:
        """One read, decoded into a msgspec type."""
        answer = await self.get(template, kind=kind, query=query, headers=NO_HEADERS, **params)
        return self.decode(answer, into)

    async def send(
        self,
        method: str,
        template: str,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        kind: CallClass = "action",
        query: Query | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        **params: str | int,
    ) -> Answer:
        """One write, sent once and never again by itself; its body is `json` or a `form`."""
        content, typed = _body(json, form, headers)
        call = _Call(method, template, _fill(template, params), query or {}, typed, content, kind)
        with self._breaker.guarding(call.endpoint, kind):
            return await self._write(call)

    async def _write(self, call: _Call) -> Answer:
        # Outside the try: its Failed (an unreadable certificate file) would pass for a MaybeSent there.
        self._open()
        await self._pacer.turn(self._connection.name, call.kind)
        try:
            return await self._exchange(call)
        except Answered as answered:
            # Behind a redirect there is a server that may have acted before it redirected.
            if answered.status in UNSURE_STATUSES or answered.status < 400:
                raise MaybeSent(answered.failure) from None
            raise
        # Too large, in a circle, badly compressed: the server took the request all the same.
        except Failed as unusable:
            raise MaybeSent(unusable.failure) from None
        except BEFORE_SENDING as error:
            raise Failed(wire_failure(self._connection.name, self._host, error)) from None
        except (httpx.TransportError, TimeoutError) as error:
            raise MaybeSent(wire_failure(self._connection.name, self._host, error)) from None

    def server_now(self) -> datetime:
        """The server's clock by now, as far as its answers have told; else ours."""
        return self._now() + self._skew

    def decode(self, answer: Answer, into: type[T], *, strict: bool = True) -> T:
        """The answer's JSON as a msgspec type; Failed (bad data) says what came instead."""
        try:
            return msgspec.json.decode(answer.body, type=into, strict=strict)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            # Proxies and single sign-on answer 200 with a page; its text is kept out of the sentence.
            page = answer.body.lstrip()[:1] == b"<"
            what = "a web page where data was due" if page else "data of another shape"
            raise self._bad_data(f"answered with {what}") from None

    def forget_cookies(self) -> None:
        """Ends whatever session the server keeps by cookie."""
        if self._client is not None:
            self._client.cookies.clear()

    async def aclose(self) -> None:
        """Closes every connection; further calls open them again."""
        # Before the await: a call meanwhile opens another client rather than use one that is closing.
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _try(self, call: _Call) -> tuple[Answer | Failed, bool]:
        await self._pacer.turn(self._connection.name, call.kind)
        try:
            return await self._exchange(call), False
        except Answered as answered:
            return answered, answered.status in RETRIED_STATUSES
        except (httpx.TransportError, TimeoutError) as error:
            failure = wire_failure(self._connection.name, self._host, error)
            return Failed(failure), may_pass(error)

    def _wait_before_next(self, failure: Failure, attempt: int, started: datetime) -> float | None:
        """Seconds to wait, None to give up: a Retry-After beyond the total is left to the caller."""
        if attempt >= self._retry.tries:
            return None
        now = self._now()
        wait = self._retry.wait(attempt, self._rng)
        if failure.retry_at is not None:
            wait = max((failure.retry_at - now).total_seconds(), 0.0)
        over = now + timedelta(seconds=wait) > started + timedelta(seconds=self._retry.total_s)
        return None if over else wait

    async def _exchange(self, call: _Call) -> Answer:
        """One request and its answer within a deadline, so that a server that drips can't hold us."""
        began, status = time.monotonic(), "failed"
        try:
            # The slot first: waiting for one's turn is not the server's time.
            async with self._slots, asyncio.timeout(self._connection.timeout_s * 3):
                answer = await self._follow(call)
                status = str(answer.status)
        except Answered as answered:
            status = str(answered.status)
            raise
        finally:
            spent = (time.monotonic() - began) * 1000
            # The template, never the path or the query: those hold ids and clients' names.
            log.debug("%s %s %s %s %.0f ms", call.method, self._host, call.template, status, spent)
        return answer

    async def _follow(self, call: _Call) -> Answer:
        url = self._base.copy_with(path=self._base.path.rstrip("/") + call.path)
        url = url.copy_merge_params(call.query) if call.query else url
        for _ in range(MAX_REDIRECTS):
            response, body = await self._once(call, url)
            if not 300 <= response.status_code < 400 or response.status_code == 304:
                return self._checked(response, body)
            url = self._next_url(call, url, response, body)
            # The tenant's limit counts requests, so a redirect takes a call of the budget too.
            await self._pacer.turn(self._connection.name, call.kind)
        raise self._bad_data("redirects in a circle")

    async def _once(self, call: _Call, url: httpx.URL) -> tuple[httpx.Response, bytes]:
        client = self._open()
        request = client.build_request(
            call.method, url, headers={**self._headers(), **call.headers}, content=call.content
        )
        # Streamed, as the cap of `_read` has to hold before a body is in memory.
        response = await client.send(request, stream=True)
        try:
            return response, await self._read(response)
        finally:
            await response.aclose()

    def _next_url(self, call: _Call, url: httpx.URL, response: httpx.Response, body: bytes) -> httpx.URL:
        target = url.join(response.headers.get("location", ""))
        same = (target.scheme, target.netloc) == (url.scheme, url.netloc)
        if call.method == "GET" and same:
            return target
        # Credentials are in the headers: they go to the configured origin and nowhere else.
        where = "another address" if not same else "another path, after a write"
        failure = self._bad_data(f"redirects to {where}, which is not followed").failure
        raise Answered(failure, response.status_code, body)

    def _checked(self, response: httpx.Response, body: bytes) -> Answer:
        status, now = response.status_code, self._now()
        # Of refusals too: they tell the server's clock as well as an answer does.
        date = http_date(response.headers.get("date"))
        if date is not None:
            self.server_date, self._skew = date, date - now
        if status < 400:
            return Answer(status, body, response.headers, date)
        retry_at = retry_after(response.headers.get("retry-after"), now) if status in (429, 503) else None
        if retry_at is not None:
            self._pacer.limited(self._connection.name, retry_at)
        elif status == 429:
            self._pacer.throttled(self._connection.name)
        raise Answered(status_failure(self._connection.name, self._host, status, retry_at), status, body)

    async def _read(self, response: httpx.Response) -> bytes:
        """The body, inflated here and never past the cap: httpx would inflate a whole chunk at once."""
        encoding = response.headers.get("content-encoding", "identity").lower()
        if encoding not in ("identity", "gzip", "deflate"):
            raise bad_data(
                self._connection.name, self._host, "answered in a compression that was not asked for"
            )
        # 47: the largest window, and either header (gzip's or zlib's) found out by itself.
        inflate = zlib.decompressobj(wbits=47) if encoding != "identity" else None
        body = bytearray()
        assert isinstance(response.stream, httpx.AsyncByteStream)
        async for chunk in response.stream:
            # One more than is allowed, to tell a body of just that size from one that goes on.
            room = self._max_bytes - len(body) + 1
            try:
                body += inflate.decompress(chunk, room) if inflate else chunk[:room]
            except zlib.error:
                raise bad_data(
                    self._connection.name, self._host, "answered with broken compression"
                ) from None
            if len(body) > self._max_bytes:
                size = f"answered with more than {self._max_bytes >> 20} MiB"
                raise self._bad_data(size)
        return bytes(body)

    def _bad_data(self, what: str) -> Failed:
        return bad_data(self._connection.name, self._host, what)

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                verify=tls.context(self._connection),
                proxy=self._connection.proxy,
                timeout=_timeout(self._connection.timeout_s),
                transport=self._transport,
                # httpx would offer br and zstd where their packages are, which `_read` can't bound.
                headers={"User-Agent": f"mspterm/{__version__}", "Accept-Encoding": "gzip"},
            )
        return self._client


def _timeout(seconds: float) -> httpx.Timeout:
    # No pool time-out: `_slots` lets in fewer than the pool holds, so that nobody waits for it.
    return httpx.Timeout(seconds, connect=min(seconds, CONNECT_S), pool=None)


def _body(
    json: Any, form: Mapping[str, str] | None, headers: Mapping[str, str]
) -> tuple[bytes | None, Mapping[str, str]]:
    if form is not None:
        return urlencode(form).encode("ascii"), {
            "Content-Type": "application/x-www-form-urlencoded",
            **headers,
        }
    if json is None:
        return None, headers
    return msgspec.json.encode(json), {"Content-Type": "application/json", **headers}


def _fill(template: str, params: Mapping[str, str | int]) -> str:
    # A slash is quoted too: an id from a vendor or the command line can't leave its path segment.
    return template.format_map({name: quote(str(value), safe="") for name, value in params.items()})
