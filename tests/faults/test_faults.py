"""Each fault of a network between us and a real RT: a sentence with a reason, in time, and nobody else hurt."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
import uuid
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from mspterm.config.model import Config
from mspterm.desk.desk import Desk
from mspterm.desk.perform import Performer
from mspterm.desk.sync import Sync
from mspterm.domain.action import Consent, State
from mspterm.domain.reasons import Failure, Reason
from tests.conftest import LabRt
from tests.faults.lab import Judge
from tests.faults.life import desk_for, plan
from tests.faults.proxy import PASS, Fault, Proxy, Seen, http, proxied
from tests.faults.weather import ELSEWHERE, LOGIN_PAGE, STORM

pytestmark = [pytest.mark.live, pytest.mark.slow]
TIMEOUT_S = 0.7
LIMIT_S = 12.0
"""A read may be tried three times, each for three times its timeout, with waits in between."""
MIB = 1 << 20


def bomb() -> bytes:
    """Two gigabytes of zeros in two megabytes: blocks that repeat, as each begins anew."""
    deflate, zeros = zlib.compressobj(9, zlib.DEFLATED, 31), bytes(MIB)
    first = deflate.compress(zeros) + deflate.flush(zlib.Z_FULL_FLUSH)
    block = deflate.compress(zeros) + deflate.flush(zlib.Z_FULL_FLUSH)
    return http("200 OK", first + block * 2047, Content_Encoding="gzip")


def endless() -> Fault:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + b'{"items":['
    return Fault(acts=False, answer=head, endless=b'{"id":1},' * 8000)


UTF_16 = http("200 OK", '{"items":[{"Subject":"Café"}]}'.encode("utf-16"))
READS: dict[str, tuple[Callable[[], Fault], set[Reason]]] = {
    "refused": (lambda: Fault(acts=False, request_bytes=0), {Reason.OFFLINE}),
    "request cut": (lambda: Fault(request_bytes=40), {Reason.OFFLINE}),
    "reset after it acted": (lambda: Fault(answer_bytes=0), {Reason.OFFLINE}),
    "answer cut in its head": (lambda: Fault(answer_bytes=30), {Reason.OFFLINE}),
    "answer cut in its body": (lambda: Fault(answer_bytes=400), {Reason.OFFLINE, Reason.BAD_DATA}),
    "no answer": (lambda: Fault(hangs=True), {Reason.OFFLINE}),
    "dripping": (lambda: Fault(drip_s=0.02), {Reason.OFFLINE}),
    "429 storm": (lambda: Fault(acts=False, answer=STORM), {Reason.RATE_LIMIT}),
    "429 until tomorrow": (
        lambda: Fault(acts=False, answer=http("429 Too Many", b"", Retry_After="86400")), {Reason.RATE_LIMIT},
    ),
    "502": (lambda: Fault(acts=False, answer=http("502 Bad Gateway", b"<html>")), {Reason.SERVER}),
    "a web page": (lambda: Fault(acts=False, answer=LOGIN_PAGE), {Reason.BAD_DATA}),
    "redirect elsewhere": (lambda: Fault(acts=False, answer=ELSEWHERE), {Reason.BAD_DATA}),
    "truncated JSON": (lambda: Fault(acts=False, answer=http("200 OK", b'{"items":[{"id":1')), {Reason.BAD_DATA}),
    "endless JSON": (endless, {Reason.BAD_DATA, Reason.OFFLINE}),
    "another charset": (lambda: Fault(acts=False, answer=UTF_16), {Reason.BAD_DATA}),
    "compression bomb": (lambda: Fault(acts=False, answer=bomb()), {Reason.BAD_DATA}),
    "not HTTP": (lambda: Fault(acts=False, answer=b"SSH-2.0-OpenSSH_9.2\r\n"), {Reason.OFFLINE}),
}  # fmt: skip


@pytest.fixture
async def judge(lab_rt: LabRt) -> AsyncIterator[Judge]:
    made = Judge(lab_rt.url, lab_rt.tokens["ines"])
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
    made = desk_for(tmp_path, url, lab_rt.tokens["ines"], timeout_s)
    rt = made.config.connections["rt"]
    near = replace(rt, name="near", url=lab_rt.url, timeout_s=20.0)
    made.config = Config(connections={"rt": rt, "near": near})
    made.credentials._env = {
        **made.credentials._env,
        "MSPTERM_SECRET_NEAR_TOKEN": lab_rt.tokens["ines"],
    }
    yield made
    await made.aclose()


def said_well(failure: Failure | None, reasons: set[Reason], name: str) -> None:
    assert failure is not None
    assert failure.reason in reasons, failure
    assert failure.sentence.endswith(".")
    assert name in failure.sentence
    assert "Traceback" not in failure.sentence
    assert "token" not in failure.sentence.lower()


@pytest.mark.parametrize("name", READS)
async def test_a_read_meets_each_fault_with_a_reason_in_time_and_alone(
    tmp_path: Path, lab_rt: LabRt, proxy: Proxy, name: str, ticket: str
) -> None:
    make, reasons = READS[name]
    fault = make()
    proxy.rule = lambda _seen: fault
    async with desk(tmp_path, proxy.url, lab_rt) as made:
        sync = Sync(made)

        async def near(made: Desk) -> str:
            return (await (await made.connector("near")).ticket(ticket)).ticket.id

        tracemalloc.start()
        began = time.monotonic()
        failure, other = await asyncio.gather(sync.once("rt"), near(made))
        spent, peak = time.monotonic() - began, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert other == ticket
        said_well(failure, reasons, "rt")
        assert made.store.connections.get("rt").failure == failure
        assert spent < LIMIT_S
        assert peak < 120 * MIB, f"{peak >> 20} MiB"


WRITES: dict[str, tuple[Fault, State, int]] = {
    "refused": (Fault(acts=False, request_bytes=0), State.UNCERTAIN, 0),
    "request cut": (Fault(request_bytes=250), State.UNCERTAIN, 0),
    "reset after it acted": (Fault(answer_bytes=0), State.DONE, 1),
    "answer cut": (Fault(answer_bytes=100), State.DONE, 1),
    "no answer": (Fault(hangs=True), State.DONE, 1),
    "502 after it acted": (Fault(answer=http("502 Bad Gateway", b"")), State.DONE, 1),
    "a web page after it acted": (Fault(answer=LOGIN_PAGE), State.DONE, 1),
    "redirect after it acted": (Fault(answer=ELSEWHERE), State.DONE, 1),
    "429": (Fault(acts=False, answer=http("429 Too Many", b"", Retry_After="1")), State.QUEUED, 0),
    "503": (Fault(acts=False, answer=http("503 Unavailable", b"")), State.QUEUED, 0),
    "403": (Fault(acts=False, answer=http("403 Forbidden", b"")), State.FAILED, 0),
}


@pytest.mark.parametrize("name", WRITES)
async def test_a_note_meets_each_fault_and_its_outcome_is_true(
    tmp_path: Path, lab_rt: LabRt, proxy: Proxy, judge: Judge, name: str
) -> None:
    """The POST alone is hit; what is read after it to prove it passes."""
    fault, state, there = WRITES[name]
    proxy.rule = lambda seen: fault if seen.method == "POST" else PASS
    ticket, text = await judge.new_ticket(f"fault {name}"), f"{name} {uuid.uuid4().hex}"
    async with desk(tmp_path, proxy.url, lab_rt) as made:
        note = plan({"do": "note", "ref": f"rt:{ticket}", "text": text})
        began = time.monotonic()
        [result] = await Performer(made).perform(note, Consent(plan_hash=note.hash))
        assert time.monotonic() - began < LIMIT_S
        assert result.outcome.state is state, result.outcome
        if state is not State.DONE:
            said_well(result.outcome.failure, set(Reason), "rt")
        assert (await judge.said(ticket))[text] == there
    await judge.resolve(ticket)


async def test_a_cut_at_any_byte_of_the_request_or_the_answer_leaves_no_false_word(
    tmp_path: Path, lab_rt: LabRt, proxy: Proxy, judge: Judge
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
