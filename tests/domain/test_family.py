"""One parent: who may be its children, what is said once, and what its end means for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from mspterm.domain.action import Attach, Audience, Plan, Update
from mspterm.domain.gathering import Closing, family, plan_gather, proposed, with_children
from mspterm.domain.planning import Asked, plan_update
from mspterm.domain.row import StatusClass
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Contact, Ticket
from tests.domain.domain_rows import NOW, ticket

DANA = Contact(SafeText("Dana"), (), SafeText("dana@oak.example"))


def one(ident: str, **more: Any) -> Ticket:
    return ticket(ident, **({"client": SafeText("Oak")} | more))


def gathered(*others: Ticket, says: Asked | None = None, contact: str | None = None, **parent: Any) -> Plan:
    return plan_gather(family(one("1", **parent), others), says or Asked(), contact)


def test_the_proposal_is_a_parent_that_is_there_else_the_gravest_else_the_oldest() -> None:
    old = one("3", created_at=NOW - timedelta(days=1))
    assert proposed([one("1"), one("2"), old]).ref == "rt:3"
    assert proposed([one("1"), one("2", priority=1), old]).ref == "rt:2"
    assert proposed([one("1"), one("2", priority=1), one("4", parent="rt:1")]).ref == "rt:1"
    assert proposed([one("2", priority=1), one("1", children=("rt:9",))]).ref == "rt:1"


def test_who_may_not_be_a_child_is_named_with_the_reason() -> None:
    found = family(
        one("1", children=("rt:7",)),
        [
            one("1"), one("2"), one("3", client=SafeText("Elm")), replace(one("4"), connection="psa"),
            one("5", parent="rt:9"), one("6", children=("rt:8",)), one("7"),
            one("8", status=SafeText("resolved"), status_class=StatusClass.RESOLVED),
        ],
    )  # fmt: skip
    assert [c.ref for c in found.children] == ["rt:2"]
    assert found.left_out == {
        "rt:3": "is Elm's, and gets a parent of its own",
        "rt:4": "is in psa, which knows no ticket of rt",
        "rt:5": "is a child of rt:9",
        "rt:6": "has children of its own",
        "rt:7": "is a child of it already",
        "rt:8": "is resolved",
    }


def test_the_text_goes_to_the_parent_alone_and_after_the_children() -> None:
    plan = gathered(
        one("2", priority=1), one("3", contact=DANA), one("4", client=SafeText("Elm")),
        says=Asked(text="We know.", audience=Audience.PUBLIC, mail_words="one mail"), contact="dana@oak.example",
    )  # fmt: skip
    assert plan.writes == (
        Attach("rt:1", ("rt:2", "rt:3"), "dana@oak.example"),
        Update("rt:1", text="We know.", audience=Audience.PUBLIC),
    )
    assert plan.leads
    assert [t.ref for t in plan.targets] == ["rt:1", "rt:2", "rt:3"]
    assert plan.lines == (
        "parent rt:1 #1 Ticket 1 (Oak)",
        "  contact: nobody -> dana@oak.example",
        "  public, read by dana@oak.example and all technicians; one mail: We know.",
        "its 2 children, silent (no text, no mail):",
        "  rt:2 Ticket 2 (P1: keeps a row of its own here)",
        "  rt:3 Ticket 3 (Dana reported it, and isn't told by this)",
        "left out: rt:4 is Elm's, and gets a parent of its own",
    )


def test_without_a_text_nobody_is_told_and_that_is_said() -> None:
    plan = gathered(one("2"), says=Asked(audience=Audience.PUBLIC))
    assert plan.writes == (Attach("rt:1", ("rt:2",)),)
    assert "  no text, so no mail: the client isn't told" in plan.lines


def test_a_parent_that_is_closed_is_opened_before_it_gets_children() -> None:
    says = Asked(text="It is back.", audience=Audience.PUBLIC, status="open")
    plan = gathered(one("2"), says=says, status=SafeText("resolved"), status_class=StatusClass.RESOLVED)
    assert [type(w) for w in plan.writes] == [Update, Attach]


def test_closing_names_what_is_closed_and_what_stays_open_and_why() -> None:
    parent = one("1")
    plan = plan_update("status", [(parent, Asked(status="resolved"))])
    closing = [Closing(one("2"), "resolved"), Closing(one("3"), None, "Tom owns it")]
    made = with_children(plan, closing, "scrips may mail")
    assert made.writes == (*plan.writes, Update("rt:2", status="resolved", expected_owner=""))
    assert made.leads
    assert made.lines[-3:] == (
        "stays open: rt:3 Ticket 3: Tom owns it",
        "and 1 child that no human touched, silent (no text, no mail of ours; scrips may mail):",
        "  rt:2 Ticket 2: open -> resolved",
    )
