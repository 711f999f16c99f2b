"""Running on devices from the console: the RMM's scripts are offered, several devices go in batches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mspterm.connectors.base import Script
from mspterm.connectors.ninjaone.manifest import MANIFEST as NINJA
from mspterm.console.dialogs import AskContext, ask
from mspterm.console.dialogs.frame import Dialog
from mspterm.desk.actions import BY_NAME
from mspterm.desk.planner import Planner
from mspterm.desk.wanted import Wanted
from mspterm.domain.text import SafeText
from tests.console.pane_app import Room, TalkingVendor, a_room, shown, text, until, until_text

DEVICE = "mesh:OAK-DC01"


class WithScripts(TalkingVendor):
    """An RMM that runs the scripts of its library and no command line, as NinjaOne is."""

    async def scripts(self, id: str) -> tuple[Script, ...]:
        named = {"7": "Restart print spooler", "9": "Clear temp files"}
        return tuple(Script(i, SafeText(n), SafeText("powershell")) for i, n in named.items())


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return a_room(tmp_path)


@pytest.fixture
def ninja(tmp_path: Path) -> Room:
    """The RMM is a NinjaOne."""
    room = a_room(tmp_path)
    vendor = WithScripts(room.mesh)
    vendor.manifest = NINJA
    kinds = {**room.desk.config.connections}
    kinds["mesh"] = replace(kinds["mesh"], kind="ninjaone")
    room.desk.config = replace(room.desk.config, connections=kinds)
    room.desk._connectors["mesh"] = vendor
    return room


async def run(room: Room, *keys: str, words: str = "", before: Wanted | None = None) -> tuple[Any, str]:
    """What the form ends with after these keys, and what it showed before the last of them."""
    async with shown(room) as pilot:
        about = AskContext(room.desk, Planner(room.desk), (DEVICE,), before=before)
        worker = room.app.run_worker(ask(room.app, BY_NAME["run"], about))
        await until(pilot, lambda: isinstance(room.app.screen, Dialog) and room.app.focused is not None)
        if words:
            await until_text(pilot, words)
        await pilot.press(*keys[:-1])
        seen = text(room.app)
        await pilot.press(*keys[-1:])
        return await worker.wait(), seen


async def test_a_library_is_offered_by_name_with_its_parameters(ninja: Room) -> None:
    keys = (*"spool", "enter", *"Wait=5", "ctrl+g")
    wanted, seen = await run(ninja, *keys, words="Restart print spooler (7)")
    assert wanted == Wanted(script="7", command="Wait=5")
    assert "not here: NinjaOne runs the scripts of its library" in seen


async def test_without_a_library_a_command_is_typed(room: Room) -> None:
    wanted, seen = await run(room, *"uptime", "ctrl+g")
    assert wanted == Wanted(command="uptime")
    assert "not here: MeshCentral has no API for it" in seen


async def test_what_was_chosen_stands_there_again(ninja: Room) -> None:
    before = Wanted(script="7", command="Wait=5")
    wanted, _ = await run(ninja, "ctrl+g", words="Restart print spooler (7)", before=before)
    assert wanted == before


async def test_neither_is_not_sent(room: Room) -> None:
    wanted, seen = await run(room, "tab", "ctrl+g", "escape")
    assert wanted is None
    assert "Either a command or a script" in seen


async def test_the_plan_calls_a_script_by_its_name(ninja: Room) -> None:
    plan = await Planner(ninja.desk).plan("run", [DEVICE], Wanted(script="7", command="Wait=5"))
    assert plan.lines[0].endswith("script Restart print spooler (7) Wait=5")
