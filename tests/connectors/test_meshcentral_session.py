"""The session against a server that replays what MeshCentral was recorded to say."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest

from mspterm.config.model import Connection
from mspterm.connectors.meshcentral.listener import QUEUE, Listener
from mspterm.connectors.meshcentral.session import Answer, Session
from mspterm.connectors.meshcentral.urls import control_url
from mspterm.connectors.meshcentral.wire import Event
from mspterm.domain.reasons import Failed, Reason
from mspterm.domain.secret import Secret
from mspterm.net.faults import MaybeSent
from mspterm.net.pacer import FreePacer
from tests.connectors.fake_meshcentral import NODE, FakeMesh

NOW = datetime(2026, 11, 24, 2, 10, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def connection(url: str, **settings: str) -> Connection:
    return Connection("mesh", "meshcentral", url, settings={"username": "~t:abc", **settings}, timeout_s=5)


def session(url: str, clock: Clock | None = None, ping_s: float = 30) -> Session:
    return Session(
        connection(url),
        Secret("p@ss,word-CANARY"),
        pacer=FreePacer(),
        now=lambda: NOW,
        clock=clock or Clock(),
        rng=lambda: 1.0,
        ping_s=ping_s,
    )


async def test_logs_in_by_header_and_knows_the_account(fake_mesh: FakeMesh) -> None:
    one = session(fake_mesh.url)
    user = await one.user()
    await one.aclose()
    assert (user.id, user.name) == ("user//admin", "admin")
    assert fake_mesh.headers == [",".join(b64encode(x).decode() for x in (b"~t:abc", b"p@ss,word-CANARY"))]


@pytest.mark.parametrize(
    ("close", "reason", "word"),
    [
        (None, Reason.AUTH, "user name or password"),
        ({"cause": "noauth", "msg": "tokenrequired", "email2fa": True}, Reason.AUTH, "second factor"),
        ({"cause": "notools", "msg": "notools"}, Reason.PERMISSION, "tools"),
        ({"cause": "banned", "msg": "banned-1"}, Reason.REFUSED, "ten minutes"),
        ({"cause": "noauth", "msg": "nokey"}, Reason.AUTH, "login key"),
    ],
)
async def test_a_refused_login_says_what_to_do(
    fake_mesh: FakeMesh, close: dict[str, object] | None, reason: Reason, word: str
) -> None:
    recorded = fake_mesh.frames("07-bad-login.jsonl")
    fake_mesh.greeting = recorded if close is None else [{"action": "close", **close}]
    with pytest.raises(Failed) as caught:
        await session(fake_mesh.url).user()
    assert caught.value.failure.reason is reason
    assert word in caught.value.failure.sentence
    assert "p@ss" not in str(caught.value)


async def test_a_dead_server_is_not_hammered(fake_mesh: FakeMesh) -> None:
    fake_mesh.greeting = fake_mesh.frames("07-bad-login.jsonl")
    clock = Clock()
    one = session(fake_mesh.url, clock)
    for _ in range(3):
        with pytest.raises(Failed) as caught:
            await one.user()
    assert len(fake_mesh.headers) == 1
    assert caught.value.failure.retry_at == NOW + timedelta(seconds=1.25)
    clock.seconds = 1.3
    with pytest.raises(Failed) as caught:
        await one.user()
    assert len(fake_mesh.headers) == 2
    assert caught.value.failure.retry_at == NOW + timedelta(seconds=5)


async def test_refused_logins_stay_below_the_ban(fake_mesh: FakeMesh) -> None:
    """It bans an address after ten in ten minutes."""
    fake_mesh.greeting = fake_mesh.frames("07-bad-login.jsonl")
    clock = Clock()
    one = session(fake_mesh.url, clock)
    one._rng = lambda: 0.0
    for clock.seconds in range(600):
        with pytest.raises(Failed):
            await one.user()
    assert 5 <= len(fake_mesh.headers) < 10


async def test_a_server_that_is_away_for_hours_is_still_tried(unused_tcp_port: int) -> None:
    clock = Clock()
    one = session(f"http://127.0.0.1:{unused_tcp_port}", clock)
    for tries in range(1100):
        clock.seconds = tries * 11.0
        with pytest.raises(Failed) as caught:
            await one.user()
    assert caught.value.failure.reason is Reason.OFFLINE


async def test_an_answer_without_ids_is_known_by_action_and_device(fake_mesh: FakeMesh) -> None:
    one = session(fake_mesh.url)
    other = f"{NODE[:-4]}AAAA"
    fake_mesh.answers["lastconnect"] = lambda q: [fake_mesh.capture("lastconnect") | {"nodeid": q["nodeid"]}]
    answers = await asyncio.gather(
        *(
            one.ask({"action": "lastconnect", "nodeid": node}, Answer("lastconnect", node=node))
            for node in (NODE, other)
        )
    )
    await one.aclose()
    assert [json.loads(a)["nodeid"] for a in answers] == [NODE, other]


async def test_the_acknowledgement_of_a_message_is_not_its_answer(fake_mesh: FakeMesh) -> None:
    one = session(fake_mesh.url)
    data = await one.ask(
        {"action": "msg", "type": "services", "nodeid": NODE}, Answer("msg", "services", NODE)
    )
    await one.aclose()
    assert json.loads(data)["value"] == "[]"


async def test_every_question_has_an_id_of_its_own(fake_mesh: FakeMesh) -> None:
    one = session(fake_mesh.url)
    await asyncio.gather(*(one.ask({"action": "nodes"}, Answer("nodes")) for _ in range(20)))
    await one.aclose()
    ids = [m["responseid"] for m in fake_mesh.received]
    assert len(set(ids)) == 20
    assert all(len(i) == 32 and m["tag"] == i for i, m in zip(ids, fake_mesh.received, strict=True))


async def test_what_is_never_answered_times_out_and_the_rest_goes_on(fake_mesh: FakeMesh) -> None:
    one = session(fake_mesh.url)
    fake_mesh.silent("powertimeline")
    with pytest.raises(MaybeSent) as caught:
        await one.ask({"action": "powertimeline", "nodeid": NODE}, timeout_s=0.02)
    assert "powertimeline" in caught.value.failure.sentence
    assert json.loads(await one.ask({"action": "nodes"}))["nodes"]
    await one.aclose()


async def test_a_loss_fails_what_waits_and_the_next_use_opens_again(fake_mesh: FakeMesh) -> None:
    one = session(fake_mesh.url)
    fake_mesh.silent("events")
    async with one.listen() as pushed:
        asking = asyncio.create_task(one.ask({"action": "events"}))
        await fake_mesh.asked.wait()
        fake_mesh.drop()
        with pytest.raises(MaybeSent) as caught:
            await asking
        assert caught.value.failure.reason is Reason.OFFLINE
        with pytest.raises(Failed, match="lost"):
            await pushed.next()
    assert json.loads(await one.ask({"action": "nodes"}))["nodes"]
    assert len(fake_mesh.headers) == 2
    await one.aclose()


async def test_pushes_reach_every_listener(fake_mesh: FakeMesh) -> None:
    one = session(fake_mesh.url)
    async with one.listen() as first, one.listen() as second:
        await fake_mesh.send(fake_mesh.capture("push-nodeconnect-offline"))
        for pushed in (first, second):
            event = await pushed.next()
            assert (event.action, event.nodeid, event.conn) == ("nodeconnect", NODE, 0)
    await one.aclose()


async def test_ending_by_the_server_is_told_in_its_words(fake_mesh: FakeMesh) -> None:
    one = session(fake_mesh.url)
    async with one.listen() as pushed:
        await fake_mesh.send({"action": "stopped", "msg": "Session count exceed"})
        with pytest.raises(Failed, match="too many sessions"):
            await pushed.next()
    await one.aclose()


async def test_it_pings_and_survives_an_answer_that_is_not_json(fake_mesh: FakeMesh) -> None:
    one = session(fake_mesh.url, ping_s=0.01)
    await one.user()
    async with asyncio.timeout(5):
        await fake_mesh.pinged.wait()
    assert json.loads(await one.ask({"action": "nodes"}))["nodes"]
    assert len(fake_mesh.headers) == 1
    await one.aclose()


async def test_a_listener_that_never_reads_is_failed_not_fed_forever() -> None:
    slow = Listener("mesh")
    for _ in range(QUEUE + 1):
        slow.tell(Event("nodeconnect"))
    with pytest.raises(Failed, match="faster"):
        await slow.next()


@pytest.mark.parametrize(
    ("url", "domain", "expected"),
    [
        ("https://mesh.example.test", "", "wss://mesh.example.test/control.ashx"),
        ("wss://mesh.example.test:4430/", "acme", "wss://mesh.example.test:4430/acme/control.ashx"),
        ("https://mesh.example.test/acme/", "", "wss://mesh.example.test/acme/control.ashx"),
    ],
)
def test_the_control_address(url: str, domain: str, expected: str) -> None:
    assert control_url(connection(url, domain=domain)) == expected


def test_a_password_never_goes_in_clear_over_the_network() -> None:
    with pytest.raises(Failed, match="https"):
        control_url(connection("http://mesh.example.test"))
