from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from mspterm.domain.chronicle import (
    KEPT,
    events_from,
    events_of,
    first_reply,
    seen,
    unknown_before,
    with_route,
)
from mspterm.domain.history import Event, Happened
from mspterm.domain.row import StatusClass
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Note, Ticket, TicketDetail
from tests.domain.domain_rows import NOW, ticket

MINUTE = timedelta(minutes=1)
WAITING, RESOLVED = StatusClass.WAITING, StatusClass.RESOLVED


def looked(fresh: Ticket, known: Ticket | None = None) -> Ticket:
    return replace(fresh, history=seen(fresh, known))


def class_of(word: str) -> StatusClass:
    return {"stalled": WAITING, "resolved": RESOLVED}.get(word, StatusClass.OPEN)


def conversation(*notes: tuple[int, str, str], status: StatusClass = StatusClass.OPEN) -> TicketDetail:
    made = tuple(
        Note(str(n), NOW + minutes * MINUTE, SafeText("Ines"), kind, SafeText(body))
        for n, (minutes, kind, body) in enumerate(notes)
    )
    return TicketDetail(ticket(created_at=NOW, status_class=status), SafeText(""), made)


def test_the_first_look_says_how_it_was_found() -> None:
    first = looked(ticket(status_class=WAITING, waiting_on="vendor", customer_replied_at=NOW))
    assert first.history == (
        Event(first.updated_at, Happened.SEEN, "waiting:vendor", "open"),
        Event(NOW, Happened.CUSTOMER),
    )
    assert unknown_before(events_of(first)) == first.history[0]
    assert unknown_before(events_of(looked(ticket(status_class=StatusClass.NEW)))) is None


def test_what_changed_between_two_looks_is_dated_by_the_change() -> None:
    first = looked(ticket())
    waits = ticket(status_class=WAITING, status=SafeText("stalled"), priority=1, updated_at=NOW)
    second = looked(waits, first)
    assert second.history[1:] == (
        Event(NOW, Happened.STATUS, "waiting", "stalled"),
        Event(NOW, Happened.PRIORITY, "1", "3"),
    )
    assert [e.value for e in events_of(second) if e.kind is Happened.CREATED] == ["3"]
    asked = looked(replace(waits, customer_replied_at=NOW + MINUTE, updated_at=NOW + MINUTE), second)
    again = looked(replace(waits, customer_replied_at=NOW + 2 * MINUTE, updated_at=NOW + 2 * MINUTE), asked)
    assert again.history == asked.history
    answered = looked(replace(waits, updated_at=NOW + 3 * MINUTE), again)
    assert [e.kind for e in answered.history[3:]] == [Happened.CUSTOMER, Happened.AGENT]


def test_the_same_or_an_older_look_adds_nothing() -> None:
    first = looked(ticket())
    second = looked(ticket(status_class=WAITING, updated_at=NOW), first)
    assert looked(ticket(status_class=WAITING, updated_at=NOW), second).history == second.history
    assert looked(ticket(), second).history == second.history


def test_a_ticket_that_flips_for_ever_does_not_fill_us_up() -> None:
    known = looked(ticket())
    for n in range(KEPT + 20):
        status = WAITING if n % 2 else StatusClass.OPEN
        known = looked(
            ticket(status_class=status, status=SafeText(f"s{n}"), updated_at=NOW + n * MINUTE), known
        )
    assert len(known.history) == KEPT
    assert known.history[-1].word == f"s{KEPT + 19}"


def test_the_vendors_records_give_the_exact_log() -> None:
    detail = conversation(
        (0, "customer", "It is down"),
        (5, "system", "Status changed from new to open"),
        (6, "public", "On it"),
        (7, "internal", "Odd"),
        (9, "system", "Status changed from open to stalled"),
        (30, "customer", "Here is the log"),
        (31, "system", "Status changed from stalled to open"),
        (40, "system", "Owner changed from nobody to Ines"),
    )
    assert events_from(detail, class_of) == (
        Event(NOW, Happened.CREATED, "3"),
        Event(NOW + 5 * MINUTE, Happened.STATUS, "open", "open"),
        Event(NOW + 6 * MINUTE, Happened.AGENT),
        Event(NOW + 9 * MINUTE, Happened.STATUS, "waiting", "stalled"),
        Event(NOW + 30 * MINUTE, Happened.CUSTOMER),
        Event(NOW + 31 * MINUTE, Happened.STATUS, "open", "open"),
    )


def test_records_that_do_not_lead_to_the_status_are_not_believed() -> None:
    assert events_from(conversation((5, "public", "Hello")), class_of) is None
    detail = conversation((5, "system", "Status changed from new to open"), status=WAITING)
    assert events_from(detail, class_of) is None


def test_the_first_human_reply_is_what_the_client_could_read() -> None:
    detail = conversation(
        (1, "customer", "Down"), (2, "internal", "Odd"), (3, "public", "On it"), (4, "public", "x")
    )
    found = first_reply(detail)
    assert found is not None
    assert found.body == "On it"
    assert first_reply(conversation((1, "customer", "Down"))) is None


def test_where_it_went_and_who_took_it_is_kept_and_no_clock_sees_it() -> None:
    first = looked(ticket(queue=SafeText("Desk"), tier="L1"))
    taken = replace(first, assignee=SafeText("Ines"), assignee_id="ines")
    moved = replace(taken, queue=SafeText("Systems"), tier="L2", updated_at=NOW + MINUTE)
    went = seen(moved, first)[-2:]
    assert went == (
        Event(NOW + MINUTE, Happened.QUEUE, "L2:Systems", "L1:Desk"),
        Event(NOW + MINUTE, Happened.OWNER, "Ines", ""),
    )
    assert events_of(looked(moved, first)) == events_of(first)


def test_an_exact_log_keeps_where_it_was_seen_to_go() -> None:
    said = (Event(NOW, Happened.AGENT), Event(NOW + 3 * MINUTE, Happened.CUSTOMER))
    went = Event(NOW + MINUTE, Happened.QUEUE, "L2:b", "L1:a")
    before = (Event(NOW, Happened.SEEN, "open", "open"), went)
    assert with_route(said, before) == (said[0], went, said[1])
    assert with_route(said, before[:1]) == said
