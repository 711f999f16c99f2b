"""Disruptive work only in the client entered, and not in its freeze unless somebody approved it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from mspterm.domain.action import Allow, Ask, Emergency, Plan, Reboot, Refuse, Target, Update
from mspterm.domain.circumstances import Circumstances, Entry, freeze_on, window_now
from mspterm.domain.guard import GuardContext, judge
from mspterm.domain.policy import hours_of
from mspterm.domain.spec import Risk

NOW = datetime(2026, 11, 24, 2, 10, tzinfo=UTC)
OAK = Target("mesh:1", "OAK-DC01", "Oak Manufacturing")
PLAN = Plan("reboot", Risk.DISRUPTIVE, (Reboot("mesh:1"),), (OAK,))
NOTE = Plan("note", Risk.ROUTINE, (Update("rt:1", text="x"),), (Target("rt:1", "#1", "Oak"),))
AROUND = Circumstances({"mesh:1": "Oak", "rt:1": "Oak"}, True, Entry("Oak", NOW + timedelta(minutes=60)), NOW)


def refused(plan: Plan, around: Circumstances) -> str:
    verdict = judge(plan, GuardContext(around=around))
    assert isinstance(verdict, Refuse), verdict
    return verdict.failure.sentence


def stake(plan: Plan, around: Circumstances) -> tuple[str, ...]:
    verdict = judge(plan, GuardContext(around=around))
    assert isinstance(verdict, Ask), verdict
    return verdict.stake


def test_work_in_the_client_entered_goes_on_to_its_confirmation() -> None:
    assert stake(PLAN, AROUND)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"entry": None}, "no client is entered, and this is in Oak; enter it first"),
        (
            {"entry": Entry("Harborview", NOW + timedelta(hours=1))},
            "you are in Harborview, and this is in Oak",
        ),
        ({"entry": Entry("Oak", NOW)}, "your time in Oak ended at 02:10 UTC"),
        ({"clients": {"mesh:1": None}}, "you are in Oak, and this is in a client that nobody names"),
    ],
)
def test_elsewhere_it_is_refused_and_says_where_it_would_be(change: dict[str, object], words: str) -> None:
    around = replace(AROUND, **change)  # type: ignore[arg-type]
    assert words in refused(PLAN, around)
    assert judge(NOTE, GuardContext(around=around)) == Allow()
    assert stake(PLAN, replace(around, must_enter=False))


def test_one_device_of_another_client_among_them_is_enough() -> None:
    other = Target("mesh:2", "HVD-DC01", "Harborview")
    both = replace(PLAN, writes=(*PLAN.writes, Reboot("mesh:2")), targets=(OAK, other))
    verdict = judge(both, GuardContext(around=AROUND, max_clients=2))
    assert isinstance(verdict, Refuse)
    assert "this is in Oak and Harborview" in verdict.failure.sentence


FROZEN = replace(AROUND, freezes={"Oak": "change freeze until 2027-01-04 (year end)"})


def test_a_freeze_refuses_and_names_what_lifts_it() -> None:
    sentence = refused(PLAN, FROZEN)
    assert "Oak: change freeze until 2027-01-04 (year end)" in sentence
    assert sentence.endswith("--emergency REASON --approver WHO")
    assert judge(NOTE, GuardContext(around=FROZEN)) == Allow()


def test_an_emergency_goes_on_and_is_part_of_what_is_confirmed() -> None:
    urgent = replace(PLAN, emergency=Emergency("ransomware", "Dana Cole"))
    assert any("emergency: ransomware; approved by Dana Cole" in line for line in stake(urgent, FROZEN))
    assert urgent.hash != PLAN.hash


@pytest.mark.parametrize(
    ("day", "frozen"),
    [("2026-12-17", False), ("2026-12-18", True), ("2027-01-04", True), ("2027-01-05", False)],
)
def test_a_freeze_holds_from_its_first_day_to_its_last(day: str, frozen: bool) -> None:
    found = freeze_on(date.fromisoformat(day), [("2026-12-18", "2027-01-04", "year end")])
    assert (found is not None) is frozen


def test_the_window_says_whether_it_is_open_and_when_it_opens() -> None:
    nights = {"timezone": "UTC", "weekly": {"tue": [["03:00", "05:00"]]}}
    hours = hours_of({"nights": nights})["nights"]
    assert window_now("nights", hours, NOW) == "OUTSIDE it (nights); it opens 2026-11-24 03:00 UTC"
    assert window_now("nights", hours, NOW + timedelta(hours=1)) == "open now (nights)"
    assert "no calendar nights" in window_now("nights", None, NOW)
    around = replace(AROUND, windows={"Oak": "OUTSIDE it"})
    assert "window: Oak: OUTSIDE it" in stake(PLAN, around)
