"""A terminal to a real agent of the lab's MeshCentral, in the console and by the connector."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mspterm.config.model import Connection
from mspterm.connectors.base import RemoteTerminal
from mspterm.connectors.meshcentral.connector import MeshConnector
from mspterm.console.vt import Vt
from mspterm.domain.reasons import Failed, Reason
from mspterm.domain.secret import Secret
from mspterm.domain.text import SafeText
from mspterm.net.pacer import FreePacer
from mspterm.store.store import Store
from tests.console.console_desk import ticket
from tests.live.test_live_console import step
from tests.live.test_live_verbs import CONFIG
from tests.store.store_rows import asset, device
from tests.terminal.real_console import Home

pytestmark = pytest.mark.live
DEVICE = "HVD-DC01"
HOSTILE = r"printf '\033]52;c;Y3VybA==\007\033]2;pwned\033\\\033P+q\033\\'; echo safe''ly; exit" + "\r"


@pytest.fixture
async def mesh(lab_mesh: Any) -> AsyncIterator[MeshConnector]:
    connection = Connection(
        "mesh",
        "meshcentral",
        lab_mesh.url,
        settings={"username": lab_mesh.user},
        ca_bundle=lab_mesh.ca,
        timeout_s=15,
    )
    secret = {"password": Secret(lab_mesh.password)}
    made = MeshConnector(connection, secret, pacer=FreePacer(), now=lambda: datetime.now(UTC))
    yield made
    await made.aclose()


async def read_until(terminal: RemoteTerminal, vt: Vt, words: str) -> bytes:
    """Everything until `words` are on the screen; it also ends with the session."""
    raw = b""
    async with asyncio.timeout(20):
        while words not in "\n".join(vt.text()):
            data = await terminal.read()
            if not data:
                raise AssertionError(f"{words!r} did not come: {raw!r}")
            raw += data
            vt.feed(data)
    return raw


async def opened(mesh: MeshConnector, nodes: dict[str, str], columns: int = 100) -> RemoteTerminal:
    return await mesh.open_terminal(nodes[DEVICE], shell="auto", run_as="system", columns=columns, rows=30)


async def test_a_command_is_typed_its_output_seen_and_hostile_output_made_safe(
    mesh: MeshConnector, lab_mesh: Any
) -> None:
    terminal, vt = await opened(mesh, lab_mesh.nodes), Vt(100, 30)
    assert not terminal.recorded
    await terminal.write(b"echo typed-$((6*7)); stty size\r")
    await read_until(terminal, vt, "typed-42")
    await terminal.resize(132, 43)
    vt.resize(132, 43)
    await terminal.write(b"echo size=$(stty size)\r")
    await read_until(terminal, vt, "size=43 132")
    await terminal.write(HOSTILE.encode())
    raw = await read_until(terminal, vt, "safely")
    assert b"\x1b]52;c;Y3VybA==\x07" in raw
    assert all(text.isprintable() for text in vt.text())
    async with asyncio.timeout(20):
        while data := await terminal.read():
            vt.feed(data)
    await terminal.aclose()


async def test_an_unknown_device_is_not_found(mesh: MeshConnector) -> None:
    with pytest.raises(Failed) as caught:
        await mesh.open_terminal("node//" + "x" * 64, shell="auto", run_as="system", columns=80, rows=24)
    assert caught.value.failure.reason is Reason.NOT_FOUND


def home_with(lab: Any, folder: Path) -> Home:
    """A technician with a ticket on the lab's device; RT is away."""
    secrets = {
        "MSPTERM_SECRET_RT_TOKEN": "1-2-cafe0bad",
        "MSPTERM_SECRET_MESH_PASSWORD": lab.password,
        "MSPTERM_SECRET_JOURNAL_KEY": "cafe0bad" * 8,
    }
    url = lab.url.replace("wss:", "https:")
    config = CONFIG.format(rt="http://127.0.0.1:1", mesh=url, user=lab.user, ca=lab.ca)
    home = Home(folder, secrets).write(config)
    store = Store(home.state)
    store.devices.upsert_assets([asset(1, DEVICE, client=SafeText("Harborview Dental"))])
    store.devices.upsert([device(DEVICE, id=lab.nodes[DEVICE], ref=f"mesh:{lab.nodes[DEVICE]}")])
    store.devices.tie({"rt:asset:1": f"mesh:{lab.nodes[DEVICE]}"})
    store.tickets.upsert([ticket(7, asset_ids=("1",))])
    store.connections.caught_up("rt", datetime.now(UTC), "cursor", full=True, skipped=[])
    store.close()
    return home


def test_from_the_console_with_a_note_after_it(lab_mesh: Any, tmp_path: Path) -> None:
    home = home_with(lab_mesh, tmp_path)
    with home.console() as terminal:
        terminal.wait_for("[6 All 1]", 60)
        terminal.settle(1.0)
        step(terminal, "E", "You are in ")
        step(terminal, "T", "Run as")
        step(terminal, "\x07", "to go on:")
        step(terminal, DEVICE, DEVICE)
        step(terminal, "\x07", "Ctrl+]: leave")
        step(terminal, "echo $((6*7))-here\r", "42-here")
        before = len(terminal.sent)
        step(terminal, "printf '\\033]52;c;Y3VybA==\\007\\033]2;pwned\\007'; echo sa''fe\r", "safe")
        assert not re.search(rb"\x1b\](?:52;|2;pwned)", terminal.sent[before:])
        step(terminal, "\x1d", f"Terminal session on {DEVICE}, 1 min")
    [file] = (home.state / "journal").glob("*.jsonl")
    records = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(r["state"], r["refs"][1]) for r in records if r["action"] == "terminal"] == [
        ("intent", "rt:7"),
        ("done", "rt:7"),
    ]
