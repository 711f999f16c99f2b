"""An endpoint that keeps failing: when it is left alone, for whom, and how it comes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from mspterm.config.model import Connection
from mspterm.domain.reasons import Failed, Reason
from mspterm.net.http import Http
from mspterm.net.pacer import CallClass, FreePacer
from mspterm.net.retry import Retry

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


class Server:
    """Answers each path with `statuses`, else 200; counts the calls that reach it."""

    def __init__(self) -> None:
        self.now = NOON
        self.statuses: dict[str, int] = {}
        self.calls: list[str] = []
        self.http = Http(
            Connection("acme", "rt", "http://rt.test"),
            base_url="http://rt.test",
            pacer=FreePacer(),
            now=lambda: self.now,
            retry=Retry(tries=1),
            transport=httpx.MockTransport(self.answer),
        )

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request.url.path)
        return httpx.Response(self.statuses.get(request.url.path, 200), json={})

    async def fails(self, path: str = "/{what}", kind: CallClass = "poll", times: int = 1) -> Failed:
        for _ in range(times):
            with pytest.raises(Failed) as caught:
                await self.http.get(path, kind=kind, what="x")
        return caught.value

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def broken() -> Server:
    server = Server()
    server.statuses["/x"] = 500
    return server


async def test_after_five_failures_in_a_row_calls_fail_at_once_and_say_until_when(broken: Server) -> None:
    await broken.fails(times=5)
    failure = (await broken.fails()).failure
    assert len(broken.calls) == 5
    assert failure.reason is Reason.SERVER
    assert failure.retry_at == NOON + timedelta(seconds=30)
    assert "failed 5 times in a row at GET /{what}" in failure.sentence
    assert "left alone until 12:00:30 UTC" in failure.sentence
    assert "answered 500" in failure.sentence


async def test_one_probe_goes_after_the_wait_and_its_failure_begins_another(broken: Server) -> None:
    await broken.fails(times=5)
    broken.later(30)
    await broken.fails(times=4)
    assert len(broken.calls) == 6
    broken.later(29)
    await broken.fails()
    assert len(broken.calls) == 6


async def test_a_success_of_the_probe_lets_all_pass_again(broken: Server) -> None:
    await broken.fails(times=5)
    broken.statuses.clear()
    broken.later(30)
    for _ in range(3):
        await broken.http.get("/{what}", what="x")
    assert len(broken.calls) == 8


async def test_other_endpoints_and_writes_to_it_are_not_touched(broken: Server) -> None:
    await broken.fails(times=6)
    assert (await broken.http.get("/other")).status == 200
    broken.statuses.clear()
    assert (await broken.http.send("POST", "/{what}", what="x")).status == 200


@pytest.mark.parametrize("kind", ["interactive", "action"])
async def test_a_person_may_be_the_probe_sooner_and_is_told_when(broken: Server, kind: CallClass) -> None:
    await broken.fails(times=5)
    failure = (await broken.fails(kind=kind)).failure
    assert failure.retry_at == NOON + timedelta(seconds=5)
    broken.later(5)
    await broken.fails(kind=kind, times=2)
    assert len(broken.calls) == 6


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409])
async def test_an_answer_that_refuses_shows_that_the_endpoint_works(broken: Server, status: int) -> None:
    await broken.fails(times=4)
    broken.statuses["/x"] = status
    await broken.fails()
    broken.statuses["/x"] = 500
    await broken.fails(times=4)
    assert len(broken.calls) == 9


async def test_a_write_that_is_not_let_through_was_surely_not_sent(broken: Server) -> None:
    for _ in range(6):
        with pytest.raises(Failed) as caught:
            await broken.http.send("POST", "/{what}", what="x")
    assert len(broken.calls) == 5
    assert type(caught.value) is Failed


async def test_a_clock_that_steps_back_does_not_lengthen_the_wait(broken: Server) -> None:
    await broken.fails(times=5)
    broken.later(-3600)
    await broken.fails()
    assert len(broken.calls) == 6
