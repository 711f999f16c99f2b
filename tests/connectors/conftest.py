"""Fixtures that several of the connectors' tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mspterm.config.model import Connection
from mspterm.connectors.meshcentral.connector import MeshConnector
from mspterm.domain.secret import Secret
from mspterm.net.pacer import FreePacer
from tests.connectors.fake_meshcentral import NOW, FakeMesh, Sleeps, running


@pytest.fixture
async def fake_mesh(shared: Path) -> AsyncIterator[FakeMesh]:
    async with running(shared) as found:
        yield found


@pytest.fixture
def mesh_sleeps() -> Sleeps:
    return Sleeps()


@pytest.fixture
async def mesh(fake_mesh: FakeMesh, mesh_sleeps: Sleeps) -> AsyncIterator[MeshConnector]:
    """A connector that is logged in to the fake, with short patience."""
    connection = Connection("mesh", "meshcentral", fake_mesh.url, settings={"username": "ines"}, timeout_s=5)
    made = MeshConnector(
        connection,
        {"password": Secret("s3cret-CANARY")},
        pacer=FreePacer(),
        now=lambda: NOW,
        sleep=mesh_sleeps,
        part_s=0.2,
        reboot_wait_s=0.2,
    )
    yield made
    await made.aclose()
