"""An escalation from L1 to a vendor and back leaves a trail in the PSA that its own API gives out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import tomli_w

from mspterm.config.load import load
from mspterm.connectors.connectwise.connector import CwConnector
from mspterm.desk.desk import Desk
from mspterm.desk.escalation import path_of, proposals_now
from mspterm.desk.handoffs import drafted
from mspterm.desk.look import ticket_now
from mspterm.desk.perform import Performer
from mspterm.desk.planner import Planner
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Consent, State
from mspterm.domain.secret import Secret
from mspterm.net.pacer import FreePacer
from mspterm.sandbox.config import document
from mspterm.sandbox.faults import CONNECTWISE
from mspterm.secrets.chain import Credentials
from tests.sandbox.bench import Bench

KEY = {"MSPTERM_SECRET_JOURNAL_KEY": "ab" * 32}


@pytest.fixture
async def desk(tmp_path: Path, bench: Bench) -> AsyncIterator[Desk]:
    """The demo's desk as its config makes it, on a sandbox in this process."""
    file = tmp_path / "mspterm.toml"
    file.write_text(tomli_w.dumps(document(bench.sandbox, "http://127.0.0.1:1", "http://127.0.0.1:2")))
    config, keys = load(file), bench.sandbox.connectwise.keys
    secrets = {"public_key": Secret(keys.public), "private_key": Secret(keys.private)}
    psa = CwConnector(
        config.connections["psa"],
        secrets,
        pacer=FreePacer(),
        now=bench.hand,
        transport=httpx.ASGITransport(bench.sandbox.app(CONNECTWISE)),
    )
    made = Desk(
        config, tmp_path / "state", now=bench.hand, credentials=Credentials(KEY), connectors={"psa": psa}
    )
    yield made
    await made.aclose()


async def do(desk: Desk, bench: Bench, ref: str, action: str, **wanted: Any) -> None:
    plan = await Planner(desk).plan(action, [ref], Wanted(**wanted))
    [result] = await Performer(desk).perform(plan, Consent(plan_hash=plan.hash))
    assert result.outcome.state is State.DONE, result
    bench.hand.move(300)
    await ticket_now(desk, ref)


async def test_up_to_a_vendor_and_back_is_a_trail_that_the_psa_itself_tells(
    desk: Desk, bench: Bench, psa: httpx.AsyncClient
) -> None:
    found = (await psa.get("/service/tickets", params={"conditions": 'board/name="Help Desk"'})).json()
    ref = f"psa:{found[0]['id']}"
    await ticket_now(desk, ref)
    await do(desk, bench, ref, "note", text="Restarted the print spooler twice, no change")
    first = await drafted(desk, ref)
    await do(desk, bench, ref, "escalate", to="tier:2", text=first, reason="two restarts didn't help")
    await do(desk, bench, ref, "call", whom="Kenji Mori", result="voicemail")
    await do(desk, bench, ref, "escalate", to="tier:3", text=await drafted(desk, ref))
    await do(desk, bench, ref, "escalate", to="vendor:dell", text="firmware", number="C-4411")
    await do(desk, bench, ref, "escalate", to="tier:1", reason="the vendor says it is the cable")

    notes = (await psa.get(f"/service/tickets/{found[0]['id']}/notes", params={"pageSize": 100})).json()
    ours = sorted((n for n in notes if "(mspterm)" in n["text"]), key=lambda n: n["dateCreated"])
    assert [n["text"].partition("\n")[0].partition(" 2026")[0] for n in ours] == [
        "ESCALATION (mspterm): L1 Help Desk -> L2 Systems",
        "CALL (mspterm): Kenji Mori, at +1 555 0187: VOICEMAIL.",
        "ESCALATION (mspterm): L2 Systems -> L3 Network and Security",
        "ESCALATION (mspterm): L3 Network and Security -> vendor Vendor Escalations (dell, case C-4411)",
        "DE-ESCALATION (mspterm): vendor Vendor Escalations -> L1 Help Desk",
    ]
    assert {(n["internalAnalysisFlag"], n["detailDescriptionFlag"]) for n in ours} == {(True, False)}
    assert "Read by: Ines Duarte, Kenji Mori" in ours[0]["text"]
    assert "Restarted the print spooler twice" in ours[0]["text"]
    assert "contract ProSupport 77-1042" in ours[3]["text"]
    ticket = (await psa.get(f"/service/tickets/{found[0]['id']}")).json()
    assert ticket["board"]["name"] == "Help Desk"

    known, detail = desk.store.tickets.get(ref), desk.store.tickets.detail(ref)
    assert known is not None
    assert [
        (step.what, (step.at - bench.hand()).total_seconds() / 60) for step in path_of(desk, known, detail)
    ][1:] == [
        ("L2 Systems", -25),
        ("called Kenji Mori: voicemail", -20),
        ("L3 Network and Security", -15),
        ("vendor Vendor Escalations (dell, case C-4411)", -10),
        ("L1 Help Desk", -5),
    ]
    assert all("L1" not in p.why for p in proposals_now(desk, known))  # it is in L1 for five minutes only


def test_the_demo_s_config_names_people_vendors_and_whose_field_it_is(tmp_path: Path, bench: Bench) -> None:
    file = tmp_path / "mspterm.toml"
    file.write_text(tomli_w.dumps(document(bench.sandbox, "http://127.0.0.1:1", "http://127.0.0.1:2")))
    config = load(file)
    assert list(config.escalation.tiers) == ["L1", "L2", "L3"]
    assert all(team.members and len(team.phones) == 2 for team in config.escalation.tiers.values())
    assert config.escalation.vendors["dell"].queues == {"psa": "Vendor Escalations"}
    assert config.clients["Maple & Finch LLP"].raci["end-user"]["approver"] == "Noor Rahman"
    assert "password" in config.guard.verify_first
