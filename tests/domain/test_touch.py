"""What counts as a human's hand in a ticket."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mspterm.domain.row import StatusClass
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Contact, Note, Ticket, TicketDetail
from mspterm.domain.touch import touched, touched_in
from tests.domain.domain_rows import NOW, ticket

OPENED = "CPU above 95 %"


def alert(**more: Any) -> Ticket:
    return ticket(**({"type": "alert", "status": SafeText("New"), "status_class": StatusClass.NEW} | more))


def note(author: str, body: str = "x", kind: str = "internal", minutes: int | None = None) -> Note:
    return Note("n", NOW, SafeText(author), kind, SafeText(body), minutes)


def talk(*notes: Note, **more: Any) -> TicketDetail:
    return TicketDetail(alert(**more), SafeText(OPENED), notes)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({}, None),
        ({"assignee_id": "tom", "assignee": SafeText("Tom Okafor")}, "Tom Okafor owns it"),
        ({"type": "incident"}, "a person reported it"),
        ({"type": "incident", "contact": Contact(SafeText("Dana"))}, "a person reported it (Dana)"),
        ({"type": "incident", "source": "alert"}, None),
        ({"customer_replied_at": NOW}, "the client wrote"),
        ({"minutes_worked": 15}, "15 min were booked"),
        (
            {"status": SafeText("In Progress"), "status_class": StatusClass.OPEN},
            "somebody set it to In Progress",
        ),
    ],
)
def test_a_row_tells(more: dict[str, Any], why: str | None) -> None:
    assert touched(alert(**more)) == why


def test_an_integration_is_known_by_its_login_or_mail_where_the_psa_has_no_type() -> None:
    contact = Contact(SafeText("Monitor"), (), SafeText("Monitoring@msp.example"))
    one = alert(type="incident", contact=contact)
    assert touched(one) == "a person reported it (Monitor)"
    assert touched(one, ["monitoring@MSP.example"]) is None


@pytest.mark.parametrize(
    ("notes", "robots", "why"),
    [
        ((), (), None),
        ((note("zadmin", OPENED), note("zadmin", "cleared")), (), None),
        ((note("zadmin", OPENED), note("Ines", "looked")), (), "Ines wrote on 2026-11-24 08:00Z"),
        ((note("zadmin", OPENED), note("Ninja", "cleared")), ("ninja",), None),
        # Not the text that it was opened with: who wrote it is no machine for that.
        ((note("Ines", "looked"),), (), "Ines wrote on 2026-11-24 08:00Z"),
        ((note("Ines", "status changed", "system"),), (), None),
        ((note("zadmin", OPENED), note("zadmin", "x", minutes=5)), (), "zadmin wrote on 2026-11-24 08:00Z"),
    ],
)
def test_a_conversation_tells(notes: tuple[Note, ...], robots: tuple[str, ...], why: str | None) -> None:
    assert touched_in(talk(*notes), robots) == why


def test_the_row_goes_before_the_conversation() -> None:
    assert touched_in(talk(updated_at=NOW + timedelta(1), minutes_worked=3)) == "3 min were booked"
