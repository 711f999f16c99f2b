"""Actions of NinjaOne: what is sent, that it is proven, and what becomes of what can't be. Each trap by name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from mspterm.connectors.base import Script
from mspterm.connectors.ninjaone import script, wire
from mspterm.domain.action import Outcome, Reboot, RunCommand, State, Update
from mspterm.domain.device import Maintenance
from mspterm.domain.reasons import Failed, Reason
from mspterm.domain.text import clean
from tests.connectors.fake_ninjaone import (
    ACTION_UID,
    ALERT,
    AT,
    NOW,
    UID,
    Clock,
    FakeNinja,
    activity,
    connector,
)
from tests.connectors.spec_check import NINJAONE, spec_of

RUN = ("POST", "/v2/device/7/script/run")
REBOOT = ("POST", "/v2/device/7/reboot/NORMAL")
MAINTENANCE = "/v2/device/7/maintenance"


@pytest.fixture
def fake(shared: Path) -> Iterator[FakeNinja]:
    """A NinjaOne whose every request, at the end, has to be one that the description knows."""
    made = FakeNinja(activities=[activity(50)])
    yield made
    spec = spec_of(shared, NINJAONE)
    sent = [r for r in made.requests if r.url.path != "/ws/oauth/token"]
    assert [problem for request in sent for problem in spec.problems(request)] == []


def ended(**more: Any) -> dict[str, Any]:
    """The activity that ends a run of the spooler's script."""
    return activity(
        60,
        **{
            "activityType": "SCRIPTING",
            "statusCode": "COMPLETED",
            "activityResult": "SUCCESS",
            "seriesUid": UID,
            "subject": "Restart print spooler",
            "message": "Spooler restarted",
            **more,
        },
    )


async def run(fake: FakeNinja, clock: Clock | None = None, **asked: Any) -> Outcome:
    write = RunCommand("ninja:7", **{"command": "", "script": "42", **asked})
    return await connector(fake, clock=clock).act(write, mark="01J")


async def test_a_script_runs_under_the_persons_token_and_its_result_is_found(fake: FakeNinja) -> None:
    fake.run_answer, fake.on_run = httpx.Response(200, json={"jobUid": UID}), [ended()]
    outcome = await run(fake, command="-Force")
    assert (outcome.state, outcome.output) == (State.DONE, "Spooler restarted")
    assert outcome.detail == ("Restart print spooler: SUCCESS",)
    [request] = fake.asked(*RUN)
    assert request.headers["Authorization"].startswith("Bearer person")


async def test_trap_the_field_is_id_and_run_as_is_lower_case(fake: FakeNinja) -> None:
    fake.on_run = [ended()]
    await run(fake, command="-Force")
    assert fake.bodies(*RUN) == [{"type": "SCRIPT", "id": 42, "parameters": "-Force", "runAs": "system"}]


async def test_a_built_in_action_has_a_uid(fake: FakeNinja) -> None:
    fake.on_run = [ended(subject="Clear temp files", activityType="ACTION")]
    outcome = await run(fake, script=None, command="clear TEMP files", run_as="user")
    assert outcome.state is State.DONE
    assert fake.bodies(*RUN) == [{"type": "ACTION", "uid": ACTION_UID, "runAs": "loggedonuser"}]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json=12345),
        httpx.Response(200, json={"id": 12345}),
        httpx.Response(200, json={"activityId": 59}),
        httpx.Response(200, json={"jobUid": UID}),
        httpx.Response(200, json=UID),
        httpx.Response(200, content=UID.encode()),
        httpx.Response(204),
        httpx.Response(200, content=b"OK"),
    ],
)
async def test_trap_the_answer_of_a_run_varies(fake: FakeNinja, answer: httpx.Response) -> None:
    started = activity(59, activityType="SCRIPTING", statusCode="STARTED", seriesUid=UID)
    fake.run_answer, fake.on_run = answer, [started, ended()]
    assert (await run(fake)).output == "Spooler restarted"


