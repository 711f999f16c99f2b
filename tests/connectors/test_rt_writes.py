"""RT's writes against its traps: it answers 200 with a sentence when it refuses (psa-apis 13b)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from mspterm.config.model import Connection
from mspterm.domain.action import Audience, NewTicket, Outcome, State, Update
from mspterm.domain.reasons import Reason
from tests.connectors.fake_rt import Call, FakeRt, row, user

ACME = Connection("acme", "rt", "http://rt.test", tiers={"Service Desk": "L1"})
NEXT = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
NEW = NewTicket("acme", "Harborview Dental Group", "Scanner fails", "SMTP 535", contact="dana@hvd.test")


def one(**more: object) -> FakeRt:
    fake = FakeRt()
    fake.add(row(1, **more))
    fake.record(1, "Create")
    return fake


async def act(fake: FakeRt, write: Update | NewTicket, connection: Connection = ACME) -> Outcome:
    return await fake.connector(connection).act(write, mark="intent")


def reason(outcome: Outcome) -> Reason | None:
    return outcome.failure.reason if outcome.failure else None


async def test_a_note_with_time_and_status_is_one_write() -> None:
    fake = one()
    outcome = await act(fake, Update("acme:1", text="Looked.\nFine.", minutes=15, status="open"))
    (sent,) = fake.sent()
    assert (sent.method, sent.path) == ("POST", "/ticket/1/comment")
    expected = {"Content": "Looked.\nFine.", "ContentType": "text/plain", "TimeTaken": 15, "Status": "open"}
    assert sent.json == expected
    assert (outcome.state, outcome.failure) == (State.DONE, None)
    assert outcome.ticket is not None
    assert outcome.ticket.status == "open"
    assert outcome.detail == ("text: comment #102", "minutes: 15", "status: open")


@pytest.mark.parametrize(
    ("audience", "way"),
    [
        (Audience.PUBLIC, "correspond"),
        (Audience.RESOLUTION, "correspond"),
        (Audience.INTERNAL, "comment"),
        (Audience.CO_MANAGED, "comment"),
    ],
)
async def test_who_reads_a_text_is_the_way_it_goes(audience: Audience, way: str) -> None:
    fake = one()
    outcome = await act(fake, Update("acme:1", text="x", audience=audience))
    assert [call.path for call in fake.sent()] == [f"/ticket/1/{way}"]
    assert outcome.state is State.DONE


async def test_an_update_of_everything_is_text_first_then_one_put() -> None:
    fake = one()
    write = Update(
        "acme:1", text="handoff", status="open", owner="marcus", priority=2, queue="Tier 2", next_at=NEXT
    )
    outcome = await act(fake, write)
    post, put = fake.sent()
    assert (post.method, put.method) == ("POST", "PUT")
    assert put.json == {
        "Owner": "marcus",
        "Queue": "Tier 2",
        "Priority": 100,
        "Starts": "2026-11-26 09:30:00",
    }
    assert outcome.state is State.DONE
    assert outcome.ticket is not None
    assert (outcome.ticket.assignee_id, outcome.ticket.next_action_at) == ("marcus", NEXT)


async def test_minutes_alone_are_added_by_a_comment_and_never_set_as_a_sum() -> None:
    fake = one()
    outcome = await act(fake, Update("acme:1", minutes=5))
    (sent,) = fake.sent()
    assert (sent.path, sent.json) == ("/ticket/1/comment", {"TimeTaken": 5})
    assert outcome.state is State.DONE


async def test_a_next_date_in_a_custom_field() -> None:
    fake = one()
    outcome = await act(fake, Update("acme:1", next_at=NEXT), replace(ACME, next_from="cf:Next"))
    assert fake.sent()[0].json == {"CustomFields": {"Next": "2026-11-26 09:30:00"}}
    assert outcome.state is State.DONE


async def test_trap_invalid_status_is_200() -> None:
    outcome = await act(one(), Update("acme:1", status="bananas"))
    assert (outcome.state, reason(outcome)) == (State.FAILED, Reason.REFUSED)
    assert outcome.failure is not None
    assert "Status 'bananas' isn't a valid status" in outcome.failure.sentence
    assert outcome.detail == ("not applied: status is new, asked for was bananas",)


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (Update("acme:1", owner="ghost"), "That user does not exist"),
        (Update("acme:1", queue="Nowhere"), "Queue Nowhere does not exist"),
    ],
)
async def test_trap_unknown_owner_or_queue_is_200(write: Update, words: str) -> None:
    outcome = await act(one(), write)
    assert (outcome.state, reason(outcome)) == (State.FAILED, Reason.REFUSED)
    assert words in str(outcome.failure)


async def test_trap_permission_denied_is_200() -> None:
    fake = one()
    fake.denied = {"Status"}
    outcome = await act(fake, Update("acme:1", status="open"))
    assert (outcome.state, reason(outcome)) == (State.FAILED, Reason.PERMISSION)
    assert fake.tickets[1]["Status"] == "new"


async def test_trap_half_a_change_is_applied_and_told() -> None:
    fake = one()
    outcome = await act(fake, Update("acme:1", owner="ghost", priority=2))
    assert (outcome.state, reason(outcome)) == (State.FAILED, Reason.REFUSED)
    assert outcome.detail == ("priority: 2", "not applied: owner is Nobody, asked for was ghost")
    assert outcome.ticket is not None
    assert outcome.ticket.priority == 2
    assert "changed" not in str(outcome.failure)


async def test_trap_a_text_may_arrive_without_its_status() -> None:
    fake = one()
    fake.denied = {"Status"}
    outcome = await act(fake, Update("acme:1", text="x", status="open"))
    assert (outcome.state, reason(outcome)) == (State.FAILED, Reason.PERMISSION)
    assert outcome.detail == ("text: comment #102", "not applied: status is new, asked for was open")


async def test_trap_no_change_is_an_empty_list_and_done() -> None:
    fake = one(Status="open")
    fake.after["PUT /ticket/1"] = httpx.Response(200, json=[])
    assert (await act(fake, Update("acme:1", status="open"))).state is State.DONE


async def test_trap_a_refusing_sentence_over_a_change_that_holds_is_done() -> None:
    """Correspondence opens a new ticket by itself: RT then can't change "from 'open' to 'open'"."""
    fake = one(Status="open")
    fake.after["POST /ticket/1/correspond"] = httpx.Response(
        201,
        json=["Correspondence added", "You can't change status from 'open' to 'open'."],
        headers={"Location": "/REST/2.0/transaction/102"},
    )
    write = Update("acme:1", text="x", status="open", audience=Audience.PUBLIC)
    assert (await act(fake, write)).state is State.DONE


