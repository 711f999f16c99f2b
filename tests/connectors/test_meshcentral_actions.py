"""What the connector does, to a server that replays what MeshCentral was recorded to say."""

from __future__ import annotations

import asyncio

import pytest

from mspterm.connectors.meshcentral.connector import MeshConnector
from mspterm.domain.action import Reboot, RunCommand, State, Update
from mspterm.domain.reasons import Failed, Reason
from tests.connectors.fake_meshcentral import GROUP, NODE, FakeMesh, Message

REF = f"mesh:{NODE}"


async def test_a_command_with_its_output(mesh: MeshConnector, fake_mesh: FakeMesh) -> None:
    outcome = await mesh.act(RunCommand(REF, "uname -a", shell="sh"), mark="i1")
    assert outcome.state is State.DONE
    assert (outcome.output or "").startswith("Linux vm 6.1.0-28-amd64")
    assert "no exit code" in outcome.detail[0]
    (sent,) = fake_mesh.asked_for("runcommands")
    assert (sent["nodeids"], sent["type"], sent["cmds"], sent["runAsUser"], sent["reply"]) == (
        [NODE],
        3,
        "exec 2>&1\nuname -a",
        0,
        True,
    )


@pytest.mark.parametrize(
    ("system", "shell", "run_as", "merged"),
    [
        ("Debian GNU/Linux 12", "auto", "system", True),
        ("Microsoft Windows Server 2022 - 21H2", "auto", "system", False),
        (None, "auto", "system", False),
        ("Debian GNU/Linux 12", "sh", "user", False),
        ("Microsoft Windows 11", "powershell", "system", False),
    ],
)
async def test_trap_the_agent_loses_stderr_unless_sh_sends_it_to_stdout(
    mesh: MeshConnector, fake_mesh: FakeMesh, system: str | None, shell: str, run_as: str, merged: bool
) -> None:
    nodes = fake_mesh.capture("nodes")
    nodes["nodes"][GROUP][0]["osdesc"] = system
    fake_mesh.answer("nodes", nodes)
    await mesh.act(RunCommand(REF, "id", shell=shell, run_as=run_as), mark="i1")
    (sent,) = fake_mesh.asked_for("runcommands")
    assert sent["cmds"] == ("exec 2>&1\nid" if merged else "id")


async def test_a_large_output_is_whole_up_to_its_limit(mesh: MeshConnector, fake_mesh: FakeMesh) -> None:
    fake_mesh.answer("runcommands", fake_mesh.capture("runcommands-large"))
    outcome = await mesh.act(RunCommand(REF, "seq 1 60000"), mark="i1")
    assert (outcome.output or "").startswith("1\n2\n3\n")
    assert len(outcome.output or "") == 200_000
    assert any("cut" in line for line in outcome.detail)


async def test_a_hostile_output_is_made_safe(mesh: MeshConnector, fake_mesh: FakeMesh) -> None:
    fake_mesh.answer(
        "runcommands", fake_mesh.capture("runcommands-reply") | {"result": "a\x1b]52;c;aGk=\x07b\nc\x9b31m"}
    )
    outcome = await mesh.act(RunCommand(REF, "x"), mark="i1")
    assert outcome.output == "ab\nc"


@pytest.mark.parametrize(
    ("result", "state", "reason"),
    [
        ("Agent not connected", State.FAILED, Reason.OFFLINE),
        ("Invalid nodeid", State.FAILED, Reason.NOT_FOUND),
        ("Access denied", State.REFUSED, Reason.PERMISSION),
        ("Invalid command type", State.REFUSED, Reason.REFUSED),
        ("Something new", State.UNCERTAIN, Reason.UNKNOWN),
    ],
)
async def test_refused_commands(
    mesh: MeshConnector, fake_mesh: FakeMesh, result: str, state: State, reason: Reason
) -> None:
    fake_mesh.answer("runcommands", fake_mesh.capture("runcommands-offline") | {"result": result})
    outcome = await mesh.act(RunCommand(REF, "id"), mark="i1")
    assert outcome.failure is not None
    assert (outcome.state, outcome.failure.reason) == (state, reason)


async def test_a_command_without_an_answer_is_uncertain(mesh: MeshConnector, fake_mesh: FakeMesh) -> None:
    fake_mesh.silent("runcommands")
    outcome = await mesh.act(RunCommand(REF, "id", run_as="user", timeout_s=0.02), mark="i1")
    assert outcome.state is State.UNCERTAIN
    assert outcome.failure is not None
    assert "logged on" in outcome.failure.sentence
    assert fake_mesh.asked_for("runcommands")[0]["runAsUser"] == 2


async def test_a_loss_after_sending_is_uncertain(mesh: MeshConnector, fake_mesh: FakeMesh) -> None:
    fake_mesh.silent("runcommands")
    running = asyncio.create_task(mesh.act(RunCommand(REF, "id"), mark="i1"))
    await fake_mesh.asked.wait()
    fake_mesh.drop()
    outcome = await running
    assert outcome.state is State.UNCERTAIN
    assert outcome.failure is not None
    assert "may still run" in outcome.failure.sentence


