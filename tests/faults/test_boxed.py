"""Each fault of a network between us and the sandbox's ConnectWise and NinjaOne: as many connections as
there are faults, all of one desk and at once, beside one that nothing is wrong with."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from mspterm.desk.desk import Desk
from mspterm.desk.perform import Performer
from mspterm.desk.sync import Sync
from mspterm.domain.action import Consent, NewTicket, Outcome, Plan, State
from mspterm.domain.reasons import Failure, Reason
from mspterm.domain.spec import Risk
from tests.faults.boxed import Box, CwJudge, boxed, told
from tests.faults.life import desk_for, plan
from tests.faults.proxy import PASS, Fault, Proxy, Rule, Seen, http, proxied
from tests.faults.repertoire import HUGE, LIMIT_S, READS, WRITES, bounded, said_well

TIMEOUT_S = 1.0
Reads = Mapping[str, tuple[Callable[[], Fault], set[Reason]]]
AT_THE_DOOR = ("/login/companyinfo", "/ws/oauth/token")
"""What each vendor is asked first, before anything else can be."""


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with boxed() as made:
        yield made


class Crowd:
    """A desk with a connection for each rule, `NAME_0`, `NAME_1`..., and `near`, past every proxy."""

    def __init__(self, box: Box, which: str, state: Path) -> None:
        self._box, self._which, self._state = box, which, state
        self._stack = AsyncExitStack()
        self.proxies: list[Proxy] = []

    async def desk(self, rules: list[Rule], timeout_s: float = TIMEOUT_S) -> Desk:
        connection = self._box.psa if self._which == "psa" else self._box.rmm
        self.proxies = [await self._stack.enter_async_context(proxied(connection.url, r)) for r in rules]
        far = [
            {**told(connection, p.url, timeout_s), "name": f"{self._which}_{n}"}
            for n, p in enumerate(self.proxies)
        ]
        near = {**told(connection, connection.url, 20.0), "name": "near"}
        secrets = self._box.secrets[self._which]
        desk = desk_for(self._state, [*far, near], {c["name"]: secrets for c in (*far, near)})
        self._stack.push_async_callback(desk.aclose)
        return desk

    async def leave(self) -> None:
        await self._stack.aclose()


@pytest.fixture
async def psa(box: Box, tmp_path: Path) -> AsyncIterator[Crowd]:
    made = Crowd(box, "psa", tmp_path)
    yield made
    await made.leave()


@pytest.fixture(params=["psa", "rmm"])
async def crowd(request: pytest.FixtureRequest, box: Box, tmp_path: Path) -> AsyncIterator[Crowd]:
    made = Crowd(box, request.param, tmp_path)
    yield made
    await made.leave()


def after_the_door(fault: Fault) -> Rule:
    return lambda seen: PASS if seen.path.startswith(AT_THE_DOOR) else fault


def from_the_door_on(fault: Fault) -> Rule:
    return lambda _seen: fault


async def met(crowd: Crowd, wheres: Sequence[Callable[[Fault], Rule]], reads: Reads) -> None:
    """One poll of every connection at once: what each says, and that the one beside them is unhurt."""
    each = [(where, fault) for where in wheres for fault in reads]
    desk = await crowd.desk([where(reads[fault][0]()) for where, fault in each])
    sync, names = Sync(desk), list(desk.connections)

    async def timed(name: str) -> tuple[Failure | None, float]:
        began = time.monotonic()
        return await sync.once(name), time.monotonic() - began

    with bounded():
        *far, near = await asyncio.gather(*map(timed, names))
    assert near[0] is None
    assert desk.store.connections.get("near").failure is None
    for name, (_, fault), (failure, spent) in zip(names, each, far, strict=False):
        assert failure is not None, fault
        said_well(failure, reads[fault][1], name)
        assert desk.store.connections.get(name).failure == failure
        assert spent < LIMIT_S, fault


async def test_a_read_meets_each_fault_with_a_reason_in_time_and_alone(crowd: Crowd) -> None:
    await met(crowd, (after_the_door, from_the_door_on), READS)


async def test_two_gigabytes_do_not_become_two_gigabytes_here(crowd: Crowd) -> None:
    await met(crowd, (after_the_door,), HUGE)


async def noted(desk: Desk, ref: str, text: str) -> Outcome:
    note = plan({"do": "note", "ref": ref, "text": text})
    [result] = await Performer(desk).perform(note, Consent(plan_hash=note.hash))
    return result.outcome


def only_posts(fault: Fault) -> Rule:
    return lambda seen: fault if seen.method == "POST" else PASS


async def test_a_note_meets_each_fault_and_its_outcome_is_true(box: Box, psa: Crowd) -> None:
    judge = CwJudge(box)
    desk = await psa.desk([only_posts(write.fault) for write in WRITES.values()])
    ticket, texts = await judge.new_ticket("faults"), {name: f"{name} {uuid.uuid4().hex}" for name in WRITES}
    began = time.monotonic()
    outcomes = await asyncio.gather(
        *(noted(desk, f"psa_{n}:{ticket}", text) for n, text in enumerate(texts.values()))
    )
    assert time.monotonic() - began < LIMIT_S
    there = await judge.said(ticket)
    for n, (name, outcome) in enumerate(zip(WRITES, outcomes, strict=True)):
        write = WRITES[name]
        assert (outcome.state in write.states, there[texts[name]]) == (True, write.there), (name, outcome)
        if outcome.state is not State.DONE:
            said_well(outcome.failure, set(Reason), f"psa_{n}")
    await judge.aclose()


async def test_a_cut_at_any_byte_of_the_request_or_the_answer_leaves_no_false_word(
    box: Box, psa: Crowd
) -> None:
    cuts = range(0, 720, 120)
    faults = [Fault(request_bytes=n) for n in cuts] + [Fault(answer_bytes=n) for n in cuts]

    def once(fault: Fault) -> Rule:
        hits = iter([fault])

        def rule(seen: Seen) -> Fault:
            return next(hits, PASS) if seen.method == "POST" else PASS

        return rule

    judge, desk = CwJudge(box), await psa.desk([once(fault) for fault in faults], 20.0)
    ticket, performer = await judge.new_ticket("cut at any byte"), Performer(desk)
    for n, fault in enumerate(faults):
        text = f"cut {n}"
        outcome = await noted(desk, f"psa_{n}:{ticket}", text)
        there = (await judge.said(ticket))[text]
        assert (outcome.state, there) in {(State.DONE, 1), (State.UNCERTAIN, 0)}, fault
        if outcome.state is State.UNCERTAIN:
            [left] = desk.store.intents.uncertain(f"psa_{n}")
            assert (await performer.retry(left.intent_id)).state is State.DONE
        assert (await judge.said(ticket))[text] == 1
    await judge.aclose()


async def test_an_earlier_note_of_the_same_words_is_not_taken_for_one_that_was_lost(
    box: Box, psa: Crowd
) -> None:
    judge, desk = CwJudge(box), await psa.desk([lambda _seen: PASS])
    ref = f"psa_0:{await judge.new_ticket('twice')}"
    assert (await noted(desk, ref, "rang again")).state is State.DONE
    psa.proxies[0].rule = only_posts(Fault(acts=False, request_bytes=0))
    assert (await noted(desk, ref, "rang again")).state is State.UNCERTAIN
    assert (await judge.said(ref.partition(":")[2]))["rang again"] == 1
    await judge.aclose()


async def opened(desk: Desk, client: str, summary: str) -> Outcome:
    new = Plan("new", Risk.ROUTINE, (NewTicket("psa_0", client, summary),), ())
    [result] = await Performer(desk).perform(new, Consent(plan_hash=new.hash))
    return result.outcome


async def test_an_older_ticket_of_the_same_summary_is_not_taken_for_one_that_was_lost(
    box: Box, psa: Crowd
) -> None:
    judge, desk = CwJudge(box), await psa.desk([lambda _seen: PASS])
    client, summary = await judge.touch_an_old_one()
    psa.proxies[0].rule = only_posts(Fault(acts=False, request_bytes=0))
    lost = await opened(desk, client, summary)
    assert (lost.state, lost.created_ref) == (State.UNCERTAIN, None)
    psa.proxies[0].rule = only_posts(Fault(answer=http("201 Created", b'{"id":')))
    found = await opened(desk, client, f"{summary} again")
    assert found.state is State.DONE, "found by its summary, though the answer was cut"
    await judge.aclose()
