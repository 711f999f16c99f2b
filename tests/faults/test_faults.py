"""Each fault of a network between us and a real RT: a sentence with a reason, in time, and nobody else hurt."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mspterm.desk.desk import Desk
from mspterm.desk.perform import Performer
from mspterm.desk.sync import Sync
from mspterm.domain.action import Consent, State
from mspterm.domain.reasons import Reason
from tests.conftest import LabRt
from tests.faults.lab import RtJudge, rt_connection
from tests.faults.life import desk_for, plan
from tests.faults.proxy import PASS, Fault, Proxy, Seen, http, proxied
from tests.faults.repertoire import HUGE, LIMIT_S, READS, WRITES, bounded, said_well

pytestmark = [pytest.mark.live, pytest.mark.slow]
TIMEOUT_S = 0.7


@pytest.fixture
async def judge(lab_rt: LabRt) -> AsyncIterator[RtJudge]:
    made = RtJudge(lab_rt.url, lab_rt.tokens["ines"])
    yield made
    await made.aclose()


@pytest.fixture
async def proxy(lab_rt: LabRt) -> AsyncIterator[Proxy]:
    async with proxied(lab_rt.url) as made:
        yield made


@pytest.fixture(scope="module")
def ticket(lab_rt: LabRt) -> str:
    """One of the lab's own; it is only read."""
    return "43"


@asynccontextmanager
async def desk(tmp_path: Path, url: str, lab_rt: LabRt, timeout_s: float = TIMEOUT_S) -> AsyncIterator[Desk]:
    """Two connections: `rt` by the proxy, `near` past it."""
    near = {**rt_connection(lab_rt.url, 20.0), "name": "near"}
    token = {"token": lab_rt.tokens["ines"]}
    made = desk_for(tmp_path, [rt_connection(url, timeout_s), near], {"rt": token, "near": token})
    yield made
    await made.aclose()


@pytest.mark.parametrize("name", [*READS, *HUGE])
async def test_a_read_meets_each_fault_with_a_reason_in_time_and_alone(
    tmp_path: Path, lab_rt: LabRt, proxy: Proxy, name: str, ticket: str
) -> None:
    make, reasons = {**READS, **HUGE}[name]
    fault = make()
    proxy.rule = lambda _seen: fault
    async with desk(tmp_path, proxy.url, lab_rt) as made:
        sync = Sync(made)

        async def near(made: Desk) -> str:
            return (await (await made.connector("near")).ticket(ticket)).ticket.id

        began = time.monotonic()
        with bounded():
            failure, other = await asyncio.gather(sync.once("rt"), near(made))
        spent = time.monotonic() - began
        assert other == ticket
        said_well(failure, reasons, "rt")
        assert made.store.connections.get("rt").failure == failure
        assert spent < LIMIT_S


@pytest.mark.parametrize("name", WRITES)
async def test_a_note_meets_each_fault_and_its_outcome_is_true(
    tmp_path: Path, lab_rt: LabRt, proxy: Proxy, judge: RtJudge, name: str
) -> None:
    """The POST alone is hit; what is read after it to prove it passes."""
    write = WRITES[name]
    proxy.rule = lambda seen: write.fault if seen.method == "POST" else PASS
    ticket, text = await judge.new_ticket(f"fault {name}"), f"{name} {uuid.uuid4().hex}"
    async with desk(tmp_path, proxy.url, lab_rt) as made:
        note = plan({"do": "note", "ref": f"rt:{ticket}", "text": text})
        began = time.monotonic()
        [result] = await Performer(made).perform(note, Consent(plan_hash=note.hash))
        assert time.monotonic() - began < LIMIT_S
        assert result.outcome.state in write.states, result.outcome
        if result.outcome.state is not State.DONE:
            said_well(result.outcome.failure, set(Reason), "rt")
        assert (await judge.said(ticket))[text] == write.there
    await judge.resolve(ticket)


async def test_a_cut_at_any_byte_of_the_request_or_the_answer_leaves_no_false_word(
    tmp_path: Path, lab_rt: LabRt, proxy: Proxy, judge: RtJudge
) -> None:
    ticket, cuts = await judge.new_ticket("cut at any byte"), range(0, 700, 140)
    faults = [Fault(request_bytes=n) for n in cuts] + [Fault(answer_bytes=n) for n in cuts]
    async with desk(tmp_path, proxy.url, lab_rt, 10.0) as made:
        performer = Performer(made)
        for fault in faults:
            text = f"cut {uuid.uuid4().hex}"
            hits = iter([fault])

            def rule(seen: Seen, hits: object = hits) -> Fault:
                return next(hits, PASS) if seen.method == "POST" else PASS  # type: ignore[call-overload]

            proxy.rule = rule
            note = plan({"do": "note", "ref": f"rt:{ticket}", "text": text})
            [result] = await performer.perform(note, Consent(plan_hash=note.hash))
            there = (await judge.said(ticket))[text]
            assert (result.outcome.state, there) in {(State.DONE, 1), (State.UNCERTAIN, 0)}
            if result.outcome.state is State.UNCERTAIN:
                assert (await performer.retry(result.intent_id or "")).state is State.DONE
            assert (await judge.said(ticket))[text] == 1
    await judge.resolve(ticket)


async def test_one_item_in_another_charset_is_skipped_and_shown(
    tmp_path: Path, lab_rt: LabRt, proxy: Proxy
) -> None:
    page = '{"items":[{"id":"7","Subject":"Café"}],"count":1,"total":1}'.encode("latin-1")
    proxy.rule = lambda _seen: Fault(acts=False, answer=http("200 OK", page))
    async with desk(tmp_path, proxy.url, lab_rt) as made:
        failure = await Sync(made).once("rt")
        state = made.store.connections.get("rt")
        assert failure is not None or state.skipped
