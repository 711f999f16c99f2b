"""Fixtures of the sandbox's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.sandbox.bench import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
async def psa(bench: Bench) -> AsyncIterator[httpx.AsyncClient]:
    async with bench.connectwise() as client:
        yield client


@pytest.fixture
async def rmm(bench: Bench) -> AsyncIterator[httpx.AsyncClient]:
    """A technician's client."""
    async with bench.ninjaone() as client:
        await bench.as_technician(client)
        yield client
