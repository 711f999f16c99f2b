from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from mspterm.domain.policy import hours_of
from mspterm.domain.scope import mark, scope_of
from mspterm.domain.text import SafeText
from tests.domain.domain_rows import NOW, ticket
from tests.domain.sla_events import HOURS, policy


@dataclass(frozen=True, slots=True)
class Facts:
    coverage: str | None = None
    covers: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    rate: str | None = None
    authoriser: str | None = None
    authoriser_phone: str | None = None


NIGHT = NOW.replace(hour=2)


@pytest.mark.parametrize(
    ("fields", "facts", "expected"),
    [
        ({}, None, (None, None)),
        ({"in_scope": False}, None, (False, None)),
        ({"in_scope": True, "scope_reason": SafeText("PSA")}, Facts(excludes=("incident",)), (True, "PSA")),
        ({}, Facts(), (None, None)),
        ({"type": "project"}, Facts(excludes=("Project",)), (False, "the agreement excludes project")),
        (
            {"category": SafeText("Printers")},
            Facts(excludes=("printers",)),
            (False, "the agreement excludes Printers"),
        ),
        ({"service_line": "network"}, Facts(covers=("network",)), (True, None)),
        ({"service_line": "cloud"}, Facts(covers=("network",)), (False, "the agreement covers only network")),
        ({"in_scope": True}, Facts(excludes=("incident",)), (False, "the agreement excludes incident")),
    ],
)
def test_what_the_agreement_covers(fields: dict[str, Any], facts: Facts | None, expected: Any) -> None:
    assert scope_of(ticket(**fields), facts) == expected


def test_out_of_hours_is_a_mark_with_rate_and_authoriser() -> None:
    facts = Facts("office", rate="USD 225 an hour", authoriser="Dana Cole", authoriser_phone="+1 555 0101")
    found = mark(ticket(), facts, policy(), HOURS, NIGHT)
    assert (found.covered, found.calendar, found.changes_at) == (False, "office", NOW.replace(hour=7))
    assert found.lines() == (
        "out of coverage hours (office, which open 2026-11-24 07:00Z)",
        "billable at USD 225 an hour, needs the OK of Dana Cole (+1 555 0101)",
    )
    by_day = mark(ticket(), facts, policy(), HOURS, NOW)
    assert (by_day.covered, by_day.billable, by_day.lines()) == (True, False, ())


def test_out_of_scope_is_told_with_its_reason() -> None:
    subject = ticket(in_scope=False, scope_reason=SafeText("the agreement excludes project"))
    said = mark(subject, None, None, HOURS, NOW).lines()
    assert said == ("the agreement excludes project", "billable, nobody is named to authorise it")


def test_coverage_is_the_clients_else_the_policys_else_its_calendar() -> None:
    bought = policy(coverage="24x7")
    assert mark(ticket(), Facts("office"), bought, HOURS, NIGHT).covered is False
    assert mark(ticket(), Facts(), bought, HOURS, NIGHT).covered is True
    assert mark(ticket(), None, policy(), HOURS, NIGHT).covered is False
    nothing = mark(ticket(), None, None, HOURS, NIGHT)
    assert (nothing.covered, nothing.billable) == (None, False)
    assert mark(ticket(), Facts("gone"), None, HOURS, NIGHT).covered is None


def test_a_calendar_that_never_opens_has_no_opening() -> None:
    hours = hours_of({"never": {"timezone": "UTC"}})
    found = mark(ticket(), Facts("never"), None, hours, NOW + timedelta(hours=1))
    assert (found.covered, found.changes_at) == (False, None)
