"""A plan that is longer than the screen: all of it can be read, and what is at stake is always in view."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input

from mspterm.console.commands import key_map, textual_keymap
from mspterm.console.dialogs import confirm, show_results
from mspterm.console.dialogs.confirm import refused
from mspterm.domain.action import Allow, Ask, Lift, Plan, Refuse
from mspterm.domain.reasons import Failure, Reason
from tests.console.pane_app import Room, a_room, shown, until, until_text
from tests.console.test_confirming import a_plan, a_result
from tests.console.test_dialogs import Asked, asking
from tests.console.test_sizes import in_view, misplaced

SMALL, USUAL = (60, 16), (80, 24)
ROWS = tuple(f"row {n:02}{' and what more is to be said of it' * 2 if n % 9 == 0 else ''}" for n in range(40))


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return a_room(tmp_path)


def a_long_plan(phrase: str | None = None) -> Plan:
    return replace(a_plan(phrase), lines=ROWS)


@asynccontextmanager
async def reading(
    room: Room, verdict: Allow | Ask | Refuse, size: tuple[int, int] = SMALL, plan: Plan | None = None
) -> AsyncIterator[Asked]:
    plan = plan or a_long_plan(verdict.phrase if isinstance(verdict, Ask) else None)
    async with shown(room, size=size) as pilot:
        dialog = (
            refused(room.app, plan, verdict)
            if isinstance(verdict, Refuse)
            else confirm(room.app, plan, verdict)
        )
        asked = Asked(pilot, room.app.run_worker(dialog))
        await until(pilot, lambda: asked.open and room.app.focused is not None)
        await pilot.pause()
        yield asked
        if not asked.worker.is_finished:
            await asked.press("escape")


def stakes(count: int) -> tuple[str, ...]:
    return tuple(f"flag {n:02}" for n in range(count))


REFUSAL = Refuse(Failure(Reason.REFUSED, "80 devices are more than one plan may have. " * 4), Lift.EMERGENCY)


@pytest.mark.parametrize("size", [SMALL, USUAL])
@pytest.mark.parametrize("verdict", [Allow(), Ask(stakes(3), "do it"), Ask(stakes(16), "do it"), REFUSAL])
async def test_every_row_can_be_read(
    room: Room, verdict: Allow | Ask | Refuse, size: tuple[int, int]
) -> None:
    at_stake = verdict.stake if isinstance(verdict, Ask) else ()
    async with reading(room, verdict, size) as asked:
        assert all(f"At stake: {row}" in asked.text for row in at_stake[:3])
        assert "plan 1-" in asked.text
        assert ": PgDn" in asked.text
        seen = ""
        for _ in range(40):
            seen += asked.text
            assert "(ctrl+g)" in asked.text
            assert "(esc)" in asked.text
            assert misplaced(asked.pilot.app.screen) == []
            assert in_view(asked.pilot.app.screen)
            if ": PgDn" not in asked.text:
                break
            await asked.press("pagedown")
        assert [row[:6] for row in ROWS if row[:6] not in seen] == []
        assert [row for row in at_stake if row not in seen] == []
        assert ": PgDn" not in asked.text


async def test_the_plan_moves_by_lines_and_to_its_ends(room: Room) -> None:
    async with reading(room, Allow()) as asked:
        await asked.press("end")
        assert "row 39" in asked.text
        await asked.press("up", "k")
        assert "row 39" not in asked.text
        await asked.press("down", "j")
        assert "row 39" in asked.text
        await asked.press("home")
        assert "plan 1-" in asked.text
        await asked.press("space", "pageup")
        assert "plan 1-" in asked.text
        assert not asked.worker.is_finished


async def test_what_belongs_to_the_phrase_stays_the_phrases(room: Room) -> None:
    async with reading(room, Ask(stakes(1), "joke book")) as asked:
        await asked.type("oke boo")
        await asked.press("home", "j", "end", "k")
        assert asked.pilot.app.screen.query_one(Input).value == "joke book"
        assert "plan 1-" in asked.text
        await asked.press("pagedown")
        assert "plan 1-" not in asked.text
        await asked.press("x", "enter")
        assert "Nothing is sent until it reads exactly" in asked.text
        assert "At stake: flag 00" in asked.text


async def test_a_plan_that_fits_says_nothing_of_keys_at_any_size(room: Room) -> None:
    plan = replace(a_plan(), lines=ROWS[:20])
    async with reading(room, Allow(), (80, 50), plan) as asked:
        frame = asked.pilot.app.screen.query_one("#frame")
        high = frame.size.height
        assert "PgDn" not in asked.text
        await asked.pilot.resize_terminal(*SMALL)
        await until_text(asked.pilot, ": PgDn")
        assert misplaced(asked.pilot.app.screen) == []
        await asked.pilot.resize_terminal(80, 50)
        await until(asked.pilot, lambda: frame.size.height == high)
        assert "PgDn" not in asked.text


def remap(room: Room, remapped: Mapping[str, str]) -> None:
    """What the console does with the config's `[keys]`."""
    keys, problems = key_map(remapped)
    assert problems == []
    room.app.command_keys = keys  # type: ignore[attr-defined]
    room.app.set_keymap(textual_keymap(keys))


async def test_hints_name_the_keys_that_the_config_gave(room: Room) -> None:
    remap(room, {"yes": "j", "plan_page_down": "f6", "text_down": "f7"})
    async with reading(room, Allow()) as asked:
        assert "Enter or j sends" in asked.text
        assert ": f6" in asked.text
        await asked.press("f6")
        assert "plan 1-" not in asked.text
        # The plan had it, too, and has another.
        await asked.press("j")
        assert await asked.end() is not None


async def test_a_results_hint_names_them_too(room: Room) -> None:
    remap(room, {"text_down": "f7"})
    async with shown(room) as pilot:
        worker = room.app.run_worker(show_results(room.app, a_plan(), [a_result(output="up 3 days")]))
        await until_text(pilot, "f7 and up scroll")
        await pilot.press("escape")
        await worker.wait()


async def test_a_fields_hint_names_them_too(room: Room) -> None:
    remap(room, {"next_choice": "f8"})
    async with asking(room, "status", "rt:1") as asked:
        await until(asked.pilot, lambda: "choices" in room.rt.calls)
        asked.entry("status").focus()
        await asked.type("nonsense")
        await asked.press("ctrl+g")
        await until_text(asked.pilot, "nothing is called nonsense; f8 shows what there is")
