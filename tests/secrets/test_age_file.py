"""The encrypted file: what opens it, what others could read of it, and the standard tool on it."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import stat
import sys
import threading
from pathlib import Path

import pytest

from mspterm.domain.reasons import Failed
from mspterm.domain.secret import Secret
from mspterm.secrets.age_file import AgeStore
from mspterm.secrets.answer import State
from mspterm.secrets.kernel_keyring import KernelKeyring

assert sys.platform != "win32"

pyrage = pytest.importorskip("pyrage", reason="the extra `age` is not installed")

PASSPHRASE = Secret("correct horse CANARY")
NO_CACHE = KernelKeyring("/nonexistent/keyctl")
needs_kernel = pytest.mark.skipif(not shutil.which("keyctl"), reason="keyctl is not installed")


class Memory(KernelKeyring):
    """A kernel keyring that is this test run's memory: an unlock costs 1.5 s, on purpose."""

    def __init__(self) -> None:
        self.held: dict[str, Secret] = {}

    def keep(self, name: str, secret: Secret, seconds: int) -> str | None:
        self.held[name] = secret
        return None

    def fetch(self, name: str) -> Secret | None:
        return self.held.get(name)

    def drop(self, name: str) -> bool:
        return self.held.pop(name, None) is not None


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Memory]:
    """An age file and its open identity."""
    folder, memory = tmp_path_factory.mktemp("made") / "age", Memory()
    AgeStore(folder, cache=memory).create(PASSPHRASE)
    return folder, memory


@pytest.fixture
def folder(made: tuple[Path, Memory], tmp_path: Path) -> Path:
    return Path(shutil.copytree(made[0], tmp_path / "age"))


@pytest.fixture
def memory(made: tuple[Path, Memory]) -> Memory:
    memory = Memory()
    memory.held = dict(made[1].held)
    return memory


@pytest.fixture
def store(folder: Path, memory: Memory) -> AgeStore:
    """Unlocked."""
    return AgeStore(folder, cache=memory)


def test_what_is_stored_is_found_and_nowhere_in_clear(store: AgeStore, folder: Path) -> None:
    assert store.set("desk", "token", Secret("CANARY")).state is State.STORED
    assert store.get("desk", "token").secret == Secret("CANARY")
    assert store.get("desk", "other").state is State.ABSENT
    held = [file.read_bytes() for file in folder.iterdir()]
    assert len(held) == 3
    assert not any(b"CANARY" in content or b"AGE-SECRET" in content for content in held)
    assert store.delete("desk", "token").state is State.DELETED
    assert store.delete("desk", "token").state is State.ABSENT


def test_the_files_are_this_users_alone(store: AgeStore, folder: Path) -> None:
    store.set("desk", "token", Secret("x"))
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (folder, *folder.iterdir())}
    assert modes == {"age": 0o700, "identity.age": 0o600, "secrets.age": 0o600, "lock": 0o600}


@pytest.mark.parametrize("which", ["secrets.age", "identity.age", "."])
def test_files_that_others_can_read_are_not_used(store: AgeStore, folder: Path, which: str) -> None:
    os.chmod(folder / which, 0o740)
    answer = store.get("desk", "token")
    assert answer.state is State.FAILED
    assert "chmod" in answer.sentence


def test_a_link_is_not_followed(store: AgeStore, folder: Path, tmp_path: Path) -> None:
    (folder / "secrets.age").rename(tmp_path / "elsewhere")
    (folder / "secrets.age").symlink_to(tmp_path / "elsewhere")
    assert store.get("desk", "token").state is State.FAILED


def test_locked_until_the_passphrase_is_right(folder: Path) -> None:
    store = AgeStore(folder, cache=NO_CACHE)
    assert (store.state, store.get("desk", "token").state) == (State.LOCKED, State.LOCKED)
    assert "auth unlock" in store.set("desk", "token", Secret("x")).sentence
    with pytest.raises(Failed, match="does not open") as caught:
        store.unlock(Secret("wrong CANARY"))
    assert "CANARY" not in str(caught.value)
    assert "for this process only" in store.unlock(PASSPHRASE)
    assert store.state is State.FOUND


