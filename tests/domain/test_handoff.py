from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mspterm.config.model import Client
from mspterm.domain.device import DeviceDetail, Disk
from mspterm.domain.evidence import Done, Evidence, clock_lines, done_lines, notice_lines, ticket_lines
from mspterm.domain.handoff import HEADINGS, Handoff, HandoffError, draft, parse, render, too_thin
from mspterm.domain.incident import verified
from mspterm.domain.route import call_line, move_line
from mspterm.domain.row import ClockState
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Clock, Contact, Note, Sla, TicketDetail
from tests.domain.domain_rows import NOW, device, row, ticket


def note(minutes: int, kind: str, body: str, author: str = "Ines", spent: int | None = None) -> Note:
    at = NOW - timedelta(minutes=minutes)
    return Note(str(minutes), at, SafeText(author), kind, SafeText(body), spent)


SUBJECT = ticket(
    "42",
    summary=SafeText("DC01 disk D: below 5%"),
    client=SafeText("Harborview"),
    site=SafeText("Pier 4"),
    contact=Contact(SafeText("Jane Roe"), (SafeText("+1 555 0100"),), SafeText("jane@hvd.example")),
    agreement=SafeText("Managed 24x7"),
)
DETAIL = TicketDetail(
    SUBJECT,
    SafeText("The x-ray server is slow\nand then stops."),
    (
        note(90, "customer", "still slow"),
        note(60, "internal", "cleared temp files\nno change", spent=15),
        note(30, "public", "We are on it"),
        note(10, "internal", "df -h: D: 97 %", "Marcus"),
    ),
)
SERVER = DeviceDetail(
    device(
        online=False,
        last_seen=NOW - timedelta(hours=3),
        disks=(
            Disk(SafeText("C:"), 500_000_000_000, 400_000_000_000, "ok"),
            Disk(SafeText("D:"), 1_000_000_000_000, 40_000_000_000, "ok"),
            Disk(SafeText("E:"), None, None, "failed"),
        ),
        needs_reboot=True,
        flags=("domain controller",),
    )
)


def test_a_draft_is_filled_in_from_what_is_known() -> None:
    made = draft(DETAIL, SERVER, NOW, Evidence(open_at_client=3))
    assert made.what == "DC01 disk D: below 5% (rt:42, P3, open)\n\nThe x-ray server is slow\nand then stops."
    assert made.tried.splitlines() == [
        "- 2026-11-24 07:00Z Ines, 15 min: cleared temp files",
        "  no change",
        "- 2026-11-24 07:50Z Marcus: df -h: D: 97 %",
    ]
    assert made.client_context.splitlines() == [
        "Client: Harborview, site Pier 4",
        "Contact: Jane Roe, +1 555 0100, jane@hvd.example",
        "Agreement: Managed 24x7",
        "Other open tickets of this client: 3",
    ]
    assert made.check_first.splitlines() == [
        "- HVD-DC01: OFFLINE, last seen 3h ago (as of 2026-11-24 08:00Z)",
        "- disk D: 4 % free of 1000 GB, health ok",
        "- disk E: failed",
        "- a reboot is pending",
        "- flags: domain controller",
    ]
    assert made.missing() == ("Hypothesis",)


def test_what_is_not_known_is_said() -> None:
    bare = TicketDetail(ticket(), SafeText(""), (note(5, "customer", "help"),))
    made = draft(bare, None, NOW)
    assert made.what.endswith("\n\nhelp")
    assert made.client_context.splitlines() == [
        "Client: not known",
        "Contact: none on the ticket",
        "Agreement: not known",
    ]
    assert made.check_first == "No RMM device is tied to this ticket."
    assert made.tried == ""


def test_an_online_device_tells_its_load() -> None:
    live = DeviceDetail(
        device(online=True, cpu_percent=97.4, memory_percent=61.0, user=SafeText("jane"), alerts_open=2)
    )
    lines = draft(DETAIL, live, NOW).check_first.splitlines()
    assert lines[0].startswith("- HVD-DC01: online, user logged on: jane")
    assert lines[1:] == ["- CPU 97 %, memory 61 %", "- 2 alerts of the RMM are open"]


def test_long_histories_are_cut_and_say_so() -> None:
    many = replace(DETAIL, notes=tuple(note(n, "internal", "x" * 900) for n in range(40, 0, -1)))
    lines = draft(many, None, NOW).tried.splitlines()
    assert lines[0] == "(the last 12 of 40 notes)"
    assert len(lines) == 13
    assert lines[-1].endswith("x [...]")


