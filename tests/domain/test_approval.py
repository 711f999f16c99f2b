"""A second person's word: for one plan, of one asker, by somebody else, for a quarter of an hour, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mspterm.domain.action import Emergency, Plan, RunCommand, Target
from mspterm.domain.approval import Approval, Presented, Request, doubt, phrase, shown
from mspterm.domain.spec import Risk

AT = datetime(2026, 11, 24, 2, 10, tzinfo=UTC)
TARGETS = tuple(Target(f"mesh:{n}", f"OAK-{n}", "St. Brannoc's") for n in "AB")
PLAN = Plan("run", Risk.DISRUPTIVE, tuple(RunCommand(t.ref, "uptime") for t in TARGETS), TARGETS)
REQUEST = Request("0f", "Ines Duarte", AT, PLAN.whole)
SIGNED = Approval(REQUEST, "Marcus Bell", AT, b"s")
HERE = Presented("Ines Duarte", AT + timedelta(minutes=14), {"Marcus Bell": "M"})


def proves(key: str, signature: bytes, message: bytes) -> bool:
    return (key, signature, message) == ("M", b"s", SIGNED.message)


def test_it_holds() -> None:
    assert doubt(SIGNED, PLAN.whole, HERE, proves) is None


@pytest.mark.parametrize(
    ("approval", "here", "words"),
    [
        ({"by": "Tom"}, {}, "Tom is no approver here"),
        ({"signature": b"x"}, {}, "the signature is not Marcus Bell's"),
        ({"at": AT + timedelta(hours=1)}, {}, "the signature is not"),
        ({"request": replace(REQUEST, requester="Tom")}, {}, "the signature is not"),
        ({}, {"requester": "Tom"}, "it was signed for Ines Duarte, and you are Tom"),
        ({}, {"own_key": "M"}, "you signed it yourself"),
        ({}, {"used": True}, "holds once"),
        ({}, {"now": AT + timedelta(minutes=15)}, "holds for 15 minutes"),
        ({}, {"now": AT - timedelta(minutes=2)}, "compare the clocks"),
    ],
)
def test_it_does_not_hold(approval: dict[str, Any], here: dict[str, Any], words: str) -> None:
    said = doubt(replace(SIGNED, **approval), PLAN.whole, replace(HERE, **here), proves)
    assert words in (said or "")


def test_its_own_asker_can_not_sign_under_another_key() -> None:
    own = replace(SIGNED, by="ines duarte")
    listed = replace(HERE, approvers={"ines duarte": "M"})
    said = doubt(own, PLAN.whole, listed, lambda *_: True)
    assert said == "you signed it yourself; a second person is needed"


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAN, writes=(RunCommand("mesh:A", "uptime"), RunCommand("mesh:B", "rm -rf /"))),
        replace(PLAN, targets=(TARGETS[0], replace(TARGETS[1], client="Oak"))),
        replace(PLAN, emergency=Emergency("fire", "Dana")),
        replace(PLAN, break_glass="nobody awake"),
        replace(PLAN, action="reboot"),
    ],
)
def test_another_plan_is_not_the_one_signed(other: Plan) -> None:
    assert "another plan was signed" in (doubt(SIGNED, other.whole, HERE, proves) or "")


def test_what_is_shown_is_all_that_is_signed() -> None:
    claimed = replace(PLAN, emergency=Emergency("fire", "Dana"), break_glass="nobody awake")
    said = shown(replace(REQUEST, plan=claimed.whole))
    assert said == (
        "run, asked by Ines Duarte at 2026-11-24 02:10 UTC",
        "RunCommand command: uptime, run_as: system, shell: auto, timeout_s: 60.0",
        "  on OAK-A of St. Brannoc's (mesh:A)",
        "  on OAK-B of St. Brannoc's (mesh:B)",
        "emergency: fire; approved by Dana",
        "break-glass: nobody awake",
    )
    assert phrase(REQUEST) == "approve 2 devices of St. Brannocs"
