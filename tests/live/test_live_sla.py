"""RT's clocks and ours: whose due time is shown, and that what is explained can be reckoned by hand."""

from __future__ import annotations

import json
import urllib.request
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import LabRt
from tests.verbs import Cli

pytestmark = pytest.mark.live

CONFIG = """
[connections.rt]
kind = "rt"
url = "{rt}"
client_from = "cf:Client"
poll_s = 1
{more}
[sla.plain]
calendar = "24x7"
resolution = {{ P1 = "1h", P2 = "2h", P3 = "10h", P4 = "10h", P5 = "10h" }}
"""


def desk(home: Path, rt: LabRt, more: str = "") -> Cli:
    (home / "config.toml").write_text(CONFIG.format(rt=rt.url, more=more))
    return Cli(home, {"MSPTERM_SECRET_RT_TOKEN": rt.tokens["ines"]})


def put(rt: LabRt, number: str, **fields: str) -> None:
    request = urllib.request.Request(
        f"{rt.url}/REST/2.0/ticket/{number}",
        json.dumps(fields).encode(),
        {"Authorization": f"token {rt.tokens['ines']}", "Content-Type": "application/json"},
        method="PUT",
    )
    urllib.request.urlopen(request, timeout=30).close()


def theirs(rt: LabRt, number: str) -> str:
    request = urllib.request.Request(
        f"{rt.url}/REST/2.0/ticket/{number}", headers={"Authorization": f"token {rt.tokens['ines']}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        due: str = json.load(answer)["Due"]
    return due


def new(cli: Cli) -> str:
    argv = ("new", "--client", "Oakline Manufacturing", "--queue", "Service Desk", "--priority", "4")
    made = cli(*argv, "--summary", f"sla {uuid4()}", "--json")
    assert made.status == 0, made.err
    ref: str = made.json[0]["ref"]
    return ref


def clock(cli: Cli, number: str) -> Any:
    row = next(t for t in cli("tickets", "--json").json if t["id"] == number)
    return row["sla"]["resolution"]


def test_rts_due_follows_its_sla_within_one_poll(tmp_path: Path, lab_rt: LabRt) -> None:
    cli = desk(tmp_path, lab_rt)
    number = new(cli).split(":")[1]
    dues = []
    for level in ("Low", "High"):
        put(lab_rt, number, SLA=level)
        due = theirs(lab_rt, number)
        # A list that is younger than a poll is not asked for again.
        shown = next((c for c in (clock(cli, number) for _ in range(5)) if c["due"] == due), None)
        assert shown is not None
        assert shown["source"] == "psa"
        dues.append(datetime.fromisoformat(due))
    assert dues[0] - dues[1] > timedelta(hours=24)


def test_without_rts_sla_ours_counts_and_is_explained(tmp_path: Path, lab_rt: LabRt) -> None:
    cli = desk(tmp_path, lab_rt, "psa_due = false\n")
    ref = new(cli)
    put(lab_rt, ref.split(":")[1], SLA="High")
    ticket = cli("ticket", ref, "--json").json
    shown = ticket["sla"]["resolution"]
    created = datetime.fromisoformat(ticket["created_at"])
    assert shown["source"] == "calc"
    assert datetime.fromisoformat(shown["due"]) == created + timedelta(hours=10)
    said = "\n".join(cli("sla", "explain", ref, "--json").json["lines"])
    for words in ("10:00:00, in all", "resolution", "24x7", f"{created + timedelta(hours=10):%H:%M:%S}"):
        assert words in said, said
