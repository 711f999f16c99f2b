"""The only door to a write: what is refused, recorded, kept back and never repeated."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mspterm.config.model import Client, Guard, Technician
from mspterm.connectors.base import Batch
from mspterm.desk.circumstances import enter
from mspterm.desk.desk import Desk
from mspterm.desk.flags import flagged
from mspterm.desk.perform import Performer, new_intent_id
from mspterm.desk.planner import Planner
from mspterm.desk.sync import Sync
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Ask, Audience, Consent, Emergency, Plan, Result, RunCommand, State, Update
from mspterm.domain.reasons import Failure, Reason
from mspterm.domain.text import SafeText
from tests.desk.vendor import Clock, Vendor, a_desk, config
from tests.store.store_rows import device, ticket

AWAY = Failure(Reason.OFFLINE, "rt can't be reached.", "rt")


@pytest.fixture
async def filled(desk: Desk) -> Desk:
    for name in ("rt", "mesh"):
        await Sync(desk).once(name)
    return desk


def journal(desk: Desk) -> list[dict[str, Any]]:
    files = sorted((desk.state_dir / "journal").glob("*.jsonl"))
    return [json.loads(line) for f in files for line in f.read_text().splitlines()]


async def plan(desk: Desk, action: str, *refs: str, **wanted: Any) -> Plan:
    return await Planner(desk).plan(action, refs, Wanted(**wanted))


async def perform(desk: Desk, planned: Plan, phrase: str | None = None) -> list[Result]:
    return await Performer(desk).perform(planned, Consent(phrase, planned.hash))


async def test_a_note_is_recorded_before_it_leaves_and_after(filled: Desk, rt: Vendor) -> None:
    [result] = await perform(filled, await plan(filled, "note", "rt:1", text="looked"))
    assert result.outcome.state is State.DONE
    assert [(r["state"], r["intent_id"]) for r in journal(filled)] == [
        ("intent", result.intent_id),
        ("done", result.intent_id),
    ]
    assert journal(filled)[0]["client"] == "Oak"
    assert journal(filled)[0]["identity"] == "Ines Duarte (personal)"
    assert "looked" not in json.dumps(journal(filled))
    assert filled.store.intents.get(result.intent_id or "") is not None
    assert len(rt.written) == 1


async def test_a_claim_sets_owner_and_the_status_of_a_new_ticket(
    tmp_path: Path, now: Clock, rt: Vendor
) -> None:
    from mspterm.domain.row import StatusClass

    rt.tickets = {"1": ticket(1, status=SafeText("new"), status_class=StatusClass.NEW)}
    desk = a_desk(tmp_path, now, rt)
    await Sync(desk).once("rt")
    planned = await plan(desk, "claim", "rt:1")
    assert planned.writes == (Update("rt:1", owner="ines", status="open", expected_owner=""),)
    [result] = await perform(desk, planned)
    assert result.outcome.state is State.DONE
    row = desk.store.tickets.row("rt:1")
    assert row is not None
    assert (row.assignee_id, row.status) == ("ines", "open")
    await desk.aclose()


async def test_taking_over_is_asked_by_name(filled: Desk, rt: Vendor) -> None:
    held = ticket(1, assignee_id="marcus", assignee=SafeText("Marcus Bell"), observed_at=filled.now())
    rt.tickets["1"] = held
    filled.store.tickets.upsert([held])
    planned = await plan(filled, "claim", "rt:1")
    verdict = await Performer(filled).judge(planned, Consent())
    assert isinstance(verdict, Ask)
    assert "Marcus Bell" in verdict.stake[0]
    [refused] = await perform(filled, planned)
    assert refused.outcome.state is State.REFUSED
    assert str(refused.outcome.failure).endswith(f"--confirm '{verdict.phrase}'")
    [done] = await perform(filled, planned, verdict.phrase)
    assert done.outcome.state is State.DONE


async def test_a_refusal_reaches_the_journal_and_nothing_is_sent(
    tmp_path: Path, now: Clock, rt: Vendor
) -> None:
    desk = a_desk(tmp_path, now, rt, read_only=True)
    await Sync(desk).once("rt")
    [result] = await perform(desk, await plan(desk, "note", "rt:1", text="x"))
    assert result.outcome.state is State.REFUSED
    assert [r["state"] for r in journal(desk)] == ["refused"]
    assert rt.written == []
    await desk.aclose()


async def test_lockdown_stops_every_write(filled: Desk, rt: Vendor) -> None:
    (filled.state_dir / "lockdown").touch()
    [result] = await perform(filled, await plan(filled, "note", "rt:1", text="x"))
    assert result.outcome.state is State.REFUSED
    assert "lockdown" in str(result.outcome.failure)
    assert rt.written == []


async def test_no_write_when_the_journal_can_not_be_written(filled: Desk, rt: Vendor) -> None:
    planned = await plan(filled, "note", "rt:1", text="x")
    (filled.state_dir / "journal").write_text("a file where the folder should be")
    [result] = await perform(filled, planned)
    assert result.outcome.state is State.REFUSED
    assert "journal" in str(result.outcome.failure)
    assert rt.written == []


async def test_a_note_waits_out_an_outage_and_goes_when_the_connection_returns(
    filled: Desk, rt: Vendor
) -> None:
    planned = await plan(filled, "note", "rt:1", text="still on it")
    rt.away = AWAY
    [result] = await perform(filled, planned)
    assert result.outcome.state is State.QUEUED
    assert "outbox" in str(result.outcome.failure)
    row = filled.store.tickets.row("rt:1")
    assert row is not None
    assert row.pending == 1
    rt.away = None
    sync, performer = Sync(filled), Performer(filled)
    sync.flush = performer.flush
    await sync.once("rt")
    assert next(w for w in rt.written if isinstance(w, Update)).text == "still on it"
    assert filled.store.intents.queued("rt") == []
    row = filled.store.tickets.row("rt:1")
    assert row is not None
    assert row.pending == 0
    assert [r["state"] for r in journal(filled)] == ["intent", "queued", "sending", "done"]


@pytest.mark.parametrize("action", ["claim", "assign", "escalate"])
async def test_what_conditions_could_make_wrong_never_waits(filled: Desk, rt: Vendor, action: str) -> None:
    wanted = {"assign": {"owner": "marcus"}, "escalate": {"to": "tier:2", "text": "h"}}.get(action, {})
    planned = await plan(filled, action, "rt:1", **wanted)
    rt.away = AWAY
    [result] = await perform(filled, planned)
    assert result.outcome.state is State.FAILED
    assert filled.store.intents.queued("rt") == []


async def test_a_command_needs_the_devices_name_typed(filled: Desk, mesh: Vendor) -> None:
    planned = await plan(filled, "run", "OAK-DC01", command="uname -a")
    [refused] = await perform(filled, planned)
    assert refused.outcome.state is State.REFUSED
    [wrong] = await perform(filled, planned, "HVD-DC01")
    assert wrong.outcome.state is State.REFUSED
    assert mesh.written == []
    [done] = await perform(filled, planned, "OAK-DC01")
    assert done.outcome.output == "Linux\n"


async def test_output_is_attached_as_an_internal_note(filled: Desk, rt: Vendor) -> None:
    planned = await plan(filled, "run", "OAK-DC01", command="uname -a", attach="rt:1")
    ran, noted = await perform(filled, planned, "OAK-DC01")
    assert (ran.action, noted.action) == ("run", "note")
    [note] = rt.written
    assert isinstance(note, Update)
    assert note.audience is Audience.INTERNAL
    assert note.text is not None
    assert "$ uname -a\nLinux" in note.text


async def test_a_disruptive_action_needs_a_keyed_journal(tmp_path: Path, now: Clock, mesh: Vendor) -> None:
    desk = a_desk(tmp_path, now, mesh, key=None)
    await Sync(desk).once("mesh")
    [result] = await perform(desk, await plan(desk, "reboot", "OAK-DC01"), "OAK-DC01")
    assert result.outcome.state is State.REFUSED
    assert "key" in str(result.outcome.failure)
    await desk.aclose()


async def test_a_flagged_device_refuses(tmp_path: Path, now: Clock, mesh: Vendor) -> None:
    guard = Guard(flags={"OAK-DC01": ("do-not-touch",)})
    desk = a_desk(tmp_path, now, mesh, config=config(guard=guard))
    await Sync(desk).once("mesh")
    [result] = await perform(desk, await plan(desk, "run", "OAK-DC01", command="ls"), "OAK-DC01")
    assert "do-not-touch" in str(result.outcome.failure)
    assert mesh.written == []
    await desk.aclose()


async def test_the_cap_of_an_hour_counts_what_went_before(
    tmp_path: Path, now: Clock, rt: Vendor, mesh: Vendor
) -> None:
    desk = a_desk(tmp_path, now, rt, mesh, config=config(guard=Guard(max_disruptive_per_hour=2)))
    for name in ("rt", "mesh"):
        await Sync(desk).once(name)

    async def ran() -> Result:
        [result] = await perform(desk, await plan(desk, "run", "OAK-DC01", command="ls"), "OAK-DC01")
        return result

    await perform(desk, await plan(desk, "note", "rt:1", text="no device is touched by this"))
    assert [(await ran()).outcome.state for _ in range(3)] == [State.DONE, State.DONE, State.REFUSED]
    assert journal(desk)[-1]["state"] == "refused"
    now.at += timedelta(minutes=61)
    assert (await ran()).outcome.state is State.DONE
    await desk.aclose()


@pytest.fixture
async def frozen(tmp_path: Path, now: Clock, rt: Vendor, mesh: Vendor) -> AsyncIterator[Desk]:
    """A desk whose client Oak, as the RMM's group is called here, is in a freeze."""
    mesh.batches = [Batch(devices=(device("OAK-DC01", client=SafeText("OAK")),))]
    today = now().date().isoformat()
    oak = Client("Oak", match=("OAK",), freezes=((today, today, "year end"),))
    desk = a_desk(tmp_path, now, rt, mesh, config=config(clients={"Oak": oak}))
    for name in ("rt", "mesh"):
        await Sync(desk).once(name)
    yield desk
    await desk.aclose()