async def test_trap_commenting_where_it_is_not_permitted_is_400() -> None:
    fake = one()
    fake.denied = {"comment"}
    outcome = await act(fake, Update("acme:1", text="x"))
    assert (outcome.state, reason(outcome)) == (State.FAILED, Reason.PERMISSION)
    assert "Permission Denied" in str(outcome.failure)


async def test_trap_a_missing_ticket_is_found_before_anything_is_written() -> None:
    fake = FakeRt()
    outcome = await act(fake, Update("acme:9", text="x"))
    assert (outcome.state, reason(outcome)) == (State.FAILED, Reason.NOT_FOUND)
    assert fake.sent() == []


async def test_a_merged_ticket_is_not_written_to_by_its_old_number() -> None:
    fake = one()
    fake.before["GET /ticket/7"] = httpx.Response(200, json=row(1), headers={"ETag": '"101"'})
    outcome = await act(fake, Update("acme:7", text="x"))
    assert reason(outcome) is Reason.CONFLICT
    assert "merged into #1" in str(outcome.failure)
    assert fake.sent() == []


async def test_an_update_of_nothing_is_refused() -> None:
    fake = one()
    outcome = await act(fake, Update("acme:1"))
    assert (outcome.state, reason(outcome)) == (State.FAILED, Reason.REFUSED)
    assert fake.calls == []


