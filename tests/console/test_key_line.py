"""Keys that come in one write, as a paste or ssh sends them: each goes where the one before it led."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import Key, Paste
from textual.keys import _character_to_key
from textual.widgets import TextArea

from mspterm.console.app import MsptermApp
from mspterm.console.dialogs.confirm import ConfirmDialog
from mspterm.console.dialogs.form import FormDialog
from tests.console.console_desk import console, filled, screen_lines, secrets, session, until

__all__ = ["secrets"]
pytestmark = pytest.mark.usefixtures("secrets")
_NAMES = {"\r": "enter", "\x07": "ctrl+g", "\x1b": "escape"}


def in_one_write(app: MsptermApp, text: str) -> None:
    """All keys reach the app before it has dealt with any."""
    for character in text:
        app.post_message(Key(_NAMES.get(character) or _character_to_key(character), character))


async def test_filter_takes_what_comes_with_its_key(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        in_one_write(app, "/client:oak 12\r")
        await until(pilot, app, "/ client:oak 12")
        assert [row.number for row in app.main.queue.rows] == ["12"]


async def test_keys_behind_a_kept_filter_go_to_the_list(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        in_one_write(app, "/client:oak\rj")
        await until(pilot, app, "/ client:oak")
        await pilot.pause()
        assert app.main.queue.place == (2, 4)


async def test_paste_behind_the_filter_key_is_its_text(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        in_one_write(app, "/")
        app.post_message(Paste("client:oak"))
        in_one_write(app, "\r")
        await until(pilot, app, "/ client:oak")


async def test_palette_takes_what_comes_with_its_key(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        in_one_write(app, ":sort\r")
        await until(pilot, app, " by due\n")
        assert app.screen is app.main


async def test_form_takes_the_letters_that_come_with_its_key_but_is_not_sent(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path), (120, 40)) as (app, pilot):
        in_one_write(app, "nseen\x07")
        await until(pilot, app, "seen")
        await pilot.pause()
        assert isinstance(app.screen, FormDialog)
        assert app.screen.query_one(TextArea).text == "seen"
        assert "!" not in screen_lines(app)[-4]


async def test_sending_does_not_overtake_the_text_before_it(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path), (120, 40)) as (app, pilot):
        await pilot.press("n")
        await until(pilot, app, "Send (ctrl+g)")
        in_one_write(app, "seen\x07")
        await until(pilot, app, "Enter or y sends")
        assert isinstance(app.screen, ConfirmDialog)
        assert "seen" in await until(pilot, app, "seen")


async def test_nothing_typed_ahead_confirms(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path), (120, 40)) as (app, pilot):
        await pilot.press("n")
        await until(pilot, app, "Send (ctrl+g)")
        in_one_write(app, "seen\x07y\ry")
        await until(pilot, app, "Enter or y sends")
        await pilot.pause(0.1)
        assert isinstance(app.screen, ConfirmDialog)
        assert app.session.store.intents.listed(app.session.now) == []


async def test_opened_ticket_and_back_in_one_write(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        in_one_write(app, "j\r\x1bj")
        for _ in range(100):
            await pilot.pause(0.02)
            if app.main.queue.place[0] == 3:
                break
        assert app.main.queue.place == (3, 12)
        assert app.screen is app.main