async def test_in_a_freeze_only_an_emergency_goes_and_the_journal_says_whose(
    frozen: Desk, mesh: Vendor
) -> None:
    planned = await plan(frozen, "run", "OAK-DC01", command="ls")
    [refused] = await perform(frozen, planned, "OAK-DC01")
    assert "Oak: change freeze until" in str(refused.outcome.failure)
    assert mesh.written == []
    urgent = replace(planned, emergency=Emergency("ransomware", "Dana Cole"))
    [done] = await perform(frozen, urgent, "OAK-DC01")
    assert done.outcome.state is State.DONE
    records = journal(frozen)
    assert [(r["state"], r["reason"]) for r in records[1:]] == [
        ("intent", "emergency: ransomware; approved by Dana Cole"),
        ("done", None),
    ]
    assert records[0]["state"] == "refused"


async def test_a_front_end_that_enters_works_only_there_and_only_for_its_time(
    tmp_path: Path, now: Clock, rt: Vendor, mesh: Vendor
) -> None:
    mesh.batches = [Batch(devices=(device("OAK-DC01", client=SafeText("Oak")),))]
    desk = a_desk(tmp_path, now, rt, mesh)
    desk.must_enter = True
    await Sync(desk).once("mesh")
    planned = await plan(desk, "reboot", "OAK-DC01")
    said = []
    for client, minutes in ((None, 0), ("Harborview", 0), ("Oak", 61), ("Oak", 59)):
        if client:
            enter(desk, client)
        now.pass_by(minutes=minutes)
        [result] = await perform(desk, planned, "OAK-DC01")
        said.append(str(result.outcome.failure))
    assert "no client is entered" in said[0]
    assert "you are in Harborview" in said[1]
    assert "your time in Oak ended" in said[2]
    assert said[3] == "None"
    states = [r["state"] for r in journal(desk) if r["state"] != "sealed"]
    assert states == ["refused"] * 3 + ["intent", "done"]
    await desk.aclose()


