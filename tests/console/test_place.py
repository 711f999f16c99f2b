"""The file with where the console was left."""

from __future__ import annotations

import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from mspterm.console.place import Left, Place, PlaceFile
from mspterm.domain.reasons import Failed
from tests.console.console_desk import NOW

SOMEWHERE = Place("mine", "client:oak", "due", "rt:4", ("rt:1", "rt:4"), ("rt:4", "mesh:7"))


def test_a_place_comes_back_within_its_hours_and_not_after(tmp_path: Path) -> None:
    file = PlaceFile(tmp_path / "state")
    file.write(SOMEWHERE, NOW)
    assert file.read(NOW + timedelta(hours=12), 12) == Left(SOMEWHERE, NOW)
    assert file.read(NOW + timedelta(hours=12, seconds=1), 12) is None
    assert file.read(NOW - timedelta(seconds=1), 12) is None


def test_it_is_its_writers_alone_and_replaced_whole(tmp_path: Path) -> None:
    file = PlaceFile(tmp_path / "state")
    file.write(SOMEWHERE, NOW)
    file.write(Place(), NOW)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [p.name for p in file.path.parent.iterdir()] == ["console.json"]
    assert file.read(NOW, 12) == Left(Place(), NOW)


def test_nothing_was_left_where_there_is_no_file(tmp_path: Path) -> None:
    assert PlaceFile(tmp_path).read(NOW, 12) is None


def changed(**values: object) -> str:
    whole = {"version": 1, "at": NOW.isoformat(), "view": "all", "filter": "", "sort": "due", "cursor": None}
    return json.dumps({**whole, "marked": [], "open": [], **values})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Expecting value"),
        ("[]", "another version"),
        (changed(version=2), "another version"),
        (changed(view=5), "5 is no text"),
        (changed(marked="rt:1"), None),
        (changed(marked=[None]), "None is no text"),
        (changed(open=7), "not iterable"),
        (changed(at="yesterday"), "yesterday"),
        (changed(at="2026-11-24T02:10:00"), "no time zone"),
        ("[" * 100_000, "recursion"),
        ('{"version": 1}', "'cursor'"),
    ],
)
def test_what_can_not_be_understood_is_told(tmp_path: Path, text: str, why: str | None) -> None:
    file = PlaceFile(tmp_path)
    file.path.write_text(text)
    if why is None:
        assert file.read(NOW, 12) is not None
        return
    with pytest.raises(Failed, match=why) as error:
        file.read(NOW, 12)
    assert "it starts afresh" in str(error.value)
