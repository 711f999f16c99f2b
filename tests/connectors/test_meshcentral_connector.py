"""The connector against a server that replays what MeshCentral was recorded to say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fake_meshcentral import GROUP, NODE, FakeMesh, Message, fake_mesh

from mspterm.config.model import Connection
from mspterm.connectors.base import Batch, Connector
from mspterm.connectors.meshcentral.connector import MeshConnector
from mspterm.domain.action import Reboot, RunCommand, State, Update
from mspterm.domain.reasons import Failed, Reason
from mspterm.domain.secret import Secret
from mspterm.net.pacer import FreePacer

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
REF = f"mesh:{NODE}"


class Sleeps:
    """Counts the waits and takes none."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
async def fake(shared: Path) -> AsyncIterator[FakeMesh]:
    async with fake_mesh(shared) as found:
        yield found


@pytest.fixture
def sleeps() -> Sleeps:
    return Sleeps()


@pytest.fixture
async def mesh(fake: FakeMesh, sleeps: Sleeps) -> AsyncIterator[MeshConnector]:
    connection = Connection("mesh", "meshcentral", fake.url, settings={"username": "ines"}, timeout_s=5)
    made = MeshConnector(
        connection,
        {"password": Secret("s3cret")},
        pacer=FreePacer(),
        now=lambda: NOW,
        sleep=sleeps,
        part_s=0.2,
        reboot_wait_s=0.2,
    )
    yield made
    await made.aclose()


def _as_protocol(mesh: MeshConnector) -> Connector:
    return mesh


async def first(mesh: MeshConnector) -> tuple[AsyncIterator[Batch], Batch]:
    feed = mesh.feed(None)
    return feed, await anext(feed)


async def test_whoami(mesh: MeshConnector) -> None:
    who = await _as_protocol(mesh).whoami()
    assert (who.technician.id, who.technician.name, who.kind) == ("user//admin", "admin", "personal")
    assert who.version == "MeshCentral"


async def test_the_first_run_lists_everything_at_once(mesh: MeshConnector, fake: FakeMesh) -> None:
    _, batch = await first(mesh)
    (device,) = batch.devices
    assert (batch.cursor, batch.full, batch.skipped) == ("1", True, ())
    assert (device.id, device.site, device.serial, device.online) == (NODE, "Acme HQ", "LAB0001", True)
    assert [m["action"] for m in fake.received] == ["meshes", "nodes", "getDeviceDetails"]


async def test_a_row_of_another_shape_is_counted_and_loses_nothing(
    mesh: MeshConnector, fake: FakeMesh
) -> None:
    recorded = fake.capture("nodes")
    recorded["nodes"][GROUP] += [{"_id": "node//x y", "name": "bad id"}, {"_id": 5}]
    fake.answer("nodes", recorded)
    _, batch = await first(mesh)
    assert [d.id for d in batch.devices] == [NODE]
    assert [s.id for s in batch.skipped] == ["node//x y", "?"]


async def test_a_server_that_pages_is_read_to_the_end(mesh: MeshConnector, fake: FakeMesh) -> None:
    row = fake.capture("nodes")["nodes"][GROUP][0]
    rows = [row | {"_id": NODE[:-2] + f"{n:02}"} for n in range(5)]

    def page(question: Message) -> list[Message]:
        part = rows[question["skip"] : question["skip"] + 2]
        return [
            {"action": "nodes", "nodes": {GROUP: part}, "totalcount": 5, "responseid": question["responseid"]}
        ]

    fake.answers["nodes"] = page
    _, batch = await first(mesh)
    assert [d.id for d in batch.devices] == [r["_id"] for r in rows]


async def test_devices_are_listed_where_details_are_not_answered(fake: FakeMesh) -> None:
    fake.silent("getDeviceDetails")
    connection = Connection("mesh", "meshcentral", fake.url, settings={"username": "ines"}, timeout_s=0.3)
    made = MeshConnector(connection, {"password": Secret("x")}, pacer=FreePacer(), now=lambda: NOW)
    _, batch = await first(made)
    assert [(d.id, d.serial) for d in batch.devices] == [(NODE, None)]
    assert batch.full
    await made.aclose()


async def test_no_device_is_a_full_run_of_none(mesh: MeshConnector, fake: FakeMesh) -> None:
    fake.answer("nodes", {"action": "nodes", "nodes": {}, "responseid": ""})
    _, batch = await first(mesh)
    assert (batch.devices, batch.cursor, batch.full) == ((), "1", True)


