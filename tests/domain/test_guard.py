from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mspterm.domain.action import (
    Allow,
    Ask,
    Consent,
    Lift,
    OpenSession,
    Plan,
    Reboot,
    Refuse,
    RunCommand,
    Target,
    Update,
    Write,
)
from mspterm.domain.circumstances import Circumstances, Entry
from mspterm.domain.guard import GuardContext, judge, phrase_for, unconfirmed
from mspterm.domain.people import Technician
from mspterm.domain.reasons import Reason
from mspterm.domain.spec import Risk
from mspterm.domain.text import SafeText
from tests.domain.domain_rows import device

DC = device(
    "d1", "HVD-DC01", client=SafeText("Harborview"), kind="server", online=True, user=SafeText("HVD\\jane")
)
UNTIL = datetime(2026, 11, 24, 3, tzinfo=UTC)
OPEN = GuardContext(devices={DC.ref: DC})


def reboot(*names: str, client: str | None = "Harborview") -> Plan:
    targets = tuple(Target(f"mesh:d{n}", name, client) for n, name in enumerate(names, 1))
    return Plan("reboot", Risk.DISRUPTIVE, tuple(Reboot(t.ref) for t in targets), targets)


def on_ticket(write: Write) -> Plan:
    return Plan("update", Risk.ROUTINE, (write,), (Target(write.ref, "#42", "Harborview"),))


def refusal(plan: Plan, ctx: GuardContext) -> str:
    verdict = judge(plan, ctx)
    assert isinstance(verdict, Refuse), verdict
    return str(verdict.failure)


def asked(plan: Plan, ctx: GuardContext) -> Ask:
    verdict = judge(plan, ctx)
    assert isinstance(verdict, Ask), verdict
    return verdict


def says(phrase: str, plan: Plan | None = None) -> GuardContext:
    return replace(OPEN, consent=Consent(phrase, plan.hash if plan else None))


NOTE = on_ticket(Update("rt:42", text="on it"))
DC01 = reboot("HVD-DC01")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"read_only": True}, "start mspterm without --read-only"),
        ({"consent": Consent(read_only=True)}, "read-only"),
        ({"read_only_connections": frozenset({"rt", "mesh"})}, "set read_only = false in [connections."),
        ({"lockdown": True}, "`mspterm lockdown off`"),
        ({"journal_writable": False}, "`mspterm doctor`"),
    ],
)
@pytest.mark.parametrize("plan", [NOTE, DC01])
def test_what_stops_every_write_says_how_it_is_lifted(plan: Plan, change: dict[str, Any], words: str) -> None:
    sentence = refusal(plan, replace(OPEN, **change))
    assert sentence.startswith("refused: ")
    assert words in sentence


def test_a_routine_write_is_allowed_also_without_a_journal_key() -> None:
    assert judge(NOTE, replace(OPEN, journal_keyed=False)) == Allow()


def test_a_disruptive_one_wants_a_keyed_journal() -> None:
    assert "MSPTERM_SECRET_JOURNAL_KEY" in refusal(DC01, replace(OPEN, journal_keyed=False))


def test_a_disruptive_one_names_what_is_at_stake() -> None:
    verdict = asked(DC01, OPEN)
    assert verdict.phrase == "HVD-DC01"
    assert verdict.stake == (
        "client: Harborview",
        "HVD-DC01: server, online, user logged on: HVD\\jane",
        "coverage: not known",
        "window: none configured",
        "freeze: none now",
    )


def test_flags_are_named_and_one_of_them_refuses() -> None:
    flagged = replace(DC, flags=("domain controller", "call-first"), online=False, user=None)
    line = asked(DC01, replace(OPEN, devices={DC.ref: flagged})).stake[1]
    assert line.endswith("OFFLINE, user logged on: not known, DOMAIN CONTROLLER, CALL-FIRST")
    untouchable = replace(OPEN, devices={DC.ref: replace(DC, flags=("do-not-touch",))})
    assert "HVD-DC01 is flagged do-not-touch" in refusal(DC01, untouchable)
    run = Plan("run", Risk.ROUTINE, (RunCommand(DC.ref, "uname -a"),), DC01.targets)
    assert "do-not-touch" in refusal(run, untouchable)
    assert judge(run, OPEN) == Allow()


