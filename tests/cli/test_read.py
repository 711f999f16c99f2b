"""What the reading verbs make of an RMM that gives less than others."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from mspterm.cli.read import _sample
from mspterm.domain.device import Sample
from mspterm.domain.reasons import Reason, failed
from tests.store.store_rows import NOW


async def test_an_rmm_without_live_readings_costs_the_device_nothing() -> None:
    def live(id_: str) -> AsyncGenerator[Sample, None]:
        raise failed(Reason.REFUSED, f"{id_} has no readings")

    assert await _sample(live, "d1") is None


async def test_the_first_reading_with_a_value_is_taken() -> None:
    async def live(id_: str) -> AsyncGenerator[Sample, None]:
        yield Sample(NOW, None, None)
        yield Sample(NOW, 12.0, 34.0)

    assert await _sample(live, "d1") == Sample(NOW, 12.0, 34.0)
