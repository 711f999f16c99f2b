"""The outbox's screen: what it shows of each write, and what a person decides there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from mspterm.console.app import MsptermApp
from mspterm.domain.action import Audience, Update
from mspterm.store.intents import Intent
from tests.console.console_desk import NOW, console, filled, screen_text, secrets, session, until, until_told

__all__ = ["secrets"]
pytestmark = pytest.mark.usefixtures("secrets")


def intent(number: int, state: str, reason: str | None, text: str) -> Intent:
    write = Update(f"rt:{number}", text=text, audience=Audience.INTERNAL)
    return Intent(f"01{number}", f"rt:{number}", "rt", "note", state, reason, NOW, 1, "h", write)


@asynccontextmanager
async def opened(tmp_path: Path) -> AsyncIterator[tuple[MsptermApp, Pilot[int]]]:
    store = filled(tmp_path)
    for made in (
        intent(1, "queued", "offline: rt can't be reached. It waits in the outbox.", "rang them"),
        intent(2, "uncertain", "unknown: rt did not say.", "the disk [b]is[/b] full"),
        intent(3, "failed", "permission: RT refused this.", "no right"),
    ):
        store.intents.add(made)
    async with console(session(store, tmp_path), (100, 30)) as (app, pilot):
        await pilot.press("O")
        await until(pilot, app, "Outbox")
        yield app, pilot


def state(app: MsptermApp, number: int) -> str:
    found = app.session.store.intents.get(f"01{number}")
    assert found is not None
    return found.state


async def test_what_is_uncertain_comes_first_with_its_words_and_why(tmp_path: Path) -> None:
    async with opened(tmp_path) as (app, _):
        text = screen_text(app)
        assert text.index("uncertain") < text.index("failed") < text.index("queued")
        assert "> uncertain" in text
        for words in ("rt did not say", "the disk [b]is[/b] full", "RT refused this", "rang them"):
            assert words in text


async def test_one_press_asks_and_the_second_decides(tmp_path: Path) -> None:
    async with opened(tmp_path) as (app, pilot):
        await pilot.press("a")
        await until(pilot, app, "a once more says that you saw it at the server")
        assert state(app, 2) == "uncertain"
        await pilot.press("a")
        await until_told(pilot, app, "it had arrived")
        assert state(app, 2) == "confirmed"


async def test_moving_takes_a_question_back(tmp_path: Path) -> None:
    async with opened(tmp_path) as (app, pilot):
        await pilot.press("x", "down", "x")
        await until(pilot, app, "x once more gives it up for good")
        assert (state(app, 2), state(app, 3)) == ("uncertain", "failed")
        await pilot.press("x")
        await until_told(pilot, app, "never sent")
        assert (state(app, 2), state(app, 3)) == ("uncertain", "cancelled")


async def test_what_can_not_be_decided_says_why(tmp_path: Path) -> None:
    async with opened(tmp_path) as (app, pilot):
        await pilot.press("down", "down", "a", "a")
        await until_told(pilot, app, "has not arrived")
        assert state(app, 1) == "queued"


async def test_sending_again_with_the_server_gone_waits_on(tmp_path: Path) -> None:
    async with opened(tmp_path) as (app, pilot):
        await pilot.press("down", "down", "s", "s")
        await until_told(pilot, app, "rt:1: queued")
        assert state(app, 1) == "queued"
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is app.main
