"""Where credentials come from, and that nothing of them shows or hangs."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
import time
import traceback
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from mspterm.config.model import Connection
from mspterm.domain.reasons import Failed
from mspterm.domain.secret import Secret
from mspterm.secrets.backends import NoBackend, permitted
from mspterm.secrets.chain import Credentials, Found, Missing
from mspterm.secrets.os_keyring import Answer, OsKeyring, State

ROOT = Path(__file__).resolve().parents[2]
RT = Connection("desk", "rt", "https://rt.example.org")
CONNECTWISE = Connection("acme", "connectwise", "https://cw.example.org")
NINJA = Connection("ninja", "ninjaone", "https://n.example.org")


class MemoryKeyring(KeyringBackend):
    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.held: dict[tuple[str, str], str] = {}
        self.error: Exception | None = None

    def _fail(self) -> None:
        if self.error:
            raise self.error

    def get_password(self, service: str, username: str) -> str | None:
        self._fail()
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._fail()
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._fail()
        del self.held[service, username]


class HungKeyring(MemoryKeyring):
    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.asking = threading.Event()
        self.asked = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.asked += 1
        self.asking.set()
        self.go.wait()
        return "late"


@pytest.fixture
def backend() -> MemoryKeyring:
    return MemoryKeyring()


def credentials(
    backend: MemoryKeyring, env: dict[str, str] | None = None, limit_s: float = 3.0
) -> Credentials:
    return Credentials(env or {}, OsKeyring(lambda: backend, limit_s))


def test_a_stored_secret_is_found_under_its_connection_and_field(backend: MemoryKeyring) -> None:
    chain = credentials(backend)
    assert "stored" in chain.set("desk", "token", Secret("CANARY"))
    assert backend.held == {("mspterm", "desk:token"): "CANARY"}
    assert chain.get("desk", "token") == Found(Secret("CANARY"), "keyring")
    assert "deleted" in chain.delete("desk", "token")
    assert backend.held == {}
    assert "not in the keyring" in chain.delete("desk", "token")


def test_the_environment_wins_and_is_not_kept_from_by_a_locked_keyring(backend: MemoryKeyring) -> None:
    backend.error = KeyringLocked()
    chain = credentials(backend, {"MSPTERM_SECRET_DESK_TOKEN": " from-env\n"})
    assert chain.get("desk", "token") == Found(Secret("from-env"), "env")
    assert chain.secrets_of(RT) == {"token": Secret("from-env")}
    backend.error = None
    assert "MSPTERM_SECRET_DESK_TOKEN is set and wins" in chain.set("desk", "token", Secret("x"))
    assert "MSPTERM_SECRET_DESK_TOKEN is still set" in chain.delete("desk", "token")


@pytest.mark.parametrize(
    ("error", "state", "says"),
    [
        (KeyringLocked(), State.LOCKED, "is locked: unlock it"),
        (NoBackend(), State.NO_BACKEND, "in this session|on this session"),
        (ConnectionResetError(), State.NO_BACKEND, "in this session|on this session"),
        (OSError("CANARY"), State.FAILED, r"failed \(OSError\)"),
    ],
)
def test_each_trouble_says_what_to_do_and_never_what_the_backend_said(
    backend: MemoryKeyring, error: Exception, state: State, says: str
) -> None:
    backend.error = error
    missing = credentials(backend).get("desk", "token")
    assert isinstance(missing, Missing)
    assert missing.state is state
    assert missing.sentence.startswith("desk: ")
    assert "or set MSPTERM_SECRET_DESK_TOKEN." in missing.sentence
    assert any(part in missing.sentence for part in says.replace("\\", "").split("|"))
    assert "CANARY" not in missing.sentence
    with pytest.raises(Failed, match="desk"):
        credentials(backend).set("desk", "token", Secret("x"))
    with pytest.raises(Failed, match="desk"):
        credentials(backend).delete("desk", "token")


def test_what_is_not_stored_says_how_to_store_it(backend: MemoryKeyring) -> None:
    missing = credentials(backend).get("desk", "token")
    assert missing == Missing(
        "desk: no token is stored: `mspterm auth login desk` stores it, or set MSPTERM_SECRET_DESK_TOKEN.",
        State.ABSENT,
    )


def test_a_value_with_control_characters_is_refused(backend: MemoryKeyring) -> None:
    chain = credentials(backend, {"MSPTERM_SECRET_DESK_TOKEN": "a\r\nX-Evil: CANARY"})
    missing = chain.get("desk", "token")
    assert isinstance(missing, Missing)
    assert "MSPTERM_SECRET_DESK_TOKEN holds control characters" in missing.sentence
    assert "CANARY" not in missing.sentence


def test_a_kind_with_alternatives_needs_one_whole_set(backend: MemoryKeyring) -> None:
    chain = credentials(backend)
    assert isinstance(chain.secrets_of(NINJA), Missing)
    chain.set("ninja", "refresh_token", Secret("r"))
    assert chain.secrets_of(NINJA) == {"refresh_token": Secret("r")}
    chain.set("acme", "public_key", Secret("p"))
    missing = chain.secrets_of(CONNECTWISE)
    assert isinstance(missing, Missing)
    assert "private_key" in missing.sentence


def test_status_has_a_row_a_field_and_never_a_value(backend: MemoryKeyring) -> None:
    chain = credentials(backend, {"MSPTERM_SECRET_ACME_PUBLIC_KEY": "CANARY"})
    chain.set("ninja", "client_secret", Secret("CANARY"))
    rows = chain.status([CONNECTWISE, NINJA])
    assert [(row.connection, row.field, row.where, row.state, row.needed) for row in rows] == [
        ("acme", "public_key", "env", State.FOUND, False),
        ("acme", "private_key", "none", State.ABSENT, True),
        ("ninja", "client_secret", "keyring", State.FOUND, False),
        ("ninja", "refresh_token", "none", State.ABSENT, False),
    ]
    assert "CANARY" not in repr(rows)


def test_a_hung_keyring_costs_one_wait_and_then_none() -> None:
    hung = HungKeyring()
    keyring = OsKeyring(lambda: hung, limit_s=0.05)
    try:
        answers = [keyring.get("desk", "token") for _ in range(20)]
        assert {answer.state for answer in answers} == {State.TIMED_OUT}
        assert "or set MSPTERM_SECRET_DESK_TOKEN" in answers[0].sentence
        assert hung.asked == 1
    finally:
        hung.go.set()


def test_a_keyring_that_answers_again_is_asked_again() -> None:
    hung = HungKeyring()
    keyring = OsKeyring(lambda: hung, limit_s=0.05)
    assert keyring.get("desk", "token").state is State.TIMED_OUT
    hung.go.set()
    deadline = time.monotonic() + 5
    answer: Answer = keyring.get("desk", "token")
    while answer.state is State.TIMED_OUT and time.monotonic() < deadline:
        answer = keyring.get("desk", "token")
    assert answer.secret == Secret("late")


async def test_the_loop_runs_on_while_the_keyring_hangs() -> None:
    hung = HungKeyring()
    asked = asyncio.create_task(Credentials({}, OsKeyring(lambda: hung, limit_s=30)).aget("desk", "token"))
    await asyncio.to_thread(hung.asking.wait)
    assert not asked.done()
    hung.go.set()
    assert await asked == Found(Secret("late"), "keyring")


async def test_every_async_form_gives_what_its_plain_form_gives(backend: MemoryKeyring) -> None:
    chain = credentials(backend, {"MSPTERM_SECRET_DESK_TOKEN": "t"})
    assert await chain.asecrets_of(RT) == chain.secrets_of(RT)
    assert await chain.astatus([RT]) == chain.status([RT])
    assert (await chain.akeep_journal_head("7:ab")).state is State.STORED
    assert (await chain.ajournal_head()).secret == Secret("7:ab")
    assert await chain.ajournal_key(create=True) == chain.journal_key()


def run(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_process_ends_at_once_while_its_keyring_hangs() -> None:
    done = run(
        """
        import asyncio, threading, time
        from mspterm.secrets.chain import Credentials
        from mspterm.secrets.os_keyring import OsKeyring
        def hang():
            threading.Event().wait()
        async def main():
            chain = Credentials({}, OsKeyring(hang, limit_s=3600))
            try:
                await asyncio.wait_for(chain.aget("desk", "token"), 0.1)
            except TimeoutError:
                print("left")
        asyncio.run(main())
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "left\n", "")


