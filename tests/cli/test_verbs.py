"""The verbs as a stranger runs them: real processes, exit statuses, and what is printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mspterm.cli.root import VERBS
from mspterm.store.store import Store
from tests.store.store_rows import device, ticket
from tests.verbs import Cli

CONFIG = """
[connections.rt]
kind = "rt"
url = "http://127.0.0.1:9"
"""


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    (tmp_path / "config.toml").write_text(CONFIG)
    return Cli(tmp_path)


TOKEN = {"MSPTERM_SECRET_RT_TOKEN": "1-28-CANARY"}


def fill(cli: Cli) -> None:
    store = Store(cli.home / "state")
    store.tickets.upsert([ticket(n) for n in (1, 2)])
    store.devices.upsert([device("OAK-DC01", connection="rt", ref="rt:OAK-DC01")])
    store.close()


def test_help_names_every_verb(cli: Cli) -> None:
    done = cli("--help")
    assert done.status == 0
    assert all(verb in done.out for verb in VERBS)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_each_verb_explains_itself(cli: Cli, verb: str) -> None:
    done = cli(verb, "--help")
    assert done.status == 0
    assert done.out.startswith("Usage: mspterm")


def test_an_unknown_verb_names_the_nearest(cli: Cli) -> None:
    done = cli("tickts")
    assert done.status == 2
    assert "Did you mean tickets?" in done.err


def test_a_broken_config_is_a_usage_error_with_its_line(cli: Cli) -> None:
    (cli.home / "config.toml").write_text(CONFIG + "\npoll_ss = 3\n")
    for argv in (["tickets"], ["config", "check"], ["note", "rt:1", "--text", "x"]):
        done = cli(*argv)
        assert done.status == 2
        assert "config.toml:6" in done.err
        assert "poll_s" in done.err


def test_without_a_config_there_is_nothing_to_ask(cli: Cli, tmp_path: Path) -> None:
    done = cli("tickets", "--json", env={"MSPTERM_CONFIG": "", "XDG_CONFIG_HOME": str(tmp_path / "none")})
    assert (done.status, done.json) == (0, [])


def test_no_credential_for_any_connection_is_four_and_prints_what_is_known(cli: Cli) -> None:
    fill(cli)
    done = cli("tickets", "--json")
    assert done.status == 4
    assert [t["ref"] for t in done.json] == ["rt:1", "rt:2"]
    assert all(t["stale"] for t in done.json)
    assert "MSPTERM_SECRET_RT_TOKEN" in done.err


def test_a_dead_connection_prints_the_store_marked_stale(cli: Cli) -> None:
    fill(cli)
    done = cli("tickets", "--json", env=TOKEN)
    assert done.status == 3
    assert [t["stale"] for t in done.json] == [True, True]
    assert "offline" in done.err
    assert "CANARY" not in done.out + done.err


def test_a_dead_connection_with_an_empty_store_is_one(cli: Cli) -> None:
    done = cli("tickets", "--json", env=TOKEN)
    assert (done.status, done.json) == (1, [])


def test_offline_calls_nobody(cli: Cli) -> None:
    fill(cli)
    done = cli("tickets", "--offline", "--json", env=TOKEN)
    assert done.status == 0
    assert len(done.json) == 2


def test_every_key_is_always_there(cli: Cli) -> None:
    fill(cli)
    [first, _] = cli("tickets", "--offline", "--json").json
    assert list(first) == TICKET_KEYS
    assert first["sla"]["response"] == {
        "due": None, "state": "none", "source": None, "remaining_s": None, "met_at": None,
    }  # fmt: skip
    [one] = cli("devices", "--offline", "--json").json
    assert list(one) == DEVICE_KEYS


TICKET_KEYS = [
    "ref",
    "connection",
    "id",
    "number",
    "summary",
    "type",
    "client",
    "client_id",
    "site",
    "contact",
    "status",
    "status_class",
    "waiting_on",
    "priority",
    "priority_label",
    "queue",
    "queue_id",
    "tier",
    "assignee",
    "assignee_id",
    "category",
    "agreement",
    "service_line",
    "source",
    "parent",
    "children",
    "created_at",
    "updated_at",
    "customer_replied_at",
    "next_action_at",
    "url",
    "device_refs",
    "in_scope",
    "scope_reason",
    "observed_at",
    "stale",
    "pending_writes",
    "sla",
]
DEVICE_KEYS = [
    "ref",
    "connection",
    "id",
    "name",
    "client",
    "site",
    "kind",
    "os",
    "online",
    "last_seen",
    "user",
    "ips",
    "needs_reboot",
    "maintenance",
    "cpu_percent",
    "memory_percent",
    "disks",
    "patches",
    "alerts_open",
    "flags",
    "observed_at",
    "stale",
]


@pytest.mark.parametrize(
    ("text", "found"),
    [("p:4", ["rt:1", "rt:2"]), ("ticket 2", ["rt:2"]), ("!status:open", []), ("owner:none", 2)],
)
def test_a_filter_narrows_the_list(cli: Cli, text: str, found: list[str] | int) -> None:
    fill(cli)
    refs = [t["ref"] for t in cli("tickets", "--offline", "--json", "--filter", text).json]
    assert refs == found or len(refs) == found


def test_a_wrong_filter_names_the_nearest_field(cli: Cli) -> None:
    done = cli("tickets", "--offline", "--filter", "clent:oak")
    assert done.status == 2
    assert "client:" in done.err


def test_a_wrong_view_names_those_there_are(cli: Cli) -> None:
    done = cli("tickets", "--offline", "--view", "nope")
    assert done.status == 2
    assert "unassigned" in done.err


def test_a_ticket_that_can_not_be_asked_is_shown_from_the_store(cli: Cli) -> None:
    fill(cli)
    done = cli("ticket", "rt:1", "--json", env=TOKEN)
    assert done.status == 3
    assert done.json["stale"] is True
    assert done.json["notes"] == []


@pytest.mark.parametrize("ref", ["rt:404", "nowhere:1", "nonsense"])
def test_an_unknown_ref_is_one(cli: Cli, ref: str) -> None:
    fill(cli)
    for argv in (["ticket", ref], ["claim", ref], ["note", ref, "--text", "x"]):
        done = cli(*argv, env=TOKEN)
        assert done.status == 1
        assert "mspterm:" in done.err
        assert "Traceback" not in done.err


def test_a_note_to_a_dead_connection_is_queued_and_said_so(cli: Cli) -> None:
    fill(cli)
    done = cli("note", "rt:1", "-", "--json", env=TOKEN, stdin="it is the disk\n")
    assert done.status == 0
    [row] = done.json
    assert list(row) == ["ref", "action", "state", "reason", "plan_hash", "intent_id"]
    assert (row["state"], row["action"]) == ("queued", "note")
    assert row["reason"].startswith("offline: ")
    [waiting] = cli("outbox", "list", "--json").json
    assert (waiting["state"], waiting["intent_id"]) == ("queued", row["intent_id"])
    assert cli("tickets", "--offline", "--json").json[0]["pending_writes"] == 1
    assert cli("outbox", "drop", row["intent_id"]).status == 0
    assert [r["state"] for r in cli("audit", "show", "--json").json] == ["intent", "queued", "cancelled"]
    assert "disk" not in cli("audit", "show", "--json").out


def test_read_only_refuses_and_records_it(cli: Cli) -> None:
    fill(cli)
    done = cli("--read-only", "note", "rt:1", "--text", "x", "--json", env=TOKEN)
    assert done.status == 1
    assert done.json[0]["state"] == "refused"
    assert cli("audit", "show", "--json").json[0]["state"] == "refused"


def test_a_dry_run_changes_nothing(cli: Cli) -> None:
    fill(cli)
    done = cli("note", "rt:1", "--text", "x", "--dry-run", "--json", env=TOKEN)
    assert done.status == 0
    assert done.json[0]["state"] == "planned"
    assert cli("outbox", "list", "--json").json == []
    assert cli("audit", "show", "--json").json == []
    assert (
        "internal, read by technicians only" in cli("note", "rt:1", "--text", "x", "--dry-run", env=TOKEN).out
    )


@pytest.mark.parametrize(
    "argv",
    [
        ["note", "rt:1"],
        ["note"],
        ["reply", "rt:1", "--text", "  "],
        ["note", "rt:1", "--text", "a", "-"],
        ["status", "rt:1"],
        ["time", "rt:1", "many"],
        ["update", "rt:1", "--priority", "9"],
        ["run", "OAK-DC01"],
        ["escalate", "rt:1"],
        ["new", "--client", "Oak"],
    ],
)
def test_wrong_words_are_a_usage_error(cli: Cli, argv: list[str]) -> None:
    fill(cli)
    done = cli(*argv, env=TOKEN, stdin="text")
    assert done.status == 2
    assert "Traceback" not in done.err


def test_lockdown_is_a_file_that_stops_writes(cli: Cli) -> None:
    fill(cli)
    assert cli("lockdown", "on").status == 0
    done = cli("note", "rt:1", "--text", "x", "--json", env=TOKEN)
    assert done.json[0]["state"] == "refused"
    assert "lockdown" in done.json[0]["reason"]
    assert cli("lockdown", "off").status == 0
    assert cli("note", "rt:1", "--text", "x", "--json", env=TOKEN).json[0]["state"] == "queued"


def test_auth_status_shows_where_and_never_what(cli: Cli) -> None:
    rows = cli("auth", "status", "--json", env=TOKEN).json
    assert rows[0]["where"] == "env"
    assert "CANARY" not in json.dumps(rows)


def test_auth_login_takes_no_value_without_a_terminal(cli: Cli) -> None:
    assert cli("auth", "login", "rt").status == 2
    done = cli("auth", "login", "rt", "--stdin", stdin="tokn=1-28-CANARY\n")
    assert done.status == 2
    assert "CANARY" not in done.err


def test_a_journal_is_verified_with_its_key_only(cli: Cli) -> None:
    fill(cli)
    key = TOKEN | {"MSPTERM_SECRET_JOURNAL_KEY": "cafe0bad" * 8}
    cli("note", "rt:1", "--text", "x", env=key)
    assert cli("audit", "verify", env=key).status == 0
    assert cli("audit", "verify").status == 4
    [file] = (cli.home / "state" / "journal").glob("*.jsonl")
    file.write_text(file.read_text().replace('"rt:1"', '"rt:2"'))
    done = cli("audit", "verify", env=key)
    assert done.status == 1
    assert "line 1" in done.err


def test_a_closed_pipe_ends_quietly(cli: Cli) -> None:
    fill(cli)
    env = {"PATH": os.environ["PATH"], "HOME": str(cli.home), "MSPTERM_STATE_DIR": str(cli.home / "state")}
    env["MSPTERM_CONFIG"] = str(cli.home / "config.toml")
    reader, writer = os.pipe()
    os.close(reader)
    argv = [sys.executable, "-m", "mspterm", "tickets", "--offline", "--json"]
    done = subprocess.run(argv, env=env, stdout=writer, stderr=subprocess.PIPE, timeout=60)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")