async def test_a_loss_before_sending_is_failed(mesh: MeshConnector, fake_mesh: FakeMesh) -> None:
    fake_mesh.greeting = fake_mesh.frames("07-bad-login.jsonl")
    outcome = await mesh.act(RunCommand(REF, "id"), mark="i1")
    assert outcome.failure is not None
    assert (outcome.state, outcome.failure.reason) == (State.FAILED, Reason.AUTH)
    assert fake_mesh.received == []


async def test_a_device_gets_one_command_at_a_time(mesh: MeshConnector, fake_mesh: FakeMesh) -> None:
    at_once: list[str] = []
    overlapping: list[list[str]] = []
    waiting: list[Message] = []

    def hold(question: Message) -> list[Message]:
        at_once.append(question["cmds"])
        overlapping.append(list(at_once))
        waiting.append(question)
        return []

    fake_mesh.answers["runcommands"] = hold
    runs = [asyncio.create_task(mesh.act(RunCommand(REF, cmd, shell="cmd"), mark=cmd)) for cmd in ("a", "b")]
    for done in range(2):
        async with asyncio.timeout(5):
            await fake_mesh.asked.wait()
        fake_mesh.asked.clear()
        question = waiting[done]
        at_once.remove(question["cmds"])
        await fake_mesh.send(
            {
                "action": "msg",
                "type": "runcommands",
                "result": question["cmds"],
                "responseid": question["responseid"],
            }
        )
    assert [(await run).output for run in runs] == ["a", "b"]
    assert overlapping == [["a"], ["b"]]


async def test_the_answer_to_another_session_s_command_is_not_ours(
    mesh: MeshConnector, fake_mesh: FakeMesh
) -> None:
    def others_first(question: Message) -> list[Message]:
        answer = {"action": "msg", "type": "runcommands", "nodeid": NODE}
        return [
            answer | {"result": "theirs", "responseid": "r1"},
            answer | {"result": "nobody's"},
            answer | {"result": "ours", "responseid": question["responseid"]},
        ]

    fake_mesh.answers["runcommands"] = others_first
    assert (await mesh.act(RunCommand(REF, "id"), mark="i1")).output == "ours"


async def test_a_reboot_is_done_when_the_device_was_seen_going_down(
    mesh: MeshConnector, fake_mesh: FakeMesh
) -> None:
    ok = fake_mesh.capture("poweraction-bad")

    def down(question: Message) -> list[Message]:
        return [ok | {"responseid": question["responseid"]}, fake_mesh.capture("push-nodeconnect-offline")]

    fake_mesh.answers["poweraction"] = down
    outcome = await mesh.act(Reboot(REF), mark="i1")
    assert (outcome.state, outcome.detail) == (State.DONE, ("went down at 06:00:00 UTC",))
    assert fake_mesh.asked_for("poweraction")[0]["actiontype"] == 3


async def test_a_reboot_that_is_not_seen_is_uncertain_in_spite_of_ok(mesh: MeshConnector) -> None:
    outcome = await mesh.act(Reboot(REF), mark="i1")
    assert outcome.state is State.UNCERTAIN
    assert outcome.failure is not None
    assert "not seen going down" in outcome.failure.sentence


async def test_an_offline_device_is_not_rebooted(mesh: MeshConnector, fake_mesh: FakeMesh) -> None:
    fake_mesh.answer("nodes", fake_mesh.capture("nodes-offline"))
    outcome = await mesh.act(Reboot(REF), mark="i1")
    assert outcome.failure is not None
    assert (outcome.state, outcome.failure.reason) == (State.FAILED, Reason.OFFLINE)
    assert fake_mesh.asked_for("poweraction") == []


async def test_a_reboot_without_the_right_is_refused_not_ignored(
    mesh: MeshConnector, fake_mesh: FakeMesh
) -> None:
    fake_mesh.answer("getsysinfo", fake_mesh.capture("getsysinfo") | {"rights": 8 | 0x100000})
    outcome = await mesh.act(Reboot(REF), mark="i1")
    assert outcome.failure is not None
    assert (outcome.state, outcome.failure.reason) == (State.REFUSED, Reason.PERMISSION)
    assert fake_mesh.asked_for("poweraction") == []


async def test_an_unknown_device_is_not_rebooted(mesh: MeshConnector, fake_mesh: FakeMesh) -> None:
    outcome = await mesh.act(Reboot("mesh:node//" + "x" * 64), mark="i1")
    assert outcome.failure is not None
    assert outcome.failure.reason is Reason.NOT_FOUND
    assert fake_mesh.asked_for("poweraction") == []


async def test_notes_are_proven_by_reading_them(mesh: MeshConnector, fake_mesh: FakeMesh) -> None:
    fake_mesh.answers["setNotes"] = None
    assert await mesh.set_notes(NODE, "first visit\nsecond line") == "first visit\nsecond line"
    with pytest.raises(Failed, match="did not keep"):
        await mesh.set_notes(NODE, "other")
    assert [m["notes"] for m in fake_mesh.asked_for("setNotes")] == ["first visit\nsecond line", "other"]


async def test_it_has_no_tickets(mesh: MeshConnector, fake_mesh: FakeMesh) -> None:
    with pytest.raises(Failed, match="no tickets"):
        await mesh.ticket("1")
    outcome = await mesh.act(Update("mesh:1", text="x"), mark="i1")
    assert outcome.state is State.REFUSED
    assert (await mesh.choices()).statuses == ()
    assert fake_mesh.headers == []
