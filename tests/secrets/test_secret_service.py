"""The chain on a real Secret Service: gnome-keyring on a bus of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("dbus-run-session", "gnome-keyring-daemon", "bash")

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        not all(map(shutil.which, TOOLS)), reason="gnome-keyring and dbus-run-session are not installed here"
    ),
]

UNLOCK = 'printf %s "$P" | gnome-keyring-daemon --replace --unlock --components=secrets >/dev/null 2>&1\n'


def session(tmp_path: Path, *steps: str) -> list[str]:
    """What the steps print on a fresh session bus; a step is shell, or Python after `py:`."""
    script = ""
    for number, step in enumerate(steps):
        if step.startswith("py:"):
            file = tmp_path / f"step{number}.py"
            file.write_text(
                "from mspterm.domain.secret import Secret\nfrom mspterm.secrets.chain import Credentials\n"
                "chain = Credentials({})\n" + textwrap.dedent(step[3:])
            )
            step = f"{sys.executable} {file}\n"
        script += step
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    places = {"HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "XDG_CACHE_HOME": str(home / "cache")}
    done = subprocess.run(
        ["dbus-run-session", "--", "bash", "-c", script],
        env={**os.environ, **places, "PYTHONPATH": str(ROOT), "P": "master"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # A daemon that D-Bus starts writes its own line to the session's output.
    return [line for line in done.stdout.splitlines() if not line.startswith("GNOME_KEYRING")]


def test_a_secret_is_kept_across_sessions_and_not_in_clear(tmp_path: Path) -> None:
    stored = session(tmp_path, UNLOCK, "py:print(chain.set('desk', 'token', Secret('CAN' 'ARY')))")
    assert stored == ["desk: token is stored in Secret Service."]
    again = session(
        tmp_path,
        UNLOCK,
        """py:
        found = chain.get("desk", "token")
        print(found.source, found.secret.reveal() == "CAN" "ARY")
        print(chain.journal_key(create=True) == chain.journal_key() is not None)
        print(chain.delete("desk", "token"))
        print(chain.get("desk", "token").state)
        """,
    )
    assert again == ["keyring True", "True", "desk: token is deleted from Secret Service.", "absent"]
    files = [file for file in tmp_path.rglob("*.keyring") if file.is_file()]
    assert files
    assert not any(b"CANARY" in file.read_bytes() for file in files)


def test_a_keyring_never_unlocked_is_locked_until_the_sentence_is_followed(tmp_path: Path) -> None:
    get = "py:print(chain.get('desk', 'token').state)\n"
    assert session(tmp_path, get, UNLOCK, get) == ["locked", "absent"]


def test_a_keyring_locked_again_is_said_so_without_a_prompt(tmp_path: Path) -> None:
    lock = """py:
        import secretstorage
        chain.set("desk", "token", Secret("x"))
        bus = secretstorage.dbus_init()
        secretstorage.Collection(bus).lock()
        bus.close()
        print(chain.get("desk", "token").sentence)
        """
    (sentence,) = session(tmp_path, UNLOCK, lock)
    assert sentence.startswith("desk: the keyring is locked: unlock it (`read -rsp")
