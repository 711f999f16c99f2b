"""RT's feed, detail, identity and choices against an RT in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from mspterm.config.model import Connection
from mspterm.connectors.base import Batch
from mspterm.connectors.rt.connector import RtConnector
from mspterm.domain.action import Reboot, State
from mspterm.domain.reasons import Failed, Reason
from mspterm.domain.row import StatusClass
from mspterm.domain.secret import Secret
from mspterm.net.pacer import FreePacer
from tests.connectors.fake_rt import NOW, FakeRt, iso, row, user

TOKEN = Secret("1-28-cafe0badbeef")


async def run(rt: RtConnector, cursor: str | None = None, *, full: bool = False) -> list[Batch]:
    return [batch async for batch in rt.feed(cursor, full=full)]


async def cursor_of(rt: RtConnector) -> str:
    cursor = (await run(rt))[-1].cursor
    assert cursor is not None
    return cursor


def refs(batches: list[Batch]) -> list[str]:
    return [ticket.ref for batch in batches for ticket in batch.tickets]


def searches(fake: FakeRt) -> list[str]:
    return [call.query["query"] for call in fake.calls if call.path == "/tickets"]


async def test_a_full_run_pages_past_the_silent_cap_of_100() -> None:
    fake = FakeRt()
    fake.add(*(row(number) for number in range(1, 251)))
    batches = await run(fake.connector())
    assert refs(batches) == [f"acme:{number}" for number in range(1, 251)]
    assert [batch.full for batch in batches][-1] is True
    assert len(searches(fake)) == 3
    assert [call.query["per_page"] for call in fake.calls if call.path == "/tickets"] == ["100"] * 3


async def test_a_page_that_shifts_loses_no_ticket() -> None:
    """While page one is read, its first ticket is resolved: nothing else may be skipped."""
    fake = FakeRt()
    fake.add(*(row(number) for number in range(1, 151)))
    seen = []
    async for batch in fake.connector().feed(None):
        seen += [ticket.id for ticket in batch.tickets]
        fake.tickets[1]["Status"] = "resolved"
    assert seen == [str(number) for number in range(1, 151)]


async def test_an_item_that_does_not_parse_is_skipped_and_counted() -> None:
    fake = FakeRt()
    fake.add(row(1), row(2, Created="never"), row(3, CustomFields="odd"), row(4))
    batches = await run(fake.connector())
    assert refs(batches) == ["acme:1", "acme:4"]
    assert [skipped.id for batch in batches for skipped in batch.skipped] == ["2", "3"]


async def test_tickets_that_rt_counts_and_hides_are_told() -> None:
    fake = FakeRt(before={"GET /tickets": httpx.Response(200, json={"items": [], "total": 17, "count": 0})})
    (skipped,) = [skipped for batch in await run(fake.connector()) for skipped in batch.skipped]
    assert "17" in skipped.why


async def test_an_rt_that_repeats_itself_does_not_hold_the_feed() -> None:
    class Stuck(FakeRt):
        def _search(self, query: dict[str, str]) -> httpx.Response:
            return httpx.Response(200, json={"items": [row(1)], "total": 5})

    batches = await run(Stuck().connector())
    assert refs(batches) == ["acme:1", "acme:1"]


async def test_a_delta_with_nothing_new_is_one_request() -> None:
    fake = FakeRt()
    fake.add(row(1))
    rt = fake.connector()
    cursor = await cursor_of(rt)
    fake.calls.clear()
    batches = await run(rt, cursor)
    assert len(fake.calls) == 1
    assert refs(batches) == []
    assert (batches[-1].cursor, batches[-1].full) == (cursor, False)


async def test_a_delta_sees_a_resolved_ticket_leave() -> None:
    fake = FakeRt()
    fake.add(row(1), row(2))
    rt = fake.connector()
    cursor = await cursor_of(rt)
    fake.tickets[2] |= {"Status": "resolved", "LastUpdated": iso(NOW)}
    batches = await run(rt, cursor)
    assert [(ticket.ref, ticket.status_class) for ticket in batches[0].tickets] == [
        ("acme:2", StatusClass.RESOLVED)
    ]


async def test_a_delta_overlaps_the_last_run_by_two_minutes_of_the_servers_clock() -> None:
    """The local clock is ten minutes off, and times are asked as seconds ago: no zone matters."""
    fake = FakeRt()
    rt = RtConnector(
        Connection("acme", "rt", "http://rt.test"),
        {"token": TOKEN},
        pacer=FreePacer(),
        now=lambda: fake.now - timedelta(minutes=10),
        transport=httpx.MockTransport(fake.answer),
    )
    cursor = await cursor_of(rt)
    assert NOW.isoformat() in cursor
    fake.now += timedelta(seconds=30)
    await run(rt, cursor)
    assert "'150 seconds ago'" in searches(fake)[-1]


async def test_a_first_delta_on_a_wrong_clock_asks_again_until_the_window_is_covered() -> None:
    fake = FakeRt()
    cursor = await cursor_of(fake.connector())
    fake.now += timedelta(hours=1)
    fake.add(row(1, LastUpdated=iso(NOW + timedelta(minutes=5))))
    late = RtConnector(
        Connection("acme", "rt", "http://rt.test"),
        {"token": TOKEN},
        pacer=FreePacer(),
        now=lambda: NOW,
        transport=httpx.MockTransport(fake.answer),
    )
    fake.before["GET /Helpers/.*"] = httpx.Response(404)
    assert refs(await run(late, cursor)) == ["acme:1"]


async def test_a_foreign_cursor_makes_a_full_run() -> None:
    fake = FakeRt()
    assert (await run(fake.connector(), "not ours"))[-1].full


async def test_a_ticket_moved_out_of_the_configured_queues_is_gone() -> None:
    fake = FakeRt()
    fake.add(row(1), row(2))
    rt = fake.connector(Connection("acme", "rt", "http://rt.test", queues=("Service Desk", "St. B's")))
    cursor = await cursor_of(rt)
    assert "(Queue = 'Service Desk' OR Queue = 'St. B\\'s')" in searches(fake)[0]
    fake.tickets[2] |= {"Queue": {"id": "4", "Name": "Tier 2"}, "LastUpdated": iso(NOW)}
    batches = await run(rt, cursor)
    assert [ref for batch in batches for ref in batch.gone] == ["acme:2"]


async def test_configured_active_statuses_are_asked_for() -> None:
    fake = FakeRt()
    await run(fake.connector(Connection("acme", "rt", "http://rt.test", active=("new", "triage"))))
    assert "(Status = 'new' OR Status = 'triage')" in searches(fake)[0]


async def test_the_customers_last_word_stands_until_a_technician_replies() -> None:
    fake = FakeRt()
    replied = NOW - timedelta(minutes=30)
    fake.add(row(1, LastUpdatedBy=user("dana@hvd.test"), LastUpdated=iso(replied)))
    rt = fake.connector()
    await run(rt)
    fake.tickets[1] |= {"LastUpdatedBy": user("ines"), "LastUpdated": iso(NOW)}
    assert (await run(rt))[0].tickets[0].customer_replied_at == replied
    fake.tickets[1]["Told"] = iso(NOW)
    assert (await run(rt))[0].tickets[0].customer_replied_at is None


async def test_one_login_serves_all_later_requests() -> None:
    """Each token request costs a real RT 0.3 s of bcrypt."""
    fake = FakeRt()
    fake.before["GET /Helpers/.*"] = httpx.Response(200, headers={"Set-Cookie": "RT_SID_x=abc; path=/"})
    rt = fake.connector()
    await rt.whoami()
    await run(rt)
    assert [call.path for call in fake.calls if call.path.startswith("/Helpers")] == [
        "/Helpers/Autocomplete/Owners"
    ]
    assert {call.headers.get("cookie") for call in fake.calls[1:]} == {"RT_SID_x=abc"}


async def test_a_session_is_renewed_after_hours() -> None:
    fake = FakeRt()
    rt = fake.connector()
    await rt.whoami()
    fake.now += timedelta(hours=7)
    await rt.whoami()
    assert [call.path.startswith("/Helpers") for call in fake.calls].count(True) == 2


async def test_an_rt_that_gives_no_session_still_works_by_token() -> None:
    fake = FakeRt(before={"GET /Helpers/.*": httpx.Response(403)})
    assert (await fake.connector().whoami()).technician.id == "ines"


async def test_a_dead_server_is_told_once_not_twice() -> None:
    fake = FakeRt(before={"GET /Helpers/.*": httpx.ReadTimeout("x")})
    with pytest.raises(Failed) as caught:
        await fake.connector().whoami()
    assert caught.value.failure.reason is Reason.OFFLINE
    assert len(fake.calls) == 1


async def test_whoami_names_the_tokens_user_and_the_version() -> None:
    identity = await FakeRt().connector().whoami()
    assert (identity.technician.id, identity.technician.name) == ("ines", "Ines")
    assert (identity.kind, identity.version) == ("personal", "RT 5.0.3")


async def test_whoami_with_a_refused_token_is_auth() -> None:
    fake = FakeRt(before={"GET /user/28": httpx.Response(401, json={"message": "Unauthorized"})})
    with pytest.raises(Failed) as caught:
        await fake.connector().whoami()
    assert caught.value.failure.reason is Reason.AUTH


async def test_a_session_that_is_no_good_is_dropped_and_the_token_asked() -> None:
    """With a dead session and a bad token RT answers with its login page instead of 401."""
    fake = FakeRt()
    fake.before["GET /Helpers/.*"] = httpx.Response(200, headers={"Set-Cookie": "RT_SID_x=dead; path=/"})
    fake.before["GET /user/28"] = httpx.Response(200, text="\n<!DOCTYPE html><p>Log in")
    assert (await fake.connector().whoami()).technician.id == "ines"
    assert [call.headers.get("cookie") for call in fake.calls[1:]] == ["RT_SID_x=dead", None, None]


def test_a_missing_token_says_how_to_set_one() -> None:
    with pytest.raises(Failed) as caught:
        RtConnector(Connection("acme", "rt", "http://x"), {}, pacer=FreePacer(), now=lambda: NOW)
    assert "auth login acme" in caught.value.failure.sentence


@pytest.mark.parametrize("url", ["http://rt.test", "http://rt.test/", "http://rt.test/REST/2.0/"])
async def test_the_url_may_end_as_people_write_it(url: str) -> None:
    fake = FakeRt()
    fake.add(row(1))
    detail = await fake.connector(Connection("acme", "rt", url)).ticket("1")
    assert detail.ticket.url == "http://rt.test/Ticket/Display.html?id=1"


async def test_a_ticket_with_its_conversation() -> None:
    fake = FakeRt()
    fake.add(row(1))
    fake.part(fake.record(1, "Create"), "It is broken.")
    customer = fake.record(1, "Correspond", Creator=user("dana@hvd.test"), Created="2026-11-24T07:30:00Z")
    fake.part(customer, "<p>Still <b>broken</b></p>", "text/html")
    note = fake.record(1, "Comment", TimeTaken="12", Created="2026-11-24T07:40:00Z")
    fake.part(note, "<p>html</p>", "text/html")
    fake.part(note, "plain")
    fake.part(note, "", "image/png", Filename="screen shot.png", Headers="Content-Length: 812\nX: y")
    fake.record(1, "Comment", TimeTaken="5", Created="2026-11-24T07:41:00Z")
    fake.record(1, "Status", Field="Status", OldValue="new", NewValue="open", Created="2026-11-24T07:42:00Z")
    fake.record(1, "Set", Field="Owner", OldValue="6", NewValue="30", Created="2026-11-24T07:43:00Z")
    fake.record(1, "Set", Field="Queue", OldValue="3", NewValue="4", Created="2026-11-24T07:44:00Z")
    fake.record(1, "EmailRecord", Created="2026-11-24T07:45:00Z")
    detail = await fake.connector().ticket("1")
    assert detail.description == "It is broken."
    assert [(note.kind, note.author, note.body, note.minutes) for note in detail.notes] == [
        ("customer", "Dana@Hvd.Test", "Still broken", None),
        ("internal", "Ines", "plain", 12),
        ("internal", "Ines", "Worked 5 minutes", 5),
        ("system", "Ines", "Status changed from new to open", None),
        ("system", "Ines", "Owner changed from Nobody to marcus", None),
        ("system", "Ines", "Queue changed from Service Desk to Tier 2", None),
    ]
    fake.part(note, "", "image/gif")
    attachment, inline = (await fake.connector().ticket("1")).attachments
    assert (inline.name, inline.bytes) == ("image/gif", None)
    assert (attachment.name, attachment.bytes) == ("screen shot.png", 812)
    assert attachment.url == f"http://rt.test/Ticket/Attachment/{note}/1004/screen%20shot.png"
    assert detail.ticket.customer_replied_at == datetime(2026, 11, 24, 7, 30, tzinfo=UTC)
    assert detail.ticket.contact is not None
    assert detail.ticket.contact.phones == ("+1 555 0100",)


async def test_a_technicians_words_on_their_own_ticket_are_not_the_customers() -> None:
    fake = FakeRt()
    fake.add(row(1, Requestor=[user("ines")], Owner=user("ines")))
    fake.part(fake.record(1, "Correspond"), "I ordered it.")
    detail = await fake.connector().ticket("1")
    assert [note.kind for note in detail.notes] == ["public"]
    assert detail.ticket.customer_replied_at is None


async def test_a_long_conversation_is_read_to_its_end() -> None:
    fake = FakeRt()
    fake.add(row(1))
    for number in range(230):
        fake.record(1, "Status", Field="Status", OldValue=str(number), NewValue="x")
    assert len((await fake.connector().ticket("1")).notes) == 230


async def test_a_requestor_whose_record_is_hidden_has_no_phones() -> None:
    fake = FakeRt(before={"GET /user/dana@hvd.test": httpx.Response(403)})
    fake.add(row(1))
    contact = (await fake.connector().ticket("1")).ticket.contact
    assert contact is not None
    assert (contact.email, contact.phones) == ("dana@hvd.test", ())


@pytest.mark.parametrize("number", ["99", "abc"])
async def test_a_missing_ticket_is_not_found(number: str) -> None:
    with pytest.raises(Failed) as caught:
        await FakeRt().connector().ticket(number)
    assert caught.value.failure.reason is Reason.NOT_FOUND


async def test_choices_are_asked_once_in_ten_minutes() -> None:
    fake = FakeRt()
    fake.add(row(1, Status="triage"))
    rt = fake.connector()
    ticket = (await rt.ticket("1")).ticket
    choices = await rt.choices(ticket)
    assert choices.statuses == ("new", "open", "stalled", "resolved", "rejected", "triage")
    assert choices.queues == ("Service Desk", "Tier 2")
    assert [(tech.id, tech.name) for tech in choices.technicians] == [("ines", "Ines Duarte")]
    assert choices.clients == ("Harborview Dental Group",)
    fake.calls.clear()
    await rt.choices(ticket)
    assert fake.calls == []
    fake.now += timedelta(minutes=11)
    await rt.choices(ticket)
    assert [call.path for call in fake.calls] == ["/Helpers/Autocomplete/Owners"]


async def test_choices_without_a_web_session_still_name_the_queues() -> None:
    fake = FakeRt()
    rt = fake.connector()
    await rt.whoami()
    fake.before["GET /Helpers/.*"] = httpx.Response(200, text="<html>Log in</html>")
    choices = await rt.choices()
    assert choices.queues == ("Service Desk", "Tier 2")
    assert choices.technicians == ()


async def test_devices_are_refused_with_a_word() -> None:
    rt = FakeRt().connector()
    with pytest.raises(Failed):
        await rt.device("1")
    with pytest.raises(Failed):
        rt.live("1")
    assert (await rt.act(Reboot("acme:1"), mark="m")).state is State.REFUSED


async def test_a_reconcile_names_what_is_unchanged_and_reads_the_rest() -> None:
    fake = FakeRt()
    fake.add(*(row(number) for number in range(1, 131)))
    rt = fake.connector()
    known = {t.id: t.updated_at for batch in await run(rt) for t in batch.tickets}
    fake.tickets[7] = row(7, LastUpdated=iso(NOW + timedelta(hours=1)), Subject="Worse now")
    fake.add(row(131))
    fake.calls.clear()
    batches = [batch async for batch in rt.feed("{}", full=True, known=lambda: known)]
    assert refs(batches) == ["acme:7", "acme:131"]
    present = [ref for batch in batches for ref in batch.present]
    assert present == [f"acme:{number}" for number in range(1, 131) if number != 7]
    assert batches[-1].full
    dates = [
        c.query["fields"] for c in fake.calls if c.path == "/tickets" and c.query["fields"] == "LastUpdated"
    ]
    assert len(dates) == 2
