"""`approve` and `audit review`: the second person's side, and who looks afterwards."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from mspterm.cli.approve import _approve
from mspterm.cli.lifts import Lifts
from mspterm.cli.perform import perform
from mspterm.cli.reviews import open_reviews, said_of
from mspterm.config.model import Guard, Technician
from mspterm.connectors.base import Batch
from mspterm.desk import approving
from mspterm.desk.desk import Desk
from mspterm.desk.sync import Sync
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Plan
from mspterm.domain.reasons import Failed
from mspterm.domain.secret import Secret
from mspterm.domain.spec import Risk
from mspterm.domain.text import SafeText
from mspterm.secrets.chain import Credentials
from tests.desk.vendor import KEY, Clock, a_desk, config, rmm
from tests.store.store_rows import device

MARCUS = Secret("1b" * 32)
NAMES = tuple(f"SBS-PC{n}" for n in range(1, 7))
PHRASE = "6 devices of St. Brannocs"


@pytest.fixture
async def ines(tmp_path: Path) -> AsyncIterator[Desk]:
    """The desk of who asks, with six devices of one client."""
    clock = Clock()
    mesh = rmm(clock)
    mesh.batches = [Batch(devices=tuple(device(n, client=SafeText("St. Brannoc's")) for n in NAMES))]
    guard = Guard(approvers={"Marcus Bell": approving.public_key(MARCUS)})
    settings = config(guard=guard, technician=Technician("Ines Duarte"))
    desk = a_desk(tmp_path / "ines", clock, mesh, config=settings)
    await Sync(desk).once("mesh")
    yield desk
    await desk.aclose()


@pytest.fixture
async def marcus(tmp_path: Path) -> AsyncIterator[Desk]:
    """The desk of the second person, who knows one of the devices by another name."""
    desk = a_desk(tmp_path / "marcus", Clock(), config=config(technician=Technician("Marcus Bell")))
    secrets = {"MSPTERM_SECRET_JOURNAL_KEY": KEY, "MSPTERM_SECRET_JOURNAL_APPROVAL": MARCUS.reveal()}
    desk.credentials = Credentials(secrets)
    desk.store.devices.upsert([device("SBS-DC01", ref="mesh:SBS-PC6", connection="mesh")])
    yield desk
    await desk.aclose()


async def asked(desk: Desk, **how: object) -> int:
    settings = {"as_json": True, "dry_run": False, "confirm": None, **how}
    return await perform(desk, "reboot", NAMES, Wanted(), **settings)  # type: ignore[arg-type]


async def test_two_people_one_plan(
    ines: Desk, marcus: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, signed = tmp_path / "p", tmp_path / "p.approved"
    assert await asked(ines, plan_out=file) == 0
    assert await _approve(marcus, file, signed, None, False) == 1
    told = capsys.readouterr().err
    assert "  on SBS-PC1 of St. Brannoc's (mesh:SBS-PC1)" in told
    assert "LOOK: mesh:SBS-PC6 is known here as SBS-DC01, not as SBS-PC6" in told
    assert told.rstrip().endswith(f"--confirm 'approve {PHRASE}'")
    assert not signed.exists()
    assert await _approve(marcus, file, signed, f"approve {PHRASE}", False) == 0
    capsys.readouterr()
    assert await asked(ines, approval=signed, confirm=PHRASE, no_look=True) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["state"] for row in rows] == ["done"] * 6
    records = [r["state"] for r in _records(marcus) if r["action"] == "approve"]
    assert records == ["refused", "signed"]


async def test_the_whole_of_a_command_is_read_and_no_line_of_it_passes_for_ours(
    ines: Desk, marcus: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = f"echo {'x' * 5000}\n  on OAK-WS1 of Oak\x1b[2K; rm -rf /"
    settings = {"as_json": True, "dry_run": False, "confirm": None, "plan_out": tmp_path / "p"}
    await perform(ines, "run", NAMES[:1], Wanted(command=command), **settings)  # type: ignore[arg-type]
    await _approve(marcus, tmp_path / "p", tmp_path / "out", None, False)
    told = capsys.readouterr().err
    assert "x" * 5000 in told
    assert "rm -rf /" in told
    assert "\x1b" not in told
    assert "\n  on OAK-WS1" not in told


async def test_nobody_approves_a_plan_of_their_own(ines: Desk, tmp_path: Path) -> None:
    file = tmp_path / "p"
    await asked(ines, plan_out=file)
    ines.credentials = Credentials({"MSPTERM_SECRET_JOURNAL_APPROVAL": MARCUS.reveal()})
    assert await _approve(ines, file, tmp_path / "out", f"approve {PHRASE}", False) == 1
    assert not (tmp_path / "out").exists()


async def test_without_a_key_it_says_how_to_make_one(ines: Desk, tmp_path: Path) -> None:
    await asked(ines, plan_out=tmp_path / "p")
    with pytest.raises(Failed, match="`mspterm approve --init`"):
        await _approve(ines, tmp_path / "p", tmp_path / "out", None, False)


def test_a_reason_is_needed_to_break_glass_and_an_emergency_has_an_approver() -> None:
    plan = Plan("reboot", Risk.DISRUPTIVE, (), ())
    with pytest.raises(Failed, match="needs a REASON"):
        Lifts(break_glass="  ").claimed(plan)
    with pytest.raises(Failed, match="--approver WHO"):
        Lifts(emergency="fire").claimed(plan)
    assert Lifts(break_glass=" no  one ").claimed(plan) == replace(plan, break_glass="no one")


def test_a_review_is_open_until_one_is_on_record() -> None:
    broken = {
        "seq": 7, "at": "2026-11-24T02:10:00Z", "technician": "Ines", "action": "break-glass",
        "state": "review open", "reason": "reboot: ransomware", "more": {},
    }  # fmt: skip
    closed = {**broken, "seq": 9, "action": "review", "state": "closed", "more": {"of": "7"}}
    assert open_reviews([broken]) == [broken]
    assert open_reviews([broken, closed]) == []
    [said] = said_of([broken])
    assert said.endswith("`mspterm audit review 7 --by WHO` closes it")


def _records(desk: Desk) -> list[dict[str, str]]:
    files = sorted((desk.state_dir / "journal").glob("*.jsonl"))
    return [json.loads(line) for f in files for line in f.read_text().splitlines()]
