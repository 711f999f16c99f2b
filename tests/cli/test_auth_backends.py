"""The verbs of `auth` on real backends: a keyring on a bus of its own, an age file, a password store."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.fake_rt import FakeRt
from tests.verbs import Ended

assert sys.platform != "win32"

from tests.terminal.fake_rt_server import RtServer  # noqa: E402
from tests.terminal.pty_harness import Terminal  # noqa: E402

pyrage = pytest.importorskip("pyrage", reason="the extra `age` is not installed")

TOKEN, NEWER, PASSPHRASE = "1-28-cafe0bad01", "1-28-cafe0bad02", "cafe0bad passphrase"
CANARY = b"cafe0bad"
MSPTERM = [sys.executable, "-m", "mspterm"]


class Home:
    """A user's home without a desktop, and mspterm in it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.env = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"}
        self.env |= {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"}
        config = folder / ".config" / "mspterm"
        config.mkdir(parents=True, mode=0o700)
        (config / "config.toml").write_text(f'[connections.desk]\nkind = "rt"\nurl = "{url}"\n')
        self.auth = config / "auth.toml"

    def __call__(self, *argv: str, stdin: str = "", **env: str) -> Ended:
        done = subprocess.run(
            [*MSPTERM, *argv],
            env=self.env | env,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "cafe0bad" not in done.stdout + done.stderr
        return Ended(done.returncode, done.stdout, done.stderr)

    def where(self) -> dict[str, str]:
        """Which backend each field of the connection and of the journal is in."""
        rows: list[dict[str, Any]] = self("auth", "status", "--json").json
        return {f"{row['connection']}:{row['field']}": row["where"] for row in rows}

    def in_clear(self) -> list[Path]:
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return [path for path in files if CANARY in path.read_bytes()]


@pytest.fixture
def rt() -> Iterator[RtServer]:
    with RtServer(FakeRt()) as server:
        yield server


@pytest.fixture
def home(tmp_path: Path, rt: RtServer) -> Iterator[Home]:
    made = Home(tmp_path, rt.url)
    yield made
    made("auth", "lock")


def needs_kernel_keyring(home: Home) -> None:
    if "open" not in home("auth", "status").out:
        pytest.skip("this host's kernel keyring keeps nothing")


def test_an_age_file_from_first_to_last(home: Home) -> None:
    assert home("auth", "login", "desk", "--stdin", stdin=f"token={TOKEN}\n").status == 1
    made = home("auth", "move", "--to", "age", "--stdin", stdin=f"{PASSPHRASE}\n")
    assert (made.status, 'backend = "age"' in home.auth.read_text()) == (0, True)
    needs_kernel_keyring(home)
    assert home("auth", "login", "desk", "--stdin", stdin=f"token={TOKEN}\n").status == 0
    assert home("auth", "test").out.startswith("desk: acts as Ines")
    doctor = home("auth", "doctor", "desk", "--json")
    assert [(row["call"], row["good"]) for row in doctor.json] == [
        ("write", True),
        ("read", True),
        ("delete", True),
        ("read token", True),
    ]
    assert home.where()["desk:token"] == "age"
    home("auth", "lock")
    locked = home("auth", "test")
    assert (locked.status, "auth unlock" in locked.err) == (4, True)
    wrong = home("auth", "unlock", "--stdin", stdin="another\n")
    assert (wrong.status, "does not open" in wrong.err) == (1, True)
    assert home("auth", "unlock", "--stdin", stdin=f"{PASSPHRASE}\n").status == 0
    assert home("auth", "rotate", "--identity", "--stdin", stdin=f"{PASSPHRASE}2\n").status == 0
    assert home("auth", "test").status == 0
    assert home("auth", "logout", "desk").status == 0
    assert home("auth", "test").status == 4
    assert home.in_clear() == []


def test_a_second_person_recovers_what_is_stored(home: Home) -> None:
    recovery = pyrage.x25519.Identity.generate()
    home("auth", "move", "--to", "age", "--stdin", stdin=f"{PASSPHRASE}\n")
    needs_kernel_keyring(home)
    home("auth", "login", "desk", "--stdin", stdin=f"token={TOKEN}\n")
    added = home("auth", "move", "--to", "age", "--recovery", str(recovery.to_public()))
    assert (added.status, str(recovery.to_public()) in home.auth.read_text()) == (0, True)
    home("auth", "rotate", "desk", "--stdin", stdin=f"token={NEWER}\n")
    sealed = home.folder / ".local" / "share" / "mspterm" / "age" / "secrets.age"
    held = json.loads(pyrage.decrypt(sealed.read_bytes(), [recovery]))
    assert held["desk"] == {"token": NEWER}


def test_a_new_credential_is_stored_only_where_the_server_takes_it(home: Home) -> None:
    home("auth", "move", "--to", "age", "--stdin", stdin=f"{PASSPHRASE}\n")
    needs_kernel_keyring(home)
    home("auth", "login", "desk", "--stdin", stdin=f"token={TOKEN}\n")
    assert "act as Ines" in home("auth", "rotate", "desk", "--stdin", stdin=f"token={NEWER}\n").err
    home.auth.with_name("config.toml").write_text(
        '[connections.desk]\nkind = "rt"\nurl = "http://127.0.0.1:9"\n'
    )
    refused = home("auth", "rotate", "desk", "--stdin", stdin=f"token={TOKEN}\n")
    assert (refused.status, "The stored ones are kept" in refused.err) == (1, True)


def test_the_environment_wins_and_is_shown(home: Home) -> None:
    home.env["MSPTERM_SECRET_DESK_TOKEN"] = TOKEN
    assert home.where()["desk:token"] == "env"
    assert home("auth", "test").status == 0


def test_a_locked_age_file_is_opened_on_the_way_to_a_login(home: Home) -> None:
    home("auth", "move", "--to", "age", "--stdin", stdin=f"{PASSPHRASE}\n")
    home("auth", "lock")
    with Terminal([*MSPTERM, "auth", "login", "desk"], env=home.env) as terminal:
        terminal.wait_for("Passphrase of the age file")
        terminal.send(PASSPHRASE + "\r")
        terminal.wait_for("token:")
        terminal.send(TOKEN + "\r")
        assert terminal.wait_end() == 0
        assert b"cafe0bad" not in terminal.sent
    needs_kernel_keyring(home)
    assert home.where()["desk:token"] == "age"


def test_nothing_is_asked_without_a_terminal(home: Home) -> None:
    for argv in (("unlock",), ("move", "--to", "age"), ("login", "desk"), ("rotate", "desk")):
        done = home("auth", *argv)
        assert done.status in (1, 2), argv
        assert done.err
    assert home("auth", "rotate", "journal").status == 2


# The secrets come by stdin into variables that are not exported: what is started has none of them.
SESSION = """
read -r TOKEN; read -r NEWER; read -r PASSPHRASE; read -r KEY
printf %s master | gnome-keyring-daemon --replace --unlock --components=secrets >/dev/null 2>&1
printf 'token=%s\\n' "$TOKEN" | {mspterm} auth login desk --stdin
printf 'key=%s\\n' "$KEY" | {mspterm} auth login journal --stdin
where() {{ {mspterm} auth status --json | {python} -c 'import json, sys; print("W", *sorted(
    r["connection"] + ":" + r["where"] for r in json.load(sys.stdin)))'; }}
where
{mspterm} auth doctor --json | {python} -c 'import json, sys; print("D", *(r["good"] for r in json.load(sys.stdin)))'
printf '%s\\n' "$PASSPHRASE" | {mspterm} auth move --to age --stdin; where
printf 'token=%s\\n' "$NEWER" | {mspterm} auth rotate desk --stdin; where
{mspterm} auth move --to command; where
{mspterm} auth move --to keyring; where
{mspterm} auth test
"""


@pytest.mark.live
@pytest.mark.slow
def test_from_a_real_secret_service_to_age_to_pass_and_back(home: Home) -> None:
    for tool in ("dbus-run-session", "gnome-keyring-daemon", "keyctl", "pass", "gpg"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    keys = home.folder / "g"
    keys.mkdir(mode=0o700)
    env = home.env | {"GNUPGHOME": str(keys), "PASSWORD_STORE_DIR": str(home.folder / "store")}
    make = [
        "gpg",
        "--batch",
        "--passphrase",
        "",
        "--quick-generate-key",
        "t@example.org",
        "default",
        "default",
    ]
    for argv in (make, ["pass", "init", "t@example.org"]):
        subprocess.run(argv, env=env, capture_output=True, timeout=60, check=True)
    home.auth.write_text(
        '[command]\nread = ["pass", "show", "m/{connection}/{field}"]\n'
        'write = ["pass", "insert", "--multiline", "--force", "m/{connection}/{field}"]\n'
        'delete = ["pass", "rm", "--force", "m/{connection}/{field}"]\nabsent = [1]\n'
    )
    given = "".join(f"{secret}\n" for secret in (TOKEN, NEWER, PASSPHRASE, "cafe0bad" * 8))
    script = SESSION.format(mspterm=" ".join(MSPTERM), python=sys.executable)
    del env["DBUS_SESSION_BUS_ADDRESS"]
    done = subprocess.run(
        ["dbus-run-session", "--", "bash", "-c", script],
        env=env,
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    subprocess.run(["gpgconf", "--kill", "all"], env=env, capture_output=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line[:2] in ("W ", "D ") or "acts as" in line]
    if "W desk:none" in done.stdout:
        pytest.skip("this host's kernel keyring keeps nothing")
    assert lines == [
        "W desk:keyring journal:keyring",
        "D True True True",
        "W desk:age journal:age",
        "W desk:age journal:age",
        "W desk:command journal:command",
        "W desk:keyring journal:keyring",
        "desk: acts as Ines (ines, personal); RT 5.0.3",
    ], done.stderr
    assert "cafe0bad" not in done.stdout + done.stderr
    assert home.in_clear() == []
