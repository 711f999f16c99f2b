"""Writes to ConnectWise: what is sent, that it is proven, and what becomes of what can't be. Each trap by name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from mspterm.domain.action import Audience, NewTicket, Outcome, Reboot, State, Update, Write
from mspterm.domain.reasons import Reason
from tests.connectors.fake_connectwise import ACME, PREFIX, FakeCw, connector, row
from tests.connectors.spec_check import CONNECTWISE, spec_of

PATCH = ("PATCH", "/service/tickets/7")
NOTES = ("POST", "/service/tickets/7/notes")
TIME = ("POST", "/time/entries")
NEW = ("POST", "/service/tickets")


@pytest.fixture
def fake(shared: Path) -> Iterator[FakeCw]:
    """Every request has to be one that the description knows, every PATCH one of whole properties.
    Nothing is PUT, which resets what it leaves out, and the closed flag follows from the status."""
    made = FakeCw(tickets={7: row(7)})
    yield made
    spec = spec_of(shared, CONNECTWISE, PREFIX)
    sent = [r for r in made.requests if not r.url.path.startswith("/login/")]
    assert [problem for request in sent for problem in spec.problems(request)] == []
    ops = [op for r in sent if r.method == "PATCH" for op in json.loads(r.content)]
    assert [op["path"] for op in ops if not spec.ticket_has(op["path"])] == []
    assert "closedFlag" not in {op["path"] for op in ops}
    assert "PUT" not in {r.method for r in sent}


async def act(fake: FakeCw, write: Write, **settings: Any) -> Outcome:
    return await connector(fake, replace(ACME, **settings)).act(write, mark="01J")


def update(**asked: Any) -> Update:
    return Update("acme:7", **asked)


async def test_a_claim_sets_owner_and_status_in_one_patch_of_whole_references(fake: FakeCw) -> None:
    outcome = await act(fake, update(owner="ines", status="In Progress", expected_owner=""))
    assert outcome.state is State.DONE
    assert fake.bodies(*PATCH) == [
        [
            {"op": "replace", "path": "status", "value": {"id": 17}},
            {"op": "replace", "path": "owner", "value": {"identifier": "ines"}},
        ]
    ]
    assert outcome.detail == ("status: In Progress", "owner: ines")
    assert outcome.ticket is not None
    assert outcome.ticket.assignee == "Ines Duarte"


async def test_trap_a_false_200_is_seen_by_reading_it_back(fake: FakeCw) -> None:
    fake.lies = {"owner"}
    outcome = await act(fake, update(owner="tom", status="In Progress"))
    assert outcome.state is State.FAILED
    assert outcome.failure is not None
    assert outcome.failure.reason is Reason.REFUSED
    assert outcome.detail == ("not applied: owner is nobody, asked for was tom", "status: In Progress")


async def test_somebody_who_was_quicker_keeps_the_ticket(fake: FakeCw) -> None:
    fake.tickets[7]["owner"] = {"id": 177, "identifier": "tom", "name": "Tom Okafor"}
    outcome = await act(fake, update(owner="ines", text="mine", expected_owner=""))
    assert outcome.failure is not None
    assert outcome.failure.reason is Reason.CONFLICT
    assert fake.asked(*PATCH) == fake.asked(*NOTES) == []


async def test_nobody_is_an_owner_removed(fake: FakeCw) -> None:
    fake.tickets[7]["owner"] = {"id": 177, "identifier": "tom"}
    assert (await act(fake, update(owner="", expected_owner="tom"))).state is State.DONE
    assert fake.bodies(*PATCH) == [[{"op": "remove", "path": "owner"}]]


@pytest.mark.parametrize(
    ("audience", "flags", "mailed"),
    [
        (Audience.PUBLIC, (True, False, False), True),
        (Audience.INTERNAL, (False, True, False), False),
        (Audience.RESOLUTION, (False, False, True), True),
    ],
)
async def test_trap_exactly_one_of_three_flags_says_who_reads_a_note(
    fake: FakeCw, audience: Audience, flags: tuple[bool, ...], mailed: bool
) -> None:
    outcome = await act(fake, update(text="Two\nlines", audience=audience))
    assert outcome.state is State.DONE
    [body] = fake.bodies(*NOTES)
    names = ("detailDescriptionFlag", "internalAnalysisFlag", "resolutionFlag")
    assert tuple(body[name] for name in names) == flags
    assert body["processNotifications"] is mailed
    assert body["member"] == {"identifier": "ines"}
    assert outcome.detail == (f"text: {audience.value} #100",)


async def test_trap_nothing_is_mailed_without_process_notifications(fake: FakeCw) -> None:
    await act(fake, update(text="quiet", audience=Audience.PUBLIC, mail=False))
    await act(fake, update(text="loud", audience=Audience.PUBLIC, mail=True))
    assert [b["processNotifications"] for b in fake.bodies(*NOTES)] == [False, True]
    assert fake.asked(*PATCH) == []


async def test_mail_to_a_contact_whose_box_is_off_ticks_it_first(fake: FakeCw) -> None:
    fake.tickets[7]["automaticEmailContactFlag"] = False
    outcome = await act(fake, update(text="hello", audience=Audience.PUBLIC, mail=True))
    assert fake.bodies(*PATCH) == [[{"op": "replace", "path": "automaticEmailContactFlag", "value": True}]]
    kinds = [r.method for r in fake.requests if r.method in ("PATCH", "POST")]
    assert kinds == ["PATCH", "POST"]
    assert outcome.detail[-1].startswith("mail:")


async def test_an_internal_text_is_never_mailed(fake: FakeCw) -> None:
    outcome = await act(fake, update(text="candid", mail=True))
    assert outcome.failure is not None
    assert outcome.failure.reason is Reason.REFUSED
    assert fake.asked(*NOTES) == []


async def test_a_co_managed_text_is_not_taken_for_an_internal_one(fake: FakeCw) -> None:
    outcome = await act(fake, update(text="for their IT", audience=Audience.CO_MANAGED))
    assert (outcome.state, fake.asked(*NOTES)) == (State.FAILED, [])


async def test_text_and_minutes_are_one_time_entry(fake: FakeCw) -> None:
    fake.tickets[7]["automaticEmailResourceFlag"] = True
    outcome = await act(fake, update(text="Rebuilt it", audience=Audience.PUBLIC, minutes=20))
    assert outcome.state is State.DONE
    assert fake.asked(*NOTES) == []
    [body] = fake.bodies(*TIME)
    assert body == {
        "chargeToId": 7,
        "chargeToType": "ServiceTicket",
        "timeStart": "2026-11-24T07:40:00Z",
        "timeEnd": "2026-11-24T08:00:00Z",
        "notes": "Rebuilt it",
        "addToDetailDescriptionFlag": True,
        "addToInternalAnalysisFlag": False,
        "addToResolutionFlag": False,
        "emailContactFlag": True,
        "emailResourceFlag": True,
        "emailCcFlag": False,
        "member": {"identifier": "ines"},
    }
    assert outcome.detail == ("text: public #500", "minutes: 20")


@pytest.mark.parametrize("minutes", [1, 7, 20, 59])
async def test_hours_with_two_decimals_are_the_minutes_again(fake: FakeCw, minutes: int) -> None:
    assert (await act(fake, update(minutes=minutes))).state is State.DONE
    assert "notes" not in fake.bodies(*TIME)[0]


async def test_trap_project_issue_is_no_charge_to_type(fake: FakeCw) -> None:
    fake.tickets[7]["recordType"] = "ProjectIssue"
    await act(fake, update(minutes=5))
    assert fake.bodies(*TIME)[0]["chargeToType"] == "ProjectTicket"


async def test_trap_a_status_may_forbid_time(fake: FakeCw) -> None:
    fake.tickets[7]["status"] = {"id": 20, "name": "No Time"}
    outcome = await act(fake, update(minutes=5, text="x"))
    assert outcome.failure is not None
    assert "takes no time entries" in outcome.failure.sentence
    assert fake.asked(*TIME) == []
    assert (await act(fake, update(minutes=5, status="In Progress"))).state is State.DONE
    assert [r.method for r in fake.requests if r.method in ("PATCH", "POST")] == ["PATCH", "POST"]


async def test_text_goes_before_the_status(fake: FakeCw) -> None:
    await act(fake, update(text="done", audience=Audience.RESOLUTION, status="Closed"))
    assert [r.method for r in fake.requests if r.method in ("PATCH", "POST")] == ["POST", "PATCH"]


async def test_trap_status_ids_belong_to_a_board_and_move_with_it(fake: FakeCw) -> None:
    fake.tickets[7] |= {"status": {"id": 17, "name": "In Progress"}, "team": {"name": "Windows"}}
    outcome = await act(fake, update(queue="Tier 2", text="handoff"))
    assert outcome.state is State.DONE
    [ops] = fake.bodies(*PATCH)
    assert ops == [
        {"op": "replace", "path": "board", "value": {"id": 2}},
        {"op": "replace", "path": "type", "value": {"id": 8}},
        {"op": "remove", "path": "team"},
        {"op": "replace", "path": "status", "value": {"id": 32}},
    ]
    assert outcome.detail == ("text: internal #100", "queue: Tier 2", "status: Queued")


@pytest.mark.parametrize(("types", "op"), [([{"id": 3, "name": "Any", "defaultFlag": True}], 3), ([], None)])
async def test_a_type_that_the_new_board_lacks_becomes_its_default_or_is_left_to_it(
    fake: FakeCw, types: list[dict[str, Any]], op: int | None
) -> None:
    fake.odd[("GET", "/service/boards/2/types")] = [httpx.Response(200, json=types)]
    await act(fake, update(queue="Tier 2"))
    sent = [o["value"]["id"] for o in fake.bodies(*PATCH)[0] if o["path"] == "type"]
    assert sent == ([op] if op else [])


async def test_a_status_of_the_same_name_is_kept_on_the_new_board(fake: FakeCw) -> None:
    await act(fake, update(queue="Tier 2"))
    assert {"op": "replace", "path": "status", "value": {"id": 31}} in fake.bodies(*PATCH)[0]


async def test_priority_is_the_tenants_own(fake: FakeCw) -> None:
    assert (await act(fake, update(priority=1))).state is State.DONE
    assert fake.bodies(*PATCH) == [[{"op": "replace", "path": "priority", "value": {"id": 4}}]]
    refused = await act(fake, update(priority=2))
    assert refused.failure is not None
    assert "no priority 2" in refused.failure.sentence


async def test_the_next_date_is_the_required_date(fake: FakeCw) -> None:
    outcome = await act(fake, update(next_at=datetime(2026, 11, 25, 9, 0, 0, 5, tzinfo=UTC)))
    assert outcome.detail == ("next date: 2026-11-25T09:00:00Z",)
    assert fake.bodies(*PATCH) == [
        [{"op": "replace", "path": "requiredDate", "value": "2026-11-25T09:00:00Z"}]
    ]


async def test_trap_custom_fields_are_sent_as_the_complete_array(fake: FakeCw) -> None:
    fake.tickets[7]["customFields"] = [
        {"id": 5, "caption": "CloudPlus", "value": False},
        {"id": 6, "caption": "Next action", "value": None},
    ]
    asked = update(next_at=datetime(2026, 11, 25, 9, tzinfo=UTC))
    outcome = await act(fake, asked, next_from="cf:Next action")
    assert outcome.state is State.DONE
    assert fake.bodies(*PATCH)[0][0]["value"] == [
        {"id": 5, "caption": "CloudPlus", "value": False},
        {"id": 6, "caption": "Next action", "value": "2026-11-25T09:00:00Z"},
    ]


@pytest.mark.parametrize("asked", [{"status": "Nope"}, {"queue": "Nope"}, {"priority": 5}])
async def test_what_the_tenant_has_not_got_is_refused_before_anything_is_sent(
    fake: FakeCw, asked: dict[str, Any]
) -> None:
    outcome = await act(fake, update(text="and a text", **asked))
    assert outcome.state is State.FAILED
    assert {r.method for r in fake.requests} == {"GET"}


async def test_a_type_that_the_board_demands_is_named(fake: FakeCw) -> None:
    body = {
        "code": "InvalidObject",
        "message": "ticket object is invalid",
        "errors": [{"code": "MissingRequired", "message": "type is required", "field": "type"}],
    }
    fake.odd[PATCH] = [httpx.Response(400, json=body)]
    outcome = await act(fake, update(status="Closed"))
    assert outcome.failure is not None
    assert "type (Server, PC)" in outcome.failure.sentence
    assert outcome.failure.reason is Reason.REFUSED


async def test_half_a_change_says_which_half(fake: FakeCw) -> None:
    fake.odd[PATCH] = [httpx.Response(403, json={"message": "no rights"})]
    outcome = await act(fake, update(text="hello", status="In Progress"))
    assert outcome.state is State.FAILED
    assert outcome.failure is not None
    assert outcome.failure.reason is Reason.PERMISSION
    assert outcome.detail == ("not applied: status is New, asked for was In Progress", "text: internal #100")


async def test_trap_a_lost_note_is_looked_for_and_not_sent_again(fake: FakeCw) -> None:
    fake.lost = {NOTES}
    outcome = await act(fake, update(text="only once"))
    assert outcome.state is State.DONE
    assert len(fake.asked(*NOTES)) == 1


async def test_trap_a_lost_time_entry_is_looked_for_and_not_sent_again(fake: FakeCw) -> None:
    fake.lost = {TIME}
    outcome = await act(fake, update(text="only once", minutes=15))
    assert outcome.state is State.DONE
    assert len(fake.asked(*TIME)) == 1


@pytest.mark.parametrize("way", [NOTES, TIME])
async def test_a_text_that_is_not_found_is_uncertain(fake: FakeCw, way: tuple[str, str]) -> None:
    fake.odd[way] = [httpx.ReadTimeout("gone")]
    outcome = await act(fake, update(text="x", minutes=5 if way is TIME else None, status="Closed"))
    assert outcome.state is State.UNCERTAIN
    assert (len(fake.asked(*way)), fake.asked(*PATCH)) == (1, [])


async def test_an_old_note_of_the_same_words_is_not_ours(fake: FakeCw) -> None:
    fake.notes[1] = {"id": 1, "ticketId": 7, "text": "x", "dateCreated": "2026-11-23T08:00:00Z"}
    fake.odd[NOTES] = [httpx.Response(502)]
    assert (await act(fake, update(text="x"))).state is State.UNCERTAIN


async def test_a_lost_patch_that_arrived_is_done(fake: FakeCw) -> None:
    fake.lost = {PATCH}
    assert (await act(fake, update(status="In Progress"))).state is State.DONE
    fake.odd[PATCH] = [httpx.ReadTimeout("gone")]
    assert (await act(fake, update(status="Resolved"))).state is State.UNCERTAIN


async def test_what_cannot_be_read_back_is_uncertain(fake: FakeCw) -> None:
    cw = connector(fake)
    fake.odd[("GET", "/service/tickets/7")] = [httpx.Response(200, json=row(7)), httpx.Response(500)]
    outcome = await cw.act(update(status="In Progress"), mark="01J")
    assert outcome.state is State.UNCERTAIN


async def test_nothing_leaves_when_the_server_is_away(fake: FakeCw) -> None:
    fake.odd[("GET", "/service/tickets/7")] = [httpx.Response(401)]
    outcome = await act(fake, update(text="x"))
    assert outcome.failure is not None
    assert (outcome.state, outcome.failure.reason) == (State.FAILED, Reason.AUTH)


async def test_a_new_ticket_in_full(fake: FakeCw) -> None:
    new = NewTicket(
        "acme", "Harborview Dental", "Printer on fire", "It burns", contact="Dana Reyes",
        device="acme:asset:12", queue="Help Desk", priority=3, parent="acme:7", owner="ines",
    )  # fmt: skip
    outcome = await act(fake, new)
    assert (outcome.state, outcome.created_ref) == (State.DONE, "acme:1001")
    assert fake.bodies(*NEW) == [
        {
            "summary": "Printer on fire",
            "company": {"id": 5},
            "board": {"id": 1},
            "initialDescription": "It burns",
            "contact": {"id": 9},
            "priority": {"id": 8},
            "owner": {"identifier": "ines"},
        }
    ]
    assert fake.bodies("POST", "/service/tickets/1001/configurations") == [{"id": 12}]
    assert fake.bodies("POST", "/service/tickets/7/attachChildren") == [{"childTicketIds": [1001]}]
    assert outcome.ticket is not None
    assert (outcome.ticket.parent, outcome.ticket.asset_ids) == ("acme:7", ("12",))


async def test_trap_mail_addresses_are_asked_by_child_conditions(fake: FakeCw) -> None:
    await act(fake, NewTicket("acme", "Harborview Dental", "x", contact="dana@hvd.test"))
    [asked] = fake.asked("GET", "/company/contacts")
    assert "communicationItems" not in asked.url.params["conditions"]
    assert 'communicationItems/value like "dana@hvd.test"' in asked.url.params["childConditions"]


@pytest.mark.parametrize(
    "new",
    [
        NewTicket("acme", "Harborview Dental", "x" * 101),
        NewTicket("acme", "Nobody Inc", "x"),
        NewTicket("acme", "Harborview Dental", "x", contact="Nobody"),
        NewTicket("acme", "Harborview Dental", "x", device="ninja:12"),
        NewTicket("acme", "Harborview Dental", "x", queue="Nope"),
    ],
)
async def test_a_new_ticket_that_cannot_be_is_refused_before_it_is_sent(fake: FakeCw, new: NewTicket) -> None:
    assert (await act(fake, new)).state is State.FAILED
    assert fake.asked(*NEW) == []


async def test_a_new_ticket_whose_answer_got_lost_is_found(fake: FakeCw) -> None:
    fake.tickets, fake.lost = {}, {NEW}
    outcome = await act(fake, NewTicket("acme", "Harborview Dental", "Alone"))
    assert (outcome.state, outcome.created_ref) == (State.DONE, "acme:1000")
    [found] = [r for r in fake.asked("GET", "/service/tickets") if "summary" in r.url.params["conditions"]]
    assert found.url.params["conditions"].endswith("lastUpdated >= [2026-11-24T07:59:50Z]")


async def test_a_new_ticket_that_is_not_found_is_uncertain(fake: FakeCw) -> None:
    fake.tickets = {}
    fake.odd[NEW] = [httpx.ReadTimeout("gone")]
    outcome = await act(fake, NewTicket("acme", "Harborview Dental", "Gone"))
    assert outcome.state is State.UNCERTAIN
    assert len(fake.asked(*NEW)) == 1


async def test_a_device_that_could_not_be_tied_is_told_beside_the_made_ticket(fake: FakeCw) -> None:
    fake.odd[("POST", "/service/tickets/1001/configurations")] = [httpx.Response(403, json={"message": "no"})]
    outcome = await act(fake, NewTicket("acme", "Harborview Dental", "x", device="acme:asset:12"))
    assert (outcome.state, outcome.created_ref) == (State.FAILED, "acme:1001")
    assert outcome.failure is not None
    assert "without the device" in outcome.failure.sentence


async def test_devices_are_the_rmms(fake: FakeCw) -> None:
    assert (await act(fake, Reboot("acme:7"))).state is State.REFUSED
    assert fake.requests == []


async def test_without_me_no_author_is_claimed(fake: FakeCw) -> None:
    await act(fake, update(text="x"), me=None)
    assert "member" not in fake.bodies(*NOTES)[0]