async def test_trap_a_stale_etag_is_a_conflict() -> None:
    fake = one()
    fake.before["PUT /ticket/1"] = httpx.Response(412, json={"message": "Precondition Failed"})
    outcome = await act(fake, Update("acme:1", owner="marcus"))
    assert (outcome.state, reason(outcome)) == (State.FAILED, Reason.CONFLICT)
    assert outcome.ticket is not None
    assert outcome.ticket.assignee is None


async def test_an_owner_change_is_made_against_the_ticket_as_it_was_read() -> None:
    fake = one()
    await act(fake, Update("acme:1", owner="marcus"))
    assert fake.sent("PUT")[0].headers["if-match"] == '"101"'


async def test_a_ticket_of_nobodys_is_taken_before_its_status_is_set() -> None:
    fake = one()
    outcome = await act(fake, Update("acme:1", owner="ines", status="open", expected_owner=""))
    assert [(call.path, call.json) for call in fake.sent()] == [
        ("/ticket/1/take", {}),
        ("/ticket/1", {"Status": "open"}),
    ]
    assert (outcome.state, outcome.detail) == (State.DONE, ("owner: ines", "status: open"))


class QuickMarcus(FakeRt):
    """Marcus changes the owner between what we read and what we write, and RT sees to no If-Match."""

    def _steal(self, number: int, verb: str) -> httpx.Response:
        self._marcus()
        return super()._steal(number, verb)

    def _put(self, number: int, call: Call) -> httpx.Response:
        self._marcus()
        call.headers.pop("if-match")
        return super()._put(number, call)

    def _marcus(self) -> None:
        self.tickets[1]["Owner"] = user("marcus")
        self.record(1, "Set", Field="Owner", Creator=user("marcus"))


async def test_who_loses_a_ticket_at_the_same_instant_writes_nothing() -> None:
    fake = QuickMarcus()
    fake.add(row(1))
    fake.record(1, "Create")
    write = Update("acme:1", text="mine", status="open", owner="ines", expected_owner="")
    outcome = await act(fake, write)
    assert (outcome.state, reason(outcome)) == (State.FAILED, Reason.CONFLICT)
    assert "marcus" in str(outcome.failure)
    assert [call.path for call in fake.sent()] == ["/ticket/1/take"]
    assert [entry["Type"] for entry in fake.transactions[1]] == ["Create", "Set"]


async def test_the_earliest_owner_change_decides_whatever_the_owner_field_says() -> None:
    fake = QuickMarcus()
    fake.add(row(1, Owner=user("priya")))
    fake.record(1, "Create")
    outcome = await act(fake, Update("acme:1", owner="ines", expected_owner="priya"))
    assert outcome.ticket is not None
    assert outcome.ticket.assignee_id == "ines"
    assert (outcome.state, reason(outcome)) == (State.FAILED, Reason.CONFLICT)
    assert "marcus changed the owner of acme:1 first" in str(outcome.failure)


class LateMarcus(FakeRt):
    """Marcus's PUT, sent at the same instant as ours, is done right after it: RT lets both."""

    async def wait(self, seconds: float) -> None:
        self.tickets[1]["Owner"] = user("marcus")
        self.record(1, "Set", Field="Owner", Creator=user("marcus"))


async def test_who_was_first_by_the_history_sets_the_owner_once_more() -> None:
    fake = LateMarcus()
    fake.add(row(1, Owner=user("priya")))
    fake.record(1, "Create")
    outcome = await act(fake, Update("acme:1", owner="ines", expected_owner="priya"))
    assert (outcome.state, outcome.detail) == (State.DONE, ("owner: ines",))
    assert [call.json for call in fake.sent("PUT")] == [{"Owner": "ines"}] * 2
    assert fake.tickets[1]["Owner"]["id"] == "ines"
    assert outcome.ticket is not None
    assert outcome.ticket.assignee_id == "ines"