def test_headings_in_any_order_and_case() -> None:
    text = "# CHECK FIRST\r\nthe UPS\r\n\r\n###  what   happens:\r\nIt is down.\r\n### details\r\nmore\r\n"
    assert parse(text) == Handoff("It is down.\n### details\nmore", "", "", "", "the UPS")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hello\n## What happens\nx", "before the first heading"),
        ("## Hypothesis\na\n## hypothesis\nb", "is there twice"),
        ("## Hypothesis\n\n", "says nothing"),
        ("", "says nothing"),
    ],
)
def test_what_is_no_handoff_is_told(text: str, words: str) -> None:
    error = parse(text)
    assert isinstance(error, HandoffError)
    assert words in error.sentence


def test_a_heading_that_a_client_wrote_stays_text() -> None:
    made = Handoff("a", "## Hypothesis\nsend money", "dns", "", "")
    assert parse(render(made)) == replace(made, tried="> ## Hypothesis\nsend money")


plain = st.text(st.characters(codec="utf-8", exclude_characters="#\r"), max_size=40).map(str.strip)


@given(st.builds(Handoff, plain.filter(bool), plain, plain, plain, plain))
def test_the_file_form_gives_the_handoff_again(made: Handoff) -> None:
    assert parse(render(made)) == made
    assert all(title in render(made) for title in HEADINGS.values())


def test_the_evidence_stands_under_the_part_that_it_belongs_to() -> None:
    known = Evidence(("SLA x",), ("- ran y",), ("RACI z",), ("Last of Jane",), ("Last of DC01",), 1)
    made = draft(DETAIL, SERVER, NOW, known)
    assert made.what.endswith("then stops.\n\nSLA x")
    assert made.tried.endswith("df -h: D: 97 %\n- ran y")
    assert made.client_context.endswith("client: 1\nRACI z\nLast of Jane")
    assert made.check_first.endswith("Last of DC01")


def test_earlier_handoffs_calls_and_checks_of_the_caller_tried_nothing() -> None:
    notes = (
        note(9, "internal", move_line("L1 Desk", "L2 Systems", down=False) + "\n\n## What happens"),
        note(8, "internal", call_line("Priya", None, "busy", NOW)),
        note(7, "internal", verified("Jane", "code", "555", "passed")),
        note(6, "internal", "rebooted"),
    )
    assert draft(replace(DETAIL, notes=notes), None, NOW).tried == "- 2026-11-24 07:54Z Ines: rebooted"


def test_clocks_say_whose_word_they_are_and_what_is_left() -> None:
    due = NOW + timedelta(hours=1, minutes=5)
    late, met = (
        Clock(ClockState.RUNNING, NOW - timedelta(minutes=9), "calc"),
        Clock(ClockState.MET, due, "psa"),
    )
    sla = Sla(response=met, plan=late, resolution=Clock(ClockState.PAUSED, due, "psa"))
    assert clock_lines(ticket(sla=sla), NOW) == (
        "SLA response: met, due 2026-11-24 09:05Z [psa]",
        "SLA plan: breached, due 2026-11-24 07:51Z (-9m) [calc]",
        "SLA resolution: paused, due 2026-11-24 09:05Z [psa]",
    )


def test_what_was_done_and_what_binds_are_a_line_each() -> None:
    assert done_lines([Done(NOW, "Ines", "reboot", "DC01", "done")]) == (
        "- 2026-11-24 08:00Z Ines: reboot on DC01, done (journal)",
    )
    facts = Client(
        "x",
        raci={"cloud": {"responsible": "us"}, "network": {"responsible": "HVD IT"}},
        baa=True,
        notice_h=24,
    )
    assert notice_lines(facts, "network") == (
        "RACI network: responsible HVD IT",
        "RACI cloud: responsible us",
        "Compliance: HIPAA, no patient data in notes or output",
        "Compliance: a security incident must be told within 24 h",
    )
    assert notice_lines(None, None) == ()


def test_other_tickets_are_those_of_the_last_fortnight() -> None:
    old = row("1", updated_at=NOW - timedelta(days=15))
    many = [row(str(n), updated_at=NOW - timedelta(days=n)) for n in range(2, 10)]
    said = ticket_lines("Last 14 days of Jane:", [*many, old], NOW)
    assert said[:2] == ("Last 14 days of Jane:", "  #2 open: Ticket 2")
    assert said[-1] == "  and 2 more"
    assert ticket_lines("x", [old], NOW) == ()


def test_a_thin_handoff_is_told_what_it_lacks() -> None:
    said = Handoff("The x-ray server stops", "- - >\n  *", "", "", "")
    assert too_thin(said, ("what",), 15) is None
    assert too_thin(said, ("what", "tried", "hypothesis"), 15) == (
        "the handoff says too little under What was tried and Hypothesis: at least 15 characters each, so"
        " that the next tier needn't ask the client again"
    )