async def test_down_and_up_are_pushed_with_the_whole_device(mesh: MeshConnector, fake: FakeMesh) -> None:
    feed, _ = await first(mesh)
    await fake.send(fake.capture("push-nodeconnect-offline"))
    (down,) = (await anext(feed)).devices
    assert (down.online, down.last_seen, down.serial) == (False, NOW, "LAB0001")
    await fake.send(fake.capture("push-nodeconnect-online"))
    (up,) = (await anext(feed)).devices
    assert (up.online, up.serial, up.site) == (True, "LAB0001", "Acme HQ")
    assert len(fake.asked_for("nodes")) == 1


async def test_a_changed_row_keeps_the_connection_state(mesh: MeshConnector, fake: FakeMesh) -> None:
    feed, _ = await first(mesh)
    changed = next(
        m for m in fake.frames("03-actions.jsonl") if m.get("event", {}).get("action") == "changenode"
    )
    changed["event"]["node"]["name"] = "HVD-DC09"
    await fake.send(changed)
    (device,) = (await anext(feed)).devices
    assert (device.name, device.online, device.serial) == ("HVD-DC09", True, "LAB0001")


async def test_a_new_hardware_report_rereads_that_device_only(mesh: MeshConnector, fake: FakeMesh) -> None:
    feed, _ = await first(mesh)
    report = fake.capture("getsysinfo")
    report["hardware"]["linux"]["volumes"][0]["available"] = "1"
    fake.answer("getsysinfo", report)
    await fake.send(fake.capture("push-events-by-kind")["sysinfohash"])
    (device,) = (await anext(feed)).devices
    assert device.disks[0].free_bytes == 1024
    assert [m["action"] for m in fake.received[3:]] == ["getsysinfo", "getnetworkinfo"]


async def test_gone_and_new_devices(mesh: MeshConnector, fake: FakeMesh) -> None:
    feed, _ = await first(mesh)
    other = NODE[:-4] + "AAAA"
    await fake.push(action="addnode", node={"_id": other, "name": "new", "meshid": GROUP})
    (device,) = (await anext(feed)).devices
    assert (device.id, device.name, device.online, device.site) == (other, "new", False, "Acme HQ")
    await fake.push(action="removenode", nodeid=NODE)
    batch = await anext(feed)
    assert (batch.devices, batch.gone) == ((), (REF,))


async def test_a_renamed_group_touches_its_devices(mesh: MeshConnector, fake: FakeMesh) -> None:
    feed, _ = await first(mesh)
    await fake.push(action="meshchange", meshid=GROUP, mesh={"_id": GROUP, "name": "Acme Lyon"})
    assert [d.site for d in (await anext(feed)).devices] == ["Acme Lyon"]


async def test_other_pushes_say_nothing(mesh: MeshConnector, fake: FakeMesh) -> None:
    feed, _ = await first(mesh)
    for event in ("wakedevices", "devicesessions"):
        await fake.send(fake.capture("push-events-by-kind")[event])
    await fake.push(action="changenode", node="nonsense")
    await fake.push(action="nodeconnect", nodeid="../../etc", conn=1)
    await fake.send(fake.capture("push-nodeconnect-offline"))
    assert [d.online for d in (await anext(feed)).devices] == [False]
    assert len(fake.received) == 3


async def test_a_lost_connection_ends_the_feed_and_the_next_one_reads_anew(
    mesh: MeshConnector, fake: FakeMesh
) -> None:
    feed, _ = await first(mesh)
    fake.drop()
    with pytest.raises(Failed) as caught:
        await anext(feed)
    assert caught.value.failure.reason is Reason.OFFLINE
    _, batch = await first(mesh)
    assert batch.full
    assert len(fake.headers) == 2


async def test_a_device_with_all_its_parts(mesh: MeshConnector) -> None:
    detail = await mesh.device(NODE)
    assert detail.device.serial == "LAB0001"
    assert detail.hardware["CPU"] == "AMD EPYC"
    assert [i.name for i in detail.interfaces] == ["eth0"]
    assert len(detail.event_log) == 12
    assert [p.state for p in detail.power] == ["on"]
    assert detail.notes == "first visit\nsecond line"
    assert set(detail.unavailable) == {"series", "checks", "patches", "alerts", "services", "user"}


async def test_a_part_that_is_not_answered_says_so_and_holds_up_nothing(
    mesh: MeshConnector, fake: FakeMesh
) -> None:
    fake.silent("powertimeline", "getNotes")
    fake.answer("getsysinfo", fake.capture("getsysinfo-bad-node"))
    detail = await mesh.device(NODE)
    assert "powertimeline" in detail.unavailable["power"]
    assert "getNotes" in detail.unavailable["notes"]
    assert "hardware report" in detail.unavailable["hardware"]
    assert len(detail.event_log) == 12


