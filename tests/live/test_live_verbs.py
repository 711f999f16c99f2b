"""The plain verbs against the lab's RT and MeshCentral: what the issue's Shows say, line by line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import LabMesh, LabRt
from tests.verbs import Cli, Ended

pytestmark = pytest.mark.live

CONFIG = """
[connections.rt]
kind = "rt"
url = "{rt}"
client_from = "cf:Client"
claim_status = {{ "*" = "open" }}
tiers = {{ "Service Desk" = "L1", "Tier 2" = "L2" }}

[connections.mesh]
kind = "meshcentral"
url = "{mesh}"
username = "{user}"
ca_bundle = "{ca}"
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """One technician's mspterm on the lab, in a home of its own."""

    cli: Cli
    rt: LabRt

    def __call__(
        self, *argv: str, stdin: str = "", env: Mapping[str, str] | None = None, wrap: str = ""
    ) -> Ended:
        return self.cli(*argv, stdin=stdin, env=env, wrap=wrap)

    @property
    def home(self) -> Path:
        return self.cli.home

    @property
    def secrets(self) -> Mapping[str, str]:
        return self.cli.secrets

    def ask(self, path: str, **query: str) -> Any:
        """RT's own answer, with Ines's token."""
        url = f"{self.rt.url}/REST/2.0/{path}?{urllib.parse.urlencode(query)}"
        request = urllib.request.Request(url, headers={"Authorization": f"token {self.rt.tokens['ines']}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def new(self, summary: str, *more: str) -> str:
        done = self("new", "--client", "Oakline Manufacturing", "--summary", summary, *more, "--json")
        assert done.status == 0, done.err
        ref: str = done.json[0]["ref"]
        return ref


@pytest.fixture
def desk(tmp_path: Path, lab_rt: LabRt, lab_mesh: LabMesh) -> Desk:
    url = lab_mesh.url.replace("wss:", "https:")
    text = CONFIG.format(rt=lab_rt.url, mesh=url, user=lab_mesh.user, ca=lab_mesh.ca)
    (tmp_path / "config.toml").write_text(text)
    secrets = {
        "MSPTERM_SECRET_RT_TOKEN": lab_rt.tokens["ines"],
        "MSPTERM_SECRET_MESH_PASSWORD": lab_mesh.password,
        "MSPTERM_SECRET_JOURNAL_KEY": "cafe0bad" * 8,
    }
    return Desk(Cli(tmp_path, secrets), lab_rt)


def test_the_queue_is_every_active_ticket_that_rt_has(desk: Desk) -> None:
    done = desk("tickets", "--json")
    assert done.status == 0, done.err
    total = desk.ask("tickets", query="Status = '__Active__'")["total"]
    assert len(done.json) == total
    by_id = {t["id"]: t for t in done.json}
    one = by_id["43"]
    assert (one["client"], one["priority"], one["queue"]) == ("Harborview Dental Group", 2, "Service Desk")
    assert one["status_class"] in ("new", "open")
    theirs = desk.ask("ticket/43")
    assert one["sla"]["resolution"]["due"] == theirs["Due"]
    assert one["sla"]["resolution"]["source"] == "psa"
    assert {t["status_class"] for t in done.json} <= {"new", "open", "waiting"}


def test_a_tickets_asset_and_the_rmms_device_of_that_name_are_one(desk: Desk, lab_mesh: LabMesh) -> None:
    devices = {d["name"]: d for d in desk("devices", "--json").json}
    assert set(lab_mesh.nodes) <= set(devices)
    assert devices["HVD-DC01"]["client"] == "Harborview Dental Group"
    tickets = {t["id"]: t for t in desk("tickets", "--json").json}
    assert tickets["43"]["device_refs"] == [f"mesh:{lab_mesh.nodes['HVD-DC01']}"]


def test_a_device_is_asked_of_its_rmm(desk: Desk) -> None:
    done = desk("device", "HVD-DC01", "--json")
    assert done.status == 0, done.err
    device = done.json
    assert device["online"] is True
    assert 0 <= device["cpu_percent"] <= 100
    assert 0 < device["memory_percent"] < 100
    assert device["disks"][0]["total_bytes"] > 0
    assert "rt:43" in device["tickets"]
    assert "checks" in device["unavailable"]


def test_an_incident_is_worked_from_claim_to_escalation(desk: Desk) -> None:
    ref = desk.new(f"live {uuid4()}", "--text", "It is slow", "--contact", "dana@oak.test")
    number = ref.split(":")[1]
    assert desk("claim", ref).status == 0
    done = desk(
        "update",
        ref,
        "--text",
        "Looked at the log",
        "--minutes",
        "15",
        "--next",
        "2026-12-24 09:00",
        "--json",
    )
    assert (done.status, done.json[0]["state"]) == (0, "done")
    done = desk("run", "OAK-DC01", "--attach", ref, "--confirm", "OAK-DC01", "--json", "--", "uname", "-a")
    assert [r["state"] for r in done.json] == ["done", "done"]
    done = desk("escalate", ref, "--to", "tier:2", "--json")
    assert done.json[0]["state"] == "done", done.json
    theirs = desk.ask(f"ticket/{number}", **{"fields[Queue]": "Name"})
    assert theirs["Owner"]["id"] == "ines"
    assert theirs["Status"] == "open"
    assert theirs["TimeWorked"] == "15"
    assert desk.ask(f"queue/{theirs['Queue']['id']}")["Name"] == "Tier 2"
    kinds = [t["Type"] for t in desk.ask(f"ticket/{number}/history", fields="Type", per_page="100")["items"]]
    assert kinds.count("Comment") == 3
    assert "Correspond" not in kinds
    notes = desk("ticket", ref, "--json").json["notes"]
    bodies = [n["body"] for n in notes if n["kind"] == "internal"]
    assert bodies[0] == "Looked at the log"
    assert "$ uname -a\nLinux OAK-DC01" in bodies[1]
    assert all(
        part in bodies[2].casefold() for part in ("what happens", "tried", "hypothesis", "check first")
    )
    assert desk("audit", "verify").status == 0


def test_a_reply_is_correspondence_and_a_note_is_not(desk: Desk) -> None:
    ref = desk.new(f"live {uuid4()}", "--contact", "dana@oak.test")
    assert desk("reply", ref, "--text", "We are on it").status == 0
    assert desk("note", ref, "-", stdin="between us\n").status == 0
    notes = desk("ticket", ref, "--json").json["notes"]
    assert [(n["kind"], n["body"]) for n in notes if n["kind"] != "system"] == [
        ("public", "We are on it"),
        ("internal", "between us"),
    ]


def test_what_rt_lacks_is_said_before_anything_is_sent(desk: Desk) -> None:
    ref = desk.new(f"live {uuid4()}")
    before = desk.ask(f"ticket/{ref.split(':')[1]}")["LastUpdated"]
    for argv in (["status", ref, "bananas"], ["assign", ref, "ghost"], ["update", ref, "--queue", "Nowhere"]):
        done = desk(*argv)
        assert done.status == 1
        assert "it has:" in done.err or "known:" in done.err
    assert desk.ask(f"ticket/{ref.split(':')[1]}")["LastUpdated"] == before


def test_the_viewer_is_refused_as_a_permission_and_nothing_changes(desk: Desk) -> None:
    viewer = {**desk.secrets, "MSPTERM_SECRET_RT_TOKEN": desk.rt.tokens["viewer"]}
    seen = desk("tickets", "--json", env=viewer).json
    ref = next(t["ref"] for t in seen if t["queue"] == "Service Desk")
    before = desk.ask(f"ticket/{ref.split(':')[1]}")
    for argv in (["note", ref, "--text", "x"], ["status", ref, "resolved"], ["time", ref, "5"]):
        done = desk(*argv, "--json", env=viewer)
        assert done.status == 1
        assert done.json[0]["state"] in ("failed", "refused")
        assert done.json[0]["reason"].startswith("permission: ")
    after = desk.ask(f"ticket/{ref.split(':')[1]}")
    assert {k: after[k] for k in ("LastUpdated", "Status", "TimeWorked")} == {
        k: before[k] for k in ("LastUpdated", "Status", "TimeWorked")
    }


def test_a_wrong_token_is_auth_and_the_other_connection_still_answers(desk: Desk) -> None:
    wrong = {**desk.secrets, "MSPTERM_SECRET_RT_TOKEN": "1-28-0000000000000000cafe0bad"}
    done = desk("devices", "--json", env=wrong)
    assert done.status == 3
    assert len(done.json) >= 3
    assert "rt: auth: " in done.err
    assert "beef" not in done.out + done.err
    assert desk("auth", "test", "rt", env=wrong).status == 1


# The secrets come by stdin into variables that are not exported: what is started has none of them.
SERVICE = """
set -e
read -r RT; read -r MESH
printf %s master | gnome-keyring-daemon --replace --unlock --components=secrets >/dev/null 2>&1
printf 'token=%s\\n' "$RT" | {mspterm} auth login rt --stdin >&2
printf 'password=%s\\n' "$MESH" | {mspterm} auth login mesh --stdin >&2
{mspterm} auth status --json >&3
{mspterm} tickets --json
{mspterm} auth logout rt >&2
set +e; {mspterm} auth test rt; echo "after logout $?" >&2
"""


@pytest.mark.skipif(not shutil.which("gnome-keyring-daemon"), reason="gnome-keyring is not installed")
@pytest.mark.skipif(not shutil.which("dbus-run-session"), reason="dbus-run-session is not installed")
def test_credentials_from_a_real_secret_service(desk: Desk, tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "HOME": str(desk.home), "LANG": "C.UTF-8"}
    env |= {"MSPTERM_CONFIG": str(desk.home / "config.toml"), "MSPTERM_STATE_DIR": str(desk.home / "state")}
    rt, password = (desk.secrets[f"MSPTERM_SECRET_{of}"] for of in ("RT_TOKEN", "MESH_PASSWORD"))
    script = SERVICE.format(mspterm=f"{sys.executable} -m mspterm")
    status = tmp_path / "status.json"
    done = subprocess.run(
        ["dbus-run-session", "--", "bash", "-c", f"exec 3>{status}; {script}"],
        env=env, input=f"{rt}\n{password}\n", capture_output=True, text=True, timeout=90,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {(r["connection"], r["where"]) for r in json.loads(status.read_text())} >= {
        ("rt", "keyring"),
        ("mesh", "keyring"),
    }
    assert len(json.loads(done.stdout)) == desk.ask("tickets", query="Status = '__Active__'")["total"]
    assert "after logout 4" in done.stderr
    files = [p for p in desk.home.rglob("*") if p.is_file()]
    assert not [p for p in files if rt.encode() in p.read_bytes()]