def test_a_plaintext_backend_is_never_used(tmp_path: Path) -> None:
    (tmp_path / "plainring.py").write_text(
        textwrap.dedent(
            """
            from keyring.backend import KeyringBackend
            class Keyring(KeyringBackend):
                priority = 99
                def get_password(self, service, username):
                    return "plain"
                def set_password(self, service, username, password):
                    raise AssertionError("used")
            """
        )
    )
    done = run(
        """
        import keyring
        from mspterm.domain.reasons import Failed
        from mspterm.domain.secret import Secret
        from mspterm.secrets.chain import Credentials
        print(keyring.get_keyring().get_password("mspterm", "desk:token"))
        try:
            print(Credentials({}).set("desk", "token", Secret("CANARY")))
        except Failed as refused:
            print(refused.failure.reason)
        print(Credentials({}).get("desk", "token"))
        """,
        PYTHONPATH=f"{ROOT}{os.pathsep}{tmp_path}",
        PYTHON_KEYRING_BACKEND="plainring.Keyring",
        DBUS_SESSION_BUS_ADDRESS="unix:path=/nonexistent",
    )
    lines = done.stdout.splitlines()
    assert lines[:2] == ["plain", "refused"], done.stderr
    assert "no backend" in lines[2]


def test_unknown_backends_are_skipped_without_a_session_bus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
    with pytest.raises(NoBackend):
        permitted("linux")