def test_a_file_never_made_says_how_to_make_it(tmp_path: Path) -> None:
    store = AgeStore(tmp_path / "age", cache=NO_CACHE)
    answer = store.get("desk", "token")
    assert (store.state, answer.state) == (State.ABSENT, State.NO_BACKEND)
    assert "auth move --to age" in answer.sentence


@needs_kernel
def test_unlocked_once_it_is_open_for_other_processes_until_locked(folder: Path) -> None:
    first = AgeStore(folder, unlock_h=0.01)
    if "for this process only" in first.unlock(PASSPHRASE):
        pytest.skip("this host's kernel keyring keeps nothing")
    other = AgeStore(folder)
    assert other.get("desk", "token").state is State.ABSENT
    assert other.lock()
    assert AgeStore(folder).get("desk", "token").state is State.LOCKED
    assert not other.lock()


def test_another_identity_and_passphrase_keep_what_is_stored(
    store: AgeStore, folder: Path, memory: Memory
) -> None:
    store.set("desk", "token", Secret("CANARY"))
    own = Memory()
    own.held = dict(memory.held)
    open_before = [AgeStore(folder, cache=cache) for cache in (memory, memory, memory, own)]
    assert {one.get("desk", "token").state for one in open_before} == {State.FOUND}
    store.rekey(Secret("another"))
    reader, writer, sealer, cut_off = open_before
    assert reader.get("desk", "token").secret == Secret("CANARY")
    assert writer.set("desk", "more", Secret("x")).state is State.STORED
    sealer.reseal(())
    # Its keyring has only the old identity: it asks for the passphrase.
    assert cut_off.get("desk", "token").state is State.LOCKED
    again = AgeStore(folder, cache=NO_CACHE)
    with pytest.raises(Failed):
        again.unlock(PASSPHRASE)
    again.unlock(Secret("another"))
    assert again.get("desk", "token").secret == Secret("CANARY")


def test_a_second_recipient_opens_it_without_our_passphrase(store: AgeStore, folder: Path) -> None:
    store.set("desk", "token", Secret("CANARY"))
    recovery = pyrage.x25519.Identity.generate()
    store.reseal((str(recovery.to_public()),))
    store.set("desk", "more", Secret("y"))
    opened = json.loads(pyrage.decrypt((folder / "secrets.age").read_bytes(), [recovery]))
    assert opened == {"desk": {"more": "y", "token": "CANARY"}}
    with pytest.raises(Failed, match="no age recipient"):
        store.reseal(("age1nonsense",))


def test_writers_at_once_lose_nothing(folder: Path, memory: Memory) -> None:
    stores = [AgeStore(folder, cache=memory) for _ in range(3)]
    threads = [
        threading.Thread(target=store.set, args=("desk", f"f{n}_{i}", Secret("x")))
        for n, store in enumerate(stores)
        for i in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [stores[0].get("desk", f"f{n}_{i}").state for n in range(3) for i in range(5)]
    assert found == [State.FOUND] * 15


def test_what_is_not_ours_inside_is_said(store: AgeStore, folder: Path) -> None:
    identity = pyrage.x25519.Identity.generate()
    (folder / "secrets.age").write_bytes(pyrage.encrypt(b"{}", [identity.to_public()]))
    answer = store.get("desk", "token")
    assert answer.state is State.FAILED
    assert "another identity" in answer.sentence


@pytest.mark.skipif(not shutil.which("age"), reason="the standard age tool is not installed")
def test_the_standard_tool_reads_it(store: AgeStore, folder: Path) -> None:
    store.set("desk", "token", Secret("CANARY"))
    opened = _typed(["age", "-d", "-i", "identity.age", "-o", "clear.json", "secrets.age"], folder)
    assert opened == 0
    clear = folder / "clear.json"
    assert json.loads(clear.read_text()) == {"desk": {"token": "CANARY"}}
    clear.unlink()


def _typed(argv: list[str], cwd: Path) -> int:
    """The exit status of a program that asks for the passphrase on its terminal."""
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover - the child
        os.chdir(cwd)
        os.execvp(argv[0], argv)
    said = b""
    while b"passphrase" not in said and select.select([terminal], [], [], 20)[0]:
        said += os.read(terminal, 1024)
    os.write(terminal, PASSPHRASE.reveal().encode() + b"\n")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status)
