"""A console on a real store of made-up tickets, driven by Textual's pilot; no network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from mspterm.config.model import Config, Connection
from mspterm.console.app import MsptermApp
from mspterm.console.crash import CrashReporter
from mspterm.console.session import Session
from mspterm.console.terminal import survey
from mspterm.domain.row import ClockState, StatusClass
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Clock, Sla, Ticket
from mspterm.store.store import Store

NOW = datetime(2026, 11, 24, 2, 10, tzinfo=UTC)
# Nothing listens on port 1 of loopback: the connection is refused at once.
DEAD = Connection("rt", "rt", "http://127.0.0.1:1", me="ines")
_CLIENTS = ("Oakline Manufacturing", "Harborview Dental", "Kestrel Logistics")


def ticket(number: int, **changes: Any) -> Ticket:
    """Ticket `number`, due that many hours from NOW; every third one is mine, every third nobody's."""
    owners = ((None, None), (SafeText("Ines Duarte"), "ines"), (SafeText("Tom Okafor"), "tom"))
    name, login = owners[number % 3]
    made = Ticket(
        ref=f"rt:{number}",
        connection="rt",
        id=str(number),
        number=str(number),
        summary=SafeText(f"Printer {number} prints blank pages"),
        status=SafeText("open"),
        status_class=StatusClass.OPEN,
        created_at=NOW - timedelta(days=1, minutes=number),
        updated_at=NOW - timedelta(hours=number),
        observed_at=NOW,
        client=SafeText(_CLIENTS[number % 3]),
        queue=SafeText("Service Desk"),
        assignee=name,
        assignee_id=login,
        priority=3,
        sla=Sla(resolution=Clock(ClockState.RUNNING, NOW + timedelta(hours=number), "psa")),
    )
    return replace(made, **changes)


def filled(folder: Path, tickets: int = 12) -> Store:
    """A store in which the connection `rt` has been read in full."""
    store = Store(folder)
    store.tickets.upsert([ticket(n) for n in range(1, tickets + 1)])
    store.connections.caught_up("rt", NOW, "cursor", full=True, skipped=[])
    return store


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials from the environment: no test asks this machine's keyring."""
    monkeypatch.setenv("MSPTERM_SECRET_RT_TOKEN", "1-2-cafe0bad")
    monkeypatch.setenv("MSPTERM_SECRET_JOURNAL_KEY", "cafe0bad" * 8)


def config(*, rt: Connection = DEAD, keys: Mapping[str, str] | None = None, **changes: Any) -> Config:
    return Config(connections={"rt": rt}, keys=keys or {}, **changes)


class Hands:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> float:
        return self.at.timestamp()


def session(
    store: Store,
    folder: Path,
    settings: Config | None = None,
    *,
    read_only: bool = False,
    clock: Callable[[], float] = NOW.timestamp,
) -> Session:
    settings = config() if settings is None else settings
    return Session(settings, folder, store, read_only=read_only, clock=clock)


@asynccontextmanager
async def console(
    made: Session, size: tuple[int, int] = (80, 24), env: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[MsptermApp, Pilot[int]]]:
    """The app, once its rows are read and its desk is open."""
    here = survey(env or {"TERM": "xterm-256color"}, ttys=True, size=size)
    app = MsptermApp(made, here, CrashReporter(made.state_dir, lambda: (), lambda: NOW))
    async with app.run_test(size=size, notifications=True) as pilot:
        while made.running is None:
            await pilot.pause()
        await pilot.pause()
        yield app, pilot


def screen_lines(app: MsptermApp) -> list[str]:
    """What the open screen shows, as text."""
    return [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]


def screen_text(app: MsptermApp) -> str:
    return "\n".join(screen_lines(app))


async def until(pilot: Pilot[int], app: MsptermApp, words: str) -> str:
    """The screen's text as soon as `words` are in it."""
    for _ in range(500):
        if words in screen_text(app):
            return screen_text(app)
        await pilot.pause(0.02)
    raise AssertionError(f"{words!r} never came:\n{screen_text(app)}\n{list(app.messages)}")


async def until_told(pilot: Pilot[int], app: MsptermApp, words: str) -> str:
    """The first message with `words` in it, as soon as it has come."""
    for _ in range(500):
        found = [text for _, text, _ in app.messages if words in text]
        if found:
            return found[0]
        await pilot.pause(0.02)
    raise AssertionError(f"{words!r} was never told:\n{list(app.messages)}")