def test_caps() -> None:
    assert "6 devices are more than the cap of 5" in refusal(reboot(*"abcdef"), OPEN)
    two = reboot("a", "b")
    mixed = replace(two, targets=(two.targets[0], replace(two.targets[1], client="Oakridge")))
    assert "2 clients" in refusal(mixed, OPEN)
    unknown = replace(two, targets=(two.targets[0], replace(two.targets[1], client=None)))
    assert "2 clients" in refusal(unknown, OPEN)
    assert asked(mixed, replace(OPEN, max_clients=2)).phrase == "2 devices of Harborview and Oakridge"


def test_above_the_caps_a_second_persons_word_counts_and_doubt_in_it_refuses() -> None:
    six = reboot(*"abcdef")
    verdict = judge(six, OPEN)
    assert isinstance(verdict, Refuse)
    assert verdict.lift is Lift.SECOND_PERSON
    assert "`mspterm approve FILE`" in str(verdict.failure)
    assert asked(six, replace(OPEN, approved=True)).phrase == "6 devices of Harborview"
    assert "doesn't hold: it is late" in refusal(six, replace(OPEN, approval_doubt="it is late"))
    used_up = replace(OPEN, max_disruptive_per_hour=0)
    assert judge(DC01, replace(used_up, approved=True)) != judge(DC01, used_up)


def test_glass_is_broken_by_words_of_its_own_and_only_above_the_caps() -> None:
    six = replace(reboot(*"abcdef"), break_glass="ransomware spreads")
    verdict = asked(six, OPEN)
    assert verdict.phrase == "break glass 6 devices of Harborview"
    assert any(line.startswith("break-glass: ransomware spreads; a review") for line in verdict.stake)
    assert "no glass to break" in refusal(replace(DC01, break_glass="why not"), OPEN)
    assert "[guard] break_glass = false" in refusal(six, replace(OPEN, may_break_glass=False))


@pytest.mark.parametrize(
    "change",
    [
        {"lockdown": True},
        {"read_only": True},
        {"devices": {DC.ref: replace(DC, flags=("do-not-touch",))}},
        {"around": Circumstances(freezes={"Harborview": "year end"})},
    ],
)
def test_neither_lifts_what_is_no_cap(change: dict[str, Any]) -> None:
    six = replace(reboot(*"abcdef"), break_glass="ransomware spreads")
    refusal(six, replace(OPEN, approved=True, **change))


def run(*names: str, script: str | None = None) -> Plan:
    plan = reboot(*names)
    return replace(
        plan, action="run", writes=tuple(RunCommand(t.ref, "ls", script=script) for t in plan.targets)
    )


def test_command_lines_are_for_some_tiers_and_few_devices_scripts_for_all() -> None:
    seniors = replace(OPEN, free_text_tiers=("L2", "L3"), free_text_max_devices=1)
    for tier, words in (("L1", "you are L1;"), (None, "[technician] tier doesn't say yours;")):
        sentence = refusal(run("a"), replace(seniors, tier=tier))
        assert f"are for L2 and L3 ([guard] free_text_tiers), and {words}" in sentence
        assert "(--script ID)" in sentence
    asked(run("a"), replace(seniors, tier="L2"))
    session = replace(DC01, writes=(OpenSession(DC.ref, "ssh", "host"),))
    assert "sessions are for L2" in refusal(session, replace(seniors, tier="L1"))
    asked(run("a", script="7"), replace(seniors, tier="L1"))
    assert "may go to 1 devices ([guard] free_text_max_devices), not to 2" in refusal(
        run("a", "b"), replace(seniors, tier="L2")
    )
    asked(run("a", "b", script="7"), replace(seniors, tier="L2"))


def test_a_target_that_is_another_by_now_is_refused() -> None:
    moved = replace(OPEN, known={DC.ref: Target(DC.ref, "HVD-DC01", "Oakridge")})
    verdict = judge(DC01, moved)
    assert isinstance(verdict, Refuse)
    assert verdict.failure.reason is Reason.CONFLICT
    assert "HVD-DC01 of Oakridge by now" in verdict.failure.sentence
    asked(DC01, replace(OPEN, known={DC.ref: replace(DC01.targets[0], version="later")}))


def test_an_approved_plan_of_two_clients_needs_one_of_them_entered() -> None:
    two = reboot("a", "b")
    mixed = replace(two, targets=(two.targets[0], replace(two.targets[1], client="Oakridge")))
    inside = Circumstances(must_enter=True, entry=Entry("Oakridge", UNTIL), now=UNTIL - timedelta(minutes=1))
    asked(mixed, replace(OPEN, approved=True, around=inside))
    elsewhere = replace(inside, entry=Entry("Kestrel", UNTIL))
    assert "you are in Kestrel" in refusal(mixed, replace(OPEN, approved=True, around=elsewhere))


