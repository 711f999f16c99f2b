"""No account work for a caller whom nobody has verified; and the client's own field is theirs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mspterm.domain.account_work import account_word, command_word, verified_at
from mspterm.domain.action import (
    Allow,
    Ask,
    Audience,
    Consent,
    Emergency,
    Plan,
    Reboot,
    Refuse,
    RunCommand,
    Target,
    Update,
    Verdict,
    Write,
)
from mspterm.domain.guard import judge
from mspterm.domain.guard_context import GuardContext
from mspterm.domain.incident import verified
from mspterm.domain.raci import fields_of, theirs
from mspterm.domain.spec import Risk
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Contact, Note
from tests.domain.domain_rows import NOW, ticket

WORDS = ("password", "2FA", "locked out")
WHY = "rt:1 is account work (password), and nobody has verified Dana on rt:1 today (Verify caller)"


def note(hours: float, result: str, caller: str = "Dana", kind: str = "internal") -> Note:
    body = SafeText(verified(caller, "call back", "555", result))
    return Note(str(hours), NOW - timedelta(hours=hours), SafeText("Ines"), kind, body)


@pytest.mark.parametrize(
    ("summary", "word"),
    [
        ("Password reset for Dana", "password"),
        ("LOCKED OUT: Dana", "locked out"),
        ("New 2fa phone", "2FA"),
        ("forgotpassword.example is down", None),
        ("Printer jams", None),
    ],
)
def test_a_ticket_is_account_work_by_its_words(summary: str, word: str | None) -> None:
    assert account_word(ticket(summary=SafeText(summary)), WORDS) == word


def test_a_command_is_account_work_by_words_run_together() -> None:
    assert command_word(RunCommand("m:1", "Set-ADAccountPassword dana"), WORDS) == "password"
    assert command_word(RunCommand("m:1", "", script="77-a2fac3"), WORDS) is None
    assert command_word(RunCommand("m:1", "", script="reset 2FA"), WORDS) == "2FA"


def test_the_last_check_of_this_caller_within_a_day_counts() -> None:
    subject = ticket(contact=Contact(SafeText("Dana")))
    assert verified_at([note(2, "passed")], subject, NOW) == NOW - timedelta(hours=2)
    for others in (
        [],
        [note(25, "passed")],
        [note(2, "passed", "Sam")],
        [note(3, "passed"), note(2, "failed")],
        [note(2, "passed", kind="customer")],
        [note(2, "passed", kind="co-managed")],
    ):
        assert verified_at(others, subject, NOW) is None


def routine(write: Write, phrase: str | None = None, **context: Any) -> Verdict:
    risk = Risk.DISRUPTIVE if isinstance(write, RunCommand | Reboot) else Risk.ROUTINE
    target = Target(write.ref, "x", "Oak")
    plan = Plan("x", risk, (write,), (target,), phrase="x")
    ctx = GuardContext(known={write.ref: target}, consent=Consent(phrase), **context)
    return judge(plan, ctx)


@pytest.mark.parametrize(
    "write",
    [
        Update("rt:1", text="done", audience=Audience.RESOLUTION),
        Update("rt:1", status="resolved"),
        RunCommand("rt:1", "net user"),
    ],
)
def test_it_is_neither_done_nor_closed_before_the_caller_is_verified(write: Write) -> None:
    said = routine(write, unverified={"rt:1": WHY}, closing=frozenset({"rt:1"}))
    assert isinstance(said, Refuse)
    assert said.failure.sentence == WHY


def test_a_reply_asks_for_a_word_and_a_note_for_none() -> None:
    reply = Update("rt:1", text="We call you back", audience=Audience.PUBLIC)
    said = routine(reply, unverified={"rt:1": WHY})
    assert isinstance(said, Ask)
    assert said.phrase == "not verified"
    assert "send no password" in said.stake[0]
    assert routine(reply, "not verified", unverified={"rt:1": WHY}) == Allow()
    assert routine(Update("rt:1", text="x"), unverified={"rt:1": WHY}) == Allow()


RACI = {
    "end-user": {"responsible": "Their IT", "approver": "Noor"},
    "network": {"responsible": "us"},
    "cloud": {"responsible": "Priya Nair"},
    "security": {"responsible": "Their SOC"},
}


def test_a_field_is_theirs_by_its_row_and_ours_where_nobody_has_said() -> None:
    assert theirs(RACI, ["end-user"], ()) == "Their IT owns end-user (RACI): ask Noor first"
    assert theirs(RACI, ["security"], ()) == "Their SOC owns security (RACI): ask Their SOC first"
    for line in ("network", "infrastructure", "cloud"):
        assert theirs(RACI, [line], ["Priya Nair"]) is None
    assert fields_of("workstation", "cloud") == ("cloud", "end-user")
    assert fields_of("other", None) == ()


def test_an_action_in_their_field_waits_for_their_word() -> None:
    owned = {"m:1": "Their IT owns end-user (RACI): ask Noor first"}
    said = routine(Reboot("m:1"), owned=owned)
    assert isinstance(said, Refuse)
    assert said.failure.sentence.startswith("x: Their IT owns end-user (RACI): ask Noor first; with their OK")
    # The console asks for the two as well: the sentence isn't only about the options.
    assert "go on as an emergency, with a reason and who gave it" in said.failure.sentence
    target = Target("m:1", "x", "Oak")
    plan = Plan("reboot", Risk.DISRUPTIVE, (Reboot("m:1"),), (target,))
    agreed = replace(plan, emergency=Emergency("spooler hangs", "Noor"))
    asked = judge(agreed, GuardContext(owned=owned, known={"m:1": target}))
    assert isinstance(asked, Ask)
    assert f"field: {owned['m:1']}; emergency: spooler hangs; approved by Noor" in asked.stake
