"""A key that a rule forbids is refused with its reason, and the journal has it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.console.console_desk import DEAD, config, console, filled, secrets, session, until_told

__all__ = ["secrets"]

pytestmark = pytest.mark.usefixtures("secrets")


def journal(folder: Path) -> list[dict[str, Any]]:
    rows = [
        json.loads(line) for f in (folder / "journal").glob("*.jsonl") for line in f.read_text().splitlines()
    ]
    return [row for row in rows if row["action"] != "checkpoint"]


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("read-only", "this session is read-only"),
        ("lockdown", "writes are locked down"),
        ("connection", "rt is read-only here"),
    ],
)
async def test_a_key_that_a_rule_forbids_is_on_record(tmp_path: Path, why: str, words: str) -> None:
    folder = tmp_path / "state"
    store = filled(folder)
    if why == "lockdown":
        (folder / "lockdown").touch()
    rt = replace(DEAD, read_only=why == "connection")
    made = session(store, folder, config(rt=rt), read_only=why == "read-only")
    async with console(made) as (app, pilot):
        ref = app.main.targets()[0]
        await pilot.press("c")
        await until_told(pilot, app, f"Claim: {words}.")
        await app.workers.wait_for_complete()
        [record] = journal(folder)
        assert (record["action"], record["refs"], record["state"]) == ("claim", [ref], "refused")
        assert record["reason"] == f"refused: {words}"
        assert record["client"]


async def test_what_can_not_be_done_at_all_is_no_refusal(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    made = session(filled(folder), folder)
    async with console(made) as (app, pilot):
        await pilot.press("B")
        await until_told(pilot, app, "Reboot: no RMM is configured.")
        await app.workers.wait_for_complete()
        assert journal(folder) == []
