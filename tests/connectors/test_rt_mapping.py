"""RT's captured answers as the desk's tickets, and the maps of a tenant."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mspterm.config.model import Connection
from mspterm.connectors.rt import wire
from mspterm.connectors.rt.mapping import TenantMap, kind_of, when
from mspterm.domain.row import ClockState, StatusClass
from mspterm.domain.ticket import Clock, Ticket
from tests.connectors.fake_rt import NEVER, NOW, row, user

ACME = Connection("acme", "rt", "http://rt.test", tiers={"Service Desk": "L1"})
TENANT = TenantMap(ACME, "http://rt.test")
TICKET_LISTS = (
    *("05-tickets-open", "06-tickets-open-p2", "09-tickets-updated-since", "10-tickets-updated-since-abs"),
    *("11-tickets-overdue", "12-tickets-mine", "13-tickets-client-cf", "14-tickets-subject-like"),
    *("08-tickets-perpage-max", "16-tickets-simple2", "76-viewer-list"),
)
DUE = "2026-11-24T12:00:00Z"
DUE_AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


def decoded(made: dict[str, Any]) -> wire.WireTicket:
    return wire.item(msgspec.Raw(json.dumps(made).encode()), wire.WireTicket)


def mapped(tenant: TenantMap = TENANT, **more: Any) -> Ticket:
    return tenant.ticket(decoded(row(7, **more)), observed_at=NOW)


def tenant(**settings: Any) -> TenantMap:
    return TenantMap(replace(ACME, **settings), "http://rt.test")


def captured(shared: Path, name: str) -> Any:
    return json.loads((shared / "captures" / "rt" / f"{name}.json").read_text())["response"]["body"]


@pytest.mark.parametrize("name", TICKET_LISTS)
def test_every_captured_list_maps(shared: Path, name: str) -> None:
    """Lists that were asked with few fields are filled up with a ticket's other fields."""
    items = captured(shared, name)["items"]
    tickets = [TENANT.ticket(decoded(row(1) | item), observed_at=NOW) for item in items]
    assert [ticket.number for ticket in tickets] == [item["id"] for item in items]
    assert [ticket.summary for ticket in tickets if "Subject" in items[0]] == [
        item["Subject"] for item in items if "Subject" in item
    ]


def test_a_captured_ticket_in_full(shared: Path) -> None:
    first = captured(shared, "05-tickets-open")["items"][0]
    ticket = TENANT.ticket(decoded(first), observed_at=NOW)
    assert (ticket.ref, ticket.client, ticket.tier) == ("acme:50", "Kestrel Logistics", "L1")
    assert (ticket.assignee, ticket.assignee_id) == ("Tom Okafor", "tom")
    assert (ticket.priority, ticket.priority_label, ticket.minutes_worked) == (3, "Medium", 20)
    due = datetime(2026, 11, 19, 19, 58, 57, tzinfo=UTC)
    assert ticket.sla.resolution == Clock(ClockState.RUNNING, due, "psa")
    assert ticket.sla.response.state is ClockState.NONE
    assert ticket.contact is not None
    assert ticket.contact.email == "lee@ksl.test"
    assert ticket.url == "http://rt.test/Ticket/Display.html?id=50"
    assert (ticket.type, ticket.waiting_on, ticket.customer_replied_at) == ("incident", None, None)


def test_the_captured_links_name_the_asset(shared: Path) -> None:
    ticket = TENANT.ticket(decoded(captured(shared, "53-ticket-1-links")), observed_at=NOW)
    assert ticket.asset_ids == ("1",)


def test_captured_assets_map(shared: Path) -> None:
    items = [*captured(shared, "49-assets")["items"], captured(shared, "51-asset-1")]
    assets = [TENANT.asset(wire.item(msgspec.Raw(json.dumps(i).encode()), wire.WireAsset)) for i in items]
    assert [asset.name for asset in assets] == ["HVD-DC01", "HVD-FW01", "HVD-LT-014", "HVD-DC01"]
    assert {asset.client for asset in assets} == {"Harborview Dental Group"}
    assert [asset.kind for asset in assets] == ["server", "network", "workstation", "server"]
    assert (assets[3].ref, assets[3].serial) == ("acme:asset:1", "HVD0SN")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("new", StatusClass.NEW),
        ("open", StatusClass.OPEN),
        ("stalled", StatusClass.WAITING),
        ("resolved", StatusClass.RESOLVED),
        ("rejected", StatusClass.CLOSED),
        ("deleted", StatusClass.CLOSED),
        ("in review", StatusClass.OPEN),
    ],
)
def test_status_classes(status: str, expected: StatusClass) -> None:
    assert mapped(Status=status).status_class is expected


def test_a_tenants_status_classes_win() -> None:
    assert (
        mapped(tenant(status_classes={"open": "waiting"}), Status="open").status_class is StatusClass.WAITING
    )


@pytest.mark.parametrize(
    ("value", "ours", "label"),
    [
        *(("0", 4, "Low"), ("50", 3, "Medium"), ("100", 2, "High"), ("60", 3, "Medium"), ("200", 2, "High")),
        *(("-5", 4, "Low"), ("", 4, "Low"), ("High", 2, "High"), ("Odd", 4, "Odd")),
    ],
)
def test_priorities_without_a_map(value: str, ours: int, label: str) -> None:
    ticket = mapped(Priority=value)
    assert (ticket.priority, ticket.priority_label) == (ours, label)


