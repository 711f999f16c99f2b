"""OAuth of NinjaOne: who asks for what, what rotates, and what each refusal means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest

from mspterm.domain.action import Reboot, State
from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.domain.secret import Secret
from tests.connectors.fake_ninjaone import BOTH, MACHINE, NOW, PERSON, FakeNinja, connector

TOKEN = ("POST", "/ws/oauth/token")


@pytest.fixture
def fake() -> FakeNinja:
    return FakeNinja()


async def test_trap_refresh_tokens_rotate_and_the_newest_is_kept(fake: FakeNinja) -> None:
    kept: list[tuple[str, Secret]] = []
    at = [NOW]

    async def keep(field: str, value: Secret) -> None:
        kept.append((field, value))

    ninja = connector(fake, PERSON, keep=keep, now=lambda: at[0])
    await ninja.whoami()
    at[0] += timedelta(hours=2)
    await ninja.whoami()
    assert kept == [("refresh_token", Secret("refresh-1")), ("refresh_token", Secret("refresh-2"))]
    assert [f["refresh_token"] for f in fake.forms()] == ["refresh-0", "refresh-1"]
    assert "client_secret" not in fake.forms()[0]


async def test_trap_what_another_process_has_renewed_is_used_and_not_our_old_one(fake: FakeNinja) -> None:
    stored = [Secret("refresh-0")]
    at = [NOW]

    async def keep(field: str, value: Secret) -> None:
        stored.append(value)

    @asynccontextmanager
    async def renewing(field: str) -> AsyncIterator[Secret | None]:
        yield stored[-1]

    both = [connector(fake, PERSON, keep=keep, renewing=renewing, now=lambda: at[0]) for _ in range(2)]
    for _ in range(2):
        for ninja in both:
            await ninja.whoami()
        at[0] += timedelta(hours=2)
    assert [f["refresh_token"] for f in fake.forms()] == [f"refresh-{n}" for n in range(4)]


async def test_a_keyring_that_is_locked_does_not_stop_the_call(fake: FakeNinja) -> None:
    async def keep(field: str, value: Secret) -> None:
        raise failed(Reason.OFFLINE, "The keyring is locked.")

    assert (await connector(fake, PERSON, keep=keep).whoami()).technician.id


async def test_callers_at_once_refresh_once(fake: FakeNinja) -> None:
    ninja = connector(fake, PERSON)
    await asyncio.gather(*(ninja.whoami() for _ in range(5)))
    assert len(fake.forms()) == 1


async def test_a_token_is_renewed_before_its_end(fake: FakeNinja) -> None:
    at = [NOW]
    ninja = connector(fake, MACHINE, now=lambda: at[0])
    for seconds in (0, 3000, 3550):
        at[0] = NOW + timedelta(seconds=seconds)
        await ninja.whoami()
    assert len(fake.forms()) == 2


async def test_a_token_that_the_server_has_dropped_is_renewed_once(fake: FakeNinja) -> None:
    ninja = connector(fake, MACHINE)
    await ninja.whoami()
    fake.good.clear()
    await ninja.whoami()
    assert len(fake.forms()) == 2
    fake.odd[("GET", "/v2/organizations")] = [httpx.Response(401)] * 2
    with pytest.raises(Failed) as caught:
        await ninja.whoami()
    assert caught.value.failure.reason is Reason.AUTH
    assert len(fake.forms()) == 3


async def test_trap_only_invalid_grant_forgets_the_login(fake: FakeNinja) -> None:
    ninja = connector(fake, PERSON)
    fake.odd[TOKEN] = [httpx.ConnectError("down"), httpx.Response(503), httpx.Response(500)]
    for _ in range(3):
        with pytest.raises(Failed):
            await ninja.whoami()
    assert (await ninja.whoami()).kind == "personal"
    fake.odd[TOKEN] = [httpx.Response(400, json={"error": "invalid_grant"})]
    ended = connector(fake, PERSON)
    for _ in range(2):
        with pytest.raises(Failed, match="auth login ninja") as caught:
            await ended.whoami()
        assert caught.value.failure.reason is Reason.AUTH
    assert len(fake.forms()) == 5  # four of the first, and of the second one: it asks no more


async def test_trap_a_404_of_the_token_endpoint_is_a_wrong_application(fake: FakeNinja) -> None:
    body = {"resultCode": "FAILURE", "errorMessage": "HTTP 404 Not Found", "incidentId": "x"}
    fake.odd[TOKEN] = [httpx.Response(404, json=body)]
    with pytest.raises(Failed, match="wrong type") as caught:
        await connector(fake, MACHINE).whoami()
    assert caught.value.failure.reason is Reason.AUTH


async def test_an_application_without_the_machine_grant_reads_as_the_person(fake: FakeNinja) -> None:
    fake.odd[TOKEN] = [httpx.Response(401, json={"error": "unauthorized_client"})]
    await connector(fake, BOTH).whoami()
    assert [f["grant_type"] for f in fake.forms()] == ["client_credentials", "refresh_token"]
    assert fake.requests[-1].headers["Authorization"].startswith("Bearer person")


async def test_trap_a_machines_token_never_acts(fake: FakeNinja) -> None:
    outcome = await connector(fake, MACHINE).act(Reboot("ninja:7"), mark="01J")
    assert outcome.state is State.REFUSED
    assert outcome.failure is not None
    assert outcome.failure.reason is Reason.PERMISSION
    assert "auth login ninja" in outcome.failure.sentence
    assert fake.requests == []


async def test_trap_user_context_required_is_said_with_what_to_do(fake: FakeNinja) -> None:
    body = {"error": "user_context_required", "error_description": "Access key ...", "error_code": 5}
    fake.odd[("POST", "/v2/device/7/reboot/NORMAL")] = [httpx.Response(403, json=body)]
    outcome = await connector(fake).act(Reboot("ninja:7"), mark="01J")
    assert outcome.state is State.REFUSED
    assert outcome.failure is not None
    assert "person's login" in outcome.failure.sentence


async def test_a_token_that_got_lost_leaves_the_action_unsent(fake: FakeNinja) -> None:
    fake.odd[TOKEN] = [httpx.ReadTimeout("gone")]
    outcome = await connector(fake).act(Reboot("ninja:7"), mark="01J")
    assert outcome.state is State.FAILED
    assert [r.url.path for r in fake.requests] == ["/ws/oauth/token"]


def test_without_any_secret_nothing_is_asked(fake: FakeNinja) -> None:
    with pytest.raises(Failed, match="No client_secret or refresh_token"):
        connector(fake, {})


async def test_no_secret_is_in_an_address_or_a_sentence(fake: FakeNinja) -> None:
    fake.odd[TOKEN] = [
        httpx.Response(401, json={"error": "invalid_client", "error_description": "s3cret-CANARY"})
    ]
    with pytest.raises(Failed) as caught:
        await connector(fake, MACHINE).whoami()
    assert "s3cret-CANARY" not in str(caught.value) + str(fake.requests[0].url)