async def test_an_offline_device_is_not_asked_for_services(mesh: MeshConnector, fake: FakeMesh) -> None:
    fake.answer("nodes", fake.capture("nodes-offline"))
    detail = await mesh.device(NODE)
    assert detail.device.online is False
    assert "not connected" in detail.unavailable["services"]
    assert fake.asked_for("msg") == []


@pytest.mark.parametrize("node", ["node//" + "x" * 64, "nonsense", ""])
async def test_an_unknown_device_is_not_found(mesh: MeshConnector, node: str) -> None:
    with pytest.raises(Failed) as caught:
        await mesh.device(node)
    assert caught.value.failure.reason is Reason.NOT_FOUND


async def test_live_asks_twice_for_the_first_reading(
    mesh: MeshConnector, fake: FakeMesh, sleeps: Sleeps
) -> None:
    readings: Iterator[Message] = iter(fake.capture(f"cpuinfo-{n}") for n in range(3))

    def reading(question: Message) -> list[Message]:
        return [next(readings) | {"tag": question["tag"]}]

    fake.answers["msg:cpuinfo"] = reading
    live = mesh.live(NODE)
    samples = [await anext(live), await anext(live)]
    await live.aclose()  # type: ignore[attr-defined]
    assert [s.cpu_percent for s in samples] == [100, 91]
    assert sleeps.seconds == [0.5, 3.0]


async def test_live_of_an_offline_device_names_it(mesh: MeshConnector, fake: FakeMesh) -> None:
    def unroutable(question: Message) -> list[Message]:
        return [
            fake.capture("cpuinfo-offline") | {"tag": question["tag"], "responseid": question["responseid"]}
        ]

    fake.answers["msg:cpuinfo"] = unroutable
    fake.acknowledge = False
    with pytest.raises(Failed) as caught:
        await anext(mesh.live(NODE))
    assert caught.value.failure.reason is Reason.OFFLINE
    assert "vm is not connected" in caught.value.failure.sentence


async def test_a_command_with_its_output(mesh: MeshConnector, fake: FakeMesh) -> None:
    outcome = await mesh.act(RunCommand(REF, "uname -a", shell="sh"), mark="i1")
    assert outcome.state is State.DONE
    assert (outcome.output or "").startswith("Linux vm 6.1.0-28-amd64")
    assert "no exit code" in outcome.detail[0]
    (sent,) = fake.asked_for("runcommands")
    assert (sent["nodeids"], sent["type"], sent["cmds"], sent["runAsUser"], sent["reply"]) == (
        [NODE],
        3,
        "uname -a",
        0,
        True,
    )


async def test_a_large_output_is_whole_up_to_its_limit(mesh: MeshConnector, fake: FakeMesh) -> None:
    fake.answer("runcommands", fake.capture("runcommands-large"))
    outcome = await mesh.act(RunCommand(REF, "seq 1 60000"), mark="i1")
    assert (outcome.output or "").startswith("1\n2\n3\n")
    assert len(outcome.output or "") == 200_000
    assert any("cut" in line for line in outcome.detail)


async def test_a_hostile_output_is_made_safe(mesh: MeshConnector, fake: FakeMesh) -> None:
    fake.answer(
        "runcommands", fake.capture("runcommands-reply") | {"result": "a\x1b]52;c;aGk=\x07b\nc\x9b31m"}
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
    mesh: MeshConnector, fake: FakeMesh, result: str, state: State, reason: Reason
) -> None:
    fake.answer("runcommands", fake.capture("runcommands-offline") | {"result": result})
    outcome = await mesh.act(RunCommand(REF, "id"), mark="i1")
    assert outcome.failure is not None
    assert (outcome.state, outcome.failure.reason) == (state, reason)


async def test_a_command_without_an_answer_is_uncertain(mesh: MeshConnector, fake: FakeMesh) -> None:
    fake.silent("runcommands")
    outcome = await mesh.act(RunCommand(REF, "id", run_as="user", timeout_s=0.02), mark="i1")
    assert outcome.state is State.UNCERTAIN
    assert outcome.failure is not None
    assert "logged on" in outcome.failure.sentence
    assert fake.asked_for("runcommands")[0]["runAsUser"] == 2


async def test_a_loss_after_sending_is_uncertain(mesh: MeshConnector, fake: FakeMesh) -> None:
    fake.silent("runcommands")
    running = asyncio.create_task(mesh.act(RunCommand(REF, "id"), mark="i1"))
    await fake.asked.wait()
    fake.drop()
    outcome = await running
    assert outcome.state is State.UNCERTAIN
    assert outcome.failure is not None
    assert "may still run" in outcome.failure.sentence