@pytest.mark.parametrize("allowed", [False, True])
async def test_a_shared_name_writes_only_where_allowed_and_each_text_is_signed(
    tmp_path: Path, now: Clock, rt: Vendor, mesh: Vendor, allowed: bool
) -> None:
    settings = config(guard=Guard(allow_shared=allowed), technician=Technician("Ines Duarte"))
    together = replace(settings.connections["rt"], identity="shared")
    settings = replace(settings, connections={**settings.connections, "rt": together})
    desk = a_desk(tmp_path, now, rt, mesh, config=settings)
    for name in ("rt", "mesh"):
        await Sync(desk).once(name)
    planned = await plan(desk, "note", "rt:1", text="looked")
    assert "signed: -- Ines Duarte" in planned.lines
    [result] = await perform(desk, planned)
    ran = await plan(desk, "run", "OAK-DC01", command="ls", attach="rt:1")
    await perform(desk, ran, "OAK-DC01")
    texts = [w.text or "" for w in rt.written if isinstance(w, Update)]
    assert result.outcome.state is (State.DONE if allowed else State.REFUSED)
    assert [t.endswith("\n\n-- Ines Duarte") for t in texts] == ([True, True] if allowed else [])
    await desk.aclose()


async def test_a_plan_says_under_whose_name_it_goes(filled: Desk) -> None:
    await perform(filled, await plan(filled, "note", "rt:1", text="looked"))
    again = await plan(filled, "note", "rt:1", text="and again")
    assert "acting as Ines Duarte (personal) in rt" in again.lines
    assert not any("signed" in line for line in again.lines)