@pytest.mark.parametrize(("value", "ours"), [("95", 1), ("94", 2), ("10", 5), ("0", 5)])
def test_priorities_by_a_number_map(value: str, ours: int) -> None:
    assert mapped(tenant(priorities={"10": 5, "50": 2, "95": 1}), Priority=value).priority == ours


def test_priorities_by_a_word_map() -> None:
    assert mapped(tenant(priorities={"High": 1}), Priority="100").priority == 1


@pytest.mark.parametrize("priorities", [{}, {"High": 1}, {"10": 5, "50": 2, "95": 1}, {"Urgent": 1}])
def test_what_is_written_for_a_priority_reads_back_as_it(priorities: dict[str, int]) -> None:
    maps = tenant(priorities=priorities)
    levels = {ours: maps.rt_priority(ours) for ours in range(1, 6)}
    assert any(level is not None for level in levels.values())
    for ours, level in levels.items():
        assert level is None or maps.priority(level) == ours


@pytest.mark.parametrize(
    ("more", "clock"),
    [
        ({"Due": NEVER}, Clock()),
        ({"Due": DUE}, Clock(ClockState.RUNNING, DUE_AT, "psa")),
        ({"Due": DUE, "Status": "stalled"}, Clock(ClockState.PAUSED, DUE_AT, "psa")),
        (
            {"Due": DUE, "Status": "resolved", "Resolved": "2026-11-24T11:00:00Z"},
            Clock(ClockState.MET, DUE_AT, "psa", datetime(2026, 11, 24, 11, tzinfo=UTC)),
        ),
        (
            {"Due": DUE, "Status": "resolved", "Resolved": "2026-11-24T13:00:00Z"},
            Clock(ClockState.BREACHED, DUE_AT, "psa", datetime(2026, 11, 24, 13, tzinfo=UTC)),
        ),
    ],
)
def test_due_is_the_resolution_target(more: dict[str, Any], clock: Clock) -> None:
    assert mapped(**more).sla.resolution == clock


def test_nobody_is_no_assignee() -> None:
    ticket = mapped(Owner=user("Nobody"))
    assert (ticket.assignee, ticket.assignee_id) == (None, None)


def test_parents_and_children() -> None:
    links = [
        {"ref": "parent", "type": "ticket", "id": "3"},
        {"ref": "child", "type": "ticket", "id": "8"},
        {"ref": "child", "type": "ticket", "id": "9"},
        {"ref": "refers-to", "type": "ticket", "id": "10"},
    ]
    ticket = mapped(_hyperlinks=links)
    assert (ticket.parent, ticket.children, ticket.asset_ids) == ("acme:3", ("acme:8", "acme:9"), ())


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, None),
        ({"LastUpdatedBy": user("dana@hvd.test"), "LastUpdated": "2026-11-24T07:00:00Z"}, 7),
        # Creating a ticket is no reply, and neither is a technician's word on their own ticket.
        ({"LastUpdatedBy": user("dana@hvd.test")}, None),
        (
            {
                "LastUpdatedBy": user("dana@hvd.test"),
                "Owner": user("dana@hvd.test"),
                "LastUpdated": "2026-11-24T07:00:00Z",
            },
            None,
        ),
    ],
)
def test_the_customers_last_word(more: dict[str, Any], expected: int | None) -> None:
    replied = mapped(**more).customer_replied_at
    assert (replied.hour if replied else None) == expected


def test_starts_is_the_next_action_unless_rt_set_it_at_creation() -> None:
    assert mapped(Starts="2026-11-24T06:00:01Z").next_action_at is None
    assert mapped(Starts="2026-11-25T09:00:00Z").next_action_at == datetime(2026, 11, 25, 9, tzinfo=UTC)


def test_the_next_action_from_a_custom_field() -> None:
    field = {"id": "7", "name": "Next", "values": ["2026-11-25 09:00:00"]}
    ticket = mapped(tenant(next_from="cf:Next"), CustomFields=[field], Starts="2026-12-24T09:00:00Z")
    assert ticket.next_action_at == datetime(2026, 11, 25, 9, tzinfo=UTC)


def test_the_client_from_the_queue_or_another_field() -> None:
    assert mapped(tenant(client_from="queue")).client == "Service Desk"
    fields = [{"id": "7", "name": "Company", "values": ["Oak"]}]
    assert mapped(tenant(client_from="cf:Company"), CustomFields=fields).client == "Oak"
    assert mapped(CustomFields=[]).client is None


def test_hostile_text_is_made_safe() -> None:
    ticket = mapped(Subject="a\x1b]0;x\x07b", Status="o\x9bpen", Owner=user("e\x1b[31mve"))
    for text in (ticket.summary, ticket.status, ticket.assignee or "", ticket.assignee_id or ""):
        assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in text)


def test_a_ticket_without_its_dates_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match="LastUpdated"):
        mapped(LastUpdated=NEVER)


@pytest.mark.parametrize("value", [None, "", NEVER, "yesterday", "2026-02-30T00:00:00Z"])
def test_what_is_no_date_is_none(value: str | None) -> None:
    assert when(value) is None


@pytest.mark.parametrize(
    ("description", "name", "kind"),
    [
        ("Dell PowerEdge R450 (Server)", "HVD-DC01", "server"),
        ("Hyper-V host", "OAK-HV01", "hypervisor"),
        ("", "OAK-FW01", "network"),
        ("", "KSL-LT-014", "workstation"),
        ("iPad of the front desk", "", "mobile"),
        ("A thing", "THING", "other"),
    ],
)
def test_device_kinds_from_words(description: str, name: str, kind: str) -> None:
    assert kind_of(description, name) == kind
