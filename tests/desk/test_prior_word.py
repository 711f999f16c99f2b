"""The caller is verified before account work, and a client's own field is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from mspterm.config.model import Client, Escalation, Guard, Team
from mspterm.desk.desk import Desk
from mspterm.desk.perform import Performer
from mspterm.desk.planner import Planner
from mspterm.desk.prior_word import caller_line
from mspterm.desk.sync import Sync
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Ask, Audience, Consent, Refuse, State, Verdict
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Contact, Note, Ticket, TicketDetail
from tests.console.pane_app import TalkingVendor
from tests.desk.vendor import Clock, a_desk, config, psa, rmm

RACI = {
    "infrastructure": {"responsible": "Oak IT", "approver": "Noor, 555"},
    "network": {"responsible": "Ines"},
}


class Office:
    """A desk, and the vendor whose conversation of rt:1 a test writes."""

    def __init__(self, desk: Desk, rt: TalkingVendor) -> None:
        self.desk, self.rt = desk, rt

    @property
    def ticket(self) -> Ticket:
        found = self.desk.store.tickets.get("rt:1")
        assert found is not None
        return found

    async def judged(self, action: str, ref: str = "rt:1", **wanted: object) -> Verdict:
        plan = await Planner(self.desk).plan(action, [ref], Wanted(**wanted))  # type: ignore[arg-type]
        return await Performer(self.desk).judge(plan, Consent(plan_hash=plan.hash))

    async def verify(self, result: str) -> None:
        """As a colleague does: the note is on the server, and not here yet."""
        plan = await Planner(self.desk).plan("verify", ["rt:1"], Wanted(method="call back", result=result))
        [done] = await Performer(self.desk).perform(plan, Consent(plan_hash=plan.hash))
        assert done.outcome.state is State.DONE
        body = SafeText(str(plan.writes[0].text))  # type: ignore[union-attr]
        note = Note("1", self.desk.now(), SafeText("Tom"), "internal", body)
        self.rt.details["1"] = TicketDetail(self.rt.tickets["1"], SafeText(""), (note,))


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    now = Clock()
    rt, mesh = TalkingVendor(psa(now)), rmm(now)
    summary, contact = SafeText("Password forgotten"), Contact(SafeText("Dana"), (SafeText("555"),))
    rt.tickets["1"] = replace(rt.tickets["1"], summary=summary, contact=contact)
    settings = config(
        guard=Guard(verify_first=("password",)),
        clients={"Oak": Client("Oak", raci=RACI)},
        escalation=Escalation(tiers={"L2": Team(("Ines",))}),
    )
    desk = a_desk(tmp_path, now, rt, mesh, config=settings)
    for name in ("rt", "mesh"):
        await Sync(desk).once(name)
    yield Office(desk, rt)
    await desk.aclose()


async def test_a_ticket_of_account_work_is_not_closed_for_somebody_unverified(office: Office) -> None:
    for wanted in ({"status": "resolved"}, {"text": "new one sent", "audience": Audience.RESOLUTION}):
        said = await office.judged("update", **wanted)
        assert isinstance(said, Refuse)
        assert said.failure.sentence == (
            "rt:1 is account work (password), and nobody has verified Dana on rt:1 today (Verify caller)"
        )
    assert isinstance(await office.judged("reply", text="We call you back"), Ask)
    assert not isinstance(await office.judged("note", text="called back"), Refuse | Ask)
    assert not isinstance(await office.judged("status", "rt:2", status="resolved"), Refuse | Ask)
    assert caller_line(office.desk, office.ticket) == "account work (password): verify the caller first (Y)"


async def test_a_colleague_s_check_counts_here_at_once_and_a_failed_one_doesn_t(office: Office) -> None:
    await office.verify("failed")
    assert isinstance(await office.judged("status", status="resolved"), Refuse)
    await office.verify("passed")
    assert not isinstance(await office.judged("status", status="resolved"), Refuse | Ask)
    said = caller_line(office.desk, office.ticket)
    assert said is not None
    assert "the caller was verified at 2026-11-24" in said


async def test_a_command_for_it_needs_the_check_and_one_that_is_it_needs_a_ticket(office: Office) -> None:
    device = "mesh:OAK-DC01"
    free = replace(office.desk.config, clients={})
    office.desk.config = free
    said = await office.judged("run", device, command="id", attach="rt:1")
    assert isinstance(said, Refuse)
    assert "nobody has verified Dana" in said.failure.sentence
    said = await office.judged("run", device, command="Set-ADAccountPassword dana", attach="rt:2")
    assert isinstance(said, Refuse)
    assert "this command is account work (password)" in said.failure.sentence
    said = await office.judged("run", device, command="Set-ADAccountPassword dana")
    assert isinstance(said, Refuse)
    assert "attach it to the ticket of a verified caller" in said.failure.sentence
    assert isinstance(await office.judged("run", device, command="id"), Ask)


async def test_an_action_in_the_client_s_own_field_names_whom_to_ask(office: Office) -> None:
    store = office.desk.store
    server = store.devices.get("mesh:OAK-DC01")
    assert server is not None
    store.devices.upsert(
        [replace(server, kind="server", client=SafeText("Oak"), observed_at=office.desk.now())]
    )
    said = await office.judged("reboot", "mesh:OAK-DC01")
    assert isinstance(said, Refuse)
    assert said.failure.sentence.startswith(
        "OAK-DC01: Oak IT owns infrastructure (RACI): ask Noor, 555 first; with their OK"
    )
    store.devices.upsert(
        [replace(server, kind="network", client=SafeText("Oak"), observed_at=office.desk.now())]
    )
    assert isinstance(await office.judged("reboot", "mesh:OAK-DC01"), Ask)