class StubbornRt(LateMarcus):
    async def wait(self, seconds: float) -> None:
        await super().wait(seconds)
        self.before["PUT /ticket/1"] = httpx.Response(412, json={"message": "Precondition Failed"})


async def test_where_that_is_not_taken_it_says_whose_the_ticket_is() -> None:
    fake = StubbornRt()
    fake.add(row(1, Owner=user("priya")))
    fake.record(1, "Create")
    outcome = await act(fake, Update("acme:1", owner="ines", expected_owner="priya"))
    assert outcome.state is State.FAILED
    assert outcome.detail == ("not applied: owner is marcus, asked for was ines",)


async def test_a_ticket_that_another_took_meanwhile_is_not_written() -> None:
    fake = one(Owner=user("marcus"))
    outcome = await act(fake, Update("acme:1", text="mine", owner="ines", expected_owner=""))
    assert (outcome.state, reason(outcome)) == (State.FAILED, Reason.CONFLICT)
    assert "marcus holds acme:1" in str(outcome.failure)
    assert fake.sent() == []


async def test_a_ticket_taken_between_our_text_and_our_claim_is_a_conflict() -> None:
    fake = one()
    comment = fake._say(1, "comment", {"Content": "mine", "ContentType": "text/plain"})
    fake.tickets[1]["Owner"] = user("Nobody")

    class Taken(FakeRt):
        def _say(self, number: int, way: str, body: Mapping[str, object]) -> httpx.Response:
            self.tickets[1]["Owner"] = user("priya")
            return comment

    taken = Taken(tickets=fake.tickets, transactions=fake.transactions, parts=fake.parts)
    outcome = await act(taken, Update("acme:1", text="mine", owner="marcus"))
    assert (outcome.state, reason(outcome)) == (State.FAILED, Reason.CONFLICT)
    assert outcome.detail == ("text: comment #102", "not applied: owner is priya, asked for was marcus")


async def test_a_note_planned_on_an_owner_that_is_gone_is_not_written() -> None:
    fake = one()
    outcome = await act(fake, Update("acme:1", text="x", expected_owner="marcus"))
    assert reason(outcome) is Reason.CONFLICT
    assert "Nobody holds acme:1" in str(outcome.failure)


async def test_releasing_a_ticket_gives_it_to_nobody() -> None:
    fake = one(Owner=user("ines"))
    outcome = await act(fake, Update("acme:1", owner=""))
    assert fake.sent()[0].json == {"Owner": "Nobody"}
    assert outcome.state is State.DONE


async def test_stealing_where_reassigning_is_not_permitted() -> None:
    fake = one(Owner=user("marcus"))
    fake.denied = {"Owner"}
    outcome = await act(fake, Update("acme:1", owner="ines"))
    assert [call.path for call in fake.sent()] == ["/ticket/1", "/ticket/1/steal"]
    assert outcome.state is State.DONE


async def test_a_text_whose_answer_got_lost_is_found() -> None:
    fake = one()
    fake.after["POST /ticket/1/comment"] = httpx.ReadTimeout("x")
    outcome = await act(fake, Update("acme:1", text="once", minutes=5, owner="ines"))
    assert outcome.state is State.DONE
    assert [call.method for call in fake.sent()] == ["PUT", "POST"]


async def test_a_text_that_may_not_have_arrived_is_uncertain_and_not_repeated() -> None:
    fake = one()
    fake.before["POST /ticket/1/comment"] = httpx.ReadError("x")
    outcome = await act(fake, Update("acme:1", text="once", owner="ines"))
    assert (outcome.state, reason(outcome)) == (State.UNCERTAIN, Reason.OFFLINE)
    assert [call.method for call in fake.sent()] == ["PUT", "POST"]


