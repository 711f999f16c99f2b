"""What another kind of store would have to be: nothing outside the package knows that it is SQLite."""

from __future__ import annotations

import re
from pathlib import Path

import mspterm

ROOT = Path(mspterm.__file__).parent
_SQLITE = re.compile(r"^\s*(import|from) sqlite3\b|\bdatabase\.connection\b", re.MULTILINE)


def test_sqlite_and_its_connection_are_known_to_the_store_alone() -> None:
    files = [f for f in ROOT.rglob("*.py") if f.parent != ROOT / "store"]
    assert len(files) > 100
    assert [str(f) for f in files if _SQLITE.search(f.read_text(encoding="utf-8"))] == []
