"""The connector against the lab's real MeshCentral and its agents.

No power action is ever sent here: the agents run on this machine and would reboot it.
"""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mspterm.config.model import Connection
from mspterm.connectors.base import Batch
from mspterm.connectors.meshcentral.connector import MeshConnector
from mspterm.domain.action import RunCommand, State
from mspterm.domain.device import Device
from mspterm.domain.reasons import Failed, Reason
from mspterm.domain.secret import Secret
from mspterm.net.pacer import FreePacer

pytestmark = pytest.mark.live
LAPTOP = "KSL-LT-014"
BOUND_S = 2.0
"""The issue's own: a device that went down shows within two seconds."""


def connector(lab: Any, password: str | None = None, ca: Path | None = None) -> MeshConnector:
    connection = Connection(
        "mesh", "meshcentral", lab.url, settings={"username": lab.user}, ca_bundle=ca, timeout_s=10
    )
    secret = {"password": Secret(password or lab.password)}
    return MeshConnector(connection, secret, pacer=FreePacer(), now=lambda: datetime.now(UTC))


@pytest.fixture
async def mesh(lab_mesh: Any) -> AsyncIterator[MeshConnector]:
    made = connector(lab_mesh, ca=lab_mesh.ca)
    yield made
    await made.aclose()


async def test_whoami(mesh: MeshConnector) -> None:
    assert (await mesh.whoami()).technician.name == "admin"


async def test_a_wrong_password_is_auth(lab_mesh: Any) -> None:
    with pytest.raises(Failed) as caught:
        await connector(lab_mesh, "wrong", lab_mesh.ca).whoami()
    assert caught.value.failure.reason is Reason.AUTH


async def test_a_private_ca_must_be_named(lab_mesh: Any) -> None:
    with pytest.raises(Failed) as caught:
        await connector(lab_mesh).whoami()
    assert "ca_bundle" in caught.value.failure.sentence


async def test_all_devices_in_one_batch(mesh: MeshConnector, lab_mesh: Any) -> None:
    batch = await anext(mesh.feed(None))
    found = {str(d.name): d for d in batch.devices}
    assert set(found) >= {"HVD-DC01", "OAK-DC01", LAPTOP}
    server = found["HVD-DC01"]
    assert server.id == lab_mesh.nodes["HVD-DC01"]
    assert (server.online, server.kind, server.client, server.site) == (True, "server", None, "Acme HQ")
    assert server.serial == "LAB-HVD-DC01"
    assert server.disks[0].total_bytes
    assert found[LAPTOP].kind == "workstation"


async def test_the_detail_of_a_device(mesh: MeshConnector, lab_mesh: Any) -> None:
    detail = await mesh.device(lab_mesh.nodes["HVD-DC01"])
    assert detail.device.name == "HVD-DC01"
    assert detail.device.booted_at is not None
    assert detail.power[-1].state == "on"
    assert detail.interfaces
    assert detail.hardware["Product"] == "mspterm lab VM"
    assert detail.event_log
    assert not {"power", "interfaces", "hardware", "event_log", "notes"} & set(detail.unavailable)


async def test_live_readings_move(mesh: MeshConnector, lab_mesh: Any) -> None:
    node = lab_mesh.nodes["HVD-DC01"]
    readings = [s async for s in _some(mesh, node, 2)]
    assert all(s.cpu_percent is not None and s.memory_percent is not None for s in readings)
    assert readings[0] != readings[1]


async def _some(mesh: MeshConnector, node: str, many: int) -> AsyncIterator[Any]:
    live = mesh.live(node)
    for _ in range(many):
        yield await anext(live)


async def test_a_command_runs(mesh: MeshConnector, lab_mesh: Any) -> None:
    ref = f"mesh:{lab_mesh.nodes['HVD-DC01']}"
    for number in range(5):
        outcome = await mesh.act(RunCommand(ref, "uname -a; echo err >&2; exit 7"), mark=f"live{number}")
        assert outcome.state is State.DONE
        assert outcome.output is not None
        # Of two pipes, the agent would lose stderr now and then.
        assert outcome.output.startswith("Linux HVD-DC01 ")
        assert outcome.output.endswith("err\n")


async def test_two_commands_at_once_both_answer(mesh: MeshConnector, lab_mesh: Any) -> None:
    ref = f"mesh:{lab_mesh.nodes['OAK-DC01']}"
    runs = (mesh.act(RunCommand(ref, f"sleep 0.2; echo {n}", timeout_s=20), mark=n) for n in ("a", "b"))
    assert [o.output for o in await asyncio.gather(*runs)] == ["a\n", "b\n"]


async def test_notes_are_kept(mesh: MeshConnector, lab_mesh: Any) -> None:
    node = lab_mesh.nodes["OAK-DC01"]
    try:
        assert await mesh.set_notes(node, "rack 3\nsecond line") == "rack 3\nsecond line"
        assert (await mesh.device(node)).notes == "rack 3\nsecond line"
    finally:
        await mesh.set_notes(node, "")


async def test_down_and_up_are_pushed_within_two_seconds(
    mesh: MeshConnector, lab_mesh: Any, shared: Path
) -> None:
    """Stops the agent of KSL-LT-014 and always starts it again."""
    feed = mesh.feed(None)
    await anext(feed)
    try:
        stopped = await _agent(shared, lab_mesh, "agent-stop")
        async with asyncio.timeout(10):
            down = await _shown(feed, online=False)
        assert time.monotonic() - stopped < BOUND_S
        assert down.last_seen is not None
        outcome = await mesh.act(RunCommand(down.ref, "id"), mark="live")
        assert outcome.failure is not None
        assert (outcome.state, outcome.failure.reason) == (State.FAILED, Reason.OFFLINE)
        with pytest.raises(Failed) as caught:
            await anext(mesh.live(down.id))
        assert LAPTOP in caught.value.failure.sentence
    finally:
        await _agent(shared, lab_mesh, "agent-start")
    async with asyncio.timeout(30):
        up = await _shown(feed, online=True)
    assert up.serial == f"LAB-{LAPTOP}"


async def _agent(shared: Path, lab: Any, verb: str) -> float:
    """Runs the lab's script; the moment it returned."""
    script = shared / "lab" / "start-meshcentral.sh"
    command = ["bash", str(script), verb, str(lab.folder), LAPTOP]
    await asyncio.to_thread(subprocess.run, command, check=True, timeout=30, stdout=subprocess.DEVNULL)
    return time.monotonic()


async def _shown(feed: AsyncIterator[Batch], *, online: bool) -> Device:
    async for batch in feed:
        for device in batch.devices:
            if device.name == LAPTOP and device.online is online:
                return device
    raise AssertionError("the feed ended")
