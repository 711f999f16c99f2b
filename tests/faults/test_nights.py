"""Seeded random nights against the lab's RT and the sandbox's ConnectWise, with the servers' own records as
judge; `python -m tests.faults.schedules` runs more of them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import LabRt
from tests.faults.boxed import CwJudge, boxed
from tests.faults.judge import Judge
from tests.faults.lab import RtJudge
from tests.faults.night import Night, append, read, summary
from tests.faults.schedules import nights, server_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform == "win32", reason="a life is a fork"),
]
COUNT = int(os.environ.get("MSPTERM_NIGHTS", "40"))


def seeds(server: str) -> list[int]:
    """This server's share of the nights."""
    return [seed for seed in range(1, COUNT + 1) if server_of(seed) == server]


async def spend(judge: Judge, share: Sequence[int]) -> None:
    began = time.monotonic()
    done = await nights({judge.name: judge}, share, lanes=4)
    await judge.aclose()
    said = summary(done, time.monotonic() - began)
    print(said)  # noqa: T201 - shown where the test fails
    assert [w for night in done for w in night.wrong] == [], said
    assert len(done) == len(share)
    assert sum(night.kills for night in done) >= len(share) / 4
    assert sum(night.written for night in done) > len(share)


@pytest.mark.live
async def test_nothing_lost_nothing_doubled_nothing_unseen_in_rt(lab_rt: LabRt) -> None:
    await spend(RtJudge(lab_rt.url, lab_rt.tokens["ines"]), seeds("rt"))


async def test_nothing_lost_nothing_doubled_nothing_unseen_in_connectwise() -> None:
    async with boxed() as box:
        await spend(CwJudge(box), seeds("sandbox"))


def test_a_result_goes_on_where_it_ended_and_counts_what_was_wrong(tmp_path: Path) -> None:
    files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "not yet.jsonl"]
    append(files[0], Night(1, "psa", asked=5, written=4, decided=1, wrong=["LOST 'x': confirmed 1, there 0"]))
    append(files[0], Night(2, "rt", asked=3, written=3, kills=2, ends={"confirmed": 3}))
    append(files[1], Night(1, "psa", asked=5, written=5))
    assert [n.wrong for n in read(files[:1])] == [["LOST 'x': confirmed 1, there 0"], []]
    assert "1 lost, 0 doubled, 0 silent" in summary(read(files[:1]))
    assert [(n.seed, n.written, n.wrong) for n in read(files)] == [(1, 5, []), (2, 3, [])]
    assert summary(read(files), 12).startswith(
        "2 nights (1 on psa, 1 on rt) in 12 s: 8 writes asked for, 8 at"
    )