async def test_the_same_text_by_another_is_not_taken_for_ours() -> None:
    class Busy(FakeRt):
        def _say(self, number: int, way: str, body: Mapping[str, object]) -> httpx.Response:
            self.part(self.record(1, "Comment", Creator=user("marcus")), "once")
            raise httpx.ReadError("x")

    fake = Busy()
    fake.add(row(1))
    fake.record(1, "Create")
    assert (await act(fake, Update("acme:1", text="once"))).state is State.UNCERTAIN


async def test_a_note_that_became_a_reply_is_not_done() -> None:
    class Loud(FakeRt):
        def _say(self, number: int, way: str, body: dict[str, object]) -> httpx.Response:
            return super()._say(number, "correspond", body)

    fake = Loud()
    fake.add(row(1))
    outcome = await act(fake, Update("acme:1", text="candid words"))
    assert (outcome.state, outcome.detail) == (
        State.FAILED,
        ("not applied: text is correspond #101, asked for was comment",),
    )


async def test_a_text_found_without_its_status_is_uncertain() -> None:
    class Cut(FakeRt):
        def _say(self, number: int, way: str, body: dict[str, object]) -> httpx.Response:
            super()._say(number, way, {**body, "Status": "bananas"})
            raise httpx.ReadError("x")

    fake = Cut()
    fake.add(row(1))
    outcome = await act(fake, Update("acme:1", text="x", status="open"))
    assert (outcome.state, outcome.detail[0]) == (State.UNCERTAIN, "text: comment #101")


async def test_the_same_text_from_before_is_not_taken_for_this_one() -> None:
    fake = one()
    fake.part(fake.record(1, "Comment"), "once")
    fake.before["POST /ticket/1/comment"] = httpx.ReadError("x")
    assert (await act(fake, Update("acme:1", text="once"))).state is State.UNCERTAIN


async def test_fields_whose_answer_got_lost_are_looked_at() -> None:
    fake = one()
    fake.after["PUT /ticket/1"] = httpx.ReadTimeout("x")
    assert (await act(fake, Update("acme:1", status="open"))).state is State.DONE
    fake.before["PUT /ticket/1"] = httpx.ReadTimeout("x")
    assert (await act(fake, Update("acme:1", status="stalled"))).state is State.UNCERTAIN


async def test_a_write_that_never_left_failed() -> None:
    fake = one()
    fake.before["POST /ticket/1/comment"] = httpx.ConnectError("x")
    outcome = await act(fake, Update("acme:1", text="x"))
    assert (outcome.state, reason(outcome)) == (State.FAILED, Reason.OFFLINE)


async def test_a_write_that_can_not_be_read_back_is_uncertain() -> None:
    fake = one()
    fake.before["GET /tickets"] = httpx.ReadTimeout("x")
    outcome = await act(fake, Update("acme:1", text="x"))
    assert outcome.state is State.UNCERTAIN
    assert outcome.detail[0] == "Comments added"


async def test_an_answer_without_location_is_looked_for() -> None:
    fake = one()
    fake.after["POST /ticket/1/comment"] = httpx.Response(201, json=["Comments added"])
    assert (await act(fake, Update("acme:1", text="x"))).state is State.DONE


async def test_a_text_that_arrived_changed_is_not_done() -> None:
    fake = one()
    original = fake.part

    def garbled(transaction: int, content: str, *rest: str, **more: str) -> None:
        original(transaction, content.replace("ü", "?"), *rest, **more)

    fake.part = garbled  # type: ignore[method-assign]
    outcome = await act(fake, Update("acme:1", text="für"))
    assert (outcome.state, outcome.detail) == (
        State.FAILED,
        ("not applied: text is not there, asked for was comment",),
    )


