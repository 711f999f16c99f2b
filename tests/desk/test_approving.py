"""Above the caps: a second person's signature end to end, broken glass, and batches with a look between."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mspterm.config.model import Guard
from mspterm.connectors.base import Batch
from mspterm.desk import approving, plan_file
from mspterm.desk.desk import Desk
from mspterm.desk.perform import Performer
from mspterm.desk.planner import Planner
from mspterm.desk.sync import Sync
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Consent, Plan, Refuse, Result, State
from mspterm.domain.approval import Approval
from mspterm.domain.reasons import Failed
from mspterm.domain.secret import Secret
from mspterm.domain.text import SafeText
from mspterm.secrets.chain import Credentials
from tests.desk.vendor import KEY, Clock, Vendor, a_desk, config
from tests.store.store_rows import device

NAMES = tuple(f"OAK-WS{n}" for n in range(1, 9))
PHRASE = f"{len(NAMES)} devices of Oak"
MARCUS = Secret("1b" * 32)
INES = Secret("2c" * 32)


def journal(desk: Desk) -> list[dict[str, Any]]:
    files = sorted((desk.state_dir / "journal").glob("*.jsonl"))
    rows = [json.loads(line) for f in files for line in f.read_text().splitlines()]
    return [row for row in rows if row["action"] != "checkpoint"]


@pytest.fixture
async def oak(tmp_path: Path, now: Clock, mesh: Vendor) -> AsyncIterator[Desk]:
    """Eight devices of one client, where five are the cap and Marcus may sign for more."""
    mesh.batches = [Batch(devices=tuple(device(n, client=SafeText("Oak")) for n in NAMES))]
    guard = Guard(approvers={"Marcus Bell": approving.public_key(MARCUS)})
    desk = a_desk(tmp_path, now, mesh, config=config(guard=guard))
    env = {"MSPTERM_SECRET_JOURNAL_KEY": KEY, "MSPTERM_SECRET_JOURNAL_APPROVAL": INES.reveal()}
    desk.credentials = Credentials(env)
    await Sync(desk).once("mesh")
    yield desk
    await desk.aclose()


async def planned(desk: Desk, *names: str) -> Plan:
    return await Planner(desk).plan("run", names or NAMES, Wanted(command="uptime"))


def signed(desk: Desk, plan: Plan, tmp_path: Path, secret: Secret = MARCUS) -> Approval:
    """By way of files, as two people have it."""
    asked, back = tmp_path / "run.plan", tmp_path / "run.plan.approved"
    plan_file.write(asked, plan_file.request_of(plan, approving.requester(desk), desk.now()))
    plan_file.write(back, approving.sign(plan_file.read_request(asked), "Marcus Bell", desk.now(), secret))
    return plan_file.read_approval(back)


async def goes_on(results: Sequence[Result], left: int) -> bool:
    return True


async def test_a_signed_plan_goes_above_the_cap_once_and_both_are_on_record(
    oak: Desk, mesh: Vendor, tmp_path: Path
) -> None:
    plan = await planned(oak)
    approval = signed(oak, plan, tmp_path)
    [refused, *_] = await Performer(oak).perform(plan, Consent(PHRASE, plan.hash))
    assert "8 devices are more than the cap of 5" in str(refused.outcome.failure)
    consent = Consent(PHRASE, plan.hash, approval=approval)
    done = await Performer(oak).perform(plan, consent, goes_on)
    assert [r.outcome.state for r in done] == [State.DONE] * 8
    intents = [r for r in journal(oak) if r["state"] == "intent"]
    assert all(r["reason"].startswith("approved by Marcus Bell at 02:10 UTC (") for r in intents)
    [again, *_] = await Performer(oak).perform(plan, consent, goes_on)
    assert "holds once" in str(again.outcome.failure)
    assert mesh.calls.count("act") == 8


async def test_a_plan_that_changed_after_it_was_signed_is_refused(
    oak: Desk, mesh: Vendor, tmp_path: Path
) -> None:
    approval = signed(oak, await planned(oak), tmp_path)
    other = await Planner(oak).plan("run", NAMES, Wanted(command="shutdown -h now"))
    [refused, *_] = await Performer(oak).perform(other, Consent(PHRASE, other.hash, approval=approval))
    assert "another plan was signed" in str(refused.outcome.failure)
    assert mesh.calls.count("act") == 0


@pytest.mark.parametrize("change", ["names", "command", "signature", "requester"])
async def test_a_file_that_was_edited_after_it_was_signed_is_refused(
    oak: Desk, tmp_path: Path, change: str
) -> None:
    plan = await planned(oak)
    signed(oak, plan, tmp_path)
    file = tmp_path / "run.plan.approved"
    document = json.loads(file.read_text())
    if change == "names":
        document["plan"]["targets"][0]["name"] = "OAK-WS9"
    elif change == "command":
        document["plan"]["writes"][0]["command"] = "ls"
    elif change == "requester":
        document["requester"] = "Tom Okafor"
    else:
        document["approval"]["signature"] = base64.b64encode(bytes(64)).decode()
    file.write_text(json.dumps(document))
    consent = Consent(PHRASE, plan.hash, approval=plan_file.read_approval(file))
    verdict = await Performer(oak).judge(plan, consent)
    assert isinstance(verdict, Refuse)
    assert "what was signed has been changed" in verdict.failure.sentence


async def test_who_asks_can_not_sign_with_a_key_of_their_own(oak: Desk, tmp_path: Path) -> None:
    plan = await planned(oak)
    guard = replace(oak.config.guard, approvers={"Marcus Bell": approving.public_key(INES)})
    oak.config = replace(oak.config, guard=guard)
    approval = signed(oak, plan, tmp_path, INES)
    verdict = await Performer(oak).judge(plan, Consent(PHRASE, plan.hash, approval=approval))
    assert isinstance(verdict, Refuse)
    assert "you signed it yourself" in verdict.failure.sentence


@pytest.mark.parametrize(
    "text", ["", "[]", '{"mspterm_plan": 1}', "{" * 2000, '{"mspterm_plan": 1, "plan": 3}']
)
def test_what_is_no_plan_is_a_sentence(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x"
    file.write_text(text)
    with pytest.raises(Failed, match="is no plan"):
        plan_file.read_request(file)
    with pytest.raises(Failed, match="can't be written"):
        plan_file.write(file, plan_file.request_of(Plan("x", 2, (), ()), "Ines", Clock()()))  # type: ignore[arg-type]


async def test_glass_is_broken_with_a_review_on_record_before_anything_is_sent(
    oak: Desk, mesh: Vendor
) -> None:
    plan = replace(await planned(oak), break_glass="ransomware, nobody awake")
    [refused, *_] = await Performer(oak).perform(plan, Consent(PHRASE, plan.hash))
    assert str(refused.outcome.failure).endswith(f"--confirm 'break glass {PHRASE}'")
    assert [r["action"] for r in journal(oak)] == ["run"] * 8
    mesh.answer = State.FAILED
    await Performer(oak).perform(plan, Consent(f"break glass {PHRASE}", plan.hash), goes_on)
    after = journal(oak)[8:]
    assert (after[0]["action"], after[0]["state"]) == ("break-glass", "review open")
    assert after[0]["reason"] == "run: ransomware, nobody awake"
    assert after[1]["reason"] == "break-glass: ransomware, nobody awake"
    assert mesh.calls.count("act") == 1


async def test_one_then_five_then_the_rest_with_a_look_between(oak: Desk, mesh: Vendor) -> None:
    plan = replace(await planned(oak), break_glass="ransomware")
    consent = Consent(f"break glass {PHRASE}", plan.hash)
    looks: list[tuple[int, int, int]] = []

    async def look(results: Sequence[Result], left: int) -> bool:
        looks.append((len(results), left, mesh.calls.count("act")))
        return len(looks) < 2

    done = await Performer(oak).perform(plan, consent, look)
    assert looks == [(1, 7, 1), (6, 2, 6)]
    assert [r.outcome.state for r in done] == [State.DONE] * 6 + [State.REFUSED] * 2
    assert "not begun: it was stopped after a look at OAK-WS1, OAK-WS2" in str(done[-1].outcome.failure)
    assert [r["state"] for r in journal(oak)][-2:] == ["refused", "refused"]


async def test_where_nobody_can_look_few_go_on_and_many_are_not_begun(
    oak: Desk, mesh: Vendor, tmp_path: Path
) -> None:
    plan = await planned(oak, *NAMES[:3])
    done = await Performer(oak).perform(plan, Consent("3 devices of Oak", plan.hash))
    assert [r.outcome.state for r in done] == [State.DONE] * 3
    many = await planned(oak)
    consent = Consent(PHRASE, many.hash, approval=signed(oak, many, tmp_path))
    refused = await Performer(oak).perform(many, consent)
    assert all("--no-look" in str(r.outcome.failure) for r in refused)
    assert mesh.calls.count("act") == 3
    done = await Performer(oak).perform(many, consent, goes_on)
    assert [r.outcome.state for r in done] == [State.DONE] * 8


async def test_a_lockdown_between_two_batches_stops_the_next(oak: Desk, mesh: Vendor) -> None:
    plan = await planned(oak, *NAMES[:3])

    async def look(results: Sequence[Result], left: int) -> bool:
        (oak.state_dir / "lockdown").touch()
        return True

    first, *rest = await Performer(oak).perform(plan, Consent("3 devices of Oak", plan.hash), look)
    assert first.outcome.state is State.DONE
    assert all("lockdown is on" in str(r.outcome.failure) for r in rest)
    assert mesh.calls.count("act") == 1


async def test_the_batches_of_one_plan_count_once_for_the_hour(oak: Desk) -> None:
    oak.config = replace(oak.config, guard=replace(oak.config.guard, max_disruptive_per_hour=3))
    plan = await planned(oak, *NAMES[:3])
    done = await Performer(oak).perform(plan, Consent("3 devices of Oak", plan.hash), goes_on)
    assert [r.outcome.state for r in done] == [State.DONE] * 3


async def test_a_device_that_moved_to_another_client_since_is_refused(oak: Desk, mesh: Vendor) -> None:
    plan = await planned(oak, "OAK-WS1")
    oak.store.devices.upsert([device("OAK-WS1", client=SafeText("Harborview"), observed_at=oak.now())])
    [result] = await Performer(oak).perform(plan, Consent("OAK-WS1", plan.hash))
    assert "is OAK-WS1 of Harborview by now" in str(result.outcome.failure)
    assert mesh.calls.count("act") == 0