async def test_another_run_of_another_series_is_not_ours(fake: FakeNinja) -> None:
    other = "99999999-1111-4222-8333-444455556666"
    fake.run_answer, fake.on_run = httpx.Response(200, json={"jobUid": UID}), [ended(seriesUid=other)]
    assert (await run(fake, timeout_s=10)).state is State.UNCERTAIN


async def test_an_older_run_of_the_same_script_is_not_ours(fake: FakeNinja) -> None:
    fake.activities.append({**ended(), "id": 40})
    fake.on_run = [ended(activityTime=AT - 3600)]
    assert (await run(fake, timeout_s=10)).state is State.UNCERTAIN


async def test_a_result_that_does_not_come_is_uncertain_and_not_sent_again(fake: FakeNinja) -> None:
    clock = Clock()
    outcome = await run(fake, clock, timeout_s=30)
    assert outcome.state is State.UNCERTAIN
    assert outcome.failure is not None
    assert "may still run" in outcome.failure.sentence
    assert (clock.slept, len(fake.asked(*RUN))) == (30, 1)


async def test_trap_a_lost_answer_is_looked_for_and_the_run_not_repeated(fake: FakeNinja) -> None:
    fake.odd[RUN] = [httpx.ReadTimeout("gone")]
    fake.odd[("GET", "/v2/device/7/activities")] = [
        httpx.Response(200, json={"lastActivityId": 50, "activities": []}),
        httpx.Response(503),
        httpx.Response(200, json={"lastActivityId": 60, "activities": [ended()]}),
    ]
    assert (await run(fake)).state is State.DONE
    assert len(fake.asked(*RUN)) == 1


@pytest.mark.parametrize(
    ("result", "status", "state", "words"),
    [
        ("FAILURE", "COMPLETED", State.FAILED, "ended with a failure"),
        ("UNSUPPORTED", "COMPLETED", State.FAILED, "can't run"),
        ("UNCOMPLETED", "COMPLETED", State.UNCERTAIN, "before it ended"),
        (None, "CANCELLED", State.UNCERTAIN, "before it ended"),
    ],
)
async def test_how_a_run_may_end(
    fake: FakeNinja, result: str | None, status: str, state: State, words: str
) -> None:
    fake.on_run = [ended(activityResult=result, statusCode=status)]
    outcome = await run(fake)
    assert outcome.state is state
    assert outcome.failure is not None
    assert words in outcome.failure.sentence


async def test_a_run_that_has_only_started_is_waited_for(fake: FakeNinja) -> None:
    clock = Clock()
    fake.on_run = [ended(statusCode="STARTED", id=59)]
    inner = clock.sleep

    async def later(seconds: float) -> None:
        await inner(seconds)
        fake.activities.append(ended())

    clock.sleep = later  # type: ignore[method-assign]
    outcome = await run(fake, clock)
    assert (outcome.state, clock.slept) == (State.DONE, 5)


@pytest.mark.parametrize(
    ("data", "output"),
    [
        ({"message": {"code": "x", "params": {"output": "line 1\r\nline 2"}}}, "line 1\nline 2"),
        ({"stdout": "out", "stderr": "err"}, "out\nerr"),
        (None, "Spooler restarted"),
        ([1, 2], "Spooler restarted"),
    ],
)
async def test_output_is_in_the_data_or_the_message(fake: FakeNinja, data: Any, output: str) -> None:
    fake.on_run = [ended(data=data)]
    assert (await run(fake)).output == output


async def test_output_is_cleaned(fake: FakeNinja) -> None:
    fake.on_run = [ended(message="\x1b]52;c;eHg=\x07ok")]
    assert (await run(fake)).output == "ok"


async def test_a_command_line_is_refused_with_the_scripts_there_are(fake: FakeNinja) -> None:
    outcome = await run(fake, script=None, command="restart spooler")
    assert outcome.state is State.REFUSED
    assert outcome.failure is not None
    assert "Restart print spooler" in outcome.failure.sentence
    assert fake.asked(*RUN) == []


def test_a_name_that_two_scripts_have_is_none() -> None:
    twice = [wire.Script(id=1, name="Same"), wire.Script(id=2, name="same")]
    assert script.chosen(twice, "Same") is None
    assert script.chosen(twice, "2") is twice[1]
    assert script.chosen(twice, "") is None


