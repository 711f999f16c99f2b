"""When reads are tried again: on an injected clock, sleep and chance, never for a write."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from mspterm.config.model import Connection
from mspterm.domain.reasons import Failed, Reason
from mspterm.net.faults import MaybeSent
from mspterm.net.http import Http
from mspterm.net.pacer import CallClass
from mspterm.net.retry import Retry, http_date, retry_after

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


class World:
    """A server with a script, a clock that only sleeping moves, and a pacer that remembers."""

    def __init__(self, *script: int | httpx.Response | Exception) -> None:
        self.script, self.now, self.slept = list(script), NOON, list[float]()
        self.calls, self.turns = list[str](), list[CallClass]()
        self.limits, self.throttles = list[datetime](), 0
        self.http = Http(
            Connection("acme", "rt", "http://rt.test"),
            base_url="http://rt.test/base/",
            pacer=self,
            now=lambda: self.now,
            sleep=self.sleep,
            rng=lambda: 1.0,
            transport=httpx.MockTransport(self.answer),
        )

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(f"{request.method} {request.url.path}")
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, httpx.Response) else httpx.Response(step, json={})

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)

    async def turn(self, connection: str, kind: CallClass) -> None:
        self.turns.append(kind)

    def limited(self, connection: str, until: datetime) -> None:
        self.limits.append(until)

    def throttled(self, connection: str) -> None:
        self.throttles += 1


@pytest.mark.parametrize("bad", [429, 502, 503, 504, httpx.ConnectError("x"), httpx.ConnectTimeout("x")])
async def test_a_read_is_tried_again_and_asks_the_pacer_each_time(bad: int | Exception) -> None:
    world = World(bad, 200)
    assert (await world.http.get("/x", kind="interactive")).status == 200
    assert world.calls == ["GET /base/x"] * 2
    assert world.turns == ["interactive"] * 2


@pytest.mark.parametrize("bad", [400, 401, 403, 404, 412, 500, httpx.ReadTimeout("x")])
async def test_a_read_is_not_tried_again_where_that_can_not_help(bad: int | Exception) -> None:
    world = World(bad, 200)
    with pytest.raises(Failed):
        await world.http.get("/x")
    assert len(world.calls) == 1


async def test_three_tries_with_waits_that_double() -> None:
    world = World(503, 503, 503, 200)
    with pytest.raises(Failed) as caught:
        await world.http.get("/x")
    assert caught.value.failure.reason is Reason.SERVER
    assert len(world.calls) == 3
    assert world.slept == [1.0, 2.0]


@pytest.mark.parametrize("bad", [429, 503, 500, httpx.ConnectError("x"), httpx.ReadError("x")])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_a_write_is_sent_once(method: str, bad: int | Exception) -> None:
    world = World(bad, 200)
    with pytest.raises(Failed) as caught:
        await world.http.send(method, "/x", json={})
    assert len(world.calls) == 1
    assert world.turns == ["action"]
    maybe = bad == 500 or isinstance(bad, httpx.ReadError)
    assert isinstance(caught.value, MaybeSent) is maybe


@pytest.mark.parametrize("value", ["7", "Tue, 24 Nov 2026 12:00:07 GMT"])
async def test_retry_after_is_waited_for_in_both_forms_and_told_to_the_pacer(value: str) -> None:
    world = World(httpx.Response(429, headers={"Retry-After": value}), 200)
    await world.http.get("/x")
    assert world.slept == [7.0]
    assert world.limits == [NOON + timedelta(seconds=7)]


async def test_a_429_without_a_time_is_told_to_the_pacer_too() -> None:
    world = World(429, 200)
    await world.http.get("/x")
    assert (world.limits, world.throttles) == ([], 1)


async def test_a_redirect_is_another_call_of_the_budget() -> None:
    world = World(httpx.Response(302, headers={"Location": "/base/y"}), 200)
    await world.http.get("/x")
    assert world.calls == ["GET /base/x", "GET /base/y"]
    assert world.turns == ["poll", "poll"]


async def test_a_retry_after_beyond_the_total_becomes_the_time_to_retry_at() -> None:
    world = World(httpx.Response(429, headers={"Retry-After": "120"}), 200)
    with pytest.raises(Failed) as caught:
        await world.http.get("/x")
    assert world.slept == []
    assert caught.value.failure.reason is Reason.RATE_LIMIT
    assert caught.value.failure.retry_at == NOON + timedelta(seconds=120)


async def test_the_total_bounds_all_waits_together() -> None:
    waiting = httpx.Response(503, headers={"Retry-After": "12"})
    world = World(waiting, httpx.Response(503, headers={"Retry-After": "12"}), 200)
    with pytest.raises(Failed):
        await world.http.get("/x")
    assert world.slept == [12.0]


def test_jitter_spreads_over_the_whole_wait() -> None:
    retry = Retry()
    assert [retry.wait(1, draw) for draw in _draws(0.0, 0.5, 1.0)] == [0.0, 0.5, 1.0]


def _draws(*values: float) -> list[Callable[[], float]]:
    return [lambda value=value: value for value in values]  # type: ignore[misc]


@pytest.mark.parametrize("value", [None, "", "soon", "-5", "1.5", "²", "Tue, 99 Nov 2026 12:00:07 GMT"])
def test_what_is_no_retry_after_is_none(value: str | None) -> None:
    assert retry_after(value, NOON) is None


def test_a_nonsense_retry_after_is_at_most_a_day() -> None:
    assert retry_after("9" * 400, NOON) == NOON + timedelta(days=1)


def test_http_dates_are_utc() -> None:
    assert http_date("Tue, 24 Nov 2026 13:00:07 +0100") == NOON + timedelta(seconds=7)
    assert http_date("rubbish") is None


async def test_the_servers_clock_is_followed() -> None:
    world = World(httpx.Response(200, headers={"Date": "Tue, 24 Nov 2026 12:10:00 GMT"}))
    assert world.http.server_now() == NOON
    await world.http.get("/x")
    assert world.http.server_now() == NOON + timedelta(minutes=10)
