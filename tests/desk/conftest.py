"""A desk over two vendors in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mspterm.desk.desk import Desk
from tests.desk.vendor import Clock, Vendor, a_desk, psa, rmm


@pytest.fixture
def now() -> Clock:
    return Clock()


@pytest.fixture
def rt(now: Clock) -> Vendor:
    return psa(now)


@pytest.fixture
def mesh(now: Clock) -> Vendor:
    return rmm(now)


@pytest.fixture
async def desk(tmp_path: Path, now: Clock, rt: Vendor, mesh: Vendor) -> AsyncIterator[Desk]:
    desk = a_desk(tmp_path, now, rt, mesh)
    yield desk
    await desk.aclose()
