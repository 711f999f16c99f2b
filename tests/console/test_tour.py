"""The tour: five keys below the queue, until they are put away."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.console_desk import config, console, filled, screen_lines, screen_text, secrets, session

__all__ = ["secrets"]
pytestmark = pytest.mark.usefixtures("secrets")


@pytest.mark.parametrize("width", [80, 120, 200])
async def test_five_keys_and_how_to_put_them_away_fit(tmp_path: Path, width: int) -> None:
    async with console(session(filled(tmp_path), tmp_path), (width, 24)) as (app, _):
        strip = screen_lines(app)[-3]
        assert strip.startswith(" Start here:  g ")
        assert [f" {key} " in strip for key in ("g", "Enter", "u", "/", ":", "h")] == [True] * 6
        assert "…" not in strip


async def test_it_leaves_the_queue_fifteen_rows_and_the_keys(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path, 40), tmp_path)) as (app, pilot):
        assert sum("prints blank" in row for row in screen_lines(app)) >= 15
        assert app.main.queue.has_focus
        await pilot.press("down")
        assert app.main.queue.place[0] == 2


async def test_put_away_it_stays_away_until_asked_for(tmp_path: Path) -> None:
    store = filled(tmp_path)
    async with console(session(store, tmp_path)) as (app, pilot):
        await pilot.press("h")
        await pilot.pause()
        assert "Start here" not in screen_text(app)
    async with console(session(store, tmp_path)) as (app, pilot):
        assert "Start here" not in screen_text(app)
        await pilot.press("h")
        await pilot.pause()
        assert "Start here" in screen_lines(app)[-3]


async def test_it_names_the_keys_as_the_config_has_them(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path, config(keys={"next": "f5"}))) as (app, _):
        assert "f5 Next" in screen_lines(app)[-3]
