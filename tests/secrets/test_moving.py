"""From one backend to another: nothing is lost on the way, and the choice is remembered."""

from __future__ import annotations

import stat
import sys
import tomllib
from pathlib import Path

import pytest

from mspterm.domain.reasons import Failed
from mspterm.domain.secret import Secret
from mspterm.secrets.answer import Answer, SecretStore, State
from mspterm.secrets.choice import read_choice, remember
from mspterm.secrets.moving import move
from mspterm.secrets.probe import advice, probe
from mspterm.secrets.stores import Stores
from tests.secrets.test_command_store import home
from tests.secrets.test_rotation import Box

FILES = """
# mine
[command] # a folder as the manager
read = ["cat", "{folder}/{{connection}}.{{field}}"]
write = ["dd", "status=none", "of={folder}/{{connection}}.{{field}}"]
delete = ["rm", "{folder}/{{connection}}.{{field}}"]
absent = [1]
[items.desk]
other = ["printf", "own"]
"""
NAMES = [("desk", "token"), ("desk", "other"), ("desk", "none")]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX programs")


class Shelf(Stores):
    """Real stores, but for the keyring."""

    box = Box()

    def _make(self, name: str) -> SecretStore:
        return self.box if name == "keyring" else super()._make(name)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    stores = Shelf(home(tmp_path, FILES.format(folder=tmp_path)))
    stores.box = Box()
    stores.box.held = {("desk", "token"): Secret("CANARY"), ("desk", "other"): Secret("old")}
    return stores


def test_what_is_copied_is_read_back_and_then_deleted(shelf: Shelf, tmp_path: Path) -> None:
    said = list(move(shelf, NAMES, "command"))
    assert said[:2] == [
        "desk: token is in a command of auth.toml.",
        "desk: other stays with its own command.",
    ]
    assert (tmp_path / "desk.token").read_text() == "CANARY\n"
    assert shelf.box.held == {("desk", "other"): Secret("old")}
    assert read_choice(shelf.file).backend == "command"
    back = Shelf(home(tmp_path, shelf.file.read_text()))
    back.box = shelf.box
    list(move(back, NAMES, "keyring"))
    assert shelf.box.held["desk", "token"] == Secret("CANARY")
    assert not (tmp_path / "desk.token").exists()


def test_a_target_that_can_not_store_changes_nothing(shelf: Shelf) -> None:
    before = dict(shelf.box.held)
    text = shelf.file.read_text()
    with pytest.raises(Failed, match="auth move --to age"):
        list(move(shelf, NAMES, "age"))
    assert (shelf.box.held, shelf.file.read_text()) == (before, text)


def test_a_source_that_is_locked_is_left_only_on_purpose(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = Answer(State.LOCKED, "desk: the keyring is locked.")
    monkeypatch.setattr(shelf.box, "get", lambda *_: locked)
    with pytest.raises(Failed, match="--leave"):
        list(move(shelf, NAMES, "command"))
    assert len(list(move(shelf, NAMES, "command", leave=True))) == 1
    assert len(shelf.box.held) == 2


def test_a_directory_that_others_can_write_is_no_place_for_the_choice(shelf: Shelf) -> None:
    shelf.file.unlink()
    shelf.file.parent.chmod(0o775)
    assert read_choice(shelf.file).backend == "keyring"
    before = dict(shelf.box.held)
    with pytest.raises(Failed, match="chmod 700"):
        list(move(shelf, NAMES, "age"))
    assert (shelf.box.held, shelf.file.exists()) == (before, False)


def test_remembering_leaves_what_the_user_wrote(tmp_path: Path) -> None:
    file = tmp_path / "d" / "auth.toml"
    remember(file, "keyring")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text(file.read_text() + FILES.format(folder="/x") + "[age]\nunlock_h = 4\n")
    remember(file, "age", ("age1one", "age1two"))
    remember(file, "age", ("age1three",))
    held = tomllib.loads(file.read_text())
    assert held["backend"] == "age"
    assert held["age"] == {"unlock_h": 4, "recovery": ["age1three"]}
    assert held["items"]["desk"]["other"] == ["printf", "own"]
    assert "# mine" in file.read_text()


def test_a_backend_that_forgets_is_found_out() -> None:
    box = Box()
    steps = probe(box)
    assert [(s.what, s.good) for s in steps] == [("write", True), ("read", True), ("delete", True)]
    assert box.held == {}
    box.get = lambda _c, _f: Answer(State.ABSENT, "gone")  # type: ignore[method-assign, assignment]
    assert [(s.what, s.good) for s in probe(box)] == [("write", True), ("read", False)]
    assert box.held == {}


def test_the_advice_names_what_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert "apt install gnome-keyring dbus libsecret-tools" in advice({}, "linux")
    assert "dbus-run-session" not in advice({"DBUS_SESSION_BUS_ADDRESS": "x"}, "linux")
    assert "auth move --to age" in advice({}, "linux")
