"""The file itself, connections, leases, devices and the outbox."""

from __future__ import annotations

import sqlite3
import stat
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mspterm.domain.action import NewTicket, Reboot, RunCommand, Update, Write
from mspterm.domain.reasons import Failed, Failure, Reason
from mspterm.domain.text import SafeText
from mspterm.store.intents import Intent
from mspterm.store.store import Store
from tests.store.store_rows import NOW, asset, device, ticket


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state")
    yield store
    store.close()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_the_file_is_for_this_user_alone(store: Store, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    files = [file.name for file in (tmp_path / "state").iterdir() if file.name.startswith("store.db")]
    assert sorted(files) == ["store.db", "store.db-shm", "store.db-wal"]
    assert {stat.S_IMODE((tmp_path / "state" / name).stat().st_mode) for name in files} == {0o600}


def test_a_file_that_is_no_store_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("not a database, certainly not" * 50)
    with pytest.raises(Failed) as caught:
        Store(tmp_path)
    assert caught.value.failure.reason is Reason.BAD_DATA
    assert str(tmp_path) in caught.value.failure.sentence


def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    Store(tmp_path).close()
    with sqlite3.connect(tmp_path / "store.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(Failed, match="newer mspterm"):
        Store(tmp_path)


def test_a_failure_stands_beside_the_last_success(store: Store) -> None:
    store.connections.caught_up("rt", NOW, "c1", full=True, skipped=[("rt:9", "no Subject")])
    failure = Failure(Reason.OFFLINE, "rt is gone.", "rt", NOW + timedelta(seconds=30))
    store.connections.failed("rt", failure, NOW + timedelta(seconds=10))
    store.connections.failed("rt", failure, NOW + timedelta(seconds=20))
    state = store.connections.get("rt")
    assert (state.failure, state.checked_at, state.cursor) == (failure, NOW, "c1")
    assert state.failed_at == NOW + timedelta(seconds=10)
    assert state.skipped == (("rt:9", "no Subject"),)
    store.connections.caught_up("rt", NOW, None, full=False, skipped=None)
    state = store.connections.get("rt")
    assert (state.failure, state.cursor, len(state.skipped)) == (None, "c1", 1)


def test_a_lease_is_held_by_one_until_it_lapses(store: Store) -> None:
    assert store.connections.lease("poll:rt", "a", NOW, 30) == 1
    assert store.connections.lease("poll:rt", "b", NOW, 30) is None
    assert store.connections.lease("poll:rt", "a", NOW + timedelta(seconds=20), 30) == 1
    assert store.connections.lease("poll:rt", "b", NOW + timedelta(seconds=51), 30) == 2
    assert store.connections.lease("poll:rt", "a", NOW + timedelta(seconds=52), 30) is None


def test_a_released_lease_is_free(store: Store) -> None:
    store.connections.lease("poll:rt", "a", NOW, 30)
    store.connections.release("poll:rt", "a")
    assert store.connections.lease("poll:rt", "b", NOW, 30) is not None


def test_an_older_reading_of_a_device_is_dropped(store: Store) -> None:
    store.devices.upsert([device("A", online=False, observed_at=NOW + timedelta(seconds=5))])
    store.devices.upsert([device("A", online=True, observed_at=NOW)])
    found = store.devices.get("mesh:A")
    assert found is not None
    assert found.online is False


def test_the_psas_client_stands_for_a_device_whose_rmm_names_none(store: Store) -> None:
    store.devices.upsert_assets([asset(1, "A", client=SafeText("Oak"))])
    store.devices.upsert([device("A")])
    store.devices.tie({"rt:asset:1": "mesh:A"})
    assert store.devices.client_names() == {"mesh:A": "Oak"}
    store.devices.tie({})
    assert store.devices.client_names() == {}


@pytest.mark.parametrize(
    "write",
    [
        Update("rt:1", text="hello", minutes=5, next_at=NOW),
        NewTicket("rt", "Oak", "Summary"),
        RunCommand("mesh:A", "uname -a", attach="rt:1"),
        Reboot("mesh:A"),
    ],
)
def test_an_intent_comes_back_whole(store: Store, write: Write) -> None:
    intent = Intent("01A", write.ref, "rt", "x", "queued", None, NOW, 0, "hash", write)
    store.intents.add(intent)
    assert store.intents.get("01A") == intent
    assert store.intents.queued("rt") == [intent]


def test_decided_intents_stay_listed_for_a_day(store: Store) -> None:
    for name in ("01A", "01B"):
        store.intents.add(Intent(name, "rt:1", "rt", "note", "sending", None, NOW, 1, "h", Update("rt:1")))
    store.intents.move("01A", "confirmed", None, NOW)
    assert store.intents.pending("rt:1") == 1
    assert [i.intent_id for i in store.intents.listed(NOW + timedelta(hours=23))] == ["01A", "01B"]
    assert [i.intent_id for i in store.intents.listed(NOW + timedelta(hours=25))] == ["01B"]


def test_purging_keeps_what_is_still_to_be_sent(store: Store) -> None:
    store.tickets.upsert([ticket(1)])
    store.intents.add(Intent("01A", "rt:1", "rt", "note", "queued", None, NOW, 1, "h", Update("rt:1")))
    store.purge()
    assert store.tickets.active() == []
    assert len(store.intents.queued("rt")) == 1


def unlinked(store: Store) -> bool:
    """Whether there is something to link since this was asked last."""
    mark = store.devices.unlinked
    store.devices.linked(mark)
    return mark is not None


def test_what_is_stored_again_as_it_was_gives_nothing_to_link(store: Store) -> None:
    oak, a = asset(1, "A", client=SafeText("Oak")), device("A", online=True)
    store.devices.upsert_assets([oak])
    assert unlinked(store)
    store.devices.upsert([a])
    assert unlinked(store)
    store.devices.upsert_assets([oak], run=2)
    store.devices.upsert([replace(a, online=False, observed_at=NOW + timedelta(seconds=5))], run=2)
    store.devices.retire("mesh", before_run=2)
    store.devices.gone(["mesh:unheard"])
    assert not unlinked(store)
    store.devices.upsert([replace(a, serial=SafeText("S-1"), observed_at=NOW + timedelta(seconds=9))])
    assert unlinked(store)
    store.devices.retire("mesh", before_run=3)
    assert unlinked(store)
    store.devices.gone([oak.ref])
    assert unlinked(store)


def test_a_change_while_it_is_linked_is_linked_after(store: Store) -> None:
    store.devices.upsert_assets([asset(1, "A")])
    mark = store.devices.unlinked
    store.devices.upsert_assets([asset(1, "B")])
    store.devices.linked(mark)
    assert store.devices.unlinked not in (None, mark)
