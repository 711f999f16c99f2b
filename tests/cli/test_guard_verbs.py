"""The guard on the command line: what it refuses, with the words that say how to go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from mspterm.domain.text import SafeText
from mspterm.store.store import Store
from tests.store.store_rows import device, ticket
from tests.verbs import Cli, Ended

CONFIG = """
[connections.rt]
kind = "rt"
url = "http://127.0.0.1:9"
[connections.mesh]
kind = "meshcentral"
url = "https://127.0.0.1:9"
username = "ines"
"""
KEYS = {
    "MSPTERM_SECRET_RT_TOKEN": "1-28-CANARY",
    "MSPTERM_SECRET_MESH_PASSWORD": "CANARY",
    "MSPTERM_SECRET_JOURNAL_KEY": "cafe0bad" * 8,
}


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    store = Store(tmp_path / "state")
    store.tickets.upsert([ticket(1)])
    names = ("OAK-DC01", "OAK-FS01")
    store.devices.upsert(
        [device(n, connection="mesh", ref=f"mesh:{n}", client=SafeText("Oak")) for n in names]
    )
    store.close()
    return configured(Cli(tmp_path), "")


def configured(cli: Cli, more: str) -> Cli:
    (cli.home / "config.toml").write_text(CONFIG + more)
    return cli


def reboot(cli: Cli, *more: str) -> Ended:
    return cli("reboot", "OAK-DC01", "--json", *more, env=KEYS)


def test_a_cap_that_is_used_up_refuses(cli: Cli) -> None:
    configured(cli, "[guard]\nmax_disruptive_per_hour = 0\n")
    done = reboot(cli, "--confirm", "OAK-DC01")
    assert done.status == 1
    [row] = done.json
    assert (row["state"], row["ref"]) == ("refused", "mesh:OAK-DC01")
    assert "over the cap of 0" in row["reason"]
    assert '"refused"' in cli("audit", "show", "--json", env=KEYS).out


FREEZE = '[clients.Oak]\nfreezes = ["2026-01-01 to 2099-12-31: year end"]\n'


def test_a_freeze_refuses_and_an_emergency_with_its_approver_lifts_that(cli: Cli) -> None:
    configured(cli, FREEZE)
    [row] = reboot(cli, "--confirm", "OAK-DC01").json
    assert row["state"] == "refused"
    assert row["reason"].endswith("--emergency REASON --approver WHO")
    [planned] = reboot(cli, "--dry-run", "--emergency", "ransomware", "--approver", "Dana Cole").json
    assert planned["reason"].endswith("--confirm 'OAK-DC01'")
    shown = cli("reboot", "OAK-DC01", "--dry-run", "--emergency", "fire", "--approver", "Dana Cole", env=KEYS)
    assert "emergency: fire; approved by Dana Cole" in shown.out


def test_an_emergency_without_an_approver_is_none(cli: Cli) -> None:
    done = reboot(cli, "--emergency", "ransomware")
    assert done.status == 1
    assert "--approver WHO" in done.err


def test_a_shared_identity_is_read_only_until_it_is_allowed(cli: Cli) -> None:
    together = CONFIG.replace('url = "http:', 'identity = "shared"\nurl = "http:')
    note = ("note", "rt:1", "--text", "looked", "--dry-run")
    (cli.home / "config.toml").write_text(together)
    assert "[guard] allow_shared = true" in cli(*note, env=KEYS).out
    (cli.home / "config.toml").write_text(
        together + '[technician]\nname = "Ines Duarte"\n[guard]\nallow_shared = true\n'
    )
    allowed = cli(*note, env=KEYS).out
    assert "signed: -- Ines Duarte" in allowed
    assert "it would be refused" not in allowed
