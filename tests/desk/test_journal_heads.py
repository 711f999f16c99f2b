"""The journal's head outside its file: kept in the background, read back, and what it shows."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from mspterm.desk.journal import Entry, Journal, Outside
from mspterm.domain.secret import Secret
from mspterm.secrets.os_keyring import Answer, State
from tests.store.store_rows import NOW

KEY = Secret("cafe0bad" * 8)
ENTRY = Entry("note", ("rt:1",), "Oak", "done", None, "01A", "hash", None)


class Vault:
    """A keyring with one item, that can hang or be away."""

    def __init__(self) -> None:
        self.text: str | None = None
        self.state = State.FOUND
        self.open = threading.Event()
        self.open.set()
        self.stored = 0

    def journal_head(self) -> Answer:
        self.open.wait(20)
        if self.state is not State.FOUND:
            return Answer(self.state, "journal: the keyring is not here.")
        if self.text is None:
            return Answer(State.ABSENT, "journal: head is not in the keyring.")
        return Answer(State.FOUND, "journal: head is in the vault.", Secret(self.text))

    def keep_journal_head(self, head: str) -> Answer:
        self.stored += 1
        self.text = head
        return Answer(State.STORED, "journal: head is stored in the vault.")


@pytest.fixture
def vault() -> Vault:
    return Vault()


def opened(folder: Path, vault: Vault | None, file: Path | None = None) -> Journal:
    return Journal(folder, KEY, "ines", Outside(folder, vault, file))


def cut(journal: Journal, keep: int) -> None:
    [file] = journal.files()
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:keep]))


def test_a_cut_tail_is_seen_by_the_head_in_the_keyring(tmp_path: Path, vault: Vault) -> None:
    journal = opened(tmp_path, vault)
    for _ in range(6):
        journal.append(ENTRY, NOW)
    journal.settle(5)
    later = opened(tmp_path, vault)
    kept, why = later.kept()
    assert ([k.head.seq for k in kept], why) == ([6], [])
    assert later.verify(kept).kept == tuple(kept)
    cut(journal, 4)
    found = later.verify(kept)
    assert found.bad is not None
    assert "line 4, seq 5: the tail is cut, records 5 to 6 are missing (kept in the OS keyring)" in found.bad


def test_deleting_the_whole_journal_is_seen(tmp_path: Path, vault: Vault) -> None:
    journal = opened(tmp_path / "journal", vault)
    journal.append(ENTRY, NOW)
    journal.settle(5)
    for path in (tmp_path / "journal").iterdir():
        path.unlink()
    later = opened(tmp_path / "journal", vault)
    assert "seq 1: the tail is cut" in (later.verify(later.kept()[0]).bad or "")


def test_a_cut_between_two_runs_stays_on_record_though_the_head_moves_on(
    tmp_path: Path, vault: Vault
) -> None:
    first = opened(tmp_path, vault)
    for _ in range(3):
        first.append(ENTRY, NOW)
    first.settle(5)
    cut(first, 1)
    second = opened(tmp_path, vault)
    for _ in range(6):
        second.append(ENTRY, NOW)
    second.settle(5)
    third = opened(tmp_path, vault)
    kept, _ = third.kept()
    found = third.verify(kept)
    assert found.bad is not None
    assert "record 3 as it was is gone" in found.bad


def test_a_keyring_that_hangs_holds_up_nothing(tmp_path: Path, vault: Vault) -> None:
    vault.open.clear()
    journal = opened(tmp_path, vault)
    for _ in range(50):
        journal.append(ENTRY, NOW)
    assert vault.stored == 0
    vault.open.set()
    journal.settle(5)
    assert journal.kept()[0][0].head.seq == 50
    assert vault.stored <= 3, "of several heads in a row only the last is kept"


def test_an_older_head_never_takes_the_place_of_a_newer_one(tmp_path: Path, vault: Vault) -> None:
    one, two = opened(tmp_path, vault), opened(tmp_path, vault)
    one.append(ENTRY, NOW)
    one.settle(5)
    vault.open.clear()
    one.append(ENTRY, NOW)
    vault.open.set()
    two.append(ENTRY, NOW)
    two.settle(5)
    one.settle(5)
    assert two.kept()[0][0].head.seq == 3


def test_two_journals_share_the_keyring_item(tmp_path: Path, vault: Vault) -> None:
    for name in ("a", "b"):
        journal = opened(tmp_path / name, vault)
        journal.append(ENTRY, NOW)
        journal.settle(5)
    for n in range(30):
        journal = opened(tmp_path / f"demo{n}", vault)
        journal.append(ENTRY, NOW)
        journal.settle(5)
    assert vault.text is not None
    assert len(vault.text) < 1280, "what a Windows credential holds"
    assert len(opened(tmp_path / "demo29", vault).kept()[0]) == 1
    assert opened(tmp_path / "a", vault).kept() == ([], [])


def test_without_a_keyring_the_configs_file_has_the_head(tmp_path: Path, vault: Vault) -> None:
    vault.state, file = State.NO_BACKEND, tmp_path / "head"
    journal = opened(tmp_path / "journal", vault, file)
    journal.append(ENTRY, NOW)
    journal.settle(5)
    kept, why = opened(tmp_path / "journal", vault, file).kept()
    assert [k.where for k in kept] == [str(file)]
    assert why == ["journal: the keyring is not here."]
    assert vault.stored == 0


def test_a_file_that_can_not_be_written_costs_nothing_but_the_head(tmp_path: Path, vault: Vault) -> None:
    journal = opened(tmp_path / "journal", vault, tmp_path / "no such folder" / "head")
    journal.append(ENTRY, NOW)
    journal.settle(5)
    assert [k.where for k in journal.kept()[0]] == ["the OS keyring"]
