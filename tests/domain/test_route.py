"""The way of a ticket, read from the notes of its escalations, the PSA's records and what was seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from mspterm.domain.history import Event, Happened
from mspterm.domain.route import (
    Step,
    call_line,
    goes_down,
    is_route_note,
    move_line,
    path,
    place_name,
    step_line,
)
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Note, TicketDetail
from tests.domain.domain_rows import NOW, ticket

CREATED = NOW - timedelta(hours=2)
TIERS = {"Desk": "L1", "Systems": "L2", "Vendors": "vendor"}


def note(minutes: int, body: str, author: str = "Ines", kind: str = "internal") -> Note:
    return Note(str(minutes), CREATED + timedelta(minutes=minutes), SafeText(author), kind, SafeText(body))


def detail(*notes: Note, history: tuple[Event, ...] = (), assignee: str | None = "Priya") -> TicketDetail:
    subject = ticket("7", tier="L2", queue=SafeText("Systems"), history=history)
    name = SafeText(assignee) if assignee else None

    return TicketDetail(replace(subject, assignee=name), SafeText(""), notes)


def told(found: TicketDetail) -> list[str]:
    steps = path(found.ticket, found, TIERS)
    return [f"{(s.at - CREATED).total_seconds() / 60:.0f} {s.what} {s.who or '-'}" for s in steps]


UP = move_line("L1 Desk", "L2 Systems", down=False)
TO_VENDOR = move_line("L2 Systems", "vendor Vendors (Dell, case C-9)", down=False)


def test_a_ticket_that_went_nowhere_has_no_path() -> None:
    assert told(detail(note(5, "Looked at it"))) == []


def test_the_notes_of_its_escalations_and_calls_are_the_path() -> None:
    called = call_line("Priya Nair", "555 1", "voicemail", NOW)
    steps = detail(note(40, f"{UP}\nWhy: too long"), note(41, called), note(75, TO_VENDOR))
    assert told(steps) == [
        "0 L1 Desk Priya",
        "40 L2 Systems Priya",
        "41 called Priya Nair: voicemail Ines",
        "75 vendor Vendors (Dell, case C-9) Priya",
    ]


def test_what_several_tell_is_one_move_at_its_first_time_with_the_most_words() -> None:
    seen = Event(CREATED + timedelta(minutes=74), Happened.QUEUE, "vendor:Vendors", "L2:Systems")
    record = note(76, "Queue changed from Systems to Vendors", kind="system")
    assert told(detail(note(40, UP), note(75, TO_VENDOR), record, history=(seen,)))[2:] == [
        "74 vendor Vendors (Dell, case C-9) Priya"
    ]


def test_each_place_names_who_had_it_last_there() -> None:
    history = (
        Event(CREATED + timedelta(minutes=40), Happened.QUEUE, "L2:Systems", "L1:Desk"),
        Event(CREATED + timedelta(minutes=50), Happened.OWNER, "Priya", "Marcus"),
    )
    assert told(detail(history=history)) == ["0 L1 Desk Marcus", "40 L2 Systems Priya"]
    assert told(detail(history=history[:1], assignee=None))[-1] == "40 L2 Systems -"


def test_a_vendor_s_own_records_count_where_it_has_them() -> None:
    moved = note(30, "Queue changed from Desk to Systems", kind="system")
    taken = note(20, "Owner changed from Nobody to Marcus", kind="system")
    assert told(detail(moved, taken)) == ["0 L1 Desk Marcus", "30 L2 Systems Priya"]


def test_a_client_s_words_make_no_path() -> None:
    assert told(detail(note(40, UP, kind="customer"), note(41, UP, kind="public"))) == []


def test_words_of_the_trade() -> None:
    assert goes_down("vendor", "L3")
    assert not goes_down("L1", "L2")
    assert not goes_down(None, "L1")
    assert (place_name("L1", "Desk"), place_name(None, "Desk"), place_name("", "")) == (
        "L1 Desk",
        "Desk",
        "no queue",
    )
    assert is_route_note(f"{move_line('L2 a', 'L1 b', down=True)}\nWhy: x")
    assert not is_route_note("We escalated this")
    assert step_line(Step(NOW, "L2 Systems", "Priya")) == f"{NOW:%Y-%m-%d %H:%M}Z  L2 Systems (Priya)"