def test_the_phrase_allows_and_another_is_refused() -> None:
    assert judge(DC01, says("HVD-DC01", DC01)) == Allow()
    assert judge(DC01, says(" HVD-DC01 ")) == Allow()
    assert refusal(DC01, says("hvd-dc02")).endswith("--confirm 'HVD-DC01'")
    assert refusal(DC01, says("hvd-dc01")).endswith("--confirm 'HVD-DC01'")


def test_consent_is_to_the_plan_that_was_shown() -> None:
    newer = replace(DC01, targets=(replace(DC01.targets[0], version="etag-2"),))
    verdict = judge(newer, says("HVD-DC01", DC01))
    assert isinstance(verdict, Refuse)
    assert verdict.failure.reason is Reason.CONFLICT


def test_where_nobody_can_be_asked_the_sentence_ends_in_what_to_add() -> None:
    several = reboot("a", "b", client="St. Brannoc's")
    assert str(unconfirmed(asked(several, OPEN))).endswith("--confirm '2 devices of St. Brannocs'")
    unknown = asked(reboot("x", client=None), GuardContext())
    assert unknown.stake[:2] == ("client: not known", "x: nothing is known about this device")


HELD = replace(OPEN, held={"rt:42": Technician("marcus", SafeText("Marcus Bell"))})


def test_taking_over_is_said_and_asked() -> None:
    claim = on_ticket(Update("rt:42", owner="ines"))
    assert asked(claim, HELD) == Ask(("Marcus Bell has rt:42: this takes it over",), "take over")
    assert judge(claim, replace(HELD, consent=Consent("take over"))) == Allow()
    assert judge(claim, OPEN) == Allow()


@pytest.mark.parametrize("update", [Update("rt:42", text="x"), Update("rt:42", owner="marcus")])
def test_what_leaves_the_owner_takes_nothing_over(update: Update) -> None:
    assert judge(on_ticket(update), HELD) == Allow()


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=4), st.text(max_size=9))
def test_a_phrase_can_be_quoted_and_is_accepted_when_typed(names: list[str], client: str) -> None:
    plan = reboot(*names, client=client)
    phrase = phrase_for(plan)
    assert phrase
    assert not set(phrase) & set("'\"`’“”")
    assert judge(plan, says(phrase, plan)) == Allow()


def test_the_hours_cap_counts_what_was_done_and_what_is_asked() -> None:
    two = replace(OPEN, max_disruptive_per_hour=3, disruptive_last_hour=2)
    asked(DC01, two)
    sentence = refusal(DC01, replace(two, disruptive_last_hour=3))
    assert "3 disruptive actions in the last hour and 1 more are over the cap of 3" in sentence
    assert judge(NOTE, replace(two, disruptive_last_hour=99)) == Allow()


def test_an_unreadable_policy_stops_what_is_disruptive_only() -> None:
    doubtful = replace(OPEN, policy_doubt="/etc/mspterm/policy.toml:1: This is not TOML.")
    assert "policy.toml:1" in refusal(DC01, doubtful)
    assert judge(NOTE, doubtful) == Allow()


SHARED = replace(OPEN, shared_connections=frozenset({"rt", "mesh"}))


@pytest.mark.parametrize("plan", [NOTE, DC01])
def test_a_shared_identity_is_read_only_unless_allowed_and_signed(plan: Plan) -> None:
    assert "[guard] allow_shared = true" in refusal(plan, replace(SHARED, signer="Ines Duarte"))
    assert "set [technician] name" in refusal(plan, replace(SHARED, allow_shared=True))
    allowed = replace(SHARED, allow_shared=True, signer="Ines Duarte")
    assert not isinstance(judge(plan, allowed), Refuse)
    assert not isinstance(judge(plan, replace(SHARED, shared_connections=frozenset({"other"}))), Refuse)


def test_output_goes_to_no_ticket_of_a_connection_that_can_not_be_written_to() -> None:
    command = RunCommand("mesh:d1", "ls", attach="rt:42")
    attached = replace(DC01, action="run", writes=(command,))
    assert "connection rt is read-only" in refusal(
        attached, replace(OPEN, read_only_connections=frozenset({"rt"}))
    )
    assert "connection rt acts under" in refusal(
        attached, replace(OPEN, shared_connections=frozenset({"rt"}))
    )
