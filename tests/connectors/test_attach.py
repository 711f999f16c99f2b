"""Children of a ticket, in RT and in ConnectWise: one call on the parent, and seen there afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from mspterm.domain.action import Attach, Outcome, State
from mspterm.domain.reasons import Reason
from tests.connectors.fake_connectwise import PREFIX, FakeCw, connector
from tests.connectors.fake_connectwise import row as cw_row
from tests.connectors.fake_rt import FakeRt, row, user
from tests.connectors.spec_check import CONNECTWISE, spec_of

BUNDLE = ("POST", "/service/tickets/7/attachChildren")
TWO = Attach("acme:7", ("acme:8", "acme:9"))


@dataclass
class LinkingRt(FakeRt):
    """RT as measured on 5.0.3: a link is added to both ends, one that can't be is a sentence in a 200."""

    def _set(self, number: int, name: str, value: Any) -> list[str]:
        if name == "Requestor":
            self.tickets[number]["Requestor"] = [user(a, EmailAddress=a) for a in value]
            return [f"Added {a} as Requestor for this ticket" for a in value]
        if name != "AddChildren":
            return super()._set(number, name, value)
        return [self._link(number, int(child)) for child in value]

    def _link(self, parent: int, child: int) -> str:
        if child not in self.tickets:
            return f"Couldn't resolve '{child}' into a link."
        self.tickets[parent]["_hyperlinks"].append({"ref": "child", "type": "ticket", "id": str(child)})
        self.tickets[child]["_hyperlinks"].append({"ref": "parent", "type": "ticket", "id": str(parent)})
        return f"Ticket {child} member of Ticket {parent}."


def rt(*numbers: int) -> LinkingRt:
    fake = LinkingRt()
    for number in numbers:
        fake.add(row(number, _hyperlinks=[]))
    return fake


async def in_rt(fake: FakeRt, write: Attach) -> Outcome:
    return await fake.connector().act(write, mark="01J")


async def test_rt_adds_the_children_and_the_requestor_in_one_put() -> None:
    fake = rt(7, 8, 9)
    outcome = await in_rt(fake, Attach("acme:7", ("acme:8", "acme:9"), "dana@hvd.test"))
    [put] = fake.sent("PUT")
    assert put.path == "/ticket/7"
    assert put.json == {"AddChildren": ["8", "9"], "Requestor": ["dana@hvd.test"]}
    assert (outcome.state, outcome.detail) == (
        State.DONE,
        ("children: 2 of 2", "contact: dana@hvd.test, dana@hvd.test"),
    )
    assert outcome.ticket is not None
    assert outcome.ticket.children == ("acme:8", "acme:9")
    assert [t.parent for t in outcome.others] == ["acme:7", "acme:7"]


async def test_trap_rt_says_200_and_names_what_it_did_not_link() -> None:
    outcome = await in_rt(rt(7, 8), TWO)
    assert outcome.state is State.FAILED
    assert outcome.failure is not None
    assert "Couldn't resolve '9' into a link" in outcome.failure.sentence
    assert outcome.detail == ("not applied: children is 1 of 2, asked for was 2",)


async def test_rt_whose_answer_is_lost_is_asked_and_never_told_twice() -> None:
    fake = rt(7, 8, 9)
    fake.after = {"PUT /ticket/7": httpx.ReadTimeout("lost")}
    assert (await in_rt(fake, TWO)).state is State.DONE
    assert len(fake.sent("PUT")) == 1
    fake = rt(7, 8, 9)
    fake.before = {"PUT /ticket/7": httpx.ReadTimeout("lost")}
    assert (await in_rt(fake, TWO)).state is State.UNCERTAIN


@pytest.fixture
def cw(shared: Path) -> Iterator[FakeCw]:
    """Every request has to be one that the description knows."""
    made = FakeCw(tickets={n: cw_row(n) for n in (7, 8, 9)})
    yield made
    spec = spec_of(shared, CONNECTWISE, PREFIX)
    sent = [r for r in made.requests if not r.url.path.startswith("/login/")]
    assert [problem for request in sent for problem in spec.problems(request)] == []


async def test_connectwise_bundles_them_in_one_call(cw: FakeCw) -> None:
    outcome = await connector(cw).act(TWO, mark="01J")
    assert cw.bodies(*BUNDLE) == [{"childTicketIds": [8, 9]}]
    assert (outcome.state, outcome.detail) == (State.DONE, ("children: 2 of 2",))
    assert {t.ref: t.parent for t in outcome.others}["acme:9"] == "acme:7"


async def test_a_refusal_of_connectwises_is_told_in_its_words(cw: FakeCw) -> None:
    refusal = {"code": "InvalidObject", "message": "ticket object is invalid",
               "errors": [{"code": "X", "message": "Ticket 9 is a child of 3", "field": "childTicketIds"}]}  # fmt: skip
    cw.odd[BUNDLE] = [httpx.Response(400, json=refusal)]
    outcome = await connector(cw).act(TWO, mark="01J")
    assert outcome.state is State.FAILED
    assert outcome.failure is not None
    assert "Ticket 9 is a child of 3" in outcome.failure.sentence


async def test_trap_a_false_200_of_the_bundle_is_seen_on_the_children(cw: FakeCw) -> None:
    cw.odd[BUNDLE] = [httpx.Response(200, json={"success": True})]
    outcome = await connector(cw).act(TWO, mark="01J")
    assert outcome.state is State.FAILED
    assert outcome.failure is not None
    assert outcome.failure.reason is Reason.REFUSED
    assert outcome.detail == ("not applied: children is 0 of 2, asked for was 2",)


async def test_a_bundle_whose_answer_is_lost_is_asked_and_never_sent_twice(cw: FakeCw) -> None:
    cw.lost = {BUNDLE}
    assert (await connector(cw).act(TWO, mark="01J")).state is State.DONE
    assert len(cw.asked(*BUNDLE)) == 1
