"""Texts that wait to be sent."""

from __future__ import annotations

import stat
from pathlib import Path

from mspterm.console.drafts import Drafts


def test_a_draft_is_its_writers_alone_and_comes_back(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    path = drafts.keep("note", ["rt:42"], "Swapped the toner\n日本")
    assert drafts.find("note", ["rt:42"]) == "Swapped the toner\n日本"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_drafts_of_other_tickets_and_actions_are_apart(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    refs: tuple[list[str], ...] = (
        ["rt:1"],
        ["rt_1"],
        ["rt:1", "rt:2"],
        ["rt:1_rt:2"],
        ["rt:asset:1"],
        ["rt:asset/1"],
        [],
        ["rt:../../x"],
    )
    for number, each in enumerate(refs):
        drafts.keep("note", each, str(number))
    assert [drafts.find("note", each) for each in refs] == [str(n) for n in range(len(refs))]
    assert drafts.find("reply", ["rt:1"]) is None
    assert {p.parent for p in tmp_path.rglob("*.txt")} == {tmp_path / "drafts"}


def test_a_dropped_draft_is_gone_and_dropping_none_is_no_error(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    drafts.keep("note", ["rt:1"], "x")
    drafts.drop("note", ["rt:1"])
    drafts.drop("note", ["rt:1"])
    assert drafts.find("note", ["rt:1"]) is None
