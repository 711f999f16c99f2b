"""What is purged is gone: from the lists, and from the bytes of every file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mspterm.domain.action import Update
from mspterm.domain.device import Alert
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import TicketDetail
from mspterm.store.db import SCHEMA
from mspterm.store.intents import Intent
from mspterm.store.store import Store
from tests.store.store_rows import NOW, asset, device, ticket

OAK, ELM = SafeText("Oak"), SafeText("Elm")
SECRET = "the-oak-server-room-code"


def is_oak(name: str | None, connection: str) -> bool:
    return name == "Oak"


def intent(name: str, ref: str, state: str) -> Intent:
    return Intent(name, ref, "rt", "note", state, None, NOW, 0, "hash", Update(ref, text=SECRET))


def alert(id_: str, device: str | None, client: SafeText | None, said: str = SECRET) -> Alert:
    return Alert(f"mesh:alert:{id_}", "mesh", id_, device, client, "minor", SafeText(said), NOW)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Oak's and Elm's, and enough of others' that pages are shared."""
    store = Store(tmp_path)
    mine = [ticket(n, client=OAK, summary=SafeText(f"{SECRET} {n}")) for n in range(1, 60)]
    store.tickets.upsert([*mine, *(ticket(n, client=ELM) for n in range(60, 120))])
    for row in mine[:5]:
        store.tickets.put_detail(TicketDetail(row, SafeText(SECRET * 50)))
    store.tickets.put_detail(TicketDetail(ticket(70, client=ELM), SafeText("toner")))
    store.devices.upsert_assets([asset(1, SECRET, client=OAK), asset(2, "elm-pc", client=ELM)])
    store.devices.upsert([device(SECRET), device("elm-pc"), device("oak-pc", client=OAK)])
    store.devices.tie({"rt:asset:1": f"mesh:{SECRET}", "rt:asset:2": "mesh:elm-pc"})
    alerts = [alert("1", f"mesh:{SECRET}", None), alert("2", None, OAK)]
    store.devices.upsert_alerts([*alerts, alert("3", "mesh:elm-pc", None, "toner")])
    store.database.put("choices:rt:", SECRET)
    yield store
    store.close()


def bytes_on_disk(folder: Path) -> bytes:
    return b"".join(f.read_bytes() for f in folder.iterdir() if f.is_file())


def test_one_clients_rows_go_and_are_counted_and_others_stay(store: Store) -> None:
    store.intents.add(intent("01A", "rt:1", "confirmed"))
    store.intents.add(intent("01B", "rt:2", "queued"))
    store.intents.add(intent("01C", "rt:70", "confirmed"))
    done = store.purge_client(is_oak)
    assert (len(done.tickets), done.bodies, done.devices, done.assets) == (59, 5, 2, 1)
    assert (done.alerts, done.texts, done.waiting, done.left) == (2, 1, 1, False)
    assert {r.client for r in store.tickets.active()} == {"Elm"}
    assert store.tickets.detail("rt:70") is not None
    assert [d.name for d in store.devices.all()] == ["elm-pc"]
    assert [a.ref for a in store.devices.alerts()] == ["mesh:alert:3"]
    assert [i.intent_id for i in store.intents.listed(NOW)] == ["01B", "01C"]


def test_a_purged_clients_bytes_are_in_no_file(store: Store, tmp_path: Path) -> None:
    store.intents.add(intent("01A", "rt:1", "confirmed"))
    assert SECRET.encode() in bytes_on_disk(tmp_path)
    other = Store(tmp_path)  # a console that is open, and idle
    assert other.tickets.count_active() == 119
    assert not store.purge_client(is_oak).left
    assert SECRET.encode() not in bytes_on_disk(tmp_path)
    assert other.tickets.count_active() == 60
    other.close()


def test_a_reader_in_the_way_is_told_rather_than_hidden(store: Store, tmp_path: Path) -> None:
    store.database.connection.execute("PRAGMA busy_timeout = 20")
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM ticket").fetchone()
    assert store.purge_client(is_oak).left
    other.execute("COMMIT")
    other.close()
    assert not store.purge_client(is_oak).left
    assert SECRET.encode() not in bytes_on_disk(tmp_path)


def test_all_is_purged_but_what_is_still_to_be_sent(store: Store, tmp_path: Path) -> None:
    store.intents.add(intent("01A", "rt:1", "confirmed"))
    assert store.purge()
    assert SECRET.encode() not in bytes_on_disk(tmp_path)
    assert store.tickets.active() == []


def test_what_is_old_goes_and_what_is_active_or_waits_stays(store: Store) -> None:
    store.tickets.gone(["rt:60", "rt:61", "rt:62"])
    store.tickets.set_pending("rt:61", 1)
    later = NOW + timedelta(days=20)
    store.tickets.upsert([ticket(62, client=ELM, observed_at=later)])
    store.tickets.gone(["rt:62"])
    store.retain(NOW + timedelta(days=10))
    assert [store.tickets.get(f"rt:{n}") is None for n in (60, 61, 62, 63)] == [True, False, False, False]
    assert store.tickets.detail("rt:1") is None


def test_nothing_to_forget_writes_nothing(store: Store, tmp_path: Path) -> None:
    before = store.database.connection.total_changes
    store.retain(NOW - timedelta(days=1), ["Nobody"])
    assert store.database.connection.total_changes == before


def test_bodies_of_clients_that_keep_none_go_too(store: Store) -> None:
    store.retain(NOW - timedelta(days=1), ["Oak"])
    assert store.tickets.detail("rt:1") is None
    assert store.tickets.detail("rt:70") is not None


def test_a_conversation_that_is_held_is_this_processs_alone(store: Store, tmp_path: Path) -> None:
    secret = "patient-in-room-four"
    held = TicketDetail(ticket(1, client=OAK), SafeText(secret))
    store.tickets.hold_detail(held)
    found = store.tickets.detail("rt:1")
    assert found is not None
    assert found.description == secret
    assert secret.encode() not in bytes_on_disk(tmp_path)
    other = Store(tmp_path)
    assert other.tickets.detail("rt:1") is None
    other.close()


def test_a_store_of_the_first_format_is_taken_over_as_it_is(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "store.db") as db:
        db.executescript(SCHEMA)
        db.execute("INSERT INTO meta VALUES('me:rt', 'x')")
        db.execute("PRAGMA user_version = 1")
    db.close()
    store = Store(tmp_path)
    assert store.database.get("me:rt") == "x"
    assert store.budgets.get("rt").rate == 1.0
    store.close()
