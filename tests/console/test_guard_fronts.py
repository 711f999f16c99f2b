"""What the guard refuses, the console and the command line refuse alike, and the journal says so."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input
from textual.worker import Worker

from mspterm.cli.perform import perform
from mspterm.config.model import Client, Guard
from mspterm.console.acting import Acting
from mspterm.console.dialogs.confirm import ConfirmDialog, RefusedDialog
from mspterm.console.dialogs.form import FormDialog
from mspterm.console.dialogs.result import LookDialog
from mspterm.console.drafts import Drafts
from mspterm.console.session import Running
from mspterm.desk import approving, plan_file
from mspterm.desk.actions import BY_NAME
from mspterm.desk.circumstances import enter
from mspterm.desk.desk import Desk
from mspterm.desk.perform import Performer
from mspterm.desk.planner import Planner
from mspterm.desk.sync import Sync
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Result, State
from mspterm.domain.secret import Secret
from mspterm.domain.text import SafeText
from tests.console.pane_app import Room, a_room, shown, text, until, until_text
from tests.store.store_rows import device

OAK = tuple(f"mesh:OAK-WS{n}" for n in range(1, 9))
MARCUS = Secret("1b" * 32)


def journal(desk: Desk) -> list[dict[str, Any]]:
    files = sorted((desk.state_dir / "journal").glob("*.jsonl"))
    rows = [json.loads(line) for f in files for line in f.read_text().splitlines()]
    return [row for row in rows if row["action"] != "checkpoint"]


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """Eight devices of Oak and one of Harborview; Marcus may sign."""
    room = a_room(tmp_path)
    room.desk.store.devices.upsert(device(ref.partition(":")[2], client=SafeText("Oak")) for ref in OAK)
    room.desk.store.devices.upsert([device("HVD-DC01", client=SafeText("Harborview"))])
    approvers = {"Marcus Bell": approving.public_key(MARCUS)}
    room.desk.config = replace(room.desk.config, guard=Guard(approvers=approvers))
    return room


# The two front ends


class Console:
    """The console's way of an action on a room's desk, where Oak is entered."""

    def __init__(self, room: Room, pilot: Pilot[None]) -> None:
        desk = room.desk
        desk.must_enter = True
        enter(desk, "Oak")
        self.room, self.pilot = room, pilot
        self.told: list[str] = []
        running = Running(desk, Planner(desk), Performer(desk), Sync(desk))
        self._acting = Acting(
            room.app,
            running,
            Drafts(desk.state_dir),
            tell=lambda said, role="text": self.told.append(said),
            flying=lambda step: None,
            doing=lambda what: None,
        )

    def reboot(self, refs: Sequence[str]) -> Worker[Sequence[Result]]:
        return self.room.app.run_worker(self._acting.run(BY_NAME["reboot"], tuple(refs), None))

    async def on(self, dialog: type) -> str:
        """The text of this dialog, once it takes keys."""
        app = self.room.app
        await until(self.pilot, lambda: isinstance(app.screen, dialog) and app.focused is not None)
        return " ".join(text(app).split())

    async def fill(self, *words: str, key: str) -> None:
        """Puts words into one input after the other, and presses the key: typing is tested elsewhere."""
        for input_, word in zip(self.room.app.screen.query(Input), words, strict=True):
            input_.value = word
        await self.pilot.press(key)


@asynccontextmanager
async def a_console(room: Room) -> Any:
    async with shown(room, size=(120, 40)) as pilot:
        yield Console(room, pilot)


async def on_the_command_line(
    room: Room, refs: Sequence[str], phrase: str, capsys: pytest.CaptureFixture[str], **how: Any
) -> tuple[int, list[dict[str, Any]]]:
    status = await perform(
        room.desk, "reboot", refs, Wanted(), as_json=True, dry_run=False, confirm=phrase, **how
    )
    return status, json.loads(capsys.readouterr().out)


# What both refuse


@dataclass(frozen=True, slots=True)
class Case:
    """`arranged` makes the desk refuse these devices, in these words."""

    refs: tuple[str, ...]
    words: str
    arranged: Callable[[Desk], None] = lambda desk: None


def _frozen(desk: Desk) -> None:
    today = desk.now().date().isoformat()
    desk.config = replace(desk.config, clients={"Oak": Client("Oak", freezes=((today, today, "year end"),))})


def _locked(desk: Desk) -> None:
    (desk.state_dir / "lockdown").touch()


def _read_only(desk: Desk) -> None:
    desk.read_only = True


def _flagged(desk: Desk) -> None:
    desk.config = replace(desk.config, guard=Guard(flags={"OAK-WS1": ("do-not-touch",)}))


CASES = {
    "two clients": Case((OAK[0], "mesh:HVD-DC01"), "the devices are of 2 clients, the cap is 1"),
    "a sixth device": Case(OAK[:6], "6 devices are more than the cap of 5"),
    "a freeze": Case(OAK[:1], "Oak: change freeze until", _frozen),
    "a lockdown": Case(OAK[:1], "lockdown is on", _locked),
    "read-only": Case(OAK[:1], "this session is read-only", _read_only),
    "a flagged device": Case(OAK[:1], "OAK-WS1 is flagged do-not-touch", _flagged),
}


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
async def test_it_is_refused_on_both_and_recorded_each_time(
    room: Room, case: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    case.arranged(room.desk)
    status, rows = await on_the_command_line(room, case.refs, "any", capsys)
    assert (status, {row["state"] for row in rows}) == (1, {"refused"})
    assert all(case.words in row["reason"] and row["reason"].startswith("refused: ") for row in rows)
    by_verb = journal(room.desk)
    async with a_console(room) as at:
        worker = at.reboot(case.refs)
        assert case.words in await at.on(RefusedDialog)
        await at.pilot.press("escape")
        assert await worker.wait() == ()
        in_console = journal(room.desk)[len(by_verb) :]
    for records in (by_verb, in_console):
        assert [record["refs"] for record in records] == [[ref] for ref in case.refs]
        assert all(r["state"] == "refused" and case.words in r["reason"] for r in records)
    assert "act" not in room.mesh.calls


async def test_an_expired_entry_is_refused_in_the_console(room: Room) -> None:
    async with a_console(room) as at:
        room.now.pass_by(minutes=61)
        worker = at.reboot(OAK[:1])
        assert "your time in Oak ended" in await at.on(RefusedDialog)
        await at.pilot.press("escape")
        assert await worker.wait() == ()
    assert "your time in Oak ended" in journal(room.desk)[-1]["reason"]


async def test_a_plan_that_changed_after_it_was_shown_is_refused_on_both(
    room: Room, capsys: pytest.CaptureFixture[str]
) -> None:
    status, [row] = await on_the_command_line(room, OAK[:1], "OAK-WS1", capsys, plan_hash="0" * 16)
    assert (status, row["state"]) == (1, "refused")
    assert row["reason"].startswith("conflict: the plan changed since it was shown")
    async with a_console(room) as at:
        worker = at.reboot(OAK[:1])
        await at.on(ConfirmDialog)
        moved = device("OAK-WS1", client=SafeText("Harborview"), observed_at=room.now())
        room.desk.store.devices.upsert([moved])
        await at.fill("OAK-WS1", key="enter")
        [result] = await worker.wait()
        assert "is OAK-WS1 of Harborview by now" in str(result.outcome.failure)
        assert [r["state"] for r in journal(room.desk)] == ["refused", "refused"]
    assert "act" not in room.mesh.calls


# What lifts it, in the console


async def test_an_emergency_with_its_approver_lifts_a_freeze(room: Room) -> None:
    _frozen(room.desk)
    async with a_console(room) as at:
        worker = at.reboot(OAK[:1])
        await at.on(RefusedDialog)
        await at.pilot.press("ctrl+g")
        await at.on(FormDialog)
        await at.fill("ransomware", "Dana Cole", key="ctrl+g")
        asked = await at.on(ConfirmDialog)
        assert "emergency: ransomware; approved by Dana Cole" in asked
        assert "acting as Ines Duarte (personal) in mesh" in asked
        await at.fill("OAK-WS1", key="enter")
        [result] = await worker.wait()
        assert result.outcome.state is State.DONE
    assert journal(room.desk)[-2]["reason"] == "emergency: ransomware; approved by Dana Cole"


async def test_a_signed_file_lifts_a_cap_and_batches_are_looked_at(room: Room, tmp_path: Path) -> None:
    async with a_console(room) as at:
        worker = at.reboot(OAK)
        await at.on(RefusedDialog)
        await at.pilot.press("ctrl+g")
        await at.on(FormDialog)
        [asked] = (room.desk.state_dir / "plans").glob("*.plan")
        signed = approving.sign(plan_file.read_request(asked), "Marcus Bell", room.now(), MARCUS)
        plan_file.write(tmp_path / "signed", signed)
        await at.fill(str(tmp_path / "signed"), "", key="ctrl+g")
        assert "second person: approved by Marcus Bell" in await at.on(ConfirmDialog)
        await at.fill("8 devices of Oak", key="enter")
        assert "before the next of 7 left" in await at.on(LookDialog)
        await at.pilot.press("ctrl+g")
        await until_text(at.pilot, "before the next of 2 left")
        await until(at.pilot, lambda: room.app.focused is not None)
        await at.pilot.press("escape")
        results = await worker.wait()
    assert [r.outcome.state for r in results] == [State.DONE] * 6 + [State.REFUSED] * 2
    assert room.mesh.calls.count("act") == 6


async def test_glass_is_broken_with_its_own_words(room: Room) -> None:
    async with a_console(room) as at:
        worker = at.reboot(OAK[:6])
        await at.on(RefusedDialog)
        await at.pilot.press("ctrl+g")
        await at.on(FormDialog)
        await at.fill("", "ransomware", key="ctrl+g")
        await at.on(ConfirmDialog)
        await at.fill("6 devices of Oak", key="enter")
        await until_text(at.pilot, "reads exactly: break glass 6 devices of Oak")
        await at.pilot.press("escape")
        assert await worker.wait() == ()
    assert "act" not in room.mesh.calls
