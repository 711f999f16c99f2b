"""A storm of thirty over the sandbox's own servers, in this process: one row here, one parent there, one mail."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import uvicorn
from textual.pilot import Pilot

from mspterm.config.load import load
from mspterm.console.app import MsptermApp
from mspterm.sandbox import catalogue as desk
from mspterm.sandbox import config as sandbox_config
from mspterm.sandbox import incidents
from mspterm.sandbox.app import Options
from mspterm.sandbox.clients import CLIENT_CODED
from mspterm.sandbox.faults import CONNECTWISE, NINJAONE
from mspterm.sandbox.tickets import Ticket
from mspterm.store.store import Store
from tests.console.console_desk import console, session, until, until_told
from tests.sandbox.bench import BEGAN, Bench

KSL = CLIENT_CODED["KSL"]


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def served(bench: Bench) -> AsyncIterator[dict[str, str]]:
    """The addresses of both servers."""
    listeners = {vendor: socket.create_server(("127.0.0.1", 0)) for vendor in (CONNECTWISE, NINJAONE)}
    for vendor, listener in listeners.items():
        bench.sandbox.ports[listener.getsockname()[1]] = vendor
    settings = uvicorn.Config(bench.sandbox, log_config=None, access_log=False, lifespan="off", ws="none")
    server = _Server(settings)
    task = asyncio.create_task(server.serve(list(listeners.values())))
    try:
        yield {v: f"http://127.0.0.1:{s.getsockname()[1]}" for v, s in listeners.items()}
    finally:
        server.should_exit = server.force_exit = True
        await task


def storm_of(bench: Bench) -> list[Ticket]:
    """The tickets of an outage at one site."""
    incidents.outage(bench.sandbox.life, BEGAN, KSL.sites[0].id)
    bench.run(240)
    world = bench.world
    return [t for t in world.tickets_changed.values() if not world.is_seeded(t.id)]


def configured(bench: Bench, urls: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = folder / "config.toml"
    sandbox_config.write(path, bench.sandbox, urls[CONNECTWISE], urls[NINJAONE])
    for name, value in sandbox_config.secrets(bench.sandbox).items():
        monkeypatch.setenv(name, value)
    return path


def rows_of(app: MsptermApp, storm: list[Ticket]) -> list[str]:
    refs = {f"psa:{t.id}" for t in storm}
    return [row.ref for row in app.main.queue.rows if row.ref in refs]


async def one_row(pilot: Pilot[int], app: MsptermApp, storm: list[Ticket], head: str) -> None:
    """Waits until only `head` has a row of the storm's."""
    for _ in range(500):
        if rows_of(app, storm) == [head]:
            return
        await pilot.pause(0.02)
    raise AssertionError(rows_of(app, storm))


async def test_storm_of_thirty_is_one_row_and_one_parent_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(Options(still=True, tickets=8))
    storm = storm_of(bench)
    assert len(storm) == 30
    async with served(bench) as urls:
        settings = load(configured(bench, urls, tmp_path, monkeypatch))
        made = session(Store(tmp_path), tmp_path, settings, clock=lambda: bench.hand.at.timestamp())
        async with console(made) as (app, pilot):
            await until(pilot, app, "[+30")
            [head] = rows_of(app, storm)
            app.main.queue.go_to(head)

            await pilot.press("P")
            await until(pilot, app, "Parent *")
            await pilot.press("tab", *KSL.contacts[0].email, "ctrl+g")
            await until(pilot, app, "silent (no text, no mail)")
            await pilot.press("y")
            await until_told(pilot, app, "text: public")
            parent = bench.world.ticket(int(head.partition(":")[2]))
            assert parent is not None
            others = [t for t in storm if t.id != parent.id]
            assert {t.parent for t in others} == {parent.id}
            assert [m.to for m in bench.world.mails] == [KSL.contacts[0].email]
            await one_row(pilot, app, storm, head)

            taken = bench.world.edit(others[4].id)
            taken.owner = next(m.id for m in desk.MEMBERS if m.name == "Marcus Bell")
            app.main.queue.go_to(head)
            await pilot.press("s", *"resolved", "ctrl+g")
            shown = await until(pilot, app, "this will happen")
            assert f"stays open: psa:{taken.id}" in shown
            assert "Marcus Bell owns it" in shown
            await pilot.press("y")
            await until_told(pilot, app, "Status: 29 of 29 writes done")
            now = [bench.world.edit(t.id) for t in storm]
            assert [t.id for t in now if t.state.name != desk.RESOLVED] == [taken.id]
            assert len(bench.world.mails) == 1

            bench.run(3600)
            incidents.outage(bench.sandbox.life, bench.hand.at, KSL.sites[0].id)
            bench.run(60)
            await pilot.press("R")
            await until(pilot, app, f"again #{parent.id}]")
            again = next(
                row.ref for row in app.main.queue.rows if "again" in app.main.queue.folds.get(row.ref, "")
            )
            app.main.queue.go_to(again)
            await pilot.press("P")
            await until(pilot, app, "Parent *")
            await pilot.press("ctrl+g")
            assert f"parent psa:{parent.id}" in await until(pilot, app, "this will happen")
