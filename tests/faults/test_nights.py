"""Seeded random nights against the lab's RT; `python -m tests.faults.schedules` runs more of them."""

from __future__ import annotations

import os
import time

import pytest

from tests.conftest import LabRt
from tests.faults.schedules import nights, summary

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(600)]
COUNT = int(os.environ.get("MSPTERM_NIGHTS", "40"))


async def test_nothing_lost_nothing_doubled_nothing_unseen(lab_rt: LabRt) -> None:
    began = time.monotonic()
    done = await nights(lab_rt.url, lab_rt.tokens["ines"], range(1, COUNT + 1), lanes=4)
    said = summary(done, time.monotonic() - began)
    print(said)  # noqa: T201 - shown where the test fails
    assert [w for night in done for w in night.wrong] == [], said
    assert len(done) == COUNT
    assert sum(night.kills for night in done) >= COUNT / 4
    assert sum(night.ends["confirmed"] for night in done) > COUNT