async def test_a_priority_that_this_rt_does_not_have_is_refused_before_sending() -> None:
    fake = one()
    outcome = await act(fake, Update("acme:1", priority=1))
    assert (outcome.state, reason(outcome)) == (State.FAILED, Reason.REFUSED)
    assert "only 2, 3, 4" in str(outcome.failure)
    assert fake.calls == []


@pytest.mark.parametrize("mail", [True, False])
async def test_mail_can_not_be_chosen(mail: bool) -> None:
    fake = one()
    outcome = await act(fake, Update("acme:1", text="x", mail=mail))
    assert reason(outcome) is Reason.REFUSED
    assert fake.calls == []


async def test_a_new_ticket_with_everything() -> None:
    fake = one()
    write = replace(NEW, device="acme:asset:4", parent="acme:1", owner="ines", priority=2)
    outcome = await act(fake, write)
    (sent,) = fake.sent()
    assert sent.json == {
        "Subject": "Scanner fails",
        "Queue": "Service Desk",
        "CustomFields": {"Client": "Harborview Dental Group"},
        "Owner": "ines",
        "Priority": 100,
        "Requestor": "dana@hvd.test",
        "RefersTo": ["asset:4"],
        "MemberOf": ["1"],
        "Content": "SMTP 535",
        "ContentType": "text/plain",
    }
    assert (outcome.state, outcome.created_ref) == (State.DONE, "acme:2")
    assert outcome.ticket is not None
    assert (outcome.ticket.asset_ids, outcome.ticket.parent) == (("4",), "acme:1")


async def test_a_new_ticket_for_a_contact_by_name() -> None:
    fake = FakeRt()
    outcome = await act(fake, replace(NEW, contact="Dana"))
    assert fake.sent()[0].json["Requestor"] == "dana@hvd.test"
    assert outcome.state is State.DONE


async def test_a_new_ticket_wants_a_queue_and_says_which_there_are() -> None:
    fake = FakeRt()
    outcome = await act(fake, NEW, Connection("acme", "rt", "http://rt.test"))
    assert reason(outcome) is Reason.REFUSED
    assert "Service Desk, Tier 2" in str(outcome.failure)
    assert fake.sent() == []


async def test_trap_create_in_an_unknown_queue_is_403() -> None:
    outcome = await act(FakeRt(), replace(NEW, queue="Nowhere"))
    assert (outcome.state, reason(outcome)) == (State.FAILED, Reason.PERMISSION)
    assert "Nowhere" in str(outcome.failure)


async def test_trap_a_refused_client_still_makes_the_ticket() -> None:
    fake = FakeRt(denied={"Harborview Dental Group"})
    outcome = await act(fake, NEW)
    assert (outcome.state, outcome.created_ref) == (State.FAILED, "acme:1")
    assert "without the client" in str(outcome.failure)
    assert "don't create it again" in str(outcome.failure)


@pytest.mark.parametrize("lost", [httpx.ReadTimeout("x"), httpx.Response(201, text="<html>")])
async def test_a_new_ticket_whose_answer_got_lost_is_found(lost: httpx.Response | Exception) -> None:
    fake = FakeRt(after={"POST /ticket": lost})
    outcome = await act(fake, NEW)
    assert (outcome.state, outcome.created_ref) == (State.DONE, "acme:1")


async def test_a_new_ticket_that_is_not_found_is_uncertain_and_not_repeated() -> None:
    fake = FakeRt(before={"POST /ticket": httpx.ReadTimeout("x")})
    outcome = await act(fake, NEW)
    assert outcome.state is State.UNCERTAIN
    assert len(fake.sent()) == 1


async def test_a_device_of_elsewhere_is_refused_before_sending() -> None:
    fake = FakeRt()
    outcome = await act(fake, replace(NEW, device="mesh:node//x"))
    assert reason(outcome) is Reason.REFUSED
    assert fake.sent() == []
