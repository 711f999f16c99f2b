"""The shared pacer: several processes on one file, classes, holds, and what it says of itself."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from mspterm.config.model import Connection
from mspterm.desk.budget import SharedPacer, said, tenant
from mspterm.domain.budget import CallClass, Limit
from mspterm.domain.reasons import Failed, Reason
from mspterm.store.store import Store
from tests.store.store_rows import NOW


class Host:
    """Consoles of one host: its monotonic clock, moved by sleeping, and one state directory."""

    def __init__(self, folder: Path, limit: Limit | None) -> None:
        self.folder, self.limit = folder, limit
        self.at = 500.0
        self.slept: list[float] = []

    def console(self) -> SharedPacer:
        return SharedPacer(
            Store(self.folder),
            lambda: NOW + timedelta(seconds=self.at - 500),
            lambda name: ("tenant", self.limit),
            ticks=lambda: self.at,
            sleep=self.sleep,
        )

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds

    async def granted(self, pacer: SharedPacer, kind: CallClass, tries: int = 40) -> int:
        """How many go at once."""
        before, got = self.at, 0
        for _ in range(tries):
            try:
                await pacer.turn("acme", kind)
            except Failed:
                break
            if self.at != before:
                break
            got += 1
        return got


async def test_consoles_of_one_host_share_one_budget(tmp_path: Path) -> None:
    host = Host(tmp_path, Limit(20, 600.0, take=1.0))
    first, second = host.console(), host.console()
    assert await host.granted(first, "poll", 4) == 4
    assert await host.granted(second, "poll") == 2
    assert await host.granted(first, "action") == 6
    assert await host.granted(second, "interactive") == 8
    with pytest.raises(Failed) as caught:
        await first.turn("acme", "action")
    assert caught.value.failure.reason is Reason.RATE_LIMIT
    assert "no action call left before" in caught.value.failure.sentence
    assert caught.value.failure.retry_at is not None


async def test_a_poll_waits_for_its_turn_where_that_is_soon(tmp_path: Path) -> None:
    host = Host(tmp_path, Limit(20, 10.0, take=1.0))
    pacer = host.console()
    for _ in range(7):
        await pacer.turn("acme", "poll")
    assert len(host.slept) == 1
    assert 10.0 <= host.slept[0] <= 10.4


async def test_a_retry_after_binds_every_console_until_it_has_passed(tmp_path: Path) -> None:
    host = Host(tmp_path, None)
    first, second = host.console(), host.console()
    first.limited("acme", NOW + timedelta(seconds=30))
    with pytest.raises(Failed, match="asked us to wait until 02:10:30 UTC") as caught:
        await second.turn("acme", "interactive")
    assert caught.value.failure.retry_at == NOW + timedelta(seconds=30)
    host.at += 28.5
    await second.turn("acme", "interactive")
    assert host.slept == [1.5]


async def test_a_wait_ends_on_a_host_that_was_started_anew(tmp_path: Path) -> None:
    host = Host(tmp_path, None)
    pacer = host.console()
    pacer.limited("acme", NOW + timedelta(seconds=30))
    host.at = 3.0
    with pytest.raises(Failed, match="asked us to wait"):
        await pacer.turn("acme", "poll")
    host.at = 34.0
    await pacer.turn("acme", "poll")
    assert host.slept == []


async def test_what_is_shown_of_a_budget(tmp_path: Path) -> None:
    host = Host(tmp_path, Limit(1000, 60.0))
    pacer = host.console()
    await pacer.turn("acme", "poll")
    await pacer.turn("acme", "action")
    sentence = said(pacer.standing("acme"))
    assert sentence == (
        "Its limit is 1,000 calls in 60 s, of which we take 90%; used 2 of 900 (action 1, poll 1)."
    )
    pacer.throttled("acme")
    pacer.limited("acme", NOW + timedelta(seconds=60))
    standing = host.console().standing("acme")
    assert (standing.most, standing.rate) == (450, 0.5)
    assert standing.held_until == NOW + timedelta(seconds=60)
    assert "down to 50% and rising; nothing is sent before" in said(standing)


def test_two_connections_to_one_tenant_are_one_budget_and_two_companies_are_not() -> None:
    here = Connection("a", "connectwise", "https://na.example", settings={"company": "oak"})
    same = Connection("b", "connectwise", "https://na.example", settings={"company": "oak"})
    other = Connection("c", "connectwise", "https://na.example", settings={"company": "elm"})
    assert tenant(here) == tenant(same) != tenant(other)


async def test_while_the_store_can_not_be_written_each_process_takes_a_quarter_at_most(
    tmp_path: Path,
) -> None:
    host = Host(tmp_path, Limit(40, 600.0, take=1.0))
    pacer, other = host.console(), Store(tmp_path)
    pacer._store.database.connection.execute("PRAGMA busy_timeout = 5")
    await pacer.turn("acme", "poll")
    with other.database.write():
        assert await host.granted(pacer, "poll") == 2
    other.close()
    assert await host.granted(pacer, "poll") == 11


PROCESS = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from mspterm.desk.budget import SharedPacer
from mspterm.domain.budget import Limit
from mspterm.domain.reasons import Failed
from mspterm.store.store import Store

limit = Limit(50, 600.0, take=1.0)
pacer = SharedPacer(Store(Path(sys.argv[1])), lambda: datetime.now(UTC), lambda name: ("t", limit))

async def main():
    sys.stdin.readline()
    for n in range(100):
        try:
            await pacer.turn("acme", ("interactive", "action")[n % 2])
        except Failed:
            continue
        print("went")

asyncio.run(main())
"""


def test_processes_at_once_never_go_above_the_limit(tmp_path: Path) -> None:
    Store(tmp_path).close()
    command = [sys.executable, "-c", PROCESS, str(tmp_path)]
    running = [
        subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(3)
    ]
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    went = [process.communicate(timeout=60)[0].count("went") for process in running]
    assert sum(went) == 50
