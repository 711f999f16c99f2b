"""A terminal to a real agent of the lab's MeshCentral, in the console and by the connector."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from mspterm.config.model import Connection
from mspterm.connectors.base import RemoteTerminal
from mspterm.connectors.meshcentral.connector import MeshConnector
from mspterm.console.vt import Vt
from mspterm.domain.reasons import Failed, Reason
from mspterm.domain.secret import Secret
from mspterm.net.pacer import FreePacer

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
