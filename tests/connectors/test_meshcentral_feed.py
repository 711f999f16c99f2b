"""What the connector reads, from a server that replays what MeshCentral was recorded to say."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator

import pytest

from mspterm.config.model import Connection
from mspterm.connectors.base import Batch, Connector
from mspterm.connectors.meshcentral.connector import MeshConnector
from mspterm.domain.reasons import Failed, Reason
from mspterm.domain.secret import Secret
from mspterm.net.pacer import FreePacer
from tests.connectors.fake_meshcentral import GROUP, NODE, NOW, FakeMesh, Message, Sleeps

REF = f"mesh:{NODE}"


def _as_protocol(mesh: MeshConnector) -> Connector:
    return mesh


async def first(mesh: MeshConnector) -> tuple[AsyncGenerator[Batch, None], Batch]:
    feed = mesh.feed(None)
    return feed, await anext(feed)


async def test_whoami(mesh: MeshConnector) -> None:
    who = await _as_protocol(mesh).whoami()
    assert (who.technician.id, who.technician.name, who.kind) == ("user//admin", "admin", "personal")
    assert who.version == "MeshCentral"


async def test_the_first_run_lists_everything_at_once(mesh: MeshConnector, fake_mesh: FakeMesh) -> None:
    _, batch = await first(mesh)
    (device,) = batch.devices
    assert (batch.cursor, batch.full, batch.skipped) == ("1", True, ())
    assert (device.id, device.site, device.serial, device.online) == (NODE, "Acme HQ", "LAB0001", True)
    assert [m["action"] for m in fake_mesh.received] == ["meshes", "nodes", "getDeviceDetails"]


async def test_a_row_of_another_shape_is_counted_and_loses_nothing(
    mesh: MeshConnector, fake_mesh: FakeMesh
) -> None:
    recorded = fake_mesh.capture("nodes")
    recorded["nodes"][GROUP] += [{"_id": "node//x y", "name": "bad id"}, {"_id": 5}]
    fake_mesh.answer("nodes", recorded)
    _, batch = await first(mesh)
    assert [d.id for d in batch.devices] == [NODE]
    assert [s.id for s in batch.skipped] == ["node//x y", "?"]


async def test_a_server_that_pages_is_read_to_the_end(mesh: MeshConnector, fake_mesh: FakeMesh) -> None:
    row = fake_mesh.capture("nodes")["nodes"][GROUP][0]
    rows = [row | {"_id": NODE[:-2] + f"{n:02}"} for n in range(5)]

    def page(question: Message) -> list[Message]:
        part = rows[question["skip"] : question["skip"] + 2]
        return [
            {"action": "nodes", "nodes": {GROUP: part}, "totalcount": 5, "responseid": question["responseid"]}
        ]

    fake_mesh.answers["nodes"] = page
    _, batch = await first(mesh)
    assert [d.id for d in batch.devices] == [r["_id"] for r in rows]


async def test_devices_are_listed_where_details_are_not_answered(fake_mesh: FakeMesh) -> None:
    fake_mesh.silent("getDeviceDetails")
    connection = Connection(
        "mesh", "meshcentral", fake_mesh.url, settings={"username": "ines"}, timeout_s=0.3
    )
    made = MeshConnector(connection, {"password": Secret("x")}, pacer=FreePacer(), now=lambda: NOW)
    _, batch = await first(made)
    assert [(d.id, d.serial) for d in batch.devices] == [(NODE, None)]
    assert batch.full
    await made.aclose()


async def test_no_device_is_a_full_run_of_none(mesh: MeshConnector, fake_mesh: FakeMesh) -> None:
    fake_mesh.answer("nodes", {"action": "nodes", "nodes": {}, "responseid": ""})
    _, batch = await first(mesh)
    assert (batch.devices, batch.cursor, batch.full) == ((), "1", True)


async def test_down_and_up_are_pushed_with_the_whole_device(mesh: MeshConnector, fake_mesh: FakeMesh) -> None:
    feed, _ = await first(mesh)
    await fake_mesh.send(fake_mesh.capture("push-nodeconnect-offline"))
    (down,) = (await anext(feed)).devices
    assert (down.online, down.last_seen, down.serial) == (False, NOW, "LAB0001")
    await fake_mesh.send(fake_mesh.capture("push-nodeconnect-online"))
    (up,) = (await anext(feed)).devices
    assert (up.online, up.serial, up.site) == (True, "LAB0001", "Acme HQ")
    assert len(fake_mesh.asked_for("nodes")) == 1


async def test_a_changed_row_keeps_the_connection_state(mesh: MeshConnector, fake_mesh: FakeMesh) -> None:
    feed, _ = await first(mesh)
    changed = next(
        m for m in fake_mesh.frames("03-actions.jsonl") if m.get("event", {}).get("action") == "changenode"
    )
    changed["event"]["node"]["name"] = "HVD-DC09"
    await fake_mesh.send(changed)
    (device,) = (await anext(feed)).devices
    assert (device.name, device.online, device.serial) == ("HVD-DC09", True, "LAB0001")


async def test_a_new_hardware_report_rereads_that_device_only(
    mesh: MeshConnector, fake_mesh: FakeMesh
) -> None:
    feed, _ = await first(mesh)
    report = fake_mesh.capture("getsysinfo")
    report["hardware"]["linux"]["volumes"][0]["available"] = "1"
    fake_mesh.answer("getsysinfo", report)
    await fake_mesh.send(fake_mesh.capture("push-events-by-kind")["sysinfohash"])
    (device,) = (await anext(feed)).devices
    assert device.disks[0].free_bytes == 1024
    assert [m["action"] for m in fake_mesh.received[3:]] == ["getsysinfo", "getnetworkinfo"]


async def test_gone_and_new_devices(mesh: MeshConnector, fake_mesh: FakeMesh) -> None:
    feed, _ = await first(mesh)
    other = NODE[:-4] + "AAAA"
    await fake_mesh.push(action="addnode", node={"_id": other, "name": "new", "meshid": GROUP})
    (device,) = (await anext(feed)).devices
    assert (device.id, device.name, device.online, device.site) == (other, "new", False, "Acme HQ")
    await fake_mesh.push(action="removenode", nodeid=NODE)
    batch = await anext(feed)
    assert (batch.devices, batch.gone) == ((), (REF,))


async def test_a_renamed_group_touches_its_devices(mesh: MeshConnector, fake_mesh: FakeMesh) -> None:
    feed, _ = await first(mesh)
    await fake_mesh.push(action="meshchange", meshid=GROUP, mesh={"_id": GROUP, "name": "Acme Lyon"})
    assert [d.site for d in (await anext(feed)).devices] == ["Acme Lyon"]


async def test_other_pushes_say_nothing(mesh: MeshConnector, fake_mesh: FakeMesh) -> None:
    feed, _ = await first(mesh)
    for event in ("wakedevices", "devicesessions"):
        await fake_mesh.send(fake_mesh.capture("push-events-by-kind")[event])
    await fake_mesh.push(action="changenode", node="nonsense")
    await fake_mesh.push(action="nodeconnect", nodeid="../../etc", conn=1)
    await fake_mesh.send(fake_mesh.capture("push-nodeconnect-offline"))
    assert [d.online for d in (await anext(feed)).devices] == [False]
    assert len(fake_mesh.received) == 3


async def test_a_lost_connection_ends_the_feed_and_the_next_one_reads_anew(
    mesh: MeshConnector, fake_mesh: FakeMesh
) -> None:
    feed, _ = await first(mesh)
    fake_mesh.drop()
    with pytest.raises(Failed) as caught:
        await anext(feed)
    assert caught.value.failure.reason is Reason.OFFLINE
    _, batch = await first(mesh)
    assert batch.full
    assert len(fake_mesh.headers) == 2


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
    mesh: MeshConnector, fake_mesh: FakeMesh
) -> None:
    fake_mesh.silent("powertimeline", "getNotes")
    fake_mesh.answer("getsysinfo", fake_mesh.capture("getsysinfo-bad-node"))
    detail = await mesh.device(NODE)
    assert "powertimeline" in detail.unavailable["power"]
    assert "getNotes" in detail.unavailable["notes"]
    assert "hardware report" in detail.unavailable["hardware"]
    assert len(detail.event_log) == 12


async def test_an_offline_device_is_not_asked_for_services(mesh: MeshConnector, fake_mesh: FakeMesh) -> None:
    fake_mesh.answer("nodes", fake_mesh.capture("nodes-offline"))
    detail = await mesh.device(NODE)
    assert detail.device.online is False
    assert "not connected" in detail.unavailable["services"]
    assert fake_mesh.asked_for("msg") == []


@pytest.mark.parametrize("node", ["node//" + "x" * 64, "nonsense", ""])
async def test_an_unknown_device_is_not_found(mesh: MeshConnector, node: str) -> None:
    with pytest.raises(Failed) as caught:
        await mesh.device(node)
    assert caught.value.failure.reason is Reason.NOT_FOUND


async def test_live_asks_twice_for_the_first_reading(
    mesh: MeshConnector, fake_mesh: FakeMesh, mesh_sleeps: Sleeps
) -> None:
    readings: Iterator[Message] = iter(fake_mesh.capture(f"cpuinfo-{n}") for n in range(3))

    def reading(question: Message) -> list[Message]:
        return [next(readings) | {"tag": question["tag"]}]

    fake_mesh.answers["msg:cpuinfo"] = reading
    live = mesh.live(NODE)
    samples = [await anext(live), await anext(live)]
    await live.aclose()
    assert [s.cpu_percent for s in samples] == [100, 91]
    assert mesh_sleeps.seconds == [0.5, 3.0]


async def test_live_of_an_offline_device_names_it(mesh: MeshConnector, fake_mesh: FakeMesh) -> None:
    def unroutable(question: Message) -> list[Message]:
        return [
            fake_mesh.capture("cpuinfo-offline")
            | {"tag": question["tag"], "responseid": question["responseid"]}
        ]

    fake_mesh.answers["msg:cpuinfo"] = unroutable
    fake_mesh.acknowledge = False
    with pytest.raises(Failed) as caught:
        await anext(mesh.live(NODE))
    assert caught.value.failure.reason is Reason.OFFLINE
    assert "vm is not connected" in caught.value.failure.sentence
