"""The journal: what verifying finds, and two processes at once."""

from __future__ import annotations

import errno
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mspterm.desk.journal import Entry, Head, Journal, Kept, Outside, Verification
from mspterm.domain.reasons import Failed
from mspterm.domain.secret import Secret
from tests.store.store_rows import NOW

KEY = Secret("cd" * 32)
ENTRY = Entry("note", ("rt:1",), "Oak", "intent", None, "01A", "hash", "Ines Duarte (personal)")
ROOT = Path(__file__).resolve().parents[2]


def written(folder: Path, count: int = 6, key: Secret | None = KEY, *, days: int = 20) -> Journal:
    journal = Journal(folder, key, "ines")
    for n in range(count):
        journal.append(ENTRY, NOW + timedelta(days=days * n))
    return journal


def records(journal: Journal) -> list[dict[str, Any]]:
    return [json.loads(line) for _, _, line in journal.records()]


def head_of(journal: Journal) -> Kept:
    last = records(journal)[-1]
    return Kept(Head(last["seq"], last["h"]), "the vault")


def test_a_whole_chain_verifies_over_months(tmp_path: Path) -> None:
    journal = written(tmp_path)
    assert len(journal.files()) > 2
    found = journal.verify([head_of(journal)])
    assert (found.bad, found.unkeyed, len(found.kept)) == (None, 0, 1)
    assert found.checked == len(records(journal))


def test_a_record_says_who_from_where_and_never_the_text(tmp_path: Path) -> None:
    journal = Journal(tmp_path, KEY, "ines")
    journal.append(replace(ENTRY, text="the password is hunter2", more={"approver": "tom"}), NOW)
    [record] = records(journal)
    assert record["technician"] == "ines"
    assert record["pid"] == os.getpid()
    assert record["more"] == {"approver": "tom"}
    assert {"host", "uid", "sudo_user", "from", "session"} < record.keys()
    assert len(record["text_hash"]) == 64
    assert "hunter2" not in json.dumps(record)


Lines = list[bytes]
ATTACKS: dict[str, Callable[[Lines, int], Lines]] = {
    "edit": lambda lines, at: [*lines[:at], lines[at].replace(b"rt:1", b"rt:2"), *lines[at + 1 :]],
    "swap": lambda lines, at: [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]],
    "delete": lambda lines, at: lines[:at] + lines[at + 1 :],
    "duplicate": lambda lines, at: lines[: at + 1] + lines[at:],
    "garble": lambda lines, at: [*lines[:at], b"{", *lines[at + 1 :]],
    "say twice": lambda lines, at: [
        *lines[:at],
        lines[at].replace(b'"refs"', b'"refs":["rt:9"],"refs"'),
        *lines[at + 1 :],
    ],
    "truncate": lambda lines, at: lines[:at],
}


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Kept]:
    """120 records in one file, and its head outside."""
    folder = tmp_path_factory.mktemp("long")
    journal = written(folder, 120, days=0)
    return folder, head_of(journal)


def test_every_attack_is_found_at_its_record_at_500_places(long: tuple[Path, Kept], tmp_path: Path) -> None:
    folder, kept = long
    [source] = Journal(folder, KEY, "ines").files()
    whole = source.read_bytes().splitlines()
    rng = random.Random(5)
    for _ in range(500):
        attack, at = rng.choice(sorted(ATTACKS)), rng.randrange(len(whole) - 2)
        (tmp_path / source.name).write_bytes(b"".join(x + b"\n" for x in ATTACKS[attack](whole, at)))
        found = Journal(tmp_path, KEY, "ines").verify([kept])
        first = at + 1 if attack == "duplicate" else at
        assert found.bad is not None, (attack, at)
        assert found.checked == first, (attack, at)
        named = f"line {first}" in found.bad or f"line {first + 1}" in found.bad
        assert named or f"seq {first + 1}:" in found.bad


def test_a_cut_in_the_middle_of_a_line_is_found(long: tuple[Path, Kept], tmp_path: Path) -> None:
    folder, kept = long
    [source] = Journal(folder, KEY, "ines").files()
    whole, rng = source.read_bytes(), random.Random(6)
    for _ in range(100):
        (tmp_path / source.name).write_bytes(whole[: rng.randrange(1, len(whole))])
        assert Journal(tmp_path, KEY, "ines").verify([kept]).bad is not None


def test_a_missing_month_is_found_and_what_it_held_named(tmp_path: Path) -> None:
    journal = written(tmp_path, 8)
    kept = head_of(journal)
    files = journal.files()
    for path in files:
        content = path.read_bytes()
        path.unlink()
        found = journal.verify([kept])
        assert found.bad is not None
        first = json.loads(content.splitlines()[0])["seq"]
        assert f"{first}" in found.bad
        assert "missing" in found.bad
        path.write_bytes(content)
    assert journal.verify([kept]).bad is None


@pytest.mark.parametrize("key", [Secret("00" * 32), None])
def test_a_rewrite_without_the_key_is_found(tmp_path: Path, key: Secret | None) -> None:
    written(tmp_path, 3)
    for file in tmp_path.glob("*.jsonl"):
        file.unlink()
    written(tmp_path, 3, key=key)
    found = Journal(tmp_path, KEY, "ines").verify()
    assert found.bad is not None
    assert "line 1" in found.bad


def test_unkeyed_records_are_proven_by_a_keyed_one_that_follows(tmp_path: Path) -> None:
    written(tmp_path, 2, key=None, days=0)
    written(tmp_path, 1, days=0)
    found = Journal(tmp_path, KEY, "ines").verify()
    assert (found.bad, found.unkeyed, found.checked) == (None, 2, 3)


