"""`audit` and `outbox` as they are run: filters, evidence, and what verifying says."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mspterm.cli.audit import records_of
from mspterm.cli.evidence import as_json
from mspterm.desk.journal import Entry, Journal, Outside
from mspterm.desk.journal.record import digest
from mspterm.domain.secret import Secret

KEY = "cafe0bad" * 8
AT = datetime(2026, 11, 24, 2, 10, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    text = '[connections.rt]\nkind = "rt"\nurl = "http://127.0.0.1:9"\n[journal]\nhead_file = "head"\n'
    (tmp_path / "config.toml").write_text(text)
    journal = Journal(tmp_path / "state" / "journal", Secret(KEY), "ines")
    for day, client, ref in ((1, "Oakline", "rt:1"), (2, "Harborview", "rt:2"), (3, "=cmd()", "rt:3")):
        entry = Entry(
            "note", (ref, "mesh:A"), client, "done", None, f"01{day}", "hash", "Ines (personal)", "words"
        )
        journal.append(entry, AT.replace(day=day))
    journal.seal(AT)
    return tmp_path


def run(home: Path, *argv: str, key: str | None = KEY) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
    env |= {"MSPTERM_CONFIG": str(home / "config.toml"), "MSPTERM_STATE_DIR": str(home / "state")}
    env |= {"MSPTERM_SECRET_JOURNAL_KEY": key} if key else {}
    argv = (sys.executable, "-m", "mspterm", *argv)
    return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("which", "refs"),
    [
        ((), ["rt:1", "rt:2", "rt:3"]),
        (("--client", "oakline"), ["rt:1"]),
        (("--since", "2026-11-02", "--until", "2026-11-02"), ["rt:2"]),
        (("--ref", "rt:3"), ["rt:3"]),
        (("--state", "refused"), []),
    ],
)
def test_show_and_export_take_the_same_filters(home: Path, which: tuple[str, ...], refs: list[str]) -> None:
    shown: list[dict[str, Any]] = json.loads(run(home, "audit", "show", "--json", *which).stdout)
    exported = run(home, "audit", "export", "--json", *which)
    assert [r["refs"][0] for r in shown] == refs
    assert [r["refs"][0] for r in json.loads(exported.stdout)] == refs
    assert exported.returncode == 0
    assert "the chain is whole" in exported.stderr


def test_csv_is_evidence_that_no_spreadsheet_runs(home: Path) -> None:
    done = run(home, "audit", "export", "--out", str(home / "evidence.csv"))
    assert done.returncode == 0
    rows = list(csv.DictReader(io.StringIO((home / "evidence.csv").read_text())))
    assert [r["client"] for r in rows] == ["Oakline", "Harborview", "'=cmd()"]
    assert rows[0]["refs"] == "rt:1 mesh:A"
    assert len(rows[0]["h"]) == len(rows[0]["text_hash"]) == 64
    again = run(home, "audit", "export", "--out", str(home / "evidence.csv"))
    assert again.returncode == 1, "evidence is not overwritten"


@pytest.mark.parametrize("texts", [True, False])
def test_the_hash_of_a_record_can_be_made_again_of_its_export(tmp_path: Path, texts: bool) -> None:
    key = Secret(KEY)
    journal = Journal(tmp_path, key, "ines", texts=texts)
    for text in ("words", None):
        more = {"approved": "Marcus"}
        journal.append(Entry("note", ("rt:1",), "Oak", "done", None, "01", "hash", "Ines", text, more), AT)
    rows: list[dict[str, Any]] = json.loads(as_json(list(records_of(journal))))
    assert len(rows) == 2
    for row in rows:
        record = {k: v for k, v in row.items() if k != "text" or v is not None}
        assert digest(record, key) == row["h"]
    assert rows[1]["prev"] == rows[0]["h"]


def test_a_wrong_date_is_a_usage_error(home: Path) -> None:
    done = run(home, "audit", "show", "--since", "yesterday")
    assert done.returncode == 2
    assert "2026-11-24" in done.stderr


def test_verify_says_that_a_cut_tail_can_not_be_seen_or_sees_it(home: Path) -> None:
    blind = run(home, "audit", "verify")
    assert blind.returncode == 0
    assert "A cut tail can't be seen" in blind.stdout
    journal = home / "state" / "journal"
    outside = Outside(journal, None, home / "head")
    one = Journal(journal, Secret(KEY), "ines", outside)
    one.append(Entry("note", ("rt:1",), None, "done", None, "014", "hash", None), AT)
    one.settle(5)
    seen = run(home, "audit", "verify")
    assert seen.returncode == 0
    assert f"Its end is the one kept in {home / 'head'}" in seen.stdout
    [file] = journal.glob("*.jsonl")
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
    cut = run(home, "audit", "verify")
    assert cut.returncode == 1
    assert "seq 6: the tail is cut" in cut.stderr


def test_outbox_says_which_intent_there_is_not(home: Path) -> None:
    done = run(home, "outbox", "drop", "01NONE", "--arrived")
    assert done.returncode == 1
    assert "outbox list" in done.stderr
