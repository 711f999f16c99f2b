"""Entering a client: shown while it holds, gone when its time is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mspterm.console.status_bar import StatusBar
from tests.console.console_desk import Hands, console, filled, screen_text, secrets, session, until_told

__all__ = ["secrets"]

pytestmark = pytest.mark.usefixtures("secrets")


async def test_the_client_entered_is_shown_until_its_time_is_over(tmp_path: Path) -> None:
    hands = Hands()
    made = session(filled(tmp_path / "state"), tmp_path / "state", clock=hands)
    async with console(made, size=(120, 30)) as (app, pilot):
        assert "IN " not in screen_text(app).splitlines()[-1]
        await pilot.press("E")
        told = await until_told(pilot, app, "You are in ")
        assert made.entry is not None
        client = made.entry.client
        assert client
        assert client in told
        assert f"IN {client} 60m" in screen_text(app)
        hands.at += timedelta(minutes=60)
        app.main.query_one(StatusBar).look()
        await pilot.pause()
        assert f"IN {client}" not in screen_text(app)


async def test_tickets_of_two_clients_are_not_entered_together(tmp_path: Path) -> None:
    made = session(filled(tmp_path / "state"), tmp_path / "state")
    async with console(made) as (app, pilot):
        await pilot.press("A", "E")
        await until_told(pilot, app, "one client at a time")
        assert made.entry is None


async def test_what_the_desk_is_told_is_what_the_guard_asks(tmp_path: Path) -> None:
    made = session(filled(tmp_path / "state"), tmp_path / "state")
    async with console(made) as (app, pilot):
        await pilot.press("E")
        await until_told(pilot, app, "You are in ")
        assert made.running is not None
        assert made.running.desk.must_enter
        entry = made.running.desk.entry
        assert entry is not None
        assert entry == replace(entry, until=made.now + timedelta(minutes=60))