def test_without_the_key_nothing_is_said_to_be_whole(tmp_path: Path) -> None:
    written(tmp_path)
    assert Journal(tmp_path, None, "ines").verify().needs_key


def test_an_unkeyed_chain_says_so_in_every_record(tmp_path: Path) -> None:
    journal = written(tmp_path, 3, key=None, days=0)
    assert journal.verify().unkeyed == 3
    assert all(record["keyed"] is False for record in records(journal))


def test_a_torn_last_line_is_moved_aside_and_recorded(tmp_path: Path) -> None:
    journal = written(tmp_path, 2, days=0)
    [file] = journal.files()
    with file.open("ab") as end:
        end.write(b'{"seq":3,"at":"half a rec')
    found = journal.verify()
    assert found.bad is not None
    assert "line 3, a torn line" in found.bad
    journal.append(ENTRY, NOW)
    assert (tmp_path / "2026-11.torn").read_bytes() == b'{"seq":3,"at":"half a rec\n'
    assert [r["state"] for r in records(journal)] == ["intent", "intent", "repaired", "intent"]
    found = journal.verify()
    assert (found.bad, found.repaired) == (None, 1)


def test_a_journal_whose_last_record_is_none_refuses_to_go_on(tmp_path: Path) -> None:
    journal = written(tmp_path, 1)
    [file] = journal.files()
    file.write_text(file.read_text() + "{no record}\n")
    with pytest.raises(Failed, match="audit verify"):
        journal.append(ENTRY, NOW)


def test_a_tail_cut_while_we_run_stays_on_record(tmp_path: Path) -> None:
    journal = written(tmp_path, 5, days=0)
    [file] = journal.files()
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:2]))
    for _ in range(4):
        journal.append(ENTRY, NOW)
    found = Journal(tmp_path, KEY, "tom").verify()
    assert found.bad is not None
    assert "line 3, seq 3: record 5 as it was is gone" in found.bad


def test_a_clock_that_steps_back_over_the_month_keeps_the_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path, KEY, "ines")
    for days in (10, 0, 11):
        journal.append(ENTRY, NOW + timedelta(days=days))
    assert [p.name for p in journal.files()] == ["2026-12.jsonl"]
    found = journal.verify()
    assert (found.bad, found.steps_back) == (None, 1)


def test_a_checkpoint_every_hundred_records_five_minutes_and_at_exit(tmp_path: Path) -> None:
    journal = written(tmp_path, 150, days=0)
    journal.append(ENTRY, NOW + timedelta(minutes=6))
    journal.append(ENTRY, NOW + timedelta(minutes=7))
    journal.seal(NOW + timedelta(minutes=8))
    journal.seal(NOW + timedelta(minutes=8))
    sealed = [r for r in records(journal) if r["action"] == "checkpoint"]
    assert [r["seq"] for r in sealed] == [101, 153, 155]
    assert sealed[0]["checkpoint"] == {"seq": 100, "head": sealed[0]["prev"], "count": 100}
    assert journal.verify().bad is None


def test_an_idle_process_seals_when_it_is_due(tmp_path: Path) -> None:
    journal = written(tmp_path, 1)
    journal.seal_when_due(NOW + timedelta(minutes=4))
    assert len(records(journal)) == 1
    journal.seal_when_due(NOW + timedelta(minutes=5))
    journal.seal_when_due(NOW + timedelta(minutes=50))
    assert [r["action"] for r in records(journal)] == ["note", "checkpoint"]


def test_a_full_disk_refuses_and_leaves_no_half_record(tmp_path: Path) -> None:
    """A limit on file size stands for the full disk: the kernel writes a part, then refuses."""
    resource = pytest.importorskip("resource")
    journal = written(tmp_path, 3, days=0)
    [file] = journal.files()
    size = file.stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 40, before[1]))
    try:
        with pytest.raises(Failed, match="so nothing is done") as refused:
            journal.append(ENTRY, NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert os.strerror(errno.EFBIG) in str(refused.value)
    assert file.stat().st_size == size
    journal.append(ENTRY, NOW)
    assert journal.verify() == Verification(4, 0)


APPEND = """
import sys
from pathlib import Path
from mspterm.desk.journal import Journal
from tests.desk.test_journal import ENTRY, KEY, NOW
journal = Journal(Path(sys.argv[1]), KEY, sys.argv[2])
for _ in range(int(sys.argv[3])):
    journal.append(ENTRY, NOW)
"""


def test_two_processes_append_to_one_chain(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", APPEND, str(tmp_path)]
    both = [subprocess.Popen([*argv, who, "5000"], cwd=ROOT) for who in ("ines", "tom")]
    assert [p.wait(100) for p in both] == [0, 0]
    found = Journal(tmp_path, KEY, "ines").verify()
    assert found.bad is None
    notes = [r["technician"] for r in records(Journal(tmp_path, KEY, "ines")) if r["action"] == "note"]
    assert len(notes) == 10_000
    assert notes != sorted(notes)


def test_verifying_while_another_writes_sees_whole_records_only(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", APPEND, str(tmp_path), "tom", "400"]
    writer = subprocess.Popen(argv, cwd=ROOT)
    seen = [Journal(tmp_path, KEY, "ines").verify()]
    while writer.poll() is None:
        seen.append(Journal(tmp_path, KEY, "ines").verify())
    assert writer.returncode == 0
    assert [v.bad for v in seen if v.bad] == []


def test_outside_is_told_of_the_last_head_only_after_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "elsewhere" / "head"
    file.parent.mkdir()
    journal = Journal(tmp_path / "journal", KEY, "ines", Outside(tmp_path / "journal", None, file))
    for _ in range(3):
        journal.append(ENTRY, NOW)
    journal.settle(5)
    [kept], why = journal.kept()
    assert (kept, why) == (Kept(head_of(journal).head, str(file)), [])
