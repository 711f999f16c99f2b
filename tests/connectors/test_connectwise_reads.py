"""What ConnectWise is asked, and what is made of its answers. Each trap of the reference by its name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from mspterm.connectors.base import Batch
from mspterm.connectors.connectwise.connector import CwConnector
from mspterm.connectors.connectwise.manifest import MANIFEST
from mspterm.connectors.registry import manifest
from mspterm.domain.reasons import Failed, Reason
from mspterm.domain.row import StatusClass
from mspterm.net.pacer import FreePacer
from tests.connectors.fake_connectwise import ACME, MEMBERS, NOW, PREFIX, SECRETS, FakeCw, connector, row
from tests.connectors.spec_check import CONNECTWISE, spec_of

LIST = ("GET", "/service/tickets")
NEXT_ON_OTHER_HOST = '<https://evil.example/v/apis/3.0/service/tickets?pageId=5>; rel="next"'


@pytest.fixture
def fake(shared: Path) -> Iterator[FakeCw]:
    """A ConnectWise whose every request, at the end, has to be one that the description knows."""
    made = FakeCw(tickets={7: row(7), 8: row(8, hasChildTicket=True)})
    yield made
    spec = spec_of(shared, CONNECTWISE, PREFIX)
    sent = [r for r in made.requests if not r.url.path.startswith("/login/")]
    assert [problem for request in sent for problem in spec.problems(request)] == []
    assert all(len(str(r.url)) < 2000 for r in sent)


async def run(cw: CwConnector, cursor: str | None = None, **more: Any) -> list[Batch]:
    return [batch async for batch in cw.feed(cursor, **more)]


def tickets_of(batches: list[Batch]) -> list[str]:
    return [t.id for b in batches for t in b.tickets]


def page(rows: list[dict[str, Any]], link: str | None = None) -> httpx.Response:
    return httpx.Response(200, json=rows, headers={"Link": link} if link else {})


async def test_requests_carry_the_login_and_the_client_id(fake: FakeCw) -> None:
    await run(connector(fake))
    [request] = fake.asked(*LIST)
    assert request.url.host == "api-na.myconnectwise.net"
    assert request.headers["Authorization"] == "Basic bXNwK3B1Yjpwcml2"  # msp+pub:priv
    assert request.headers["clientId"] == ACME.settings["client_id"]
    assert fake.requests[0].url == "https://na.myconnectwise.net/login/companyinfo/msp"
    assert "Authorization" not in fake.requests[0].headers


async def test_trap_no_model_version_is_pinned_for_the_goals(fake: FakeCw) -> None:
    await run(connector(fake))
    [request] = fake.asked(*LIST)
    assert "version" not in request.headers["Accept"]
    assert "respondByGoalUTC" in request.url.params["fields"]


async def test_trap_the_codebase_is_asked_for_and_again_after_an_upgrade(fake: FakeCw) -> None:
    at = [NOW]
    cw = CwConnector(ACME, SECRETS, pacer=FreePacer(), now=lambda: at[0], transport=fake.transport)
    await run(cw)
    fake.codebase, at[0] = "v2026_1/", NOW + timedelta(hours=1)
    assert tickets_of(await run(cw)) == ["7", "8"]
    asked = [r for r in fake.requests if r.url.path.startswith("/login/")]
    assert len(asked) == 2


async def test_a_missing_ticket_does_not_ask_for_the_codebase_each_time(fake: FakeCw) -> None:
    cw = connector(fake)
    for _ in range(2):
        with pytest.raises(Failed) as caught:
            await cw.ticket("4711")
        assert caught.value.failure.reason is Reason.NOT_FOUND
    assert len([r for r in fake.requests if r.url.path.startswith("/login/")]) == 1


async def test_trap_a_null_companyinfo_is_an_unknown_company(fake: FakeCw) -> None:
    fake_login = httpx.MockTransport(lambda request: httpx.Response(200, content=b"null"))
    cw = CwConnector(ACME, SECRETS, pacer=FreePacer(), now=lambda: NOW, transport=fake_login)
    with pytest.raises(Failed, match="no company id msp"):
        await run(cw)


async def test_an_old_server_without_companyinfo_has_the_one_codebase(fake: FakeCw) -> None:
    fake.codebase = "v4_6_release/"
    inner = fake.answer

    def old(request: httpx.Request) -> httpx.Response:
        return httpx.Response(404) if request.url.path.startswith("/login/") else inner(request)

    cw = CwConnector(ACME, SECRETS, pacer=FreePacer(), now=lambda: NOW, transport=httpx.MockTransport(old))
    assert tickets_of(await run(cw)) == ["7", "8"]


async def test_trap_ssl_is_required_means_the_wrong_host(fake: FakeCw, shared: Path) -> None:
    body = json.loads((shared / "samples" / "connectwise" / "error_ssl_required.json").read_text())
    fake.odd[LIST] = [httpx.Response(400, json=body)]
    with pytest.raises(Failed, match="https://api-"):
        await run(connector(fake))


async def test_a_full_run_lists_tickets_and_assets(fake: FakeCw) -> None:
    fake.configurations = [{"id": 12, "name": "HVD-DC01", "deviceIdentifier": "42"}]
    fake.linked = {7: [12]}
    batches = await run(connector(fake))
    assert batches[-1].full
    assert [a.device_uid for b in batches for a in b.assets] == ["42"]
    last = {t.id: t for b in batches for t in b.tickets}
    assert last["7"].asset_ids == ("12",)
    assert last["7"].status_class is StatusClass.NEW
    [request] = fake.asked(*LIST)
    assert request.url.params["conditions"] == "closedFlag=False"


async def test_trap_without_page_size_there_are_25_rows(fake: FakeCw) -> None:
    await run(connector(fake))
    lists = [r for r in fake.requests if "conditions" in r.url.params or r.url.path.endswith("statuses")]
    assert lists
    assert {r.url.params["pageSize"] for r in lists} == {"1000"}


async def test_trap_parameters_are_carried_to_the_next_page(fake: FakeCw) -> None:
    link = f'<https://api-na.myconnectwise.net/{fake.codebase}apis/3.0/service/tickets?pageId=7>; rel="next"'
    fake.odd[LIST] = [page([row(7)], link), page([row(8)])]
    assert tickets_of(await run(connector(fake))) == ["7", "8"]
    first, second = fake.asked(*LIST)
    assert second.url.params["pageId"] == "7"
    assert dict(second.url.params) == {**first.url.params, "pageId": "7"}
    assert second.headers["pagination-type"] == "forward-only"
    assert "orderBy" not in second.url.params


async def test_pages_of_an_older_server_are_numbered(fake: FakeCw) -> None:
    link = '</x?page=2>; rel="next", </x?page=9>; rel="last"'
    fake.odd[LIST] = [page([row(7)], link), page([row(8)], '</x?page=1>; rel="first"')]
    assert tickets_of(await run(connector(fake))) == ["7", "8"]
    assert fake.asked(*LIST)[1].url.params["page"] == "2"


async def test_a_full_page_without_a_link_is_followed_by_its_last_id(fake: FakeCw) -> None:
    fake.odd[LIST] = [page([row(n) for n in range(1, 1001)]), page([row(1001)])]
    assert len(tickets_of(await run(connector(fake)))) == 1001
    assert fake.asked(*LIST)[1].url.params["pageId"] == "1000"


async def test_trap_a_link_to_another_host_is_not_followed(fake: FakeCw) -> None:
    fake.odd[LIST] = [page([row(7)], NEXT_ON_OTHER_HOST)]
    with pytest.raises(Failed, match="another host"):
        await run(connector(fake))
    assert {r.url.host for r in fake.requests} <= {"na.myconnectwise.net", "api-na.myconnectwise.net"}


async def test_a_link_that_leads_nowhere_ends(fake: FakeCw) -> None:
    fake.odd[LIST] = [page([row(7)], '</x?page=1>; rel="next"')] * 2
    with pytest.raises(Failed, match="same page"):
        await run(connector(fake))


async def test_trap_lists_other_than_tickets_are_paged_too(fake: FakeCw) -> None:
    path = ("GET", "/system/info/members")
    fake.odd[path] = [page([MEMBERS[0]], '</x?pageId=176>; rel="next"'), page(MEMBERS[1:])]
    choices = await connector(fake).choices()
    assert [t.id for t in choices.technicians] == ["ines", "tom"]


async def test_a_delta_asks_since_the_last_run_with_overlap_and_nothing_else(fake: FakeCw) -> None:
    cw = connector(fake)
    cursor = (await run(cw))[-1].cursor
    before = len(fake.requests)
    fake.odd[LIST] = [page([])]
    [last] = await run(cw, cursor)
    assert not last.full
    [request] = fake.requests[before:]
    assert request.url.params["conditions"] == "lastUpdated >= [2026-11-24T07:58:00Z]"


async def test_a_delta_shows_what_was_closed(fake: FakeCw) -> None:
    cw = connector(fake)
    cursor = (await run(cw))[-1].cursor
    closed = row(7, closedFlag=True, status={"id": 22, "name": "Closed"})
    fake.odd[LIST] = [page([closed])]
    [first, *_] = await run(cw, cursor)
    assert [t.status_class for t in first.tickets] == [StatusClass.CLOSED]


async def test_a_foreign_cursor_makes_a_full_run(fake: FakeCw) -> None:
    assert (await run(connector(fake), "what is this"))[-1].full


async def test_a_reconcile_reads_only_what_is_new(fake: FakeCw) -> None:
    cw = connector(fake)
    cursor = (await run(cw))[-1].cursor
    seven = datetime(2026, 11, 24, 7, tzinfo=UTC)
    fake.odd[LIST] = [page(list(fake.tickets.values())), page([fake.tickets[8]])]
    held = {"7": seven, "8": seven - timedelta(hours=1)}
    batches = await run(cw, cursor, full=True, known=lambda: held)
    assert [r for b in batches for r in b.present] == ["acme:7"]
    assert tickets_of(batches) == ["8"]
    dates, whole = fake.asked(*LIST)[-2:]
    assert dates.url.params["fields"] == "id,_info/lastUpdated"
    assert whole.url.params["conditions"] == "id in (8)"


async def test_configured_boards_are_asked_for_and_what_leaves_them_is_gone(fake: FakeCw) -> None:
    cw = connector(fake, replace(ACME, queues=("Help Desk", "[VIP]")))
    cursor = (await run(cw))[-1].cursor
    asked = fake.asked(*LIST)[0].url.params["conditions"]
    assert asked == 'closedFlag=False and board/name in ("Help Desk","[[]VIP]")'
    fake.odd[LIST] = [page([row(7, board={"id": 2, "name": "Tier 2"})])]
    [first, *_] = await run(cw, cursor)
    assert (first.gone, first.tickets) == (("acme:7",), ())


async def test_trap_addresses_stay_under_2000_characters(fake: FakeCw) -> None:
    """The fixture holds every one to it; a long list of boards takes several requests."""
    names = tuple(f"A board with a rather long name, number {n}" for n in range(30))
    fake.odd[LIST] = [page([]) for _ in range(9)]
    await run(connector(fake, replace(ACME, queues=names)))
    assert 1 < len(fake.asked(*LIST)) <= 9


async def test_one_odd_row_does_not_cost_the_page(fake: FakeCw) -> None:
    fake.odd[LIST] = [page([{"id": 1, "summary": {"no": "text"}}, row(8)])]
    batches = await run(connector(fake))
    assert tickets_of(batches) == ["8"]
    assert [s.id for b in batches for s in b.skipped] == ["1"]


async def test_a_role_without_the_company_module_keeps_its_tickets(fake: FakeCw) -> None:
    fake.odd[("GET", "/company/configurations")] = [httpx.Response(403, json={"message": "no"})]
    batches = await run(connector(fake))
    assert tickets_of(batches) == ["7", "8"]
    assert [s.id for b in batches for s in b.skipped] == ["configurations"]


async def test_what_is_linked_is_remembered_over_processes(fake: FakeCw) -> None:
    fake.linked = {7: [12]}
    cursor = (await run(connector(fake)))[-1].cursor
    fake.odd[LIST] = [page([row(7, _info={"lastUpdated": "2026-11-24T07:59:00Z"})])]
    [first, *_] = await run(connector(fake), cursor)
    assert first.tickets[0].asset_ids == ("12",)
    assert len(fake.asked("GET", "/service/tickets/7/configurations")) == 1


async def test_the_customers_word_keeps_its_time(fake: FakeCw) -> None:
    cw = connector(fake)
    fake.tickets = {7: row(7, customerUpdatedFlag=True)}
    cursor = (await run(cw))[-1].cursor
    later = row(7, customerUpdatedFlag=True, _info={"lastUpdated": "2026-11-24T07:59:30Z"})
    fake.odd[LIST] = [page([later])]
    [first, *_] = await run(cw, cursor)
    assert first.tickets[0].customer_replied_at == datetime(2026, 11, 24, 7, tzinfo=UTC)


async def test_a_ticket_with_its_conversation(fake: FakeCw) -> None:
    fake.linked = {8: [12]}
    fake.notes = {
        1: {"id": 1, "ticketId": 8, "text": "It is down", "detailDescriptionFlag": True,
            "contact": {"id": 9, "name": "Dana Reyes"}, "dateCreated": "2026-11-24T06:00:00Z"},
        2: {"id": 2, "ticketId": 8, "text": "Looking", "internalAnalysisFlag": True,
            "member": MEMBERS[0], "dateCreated": "2026-11-24T06:10:00Z"},
    }  # fmt: skip
    fake.entries = {
        5: {"id": 5, "timeEnd": "2026-11-24T06:30:00Z", "actualHours": 0.25, "notes": "Fixed",
            "addToResolutionFlag": True, "member": MEMBERS[1]}
    }  # fmt: skip
    detail = await connector(fake).ticket("8")
    assert detail.description == "It is down"
    assert [(n.kind, n.author, n.body, n.minutes) for n in detail.notes] == [
        ("customer", "Dana Reyes", "It is down", None),
        ("internal", "Ines Duarte", "Looking", None),
        ("resolution", "Tom Okafor", "Fixed", 15),
    ]
    assert detail.ticket.asset_ids == ("12",)
    assert detail.ticket.children == ("acme:7", "acme:8")
    assert detail.ticket.contact is not None
    assert detail.ticket.contact.phones == ("5550100", "5550199 ext. 4")


async def test_parts_that_a_role_may_not_see_are_left_out(fake: FakeCw) -> None:
    for path in ("/time/entries", "/service/tickets/7/documents", "/company/contacts/9"):
        fake.odd[("GET", path)] = [httpx.Response(403, json={"message": "no"})]
    fake.odd[("GET", "/service/tickets/7/configurations")] = [httpx.Response(403, json={"message": "no"})]
    detail = await connector(fake).ticket("7")
    assert (detail.notes, detail.attachments, detail.ticket.asset_ids) == ((), (), ())


@pytest.mark.parametrize("id", ["../boards", "7 or 1=1", "", "七"])
async def test_ids_that_are_no_numbers_are_not_sent(fake: FakeCw, id: str) -> None:
    with pytest.raises(Failed) as caught:
        await connector(fake).ticket(id)
    assert caught.value.failure.reason is Reason.NOT_FOUND
    assert fake.requests == []


async def test_choices_are_the_boards_own(fake: FakeCw) -> None:
    cw = connector(fake)
    [ticket] = [t for b in await run(cw) for t in b.tickets if t.id == "7"][:1]
    choices = await cw.choices(ticket)
    assert choices.queues == ("Help Desk", "Tier 2")
    assert choices.claim_status == "In Progress"
    assert choices.status_classes["Waiting Customer"] == "waiting"
    assert choices.statuses[0] == "New"
    assert (await cw.choices()).clients == ("Harborview Dental",)


async def test_trap_there_is_no_me_it_is_looked_up(fake: FakeCw) -> None:
    identity = await connector(fake).whoami()
    assert (identity.technician.id, identity.technician.name) == ("ines", "Ines Duarte")
    assert identity.version == "ConnectWise v2025.1.90000"
    with pytest.raises(Failed, match="set `me`"):
        await connector(fake, replace(ACME, me=None)).whoami()
    with pytest.raises(Failed, match="no member nobody"):
        await connector(fake, replace(ACME, me="nobody")).whoami()


async def test_trap_a_429_may_name_its_wait_in_words_only(fake: FakeCw, shared: Path) -> None:
    body = json.loads((shared / "samples" / "connectwise" / "error_429_body.json").read_text())
    fake.odd[("GET", "/system/info")] = [httpx.Response(429, json=body)] * 3
    told: list[datetime] = []

    class Told(FreePacer):
        def limited(self, connection: str, until: datetime) -> None:
            told.append(until)

    with pytest.raises(Failed) as caught:
        await connector(fake, pacer=Told()).whoami()
    assert caught.value.failure.reason is Reason.RATE_LIMIT
    assert told == [caught.value.failure.retry_at] == [NOW + timedelta(seconds=30)]


@pytest.mark.parametrize(
    ("status", "reason"),
    [(401, Reason.AUTH), (403, Reason.PERMISSION), (400, Reason.REFUSED), (409, Reason.CONFLICT)],
)
async def test_errors_have_their_reasons(fake: FakeCw, status: int, reason: Reason) -> None:
    body = {"code": "X", "message": "Record in use", "errors": [{"message": "bad", "field": "summary"}]}
    fake.odd[LIST] = [httpx.Response(status, json=body)]
    with pytest.raises(Failed) as caught:
        await run(connector(fake))
    assert caught.value.failure.reason is reason
    assert ("Record in use; summary: bad" in caught.value.failure.sentence) == (status != 401)


def test_without_a_key_nothing_is_asked() -> None:
    with pytest.raises(Failed, match="No private_key"):
        CwConnector(ACME, {"public_key": SECRETS["public_key"]}, pacer=FreePacer(), now=lambda: NOW)


def test_the_registry_knows_it() -> None:
    assert manifest(ACME) is MANIFEST