async def test_a_loss_before_sending_is_failed(mesh: MeshConnector, fake: FakeMesh) -> None:
    fake.greeting = fake.frames("07-bad-login.jsonl")
    outcome = await mesh.act(RunCommand(REF, "id"), mark="i1")
    assert outcome.failure is not None
    assert (outcome.state, outcome.failure.reason) == (State.FAILED, Reason.AUTH)
    assert fake.received == []


async def test_a_device_gets_one_command_at_a_time(mesh: MeshConnector, fake: FakeMesh) -> None:
    at_once: list[str] = []
    overlapping: list[list[str]] = []
    waiting: list[Message] = []

    def hold(question: Message) -> list[Message]:
        at_once.append(question["cmds"])
        overlapping.append(list(at_once))
        waiting.append(question)
        return []

    fake.answers["runcommands"] = hold
    runs = [asyncio.create_task(mesh.act(RunCommand(REF, cmd), mark=cmd)) for cmd in ("a", "b")]
    for done in range(2):
        await fake.asked.wait()
        fake.asked.clear()
        question = waiting[done]
        at_once.remove(question["cmds"])
        await fake.send(
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
    mesh: MeshConnector, fake: FakeMesh
) -> None:
    def others_first(question: Message) -> list[Message]:
        answer = {"action": "msg", "type": "runcommands", "nodeid": NODE}
        return [
            answer | {"result": "theirs", "responseid": "r1"},
            answer | {"result": "nobody's"},
            answer | {"result": "ours", "responseid": question["responseid"]},
        ]

    fake.answers["runcommands"] = others_first
    assert (await mesh.act(RunCommand(REF, "id"), mark="i1")).output == "ours"


async def test_a_reboot_is_done_when_the_device_was_seen_going_down(
    mesh: MeshConnector, fake: FakeMesh
) -> None:
    ok = fake.capture("poweraction-bad")

    def down(question: Message) -> list[Message]:
        return [ok | {"responseid": question["responseid"]}, fake.capture("push-nodeconnect-offline")]

    fake.answers["poweraction"] = down
    outcome = await mesh.act(Reboot(REF), mark="i1")
    assert (outcome.state, outcome.detail) == (State.DONE, ("went down at 06:00:00 UTC",))
    assert fake.asked_for("poweraction")[0]["actiontype"] == 3


async def test_a_reboot_that_is_not_seen_is_uncertain_in_spite_of_ok(mesh: MeshConnector) -> None:
    outcome = await mesh.act(Reboot(REF), mark="i1")
    assert outcome.state is State.UNCERTAIN
    assert outcome.failure is not None
    assert "not seen going down" in outcome.failure.sentence


async def test_an_offline_device_is_not_rebooted(mesh: MeshConnector, fake: FakeMesh) -> None:
    fake.answer("nodes", fake.capture("nodes-offline"))
    outcome = await mesh.act(Reboot(REF), mark="i1")
    assert outcome.failure is not None
    assert (outcome.state, outcome.failure.reason) == (State.FAILED, Reason.OFFLINE)
    assert fake.asked_for("poweraction") == []


async def test_a_reboot_without_the_right_is_refused_not_ignored(mesh: MeshConnector, fake: FakeMesh) -> None:
    fake.answer("getsysinfo", fake.capture("getsysinfo") | {"rights": 8 | 0x100000})
    outcome = await mesh.act(Reboot(REF), mark="i1")
    assert outcome.failure is not None
    assert (outcome.state, outcome.failure.reason) == (State.REFUSED, Reason.PERMISSION)
    assert fake.asked_for("poweraction") == []


async def test_an_unknown_device_is_not_rebooted(mesh: MeshConnector, fake: FakeMesh) -> None:
    outcome = await mesh.act(Reboot("mesh:node//" + "x" * 64), mark="i1")
    assert outcome.failure is not None
    assert outcome.failure.reason is Reason.NOT_FOUND
    assert fake.asked_for("poweraction") == []


async def test_notes_are_proven_by_reading_them(mesh: MeshConnector, fake: FakeMesh) -> None:
    fake.answers["setNotes"] = None
    assert await mesh.set_notes(NODE, "first visit\nsecond line") == "first visit\nsecond line"
    with pytest.raises(Failed, match="did not keep"):
        await mesh.set_notes(NODE, "other")
    assert [m["notes"] for m in fake.asked_for("setNotes")] == ["first visit\nsecond line", "other"]


async def test_it_has_no_tickets(mesh: MeshConnector, fake: FakeMesh) -> None:
    with pytest.raises(Failed, match="no tickets"):
        await mesh.ticket("1")
    outcome = await mesh.act(Update("mesh:1", text="x"), mark="i1")
    assert outcome.state is State.REFUSED
    assert (await mesh.choices()).statuses == ()
    assert fake.headers == []
