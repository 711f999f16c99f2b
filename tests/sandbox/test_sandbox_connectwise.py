"""The sandbox's ConnectWise is as strict as the real one, and has its traps."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import httpx
import pytest

from tests.sandbox.bench import API, BEGAN, Bench, change


async def test_company_info_needs_no_credentials_and_gives_the_codebase(bench: Bench) -> None:
    async with bench.connectwise(clientId="") as client:
        client.auth = httpx.Auth()
        known = await client.get("http://connectwise.test/login/companyinfo/northgate")
        unknown = await client.get("http://connectwise.test/login/companyinfo/nobody")
    assert known.json()["Codebase"] == "v2025_1/"
    assert (unknown.status_code, unknown.content) == (200, b"null")


async def test_the_old_codebase_is_an_alias_and_another_is_404(bench: Bench, psa: httpx.AsyncClient) -> None:
    alias = await psa.get("http://connectwise.test/v4_6_release/apis/3.0/service/boards")
    gone = await psa.get("http://connectwise.test/v2024_1/apis/3.0/service/boards")
    assert alias.status_code == 200
    assert (gone.status_code, gone.json()["code"]) == (404, "NotFound")


@pytest.mark.parametrize("client_id", ["", "not-a-guid"])
async def test_without_a_client_id_it_is_401(bench: Bench, client_id: str) -> None:
    async with bench.connectwise(clientId=client_id) as client:
        refused = await client.get("/service/boards")
    assert refused.status_code == 401
    assert refused.json()["code"] == "Unauthorized"


async def test_wrong_keys_are_401(bench: Bench, psa: httpx.AsyncClient) -> None:
    keys = bench.sandbox.connectwise.keys
    for user, password in ((keys.public, keys.private), (f"{keys.company}+{keys.public}", "wrong")):
        refused = await psa.get("/service/boards", auth=(user, password))
        assert refused.status_code == 401


async def test_a_module_that_the_role_lacks_is_403(psa: httpx.AsyncClient) -> None:
    assert (await psa.get("/finance/agreements")).status_code == 403


async def test_the_default_page_has_25_rows_and_only_link_tells_of_more(psa: httpx.AsyncClient) -> None:
    answer = await psa.get("/service/tickets", params={"conditions": "closedFlag=False"})
    assert len(answer.json()) == 25
    assert answer.links["next"]["url"]
    assert not any("total" in name for name in answer.headers)


async def test_link_carries_the_conditions_to_the_next_page(psa: httpx.AsyncClient) -> None:
    asked = {"conditions": "closedFlag=False", "pageSize": "20", "orderBy": "id asc"}
    answer, seen = await psa.get("/service/tickets", params=asked), []
    while True:
        seen += answer.json()
        if "next" not in answer.links:
            break
        answer = await psa.get(answer.links["next"]["url"])
    assert [row["id"] for row in seen] == sorted({row["id"] for row in seen})
    assert len(seen) == 60
    assert not any(row["closedFlag"] for row in seen)


@pytest.mark.parametrize(
    "asked", [{"pageSize": "1001"}, {"pageSize": "0"}, {"page": "0"}, {"pageSize": "many"}]
)
async def test_a_page_that_is_too_large_or_none_is_400(psa: httpx.AsyncClient, asked: dict[str, str]) -> None:
    assert (await psa.get("/service/tickets", params=asked)).status_code == 400


async def test_the_page_is_the_last_parameter_of_a_link(psa: httpx.AsyncClient) -> None:
    answer = await psa.get("/service/tickets", params={"page": 2, "pageSize": 20, "fields": "id"})
    pages = re.findall(r'[&?]page=(\d+)>; rel="(\w+)"', answer.headers["link"])
    assert pages == [("1", "first"), ("1", "prev"), ("3", "next"), ("15", "last")]


async def test_forward_only_paging_goes_by_id_and_takes_no_order(psa: httpx.AsyncClient) -> None:
    forward = {"pagination-type": "forward-only"}
    first = await psa.get("/service/tickets", params={"pageSize": 7, "pageId": 0}, headers=forward)
    last_id = first.json()[-1]["id"]
    second = await psa.get(first.links["next"]["url"], headers=forward)
    assert second.json()[0]["id"] == last_id + 1
    refused = await psa.get("/service/tickets", params={"orderBy": "id"}, headers=forward)
    assert refused.status_code == 400


@pytest.mark.parametrize("text", ["nofield = 1", "id ==", "board/id in 1", "summary = 'x'"])
async def test_conditions_that_cannot_be_read_are_400(psa: httpx.AsyncClient, text: str) -> None:
    refused = await psa.get("/service/tickets", params={"conditions": text})
    assert (refused.status_code, refused.json()["code"]) == (400, "ApiFindCondition")


async def test_a_path_through_a_list_belongs_in_child_conditions(psa: httpx.AsyncClient) -> None:
    text = 'communicationItems/value = "dana.reyes@hvd.example"'
    refused = await psa.get("/company/contacts", params={"conditions": text})
    found = await psa.get("/company/contacts", params={"childConditions": text})
    assert refused.status_code == 400
    assert [row["firstName"] for row in found.json()] == ["Dana"]


async def test_child_conditions_must_hold_for_one_and_the_same_child(psa: httpx.AsyncClient) -> None:
    text = 'communicationItems/value like "dana*" and communicationItems/communicationType = "Phone"'
    assert (await psa.get("/company/contacts", params={"childConditions": text})).json() == []


async def test_a_url_over_ten_thousand_is_refused_and_search_takes_it(psa: httpx.AsyncClient) -> None:
    text = " or ".join(f"id = {number}" for number in range(40_241, 41_241))
    assert (await psa.get("/service/tickets", params={"conditions": text})).status_code == 414
    found = await psa.post("/service/tickets/search", params={"pageSize": 100}, json={"conditions": text})
    assert len(found.json()) == 60


async def test_fields_cut_the_row_down(bench: Bench, psa: httpx.AsyncClient) -> None:
    asked = {"fields": "id,status/name,_info/lastUpdated", "pageSize": "1"}
    row = (await psa.get("/service/tickets", params=asked)).json()[0]
    assert row.keys() == {"id", "status", "_info"}
    assert row["status"].keys() == {"name"}
    assert row["_info"].keys() == {"lastUpdated"}


async def test_keys_without_a_value_are_absent_not_null(psa: httpx.AsyncClient) -> None:
    rows = (
        await psa.get("/service/tickets", params={"conditions": "owner/id = null", "pageSize": 50})
    ).json()
    assert rows
    assert all("owner" not in row and None not in row.values() for row in rows)


async def test_a_pinned_version_hides_the_goals(bench: Bench, psa: httpx.AsyncClient) -> None:
    path = f"/service/tickets/{bench.first_open}"
    row = (await psa.get(path)).json()
    pinned = {"Accept": "application/vnd.connectwise.com+json; version=2022.1"}
    old = (await psa.get(path, headers=pinned)).json()
    assert row["respondByGoalUTC"] == "2026-11-24T15:07:59Z"
    assert row.keys() - old.keys() == {"respondByGoalUTC", "resplanGoalUTC", "resolutionGoalUTC"}
    assert old["slaStatus"] == "Respond by Tue 11/24 10:07 AM UTC-05"


async def test_delta_by_last_updated_makes_no_seeded_row(bench: Bench, psa: httpx.AsyncClient) -> None:
    bench.hand.move(5)
    await psa.patch(f"/service/tickets/{bench.first_open}", json=[change("summary", "Now")])
    made = bench.world.rows_made
    asked = {"conditions": f"lastUpdated >= [{BEGAN + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}]"}
    rows = (await psa.get("/service/tickets", params=asked)).json()
    assert [row["id"] for row in rows] == [bench.first_open]
    assert bench.world.rows_made == made


async def test_statuses_belong_to_their_board(psa: httpx.AsyncClient) -> None:
    one = (await psa.get("/service/boards/1/statuses", params={"pageSize": 100})).json()
    two = (await psa.get("/service/boards/2/statuses", params={"pageSize": 100})).json()
    assert {row["name"] for row in one} == {row["name"] for row in two}
    assert not {row["id"] for row in one} & {row["id"] for row in two}
    assert {row["escalationStatus"] for row in one} == {
        "NotResponded",
        "Responded",
        "ResolutionPlan",
        "Resolved",
        "NoEscalation",
    }


async def test_a_nested_path_gets_a_false_200(bench: Bench, psa: httpx.AsyncClient) -> None:
    path = f"/service/tickets/{bench.first_open}"
    before = (await psa.get(path)).json()
    answer = await psa.patch(path, json=[change("status/id", before["status"]["id"] + 2)])
    assert answer.status_code == 200
    assert answer.json()["status"] == before["status"]


async def test_a_status_of_another_board_is_400(bench: Bench, psa: httpx.AsyncClient) -> None:
    path = f"/service/tickets/{bench.first_open}"
    refused = await psa.patch(path, json=[change("status", {"id": 119})])
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "status"


@pytest.mark.parametrize(
    "operation",
    [
        change("Status", {"id": 353}),
        change("status", 353),
        change("closedFlag", True),
        change("summary", "x" * 101),
        change("priority", {"id": 999}),
        change("owner", {"identifier": "nobody"}),
        change("requiredDate", "2026-11-25T10:00:00.123Z"),
        change("summary", "Fine", op="set"),
    ],
)
async def test_a_patch_that_is_refused_changes_nothing(
    bench: Bench, psa: httpx.AsyncClient, operation: dict[str, object]
) -> None:
    path = f"/service/tickets/{bench.first_open}"
    before = (await psa.get(path)).json()
    refused = await psa.patch(path, json=[change("impact", "High"), operation])
    assert refused.status_code == 400
    assert (await psa.get(path)).json() == before


async def test_a_patch_that_is_no_array_or_no_json_is_refused(bench: Bench, psa: httpx.AsyncClient) -> None:
    path = f"/service/tickets/{bench.first_open}"
    assert (await psa.patch(path, json={"op": "replace"})).status_code == 400
    assert (await psa.patch(path, content=b"[]")).status_code == 415
    broken = await psa.patch(path, content=b"[", headers={"content-type": "application/json"})
    assert broken.status_code == 400


async def test_the_status_decides_which_target_is_met(bench: Bench, psa: httpx.AsyncClient) -> None:
    path = f"/service/tickets/{bench.first_open}"
    bench.hand.move(60)
    owned = (await psa.patch(path, json=[change("owner", {"identifier": "ines"})])).json()
    assert "dateResponded" not in owned
    begun = (await psa.patch(path, json=[change("status", {"name": "In Progress"})])).json()
    assert begun["dateResponded"] == "2026-11-24T15:01:00Z"
    assert begun["slaStatus"].startswith("Plan by ")
    done = (await psa.patch(path, json=[change("status", {"name": ">Closed"})])).json()
    assert done["closedFlag"] is True
    assert done["dateResolved"] == done["closedDate"] == "2026-11-24T15:01:00Z"


async def test_waiting_stops_the_clock_and_leaving_it_moves_the_goals(
    bench: Bench, psa: httpx.AsyncClient
) -> None:
    path = f"/service/tickets/{bench.first_open}"
    before = (await psa.get(path)).json()["resolutionGoalUTC"]
    waits = (await psa.patch(path, json=[change("status", {"name": "Waiting on Client"})])).json()
    assert waits["slaStatus"] == "Waiting"
    bench.hand.move(600)
    goes_on = (await psa.patch(path, json=[change("status", {"name": "In Progress"})])).json()
    moved = datetime.fromisoformat(goes_on["resolutionGoalUTC"]) - datetime.fromisoformat(before)
    assert moved == timedelta(seconds=600)
    assert goes_on["minutesWaiting"] == 10


async def test_another_board_takes_its_own_first_status(bench: Bench, psa: httpx.AsyncClient) -> None:
    path = f"/service/tickets/{bench.first_open}"
    moved = (await psa.patch(path, json=[change("board", {"id": 4})])).json()
    assert (moved["board"]["id"], moved["status"]["name"]) == (4, "New")
    assert "team" not in moved
    names = [change("status", {"name": "In Progress"}), change("board", {"name": "Systems"})]
    assert (await psa.patch(path, json=names)).json()["status"]["id"] == 353


async def test_removing_the_owner_unassigns(bench: Bench, psa: httpx.AsyncClient) -> None:
    path = f"/service/tickets/{bench.first_open}"
    await psa.patch(path, json=[change("owner", {"id": 150})])
    assert "owner" not in (await psa.patch(path, json=[{"op": "remove", "path": "owner"}])).json()


@pytest.mark.parametrize(
    "flags",
    [{}, {"internalAnalysisFlag": True, "resolutionFlag": True}, {"internalAnalysisFlag": False}],
)
async def test_a_note_needs_exactly_one_flag(
    bench: Bench, psa: httpx.AsyncClient, flags: dict[str, bool]
) -> None:
    refused = await psa.post(f"/service/tickets/{bench.first_open}/notes", json={"text": "Hello", **flags})
    assert refused.status_code == 400


async def test_nothing_is_mailed_unless_process_notifications(bench: Bench, psa: httpx.AsyncClient) -> None:
    path = f"/service/tickets/{bench.first_open}/notes"
    note = {"text": "We are on it.", "detailDescriptionFlag": True}
    assert (await psa.post(path, json=note)).status_code == 201
    assert bench.world.mails == []
    assert (await psa.post(path, json={**note, "processNotifications": True})).status_code == 201
    assert [mail.to.rpartition("@")[2] for mail in bench.world.mails] == ["hvd.example"]


async def test_a_note_is_found_with_its_author_and_kind(bench: Bench, psa: httpx.AsyncClient) -> None:
    path = f"/service/tickets/{bench.first_open}/notes"
    made = (await psa.post(path, json={"text": "Disk queue 40", "internalAnalysisFlag": True})).json()
    rows = (await psa.get(path)).json()
    assert rows[0]["contact"]["id"]
    assert rows[0]["detailDescriptionFlag"] is True
    assert rows[-1] == made
    assert made["member"]["identifier"] == "ines"
    assert (made["internalAnalysisFlag"], made["internalFlag"]) == (True, True)
    assert (await psa.get(f"{path}/{made['id']}")).json() == made


async def test_time_is_entered_and_told_in_all_notes_only(bench: Bench, psa: httpx.AsyncClient) -> None:
    ticket = bench.first_open
    entry = {
        "chargeToId": ticket,
        "chargeToType": "ServiceTicket",
        "timeStart": "2026-11-24T14:30:00Z",
        "timeEnd": "2026-11-24T14:45:00Z",
        "notes": "Restarted the service",
        "addToInternalAnalysisFlag": True,
    }
    made = await psa.post("/time/entries", json=entry)
    assert (made.status_code, made.json()["actualHours"]) == (201, 0.25)
    conditions = {"conditions": f'chargeToType="ServiceTicket" AND chargeToId={ticket}'}
    assert [row["id"] for row in (await psa.get("/time/entries", params=conditions)).json()] == [
        made.json()["id"]
    ]
    texts = [row["text"] for row in (await psa.get(f"/service/tickets/{ticket}/allNotes")).json()]
    assert "Restarted the service" in texts
    notes = [row["text"] for row in (await psa.get(f"/service/tickets/{ticket}/notes")).json()]
    assert "Restarted the service" not in notes


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeStart": None},
        {"timeStart": "2026-11-24T14:30:00.5Z"},
        {"timeStart": "2026-11-24T15:30:00+01:00"},
        {"timeEnd": "2026-11-24T14:00:00Z"},
        {"chargeToType": "ProjectIssue"},
        {"chargeToType": "ProjectTicket"},
        {"chargeToId": 1},
        {"billableOption": "Maybe"},
        {"workType": {"name": "Nothing"}},
    ],
)
async def test_time_that_is_wrong_is_400(
    bench: Bench, psa: httpx.AsyncClient, wrong: dict[str, object]
) -> None:
    entry: dict[str, object] = {
        "chargeToId": bench.first_open,
        "chargeToType": "ServiceTicket",
        "timeStart": "2026-11-24T14:30:00Z",
        "timeEnd": "2026-11-24T14:45:00Z",
    }
    assert (await psa.post("/time/entries", json={**entry, **wrong})).status_code == 400
    assert bench.world.times == {}


async def test_a_status_can_forbid_time(bench: Bench, psa: httpx.AsyncClient) -> None:
    path = f"/service/tickets/{bench.first_open}"
    await psa.patch(path, json=[change("status", {"name": ">Closed"})])
    entry = {
        "chargeToId": bench.first_open,
        "chargeToType": "ServiceTicket",
        "timeStart": "2026-11-24T14:30:00Z",
        "actualHours": 0.25,
    }
    assert (await psa.post("/time/entries", json=entry)).status_code == 400


async def test_a_ticket_is_created_with_its_first_note(bench: Bench, psa: httpx.AsyncClient) -> None:
    body = {
        "summary": "Mouse broken",
        "company": {"identifier": "SMB"},
        "board": {"id": 1},
        "initialDescription": "The wheel fell off.",
    }
    made = await psa.post("/service/tickets", json=body)
    row = made.json()
    assert (made.status_code, row["company"]["id"], row["status"]["name"]) == (201, 25, "New")
    assert "initialDescription" not in row
    notes = (await psa.get(f"/service/tickets/{row['id']}/notes")).json()
    assert [(note["text"], note["detailDescriptionFlag"]) for note in notes] == [
        ("The wheel fell off.", True)
    ]


@pytest.mark.parametrize(
    "body", [{"summary": "No company"}, {"company": {"id": 25}}, {"summary": "x", "company": {"id": 1}}]
)
async def test_a_ticket_without_summary_or_company_is_400(
    psa: httpx.AsyncClient, body: dict[str, object]
) -> None:
    assert (await psa.post("/service/tickets", json=body)).status_code == 400


async def test_children_are_attached_and_merged(bench: Bench, psa: httpx.AsyncClient) -> None:
    parent, first, second = bench.first_open, bench.first_open + 1, bench.first_open + 2
    path = f"/service/tickets/{parent}"
    assert (await psa.post(f"{path}/attachChildren", json={"childTicketIds": [first]})).status_code == 200
    assert (await psa.post(f"{path}/merge", json={"mergeTicketIds": [second]})).json()["success"] is True
    assert (await psa.get(path)).json()["hasChildTicket"] is True
    assert (await psa.get(f"/service/tickets/{first}")).json()["parentTicketId"] == parent
    assert (await psa.get(f"/service/tickets/{second}")).json()["mergedParentTicket"]["id"] == parent
    assert (await psa.post(f"{path}/merge", json={"mergeTicketIds": [parent]})).status_code == 404


async def test_configurations_lead_to_the_rmm(bench: Bench, psa: httpx.AsyncClient) -> None:
    refs = (await psa.get(f"/service/tickets/{bench.first_open}/configurations")).json()
    row = (await psa.get(f"/company/configurations/{refs[0]['id']}")).json()
    device = bench.world.device(int(row["deviceIdentifier"]))
    assert device is not None
    assert (row["name"], row["serialNumber"]) == (device.name, device.serial)
    path = f"/service/tickets/{bench.first_open}/configurations"
    assert (await psa.post(path, json={"id": row["id"] + 4})).status_code == 201
    assert (await psa.delete(f"{path}/{row['id']}")).status_code == 204
    assert [ref["id"] for ref in (await psa.get(path)).json()] == [row["id"] + 4]
    assert (await psa.post(path, json={"id": 3})).status_code == 400


async def test_project_tickets_live_elsewhere(bench: Bench, psa: httpx.AsyncClient) -> None:
    projects = (await psa.get("/project/tickets")).json()
    assert {row["recordType"] for row in projects} == {"ProjectTicket"}
    assert (await psa.get(f"/service/tickets/{projects[0]['id']}")).status_code == 404
    assert (await psa.get(f"/project/tickets/{bench.first_open}")).status_code == 404


async def test_too_many_requests_says_when_to_come_back(bench: Bench, psa: httpx.AsyncClient) -> None:
    bench.sandbox.life.faults.throttled_until["connectwise"] = BEGAN + timedelta(seconds=30)
    refused = await psa.get("/service/boards")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
    assert refused.json() == {
        "error": "ConnectWiseAPI",
        "message": "Too many requests. Please try again in 30 seconds.",
    }
    bench.hand.move(30)
    assert (await psa.get("/service/boards")).status_code == 200


async def test_every_call_is_counted_by_its_endpoint(bench: Bench, psa: httpx.AsyncClient) -> None:
    await psa.get(f"/service/tickets/{bench.first_open}")
    await psa.get(f"/service/tickets/{bench.first_open + 1}")
    await psa.get("/service/tickets/1")
    counted = (await psa.get("http://connectwise.test/sandbox/calls")).json()["connectwise"]
    entry = counted[f"GET {API}/service/tickets/{{id}}"]
    assert (entry["calls"], entry["statuses"]) == (3, {"200": 2, "404": 1})
    assert not any(re.search("sandbox", endpoint) for endpoint in counted)
    assert (await psa.delete("http://connectwise.test/sandbox/calls")).status_code == 204
    assert "connectwise" not in (await psa.get("http://connectwise.test/sandbox/calls")).json()