def test_the_keyring_is_imported_only_when_it_is_asked() -> None:
    done = run(
        """
        import sys
        from mspterm.secrets.chain import Credentials
        chain = Credentials({"MSPTERM_SECRET_DESK_TOKEN": "x"})
        chain.get("desk", "token")
        print(sorted({"keyring", "secretstorage", "jeepney", "textual", "httpx"} & set(sys.modules)))
        """
    )
    assert done.stdout == "[]\n", done.stderr


def test_the_journal_key_is_made_once_and_only_where_it_can_be_kept(backend: MemoryKeyring) -> None:
    chain = credentials(backend)
    assert chain.journal_key() is None
    key = chain.journal_key(create=True)
    assert key is not None
    assert len(bytes.fromhex(key.reveal())) == 32
    assert chain.journal_key() == chain.journal_key(create=True) == key
    backend.error = KeyringLocked()
    assert chain.journal_key(create=True) is None


def test_a_journal_key_from_the_environment_must_be_one(backend: MemoryKeyring) -> None:
    good = "cafe0bad" * 8
    assert credentials(backend, {"MSPTERM_SECRET_JOURNAL_KEY": good}).journal_key() == Secret(good)
    assert backend.held == {}
    with pytest.raises(
        Failed, match="MSPTERM_SECRET_JOURNAL_KEY is no journal key: it must be 64 hex digits"
    ):
        credentials(backend, {"MSPTERM_SECRET_JOURNAL_KEY": "CANARY"}).journal_key()


def test_the_journals_head_is_kept_in_the_keyring(backend: MemoryKeyring) -> None:
    chain = credentials(backend, {"MSPTERM_SECRET_JOURNAL_KEY": "cafe0bad" * 8})
    assert chain.journal_head().state is State.ABSENT
    assert chain.keep_journal_head("12:abc").state is State.STORED
    assert chain.journal_head().secret == Secret("12:abc")
    backend.error = KeyringLocked()
    assert not chain.journal_head().reachable


def test_no_secret_shows_in_any_text_of_it(backend: MemoryKeyring) -> None:
    backend.held["mspterm", "desk:token"] = "CANARY"
    found = credentials(backend).get("desk", "token")
    assert isinstance(found, Found)
    try:
        raise ValueError(found, found.secret)
    except ValueError:
        trace = traceback.format_exc()
    shown = [repr(found), str(found), f"{found.secret}", f"{found.secret!r}", str(found.secret), trace]
    assert "CANARY" not in "".join(shown)
