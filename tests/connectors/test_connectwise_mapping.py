"""ConnectWise's rows as the desk's: every sample maps, and what its fields mean."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mspterm.connectors.connectwise import conversation, wire
from mspterm.connectors.connectwise.conditions import any_of, instant, quoted
from mspterm.connectors.connectwise.mapping import Context, TenantMap, contact
from mspterm.connectors.connectwise.site import api_origin, site_origin
from mspterm.connectors.connectwise.sla import stage_due
from mspterm.domain.row import ClockState, StatusClass
from mspterm.domain.ticket import Clock, Ticket
from tests.connectors.fake_connectwise import ACME, NOW, STATUSES, row

TENANT = TenantMap(replace(ACME, tiers={"Help Desk": "L1"}), "https://na.myconnectwise.net", "msp")
CREATED = datetime(2026, 11, 24, 6, tzinfo=UTC)
DUE = "2026-11-24T12:00:00Z"
DUE_AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


def mapped(tenant: TenantMap = TENANT, **more: Any) -> Ticket:
    board = {s["id"]: msgspec.convert(s, wire.Status) for s in STATUSES[1]}
    return tenant.ticket(decoded(row(7, **more), wire.Ticket), Context(NOW, board))


def decoded(made: Any, into: Any) -> Any:
    return wire.item(json.dumps(made).encode(), into)


def sample(shared: Path, name: str) -> list[Any]:
    found = json.loads((shared / "samples" / "connectwise" / f"{name}.json").read_text())
    return found if isinstance(found, list) else [found]


SAMPLES: dict[str, type[Any]] = {
    "companyinfo_cloud": wire.CompanyInfo,
    "djfix_api_company_info": wire.CompanyInfo,
    "djfix_api_board": wire.Board,
    "djfix_api_board_list": wire.Board,
    "djfix_api_board_status_list": wire.Status,
    "djfix_api_company": wire.Company,
    "djfix_api_company_list": wire.Company,
    "djfix_api_company_contact_list": wire.Contact,
    "djfix_api_contact_communication_list": wire.Communication,
    "djfix_api_item_list": wire.Named,
    "djfix_api_subtype_list": wire.Named,
    "djfix_api_type_list": wire.Named,
    "djfix_api_service_team_list": wire.Named,
    "djfix_api_service_priority": wire.Named,
    "djfix_api_service_priority_list": wire.Named,
    "djfix_api_member": wire.Person,
    "djfix_api_member_list": wire.Person,
    "djfix_api_service_note_list": wire.Note,
    "djfix_api_time_entry": wire.TimeEntry,
    "djfix_api_time_entry_list": wire.TimeEntry,
    "djfix_api_cw_version": wire.System,
    "error_429_body": wire.Refusal,
    "error_ssl_required": wire.Refusal,
}
TICKETS = ("djfix_api_service_ticket", "djfix_api_service_ticket_list", "djfix_api_project_ticket")


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_row_is_read(shared: Path, name: str) -> None:
    rows = sample(shared, name)
    read = [decoded(one, SAMPLES[name]) for one in rows]
    assert [getattr(one, "id", None) for one in read] == [
        one.get("id") if hasattr(SAMPLES[name], "id") else None for one in rows
    ]


@pytest.mark.parametrize("name", TICKETS)
def test_every_sample_ticket_maps(shared: Path, name: str) -> None:
    rows = sample(shared, name)
    tickets = [TENANT.ticket(decoded(one, wire.Ticket), Context(NOW)) for one in rows]
    assert [t.number for t in tickets] == [str(one["id"]) for one in rows]
    assert [t.summary for t in tickets] == [one["summary"] for one in rows]
    assert all(t.client == "TestCompany" and t.queue == "Service A" for t in tickets)


def test_a_sample_ticket_in_full(shared: Path) -> None:
    ticket = TENANT.ticket(decoded(sample(shared, "djfix_api_service_ticket")[0], wire.Ticket), Context(NOW))
    assert (ticket.assignee, ticket.assignee_id) == ("Training User1", "User1")
    assert (ticket.priority, ticket.priority_label) == (3, "Priority 3 - Normal Response")
    assert (ticket.category, ticket.source, ticket.site) == ("Admin / Repair / Fix it", "phone", "Main")
    assert ticket.contact is not None
    assert (ticket.contact.name, ticket.contact.phones) == ("Gregg Kegle", ("8135156666",))
    assert ticket.created_at == datetime(2005, 5, 27, 17, 30, 19, tzinfo=UTC)
    assert ticket.next_action_at == datetime(2017, 3, 3, tzinfo=UTC)


def test_sample_notes_and_time_entries_become_a_conversation(shared: Path) -> None:
    notes = [decoded(one, wire.Note) for one in sample(shared, "djfix_api_service_note_list")]
    entries = [decoded(one, wire.TimeEntry) for one in sample(shared, "djfix_api_time_entry_list")]
    found = conversation.notes(notes, entries)
    assert [(n.kind, n.author, n.minutes) for n in found] == [
        ("internal", "Training User1", 120),
        ("public", "Training User1", None),
    ]
    assert conversation.description(notes) == "Some Text On This Note"


def test_sample_contacts_bring_their_phones(shared: Path) -> None:
    person = decoded(sample(shared, "djfix_api_company_contact_list")[0], wire.Contact)
    found = contact(decoded(row(1), wire.Ticket), person)
    assert found is not None
    assert found.phones == ("5550100", "8139357100 ext. 401")
    assert found.email == "dana@hvd.test"


def test_absent_is_not_null_and_both_are_read() -> None:
    absent, null = (
        mapped(owner=None),
        TENANT.ticket(decoded({**row(7), "owner": None}, wire.Ticket), Context(NOW)),
    )
    assert (absent.assignee, null.assignee) == (None, None)


def test_a_row_without_its_time_of_change_is_an_error() -> None:
    with pytest.raises(ValueError, match="lastUpdated"):
        mapped(_info={})


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        (16, StatusClass.NEW),
        (17, StatusClass.OPEN),
        (19, StatusClass.WAITING),
        (21, StatusClass.RESOLVED),
        (22, StatusClass.CLOSED),
    ],
)
def test_a_status_means_what_its_board_says(status: int, wanted: StatusClass) -> None:
    name = next(s["name"] for s in STATUSES[1] if s["id"] == status)
    assert mapped(status={"id": status, "name": name}).status_class is wanted


@pytest.mark.parametrize(
    ("name", "wanted", "on"),
    [
        ("Waiting on Vendor", StatusClass.WAITING, "vendor"),
        ("Scheduled", StatusClass.WAITING, "schedule"),
        ("Waiting Parts", StatusClass.WAITING, "parts"),
        ("Waiting - customer responded", StatusClass.WAITING, "us"),
        ("New (email connector)", StatusClass.NEW, None),
        ("Whatever", StatusClass.OPEN, None),
    ],
)
def test_an_unknown_status_is_judged_by_its_name(name: str, wanted: StatusClass, on: str | None) -> None:
    ticket = mapped(status={"id": 99, "name": name})
    assert (ticket.status_class, ticket.waiting_on) == (wanted, on)


def test_the_closed_flag_outweighs_an_open_status() -> None:
    assert mapped(closedFlag=True).status_class is StatusClass.CLOSED


def test_the_tenants_maps_win() -> None:
    tenant = replace(
        TENANT,
        connection=replace(ACME, status_classes={"New": "waiting"}, priorities={"Priority 3 - Normal": 1}),
    )
    ticket = mapped(tenant)
    assert (ticket.status_class, ticket.priority, ticket.tier) == (StatusClass.WAITING, 1, None)
    assert mapped().tier == "L1"


@pytest.mark.parametrize(
    ("label", "ours"),
    [("Priority 1 - Emergency", 1), ("P2", 2), ("High", 2), ("Do not respond", 4), ("4 - Low", 4)],
)
def test_priorities_are_read_by_number_or_word(label: str, ours: int) -> None:
    assert mapped(priority={"name": label}).priority == ours


def test_goals_are_clocks_and_stamps_say_what_is_met() -> None:
    ticket = mapped(
        respondByGoalUTC=DUE,
        dateResponded="2026-11-24T07:00:00Z",
        resplanGoalUTC="2026-11-24T06:30:00Z",
        dateResplan="2026-11-24T07:00:00Z",
        resolutionGoalUTC=DUE,
    )
    met = datetime(2026, 11, 24, 7, tzinfo=UTC)
    assert ticket.sla.response == Clock(ClockState.MET, DUE_AT, "psa", met)
    assert ticket.sla.plan.state is ClockState.BREACHED
    assert ticket.sla.resolution == Clock(ClockState.RUNNING, DUE_AT, "psa")


def test_a_waiting_status_pauses_the_clocks() -> None:
    waiting = mapped(status={"id": 19, "name": "Waiting Customer"}, resolutionGoalUTC=DUE)
    assert waiting.sla.resolution.state is ClockState.PAUSED
    assert mapped(slaStatus="Waiting", resolutionGoalUTC=DUE).sla.resolution.state is ClockState.PAUSED


def test_a_closed_ticket_runs_no_clock() -> None:
    closed = mapped(closedFlag=True, closedDate="2026-11-24T07:30:00Z", resolutionGoalUTC=DUE)
    assert closed.sla.resolution.state is ClockState.MET


def test_trap_sla_status_text_is_the_fallback_of_the_goals() -> None:
    ticket = mapped(slaStatus="Respond by Tue 11/24 4:00 PM UTC-04")
    assert ticket.sla.response == Clock(ClockState.RUNNING, datetime(2026, 11, 24, 20, tzinfo=UTC), "psa")
    assert ticket.sla.resolution.due is None
    assert (
        mapped(slaStatus="Respond by Tue 11/24 4:00 PM UTC-04", resolutionGoalUTC=DUE).sla.response.due
        is None
    )


@pytest.mark.parametrize(
    ("text", "created", "stage", "due"),
    [
        ("Respond by Mon 07/04 1:00 PM UTC-04", "2022-07-04T12:00:00", "response", "2022-07-04T17:00:00"),
        ("Respond by Mon 01/27 4:00 PM UTC-08", "2020-01-27T12:00:00", "response", "2020-01-28T00:00:00"),
        ("Resolve by Thu 01/01 9:30 AM UTC+00", "2025-12-30T12:00:00", "resolution", "2026-01-01T09:30:00"),
        ("Plan by Tue 24/11 12:15 AM UTC+01", "2026-11-23T12:00:00", "plan", "2026-11-23T23:15:00"),
        ("Resolve by Wed 25/11 15:00 UTC+05:30", "2026-11-23T12:00:00", "resolution", "2026-11-25T09:30:00"),
    ],
)
def test_trap_sla_status_has_no_year_and_the_sites_order_of_day_and_month(
    text: str, created: str, stage: str, due: str
) -> None:
    at = datetime.fromisoformat(created).replace(tzinfo=UTC)
    assert stage_due(text, at, at) == (stage, datetime.fromisoformat(due).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    "text", ["Resolved", "Waiting", "", "Respond by Tue 02/31 1:00 PM UTC-04", "by 99/99"]
)
def test_sla_status_without_a_date_is_no_clock(text: str) -> None:
    assert stage_due(text, CREATED, NOW) is None


def test_a_configuration_is_an_asset_with_the_rmms_id() -> None:
    made = {
        "id": 12,
        "name": "HVD-DC01",
        "type": {"id": 1, "name": "Managed Server"},
        "company": {"id": 5, "name": "Harborview Dental"},
        "deviceIdentifier": "42",
        "serialNumber": "SN1",
    }
    asset = TENANT.asset(decoded(made, wire.Configuration))
    assert (asset.ref, asset.device_uid, asset.kind) == ("acme:asset:12", "42", "server")
    assert (asset.serial, asset.client, asset.client_id) == ("SN1", "Harborview Dental", "5")


def test_vendor_text_is_cleaned() -> None:
    ticket = mapped(summary="a\x1b]52;c;eHg=\x07b", contactName="x\u202ey")
    assert ticket.summary == "ab"
    assert ticket.contact is not None
    assert "\u202e" not in ticket.contact.name


def test_a_customers_note_has_a_contact_and_no_member() -> None:
    theirs = decoded(
        {"id": 1, "text": "help", "contact": {"id": 9, "name": "Dana"}, "dateCreated": DUE}, wire.Note
    )
    ours = decoded(
        {"id": 2, "text": "ok", "resolutionFlag": True, "createdBy": "tom", "dateCreated": DUE}, wire.Note
    )
    assert [(n.kind, n.author) for n in conversation.notes([theirs, ours], [])] == [
        ("customer", "Dana"),
        ("resolution", "tom"),
    ]


def test_a_time_entrys_text_is_shown_once() -> None:
    note = decoded({"id": 1, "text": "done", "detailDescriptionFlag": True, "dateCreated": DUE}, wire.Note)
    entry = decoded(
        {"id": 5, "notes": "done", "timeEnd": DUE, "actualHours": 0.33, "addToDetailDescriptionFlag": True},
        wire.TimeEntry,
    )
    assert [(n.id, n.minutes, n.kind) for n in conversation.notes([note], [entry])] == [
        ("time:5", 20, "public")
    ]


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        ("Help Desk", '"Help Desk"'),
        ('Bob "B" & Sons', "'Bob \"B\" & Sons'"),
        ("St. Brannoc's", '"St. Brannoc\'s"'),
    ],
)
def test_strings_are_quoted(value: str, literal: str) -> None:
    assert quoted(value) == literal


def test_trap_a_literal_bracket_is_escaped() -> None:
    assert quoted("[P1] down") == '"[[]P1] down"'


def test_times_have_no_fraction() -> None:
    assert instant(NOW.replace(microsecond=123456)) == "[2026-11-24T08:00:00Z]"


def test_long_lists_take_several_conditions() -> None:
    names = [f"Board number {n}" for n in range(60)]
    made = any_of("board/name", names)
    assert len(made) > 1
    assert all(sum(f'"{name}"' in part for part in made) == 1 for name in names)


HOSTS: list[tuple[Callable[[str], str], str, str]] = [
    (api_origin, "https://na.myconnectwise.net", "https://api-na.myconnectwise.net"),
    (api_origin, "https://api-eu.myconnectwise.net/v4_6_release", "https://api-eu.myconnectwise.net"),
    (api_origin, "https://staging.connectwisedev.com", "https://api-staging.connectwisedev.com"),
    (api_origin, "https://cw.example.com:8443/", "https://cw.example.com:8443"),
    (site_origin, "https://api-au.myconnectwise.net", "https://au.myconnectwise.net"),
]


@pytest.mark.parametrize(("which", "url", "origin"), HOSTS)
def test_trap_the_clouds_api_host_is_not_its_web_host(
    which: Callable[[str], str], url: str, origin: str
) -> None:
    assert which(url) == origin
