"""The journal: what verifying finds, and two processes at once."""

from __future__ import annotations

import errno
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mspterm.desk.journal import Entry, Head, Journal, Kept, Outside, Verification
from mspterm.desk.journal.chain import verify
from mspterm.desk.journal.record import made
from mspterm.domain.reasons import Failed
from mspterm.domain.secret import Secret
from tests.store.store_rows import NOW

KEY = Secret("cafe0bad" * 8)
ENTRY = Entry("note", ("rt:1",), "Oak", "intent", None, "01A", "hash", "Ines Duarte (personal)")
CHECKPOINT = Entry("checkpoint", (), None, "sealed", None, None, None, None)
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


def test_no_month_is_ever_dropped(tmp_path: Path) -> None:
    journal = written(tmp_path, 9, days=91)
    months = [path.stem for path in journal.files()]
    assert (len(months), months[0], months[-1]) == (9, "2026-11", "2028-11")


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


def test_texts_are_kept_only_where_that_is_configured(tmp_path: Path) -> None:
    said = replace(ENTRY, text="the disk is full")
    Journal(tmp_path, KEY, "ines").append(said, NOW)
    journal = Journal(tmp_path, KEY, "ines", texts=True)
    journal.append(said, NOW)
    journal.append(replace(ENTRY, text=None), NOW)
    assert [r.get("text") for r in records(journal)] == [None, "the disk is full", None]
    assert len({r["text_hash"] for r in records(journal)[:2]}) == 1
    assert journal.verify() == Verification(3, 0)


Line = tuple[Path, bytes]
"""A record as it stands in its month's file, without its newline."""
Lines = list[Line]


def _edited(lines: Lines, at: int, was: bytes, now: bytes) -> Lines:
    path, raw = lines[at]
    assert was in raw
    return [*lines[:at], (path, raw.replace(was, now)), *lines[at + 1 :]]


def _rewritten(lines: Lines, at: int, key: Secret | None) -> Lines:
    """From one record on, all of them made anew by somebody who has not got the key."""
    before: dict[str, Any] = json.loads(lines[at - 1][1]) if at else {"seq": 0, "h": "0" * 64}
    head, kept = Head(before["seq"], before["h"]), [*lines[:at]]
    for path, raw in lines[at:]:
        entry = CHECKPOINT if json.loads(raw)["action"] == "checkpoint" else replace(ENTRY, refs=("rt:2",))
        record = made(entry, head, {"technician": "ines"}, key, NOW)
        head = Head(record["seq"], record["h"])
        kept.append((path, json.dumps(record, separators=(",", ":")).encode()))
    return kept


ATTACKS: dict[str, Callable[[Lines, int], tuple[Lines, int]]] = {
    "edit": lambda lines, at: (_edited(lines, at, b'"seq"', b'"seQ"'), at),
    "edit a word": lambda lines, at: (_edited(lines, at, b'"ines"', b'"tom"'), at),
    "swap": lambda lines, at: ([*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]], at),
    "delete": lambda lines, at: (lines[:at] + lines[at + 1 :], at),
    "duplicate": lambda lines, at: (lines[: at + 1] + lines[at:], at + 1),
    "garble": lambda lines, at: ([*lines[:at], (lines[at][0], b"{"), *lines[at + 1 :]], at),
    "say twice": lambda lines, at: (_edited(lines, at, b'"refs"', b'"refs":["rt:9"],"refs"'), at),
    "truncate": lambda lines, at: (lines[:at], at),
    "rewrite without a key": lambda lines, at: (_rewritten(lines, at, None), at),
    "rewrite with another key": lambda lines, at: (_rewritten(lines, at, Secret("00" * 32)), at),
    "rewrite one without a key": lambda lines, at: (
        [*_rewritten(lines[: at + 1], at, None), *lines[at + 1 :]],
        at,
    ),
    "lose the month's file": lambda lines, at: (
        [line for line in lines if line[0] != lines[at][0]],
        next(n for n, line in enumerate(lines) if line[0] == lines[at][0]),
    ),
}
"""Each gives the lines as they are afterwards, and which of the true ones is the first that is bad."""
PLACES = 500


def numbered(lines: Lines) -> Iterator[tuple[Path, int, bytes]]:
    """As `Journal.records` gives them: a number in each file."""
    before: dict[Path, int] = {}
    for path, raw in lines:
        before[path] = before.get(path, 0) + 1
        yield path, before[path], raw + b"\n"


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Kept]:
    """120 records over nine months, and their head outside."""
    folder = tmp_path_factory.mktemp("long")
    journal = written(folder, 60, days=4)
    return folder, head_of(journal)


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_attack_is_found_at_its_first_bad_record_at_500_places(
    long: tuple[Path, Kept], attack: str
) -> None:
    folder, kept = long
    whole = [(path, raw[:-1]) for path, _, raw in Journal(folder, KEY, "ines").records()]
    assert len({path for path, _ in whole}) >= 7
    rng, seen = random.Random(attack), set[int]()
    for _ in range(PLACES):
        at = rng.randrange(len(whole) - 1)
        if at in seen:
            continue
        seen.add(at)
        lines, first = ATTACKS[attack](whole, at)
        places = [f"{path.name} line {number}," for path, number, _ in numbered(lines)]
        found = verify(numbered(lines), KEY, [kept])
        assert found.bad is not None, at
        assert found.checked == first, (at, found.bad)
        # Where nothing stands in the place of the first bad record, what is missing is named.
        named = found.bad.startswith(places[first]) if first < len(lines) else "tail is cut" in found.bad
        assert named, (at, found.bad)
        if len(lines) < len(whole):
            assert re.search(rf"records? {first + 1} ", found.bad), (at, found.bad)


def test_an_attack_on_the_files_is_found_by_the_journal_too(long: tuple[Path, Kept], tmp_path: Path) -> None:
    folder, kept = long
    shutil.copytree(folder, tmp_path / "copy")
    journal = Journal(tmp_path / "copy", KEY, "ines")
    third = journal.files()[2]
    lines = third.read_bytes().splitlines(keepends=True)
    seq = json.loads(lines[4])["seq"]
    third.write_bytes(b"".join([*lines[:4], lines[4].replace(b"rt:1", b"rt:2"), *lines[5:]]))
    found = journal.verify([kept])
    assert (found.bad, found.checked) == (
        f"{third.name} line 5, seq {seq}, its content is not what was written",
        seq - 1,
    )


def test_a_cut_in_the_middle_of_a_line_is_found(long: tuple[Path, Kept], tmp_path: Path) -> None:
    folder, kept = long
    source, rng = Journal(folder, KEY, "ines").files()[0], random.Random(6)
    whole = source.read_bytes()
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