async def test_after_the_first_that_fails_the_rest_of_the_devices_are_not_begun(
    tmp_path: Path, now: Clock, rt: Vendor, mesh: Vendor
) -> None:
    names = [f"OAK-WS{n}" for n in (1, 2, 3)]
    mesh.batches = [Batch(devices=tuple(device(n, client=SafeText("Oak")) for n in names))]
    desk = a_desk(tmp_path, now, rt, mesh)
    await Sync(desk).once("mesh")
    planned = await plan(desk, "run", *names, command="ls")

    done = await perform(desk, planned, "3 devices of Oak")
    assert [r.outcome.state for r in done] == [State.DONE] * 3
    mesh.answer = State.UNCERTAIN
    first, *rest = await perform(desk, planned, "3 devices of Oak")
    assert first.outcome.state is State.UNCERTAIN
    assert [r.outcome.state for r in rest] == [State.REFUSED] * 2
    assert all("OAK-WS1 before it is uncertain" in str(r.outcome.failure) for r in rest)
    assert mesh.calls.count("act") == 4
    assert [r["state"] for r in journal(desk)][-2:] == ["refused", "refused"]
    await desk.aclose()


async def test_a_plan_that_is_not_the_one_shown_is_refused(filled: Desk, rt: Vendor) -> None:
    planned = await plan(filled, "note", "rt:1", text="x")
    [result] = await Performer(filled).perform(planned, Consent(plan_hash="0" * 16))
    assert result.outcome.state is State.REFUSED
    assert rt.written == []


async def test_a_command_that_can_not_be_sent_fails_at_once(filled: Desk, mesh: Vendor) -> None:
    planned = await plan(filled, "run", "OAK-DC01", command="ls")
    mesh.away = Failure(Reason.OFFLINE, "mesh can't be reached.", "mesh")
    [result] = await perform(filled, planned, "OAK-DC01")
    assert result.outcome.state is State.FAILED
    assert isinstance(planned.writes[0], RunCommand)
    assert filled.store.intents.queued("mesh") == []


def test_intent_ids_sort_by_time_and_differ() -> None:
    made = [new_intent_id() for _ in range(100)]
    assert len(set(made)) == 100
    assert all(len(i) == 26 for i in made)
    assert [i[:9] for i in made] == sorted(i[:9] for i in made)


async def test_a_devices_flags_are_its_rmms_and_the_configs_each_once(tmp_path: Path, now: Clock) -> None:
    guard = Guard(flags={"oak-dc01": ("backup", "clinical")})
    desk = a_desk(tmp_path, now, config=config(guard=guard))
    own = device("OAK-DC01", flags=("backup",))
    assert flagged(desk, own).flags == ("backup", "clinical")
    assert flagged(desk, device("OAK-DC02")).flags == ()
    await desk.aclose()
