"""The outbox: what waits, in which order it goes, what is shown first, and what a person decides."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mspterm.desk.desk import Desk
from mspterm.desk.perform import Performer
from mspterm.desk.planner import Planner
from mspterm.desk.sync import Sync
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Consent, Outcome, Result, State, Update, Write
from mspterm.domain.reasons import Failed, Failure, Reason
from mspterm.domain.row import StatusClass
from mspterm.domain.text import SafeText, clean
from mspterm.domain.ticket import Note, TicketDetail
from mspterm.store.intents import Intent
from tests.desk.vendor import Clock, Vendor, a_desk, psa
from tests.store.store_rows import ticket

AWAY = Failure(Reason.OFFLINE, "rt can't be reached.", "rt")


class Talking(Vendor):
    """A PSA that shows the notes it was given; `lost` answers as if the connection broke afterwards."""

    lost = False
    began: asyncio.Event | None = None

    def __init__(self, now: Clock) -> None:
        made = psa(now)
        super().__init__("rt", made.manifest, now)
        self.tickets = made.tickets
        self.notes: list[tuple[str, Note]] = []

    async def act(self, write: Write, *, mark: str) -> Outcome:
        if self.began is not None:
            self.began.set()
            await asyncio.Event().wait()
        outcome = await super().act(write, mark=mark)
        if isinstance(write, Update) and write.text and outcome.state is State.DONE:
            body = clean(write.text, multiline=True)
            note = Note(
                str(len(self.notes)), self.now(), SafeText("Ines Duarte"), "internal", body, write.minutes
            )
            self.notes.append((write.ref, note))
        if self.lost:
            failure = Failure(Reason.OFFLINE, "rt broke off.", "rt")
            return Outcome(write.ref, State.UNCERTAIN, failure)
        return outcome

    async def ticket(self, id: str) -> TicketDetail:
        detail = await super().ticket(id)
        return replace(detail, notes=tuple(n for ref, n in self.notes if ref == f"rt:{id}"))

    @property
    def texts(self) -> list[str | None]:
        return [w.text for w in self.written if isinstance(w, Update)]


@pytest.fixture
def rt(now: Clock) -> Talking:
    return Talking(now)


@pytest.fixture
async def filled(desk: Desk) -> Desk:
    for name in ("rt", "mesh"):
        await Sync(desk).once(name)
    return desk


async def act(desk: Desk, action: str, ref: str, **wanted: Any) -> Result:
    plan = await Planner(desk).plan(action, [ref], Wanted(**wanted))
    [result] = await Performer(desk).perform(plan, Consent(plan_hash=plan.hash))
    return result


def state(desk: Desk, result: Result) -> tuple[str, str]:
    intent = desk.store.intents.get(result.intent_id or "")
    assert intent is not None
    return intent.state, intent.reason or ""


def journalled(desk: Desk, intent_id: str | None) -> list[str]:
    files = sorted((desk.state_dir / "journal").glob("*.jsonl"))
    records = [json.loads(line) for f in files for line in f.read_text().splitlines()]
    return [r["state"] for r in records if r["intent_id"] == intent_id]


async def test_what_waits_for_a_ticket_goes_in_its_order(filled: Desk, rt: Talking) -> None:
    rt.away = AWAY
    for text in ("first", "second"):
        assert (await act(filled, "note", "rt:1", text=text)).outcome.state is State.QUEUED
    rt.away = None
    third = await act(filled, "note", "rt:1", text="third")
    assert third.outcome.state is State.DONE
    assert rt.texts == ["first", "second", "third"]


async def test_the_order_is_that_of_the_technician_though_the_clock_steps_back(
    filled: Desk, rt: Talking, now: Clock
) -> None:
    rt.away = AWAY
    for text in ("first", "second", "third"):
        await act(filled, "note", "rt:1", text=text)
        now.pass_by(minutes=-10)
    rt.away = None
    filled.store.purge()
    await Performer(filled).flush("rt")
    assert rt.texts == ["first", "second", "third"]


async def test_a_write_on_another_ticket_does_not_wait_for_it(filled: Desk, rt: Talking) -> None:
    rt.away = AWAY
    await act(filled, "note", "rt:1", text="first")
    rt.away = None
    await act(filled, "note", "rt:2", text="other")
    assert rt.texts == ["other", "first"]


async def test_the_same_words_with_other_minutes_are_another_note(filled: Desk, rt: Talking) -> None:
    await act(filled, "note", "rt:1", text="called back", minutes=9)
    rt.lost = True
    unsure = await act(filled, "note", "rt:1", text="called back")
    rt.lost = False
    assert unsure.outcome.state is State.UNCERTAIN
    assert (await Performer(filled).retry(unsure.intent_id or "")).state is State.DONE
    assert rt.texts == ["called back", "called back"]


async def test_a_claim_of_ones_own_is_no_change_under_what_waits(filled: Desk, rt: Talking) -> None:
    rt.away = AWAY
    await act(filled, "reply", "rt:1", text="on it")
    rt.away = None
    await act(filled, "claim", "rt:1")
    await Performer(filled).flush("rt")
    assert rt.texts == [None, "on it"]


async def test_what_follows_an_uncertain_one_waits_for_the_decision(filled: Desk, rt: Talking) -> None:
    rt.answer = State.UNCERTAIN
    unsure = await act(filled, "note", "rt:1", text="first")
    rt.answer, rt.away = State.DONE, AWAY
    await act(filled, "note", "rt:1", text="second")
    rt.away = None
    await Performer(filled).flush("rt")
    assert rt.texts == []
    await Performer(filled).retry(unsure.intent_id or "")
    await Performer(filled).flush("rt")
    assert rt.texts == ["first", "second"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": SafeText("stalled")}, "open to stalled"),
        ({"assignee_id": "marcus", "assignee": SafeText("Marcus Bell")}, "went to Marcus Bell"),
        ({"customer_replied_at": ticket(1).observed_at}, "the customer wrote"),
    ],
)
async def test_what_changed_under_a_reply_is_shown_before_it_goes(
    filled: Desk, rt: Talking, change: dict[str, Any], words: str
) -> None:
    rt.away = AWAY
    reply = await act(filled, "reply", "rt:1", text="we are on it")
    rt.away = None
    rt.tickets["1"] = replace(rt.tickets["1"], **change)
    sync, performer = Sync(filled), Performer(filled)
    sync.flush = performer.flush
    for _ in range(3):
        await sync.once("rt")
    held, reason = state(filled, reply)
    assert held == "queued"
    assert reason.startswith("conflict: ")
    assert words in reason
    assert rt.written == []
    assert journalled(filled, reply.intent_id) == ["intent", "queued", "queued"]
    assert (await performer.retry(reply.intent_id or "")).state is State.DONE
    assert rt.texts == ["we are on it"]


async def test_an_internal_note_is_held_only_where_the_ticket_was_closed(filled: Desk, rt: Talking) -> None:
    rt.away = AWAY
    notes = [await act(filled, "note", ref, text="looked") for ref in ("rt:1", "rt:2")]
    rt.away = None
    rt.tickets["1"] = replace(rt.tickets["1"], status=SafeText("stalled"))
    rt.tickets["2"] = replace(rt.tickets["2"], status=SafeText("resolved"), status_class=StatusClass.RESOLVED)
    await Performer(filled).flush("rt")
    assert [state(filled, n)[0] for n in notes] == ["confirmed", "queued"]


async def test_our_own_status_is_no_change_under_the_next_write(filled: Desk, rt: Talking) -> None:
    rt.away = AWAY
    await act(filled, "status", "rt:1", status="stalled")
    await act(filled, "reply", "rt:1", text="waiting for the part")
    rt.away = None
    await Performer(filled).flush("rt")
    assert [i.state for i in filled.store.intents.listed(filled.now())] == ["confirmed", "confirmed"]


async def test_a_lost_answer_is_found_by_what_the_ticket_shows(filled: Desk, rt: Talking) -> None:
    rt.lost = True
    unsure = await act(filled, "note", "rt:1", text="the disk\n is full", minutes=5)
    assert state(filled, unsure)[0] == "uncertain"
    rt.lost = False
    await Performer(filled).flush("rt")
    assert state(filled, unsure)[0] == "confirmed"
    assert len(rt.written) == 1
    assert journalled(filled, unsure.intent_id) == ["intent", "uncertain", "done"]


async def test_the_same_words_twice_are_two_notes(filled: Desk, rt: Talking) -> None:
    assert (await act(filled, "note", "rt:1", text="rang")).outcome.state is State.DONE
    rt.answer = State.UNCERTAIN
    unsure = await act(filled, "note", "rt:1", text="rang")
    rt.answer = State.DONE
    await Performer(filled).flush("rt")
    assert state(filled, unsure)[0] == "uncertain", "the note that is there is the first one"
    await Performer(filled).retry(unsure.intent_id or "")
    assert rt.texts == ["rang", "rang"]


async def test_a_retry_sends_only_what_has_not_arrived(filled: Desk, rt: Talking) -> None:
    rt.lost = True
    unsure = await act(filled, "update", "rt:1", text="done", status="resolved")
    rt.lost = False
    rt.tickets["1"] = replace(rt.tickets["1"], status=SafeText("open"))
    await Performer(filled).flush("rt")
    assert state(filled, unsure)[0] == "uncertain"
    await Performer(filled).retry(unsure.intent_id or "")
    assert rt.written[1] == Update("rt:1", status="resolved")


async def test_a_person_may_say_that_it_arrived(filled: Desk, rt: Talking) -> None:
    rt.answer = State.UNCERTAIN
    unsure = await act(filled, "note", "rt:1", text="x")
    await Performer(filled).drop(unsure.intent_id or "", arrived=True)
    assert state(filled, unsure)[0] == "confirmed"
    assert journalled(filled, unsure.intent_id)[-1] == "done"
    row = filled.store.tickets.row("rt:1")
    assert row is not None
    assert row.pending == 0


async def test_what_was_never_sent_has_not_arrived(filled: Desk, rt: Talking) -> None:
    rt.away = AWAY
    waiting = await act(filled, "note", "rt:1", text="x")
    with pytest.raises(Failed, match="has not arrived"):
        await Performer(filled).drop(waiting.intent_id or "", arrived=True)


async def test_a_dropped_write_is_never_sent(filled: Desk, rt: Talking) -> None:
    rt.away = AWAY
    result = await act(filled, "note", "rt:1", text="x")
    await Performer(filled).drop(result.intent_id or "")
    rt.away = None
    await Performer(filled).flush("rt")
    assert rt.written == []
    assert journalled(filled, result.intent_id)[-1] == "cancelled"
    with pytest.raises(Failed, match="cancelled"):
        await Performer(filled).drop(result.intent_id or "")


@pytest.mark.parametrize("stopped", ["read-only", "lockdown"])
async def test_what_waits_stays_while_writes_are_stopped(
    filled: Desk, rt: Talking, tmp_path: Path, now: Clock, stopped: str
) -> None:
    rt.away = AWAY
    waiting = await act(filled, "note", "rt:1", text="x")
    rt.away = None
    other = a_desk(tmp_path, now, rt, read_only=stopped == "read-only")
    if stopped == "lockdown":
        (filled.state_dir / "lockdown").touch()
    await Performer(other).flush("rt")
    with pytest.raises(Failed, match=stopped):
        await Performer(other).retry(waiting.intent_id or "")
    await other.aclose()
    assert rt.written == []
    assert state(filled, waiting)[0] == "queued"


async def test_two_processes_flush_and_nothing_goes_twice(
    filled: Desk, rt: Talking, tmp_path: Path, now: Clock
) -> None:
    rt.away = AWAY
    for n in range(6):
        await act(filled, "note", f"rt:{n % 3 + 1}", text=f"note {n}")
    rt.away = None
    desks = [filled, *(a_desk(tmp_path, now, rt) for _ in range(3))]
    await asyncio.gather(*(Performer(d).flush("rt") for d in desks))
    await Performer(filled).flush("rt")
    assert sorted(t or "" for t in rt.texts) == [f"note {n}" for n in range(6)]
    for other in desks[1:]:
        await other.aclose()


async def test_a_send_that_is_cancelled_is_uncertain_at_once(filled: Desk, rt: Talking) -> None:
    rt.began = asyncio.Event()
    sending = asyncio.create_task(act(filled, "note", "rt:1", text="x"))
    await rt.began.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    [left] = filled.store.intents.in_state("uncertain")
    assert journalled(filled, left.intent_id) == ["intent", "uncertain"]


async def test_a_fault_of_ours_in_the_middle_is_uncertain(filled: Desk, rt: Talking) -> None:
    rt.tickets.pop("1")  # The fake trips over it after it has written.
    result = await act(filled, "note", "rt:1", text="x")
    assert result.outcome.state is State.UNCERTAIN
    assert "KeyError" in str(result.outcome.failure)


async def test_a_living_process_is_left_alone_and_a_dead_one_recovered(
    filled: Desk, tmp_path: Path, now: Clock, rt: Talking
) -> None:
    other = a_desk(tmp_path, now, rt)
    write = Update("rt:1", text="x")
    left = Intent("01A", "rt:1", "rt", "note", "sending", None, filled.now(), 1, "h", write)
    filled.store.intents.add(left, sender=other.presence.token())
    now.pass_by(hours=2)
    assert Performer(filled).recover() == 0
    await other.aclose()
    assert Performer(filled).recover() == 1
    [intent] = filled.store.intents.in_state("uncertain")
    assert intent.intent_id == "01A"
    row = filled.store.tickets.row("rt:1")
    assert row is not None
    assert row.pending == 1


async def test_a_full_disk_in_the_outbox_refuses(filled: Desk, rt: Talking) -> None:
    pages = filled.store.database.connection.execute("PRAGMA page_count").fetchone()[0]
    filled.store.database.connection.execute(f"PRAGMA max_page_count = {pages}")
    result = await act(filled, "note", "rt:1", text="x" * 20_000)
    assert result.outcome.state is State.REFUSED
    assert "full" in str(result.outcome.failure)
    assert rt.written == []


async def test_an_outcome_that_the_journal_could_not_take_is_recorded_later(
    filled: Desk, rt: Talking, tmp_path: Path, now: Clock
) -> None:
    folder = filled.state_dir / "journal"
    gone = folder.with_name("elsewhere")
    act_of = rt.act

    async def act_and_lose(write: Write, *, mark: str) -> Outcome:
        folder.rename(gone)
        folder.touch()
        return await act_of(write, mark=mark)

    lossy = Talking(now)
    lossy.tickets, lossy.act = rt.tickets, act_and_lose  # type: ignore[method-assign]
    desk = a_desk(tmp_path, now, lossy)
    result = await act(desk, "note", "rt:1", text="x")
    assert result.outcome.state is State.DONE
    assert "not recorded yet" in result.outcome.detail[-1]
    assert state(filled, result)[0] == "sent"
    folder.unlink()
    gone.rename(folder)
    await desk.aclose()
    await act(filled, "note", "rt:2", text="y")
    assert state(filled, result)[0] == "confirmed"
    assert journalled(filled, result.intent_id) == ["intent", "done"]


async def test_decided_intents_are_forgotten_after_a_week(filled: Desk, now: Clock, rt: Talking) -> None:
    done = await act(filled, "note", "rt:1", text="a client's words")
    rt.answer = State.UNCERTAIN
    unsure = await act(filled, "note", "rt:1", text="x")
    now.pass_by(days=8)
    Performer(filled).recover()
    assert filled.store.intents.get(done.intent_id or "") is None
    assert state(filled, unsure)[0] == "uncertain"


def test_the_outbox_says_when_it_can_not_be_written(desk: Desk) -> None:
    other = sqlite3.connect(desk.store.database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    desk.store.database.connection.execute("PRAGMA busy_timeout = 10")
    intent = Intent("01A", "rt:1", "rt", "note", "queued", None, desk.now(), 0, "h", Update("rt:1", text="x"))
    with pytest.raises(Failed, match="can't be written"):
        desk.store.intents.add(intent)
    other.execute("ROLLBACK")
    other.close()