async def test_scripts_are_listed_by_name(fake: FakeNinja) -> None:
    found = await connector(fake).scripts("7")
    assert found[1] == Script(clean("42"), clean("Restart print spooler"), clean("powershell"))


async def test_a_reboot_is_normal_and_seen(fake: FakeNinja) -> None:
    fake.on_reboot = [activity(61, statusCode="SYSTEM_REBOOTED")]
    outcome = await connector(fake).act(Reboot("ninja:7"), mark="01J")
    assert (outcome.state, outcome.detail) == (State.DONE, ("restarted, and is back",))
    assert list(fake.bodies(*REBOOT)[0]) == ["reason"]


async def test_a_reboot_that_is_not_seen_is_uncertain(fake: FakeNinja) -> None:
    clock = Clock()
    outcome = await connector(fake, clock=clock).act(Reboot("ninja:7"), mark="01J")
    assert outcome.state is State.UNCERTAIN
    assert (clock.slept, len(fake.asked(*REBOOT))) == (120, 1)


async def test_trap_a_reboot_whose_answer_got_lost_is_not_sent_again(fake: FakeNinja) -> None:
    fake.odd[REBOOT] = [httpx.ReadTimeout("gone")]
    fake.devices[0]["os"] = {"lastBootTime": AT - 3600}
    clock = Clock()
    inner = clock.sleep

    async def booted(seconds: float) -> None:
        await inner(seconds)
        fake.devices[0]["os"] = {"lastBootTime": AT + 60}

    clock.sleep = booted  # type: ignore[method-assign]
    outcome = await connector(fake, clock=clock).act(Reboot("ninja:7"), mark="01J")
    assert (outcome.state, len(fake.asked(*REBOOT))) == (State.DONE, 1)


async def test_a_device_that_is_offline_is_not_rebooted(fake: FakeNinja) -> None:
    fake.devices[0]["offline"] = True
    outcome = await connector(fake).act(Reboot("ninja:7"), mark="01J")
    assert outcome.failure is not None
    assert outcome.failure.reason is Reason.OFFLINE
    assert fake.asked(*REBOOT) == []


async def test_maintenance_has_an_end_in_seconds_and_is_read_back(fake: FakeNinja) -> None:
    until = NOW + timedelta(hours=2)
    ninja = connector(fake)
    assert await ninja.set_maintenance("7", until, "patching") == Maintenance(until, clean("patching"))
    assert fake.bodies("PUT", MAINTENANCE) == [
        {"disabledFeatures": ["ALERTS"], "end": until.timestamp(), "reasonMessage": "patching"}
    ]
    await ninja.end_maintenance("7")
    assert len(fake.asked("DELETE", MAINTENANCE)) == 1


async def test_a_maintenance_that_was_not_taken_is_told(fake: FakeNinja) -> None:
    ninja = connector(fake)
    fake.odd[("PUT", MAINTENANCE)] = [httpx.Response(204)]
    with pytest.raises(Failed, match="shows another"):
        await ninja.set_maintenance("7", NOW + timedelta(hours=2), "x")
    fake.devices[0]["maintenance"] = {"status": "IN_MAINTENANCE"}
    fake.odd[("DELETE", MAINTENANCE)] = [httpx.Response(204)]
    with pytest.raises(Failed, match="still on"):
        await ninja.end_maintenance("7")


async def test_an_alert_is_reset_and_looked_for_again(fake: FakeNinja) -> None:
    fake.alerts = [{"uid": ALERT}]
    ninja = connector(fake)
    await ninja.reset_alert(ALERT)
    assert fake.alerts == []
    fake.alerts = [{"uid": ALERT}]
    fake.odd[("POST", f"/v2/alert/{ALERT}/reset")] = [httpx.Response(204)]
    with pytest.raises(Failed, match="still on"):
        await ninja.reset_alert(ALERT)


async def test_tickets_are_the_psas(fake: FakeNinja) -> None:
    assert (await connector(fake).act(Update("ninja:7", text="x"), mark="01J")).state is State.REFUSED
    assert fake.requests == []
