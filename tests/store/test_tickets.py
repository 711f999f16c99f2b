"""Stored tickets: order, revisions, and answers that come too late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mspterm.domain.row import StatusClass
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import TicketDetail
from mspterm.store.store import Store
from tests.store.store_rows import NOW, asset, device, ticket


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.close()


def refs(store: Store) -> list[str]:
    return [r.ref for r in store.tickets.active()]


def test_pages_come_in_the_default_order_by_the_index(store: Store) -> None:
    store.tickets.upsert([ticket(n) for n in (3, 1, 2)])
    assert refs(store) == ["rt:1", "rt:2", "rt:3"]
    assert [r.ref for r in store.tickets.page(1, 1)] == ["rt:2"]
    sql = "EXPLAIN QUERY PLAN SELECT ref FROM ticket WHERE active = 1 ORDER BY ord LIMIT 50"
    plan = " ".join(str(r) for r in store.database.connection.execute(sql).fetchall())
    assert "ticket_order" in plan
    assert "TEMP B-TREE" not in plan


def test_a_whole_ticket_comes_back_as_it_went_in(store: Store) -> None:
    put = ticket(7, client=SafeText("St. Brannoc's School"), children=("rt:8",), next_action_at=NOW)
    store.tickets.upsert([put])
    assert store.tickets.get("rt:7") == put


def test_a_revision_grows_only_when_something_changed(store: Store) -> None:
    store.tickets.upsert([ticket(1), ticket(2)])
    before = store.database.revision
    assert store.tickets.upsert([ticket(1, observed_at=NOW + timedelta(minutes=1)), ticket(2)]) == 0
    assert store.database.revision == before
    later = NOW + timedelta(minutes=2)
    assert store.tickets.upsert([ticket(2, priority=1, observed_at=later)]) == 1
    assert [(r.ref, active) for r, active in store.tickets.changed_since(before)] == [("rt:2", True)]


def test_an_answer_asked_earlier_never_moves_a_row_back(store: Store) -> None:
    store.tickets.upsert([ticket(1, status=SafeText("stalled"), observed_at=NOW + timedelta(seconds=9))])
    store.tickets.upsert([ticket(1, status=SafeText("open"), observed_at=NOW)])
    found = store.tickets.row("rt:1")
    assert found is not None
    assert found.status == "stalled"


def test_a_full_run_retires_what_it_did_not_hold(store: Store) -> None:
    store.tickets.upsert([ticket(1), ticket(2)], run=1)
    started = NOW + timedelta(minutes=5)
    store.tickets.upsert([ticket(1, observed_at=started)], run=2)
    assert store.tickets.retire("rt", before_run=2, started=started) == 1
    assert refs(store) == ["rt:1"]


def test_a_ticket_created_while_a_full_run_was_under_way_stays(store: Store) -> None:
    started = NOW
    store.tickets.upsert([ticket(9, observed_at=started + timedelta(seconds=2))])
    store.tickets.retire("rt", before_run=1, started=started)
    assert refs(store) == ["rt:9"]


def test_a_retired_ticket_that_the_server_lists_again_comes_back(store: Store) -> None:
    store.tickets.upsert([ticket(1)], run=1)
    store.tickets.gone(["rt:1"])
    assert refs(store) == []
    store.tickets.upsert([ticket(1, observed_at=NOW + timedelta(minutes=1))], run=2)
    assert refs(store) == ["rt:1"]


def test_a_resolved_ticket_leaves_the_queue_and_is_told_to_followers(store: Store) -> None:
    store.tickets.upsert([ticket(1)])
    before = store.database.revision
    resolved = ticket(1, status_class=StatusClass.RESOLVED, observed_at=NOW + timedelta(seconds=1))
    store.tickets.upsert([resolved])
    assert refs(store) == []
    assert [(r.ref, active) for r, active in store.tickets.changed_since(before)] == [("rt:1", False)]


def test_tickets_that_came_before_their_assets_get_their_device_later(store: Store) -> None:
    store.tickets.upsert([ticket(1, asset_ids=("4",))])
    assert store.tickets.device_refs() == {"rt:1": ("rt:asset:4",)}
    store.devices.upsert_assets([asset(4, "HVD-DC01")])
    store.devices.upsert([device("HVD-DC01")])
    store.devices.tie({"rt:asset:4": "mesh:HVD-DC01"})
    store.tickets.name_devices()
    found = store.tickets.row("rt:1")
    assert found is not None
    assert found.device == "HVD-DC01"
    assert store.tickets.device_refs() == {"rt:1": ("mesh:HVD-DC01",)}
    assert store.devices.tickets_of("mesh:HVD-DC01") == ["rt:1"]


def test_a_ticket_of_two_assets_is_named_once_as_it_was_stored(store: Store) -> None:
    store.devices.upsert_assets([asset(4, "OAK-FS1"), asset(5, "OAK-DC01")])
    store.tickets.upsert([ticket(1, asset_ids=("4", "5")), ticket(2, asset_ids=("4", "6"))])
    before = store.database.revision
    store.tickets.name_devices()
    assert store.database.revision == before
    store.devices.upsert_assets([asset(6, "OAK-AP2")])
    store.tickets.name_devices()
    assert [r.device for r, _ in store.tickets.changed_since(before)] == ["OAK-AP2, OAK-FS1"]
    assert [r.device for r in store.tickets.active()] == ["OAK-DC01, OAK-FS1", "OAK-AP2, OAK-FS1"]


def test_a_count_that_is_as_it_was_wakes_nobody(store: Store) -> None:
    store.tickets.upsert([ticket(1)])
    store.tickets.set_pending("rt:1", 2)
    before = store.database.revision
    store.tickets.set_pending("rt:1", 2)
    store.tickets.set_pending("rt:9", 2)
    assert store.database.revision == before
    store.tickets.set_pending("rt:1", 0)
    assert [r.pending for r, _ in store.tickets.changed_since(before)] == [0]


def test_pending_writes_survive_a_refresh(store: Store) -> None:
    store.tickets.upsert([ticket(1)])
    store.tickets.set_pending("rt:1", 2)
    store.tickets.upsert([ticket(1, priority=1, observed_at=NOW + timedelta(seconds=1))])
    found = store.tickets.row("rt:1")
    assert found is not None
    assert (found.pending, found.priority) == (2, 1)


def test_a_conversation_is_kept_apart_from_its_row(store: Store) -> None:
    detail = TicketDetail(ticket(1), SafeText("It is down"))
    store.tickets.put_detail(detail)
    assert store.tickets.detail("rt:1") == detail
    assert refs(store) == ["rt:1"]


def test_two_processes_see_each_others_changes(store: Store, tmp_path: Path) -> None:
    other = Store(tmp_path)
    before = other.database.changed_elsewhere()
    store.tickets.upsert([ticket(1)])
    assert other.database.changed_elsewhere() != before
    assert refs(other) == ["rt:1"]
    other.close()
