"""The journal: what verifying finds, and two processes at once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mspterm.desk.journal import Entry, Journal
from mspterm.domain.reasons import Failed
from mspterm.domain.secret import Secret
from tests.store.store_rows import NOW

KEY = Secret("cd" * 32)
ENTRY = Entry("note", ("rt:1",), "Oak", "intent", None, "01A", "hash", "Ines Duarte (personal)")


def written(folder: Path, count: int = 6, key: Secret | None = KEY) -> Journal:
    journal = Journal(folder, key, "ines")
    for n in range(count):
        journal.append(ENTRY, NOW + timedelta(days=20 * n))
    return journal


def test_a_whole_chain_verifies_over_months(tmp_path: Path) -> None:
    journal = written(tmp_path)
    assert len(journal.files()) > 1
    found = journal.verify()
    assert (found.checked, found.bad, found.unkeyed) == (6, None, 0)


def _edit(lines: list[str], at: int) -> list[str]:
    lines[at] = lines[at].replace("rt:1", "rt:2")
    return lines


def _swap(lines: list[str], at: int) -> list[str]:
    other = (at + 1) % len(lines)
    lines[at], lines[other] = lines[other], lines[at]
    return lines


ATTACKS: dict[str, Callable[[list[str], int], list[str]]] = {
    "edit": _edit,
    "swap": _swap,
    "delete": lambda lines, at: lines[:at] + lines[at + 1 :],
    "duplicate": lambda lines, at: lines[: at + 1] + lines[at:],
    "garble": lambda lines, at: [*lines[:at], "{", *lines[at + 1 :]],
}


@settings(max_examples=40, deadline=None)
@given(attack=st.sampled_from(sorted(ATTACKS)), at=st.integers(0, 6))
def test_every_change_but_a_cut_tail_is_found_at_its_record(
    tmp_path_factory: pytest.TempPathFactory, attack: str, at: int
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    journal = Journal(folder, KEY, "ines")
    for _ in range(8):
        journal.append(ENTRY, NOW)
    [file] = journal.files()
    file.write_text("\n".join(ATTACKS[attack](file.read_text().splitlines(), at)) + "\n")
    found = journal.verify()
    assert found.bad is not None
    assert found.checked in (at, at + 1)
    assert f"line {found.checked + 1}" in found.bad


def test_a_rewrite_without_the_key_is_found(tmp_path: Path) -> None:
    written(tmp_path, 3)
    for file in tmp_path.glob("*.jsonl"):
        file.unlink()
    written(tmp_path, 3, key=Secret("00" * 32))
    assert Journal(tmp_path, KEY, "ines").verify().bad is not None


def test_without_the_key_nothing_is_said_to_be_whole(tmp_path: Path) -> None:
    written(tmp_path)
    assert Journal(tmp_path, None, "ines").verify().needs_key


def test_an_unkeyed_chain_says_so_in_every_record(tmp_path: Path) -> None:
    journal = written(tmp_path, 3, key=None)
    assert journal.verify().unkeyed == 3
    assert all(json.loads(line)["keyed"] is False for _, _, line in journal.records())


def test_a_journal_whose_end_can_not_be_read_refuses_to_go_on(tmp_path: Path) -> None:
    journal = written(tmp_path, 1)
    [file] = journal.files()
    file.write_text(file.read_text() + "{half a rec")
    with pytest.raises(Failed, match="audit verify"):
        journal.append(ENTRY, NOW)


APPEND = """
import sys
from pathlib import Path
from mspterm.desk.journal import Journal
from tests.desk.test_journal import ENTRY, KEY, NOW
journal = Journal(Path(sys.argv[1]), KEY, sys.argv[2])
for _ in range(60):
    journal.append(ENTRY, NOW)
"""


def test_two_processes_append_to_one_chain(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    argv = [sys.executable, "-c", APPEND, str(tmp_path)]
    both = [subprocess.Popen([*argv, who], cwd=root) for who in ("ines", "tom")]
    assert [p.wait(60) for p in both] == [0, 0]
    found = Journal(tmp_path, KEY, "ines").verify()
    assert (found.checked, found.bad) == (120, None)
