"""Every fault of a network as the tests do it, and what may be said of each."""

from __future__ import annotations

import sys
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mspterm.domain.action import State
from mspterm.domain.reasons import Failure, Reason
from tests.faults.proxy import Fault, http
from tests.faults.weather import ELSEWHERE, LOGIN_PAGE, STORM

MIB = 1 << 20
MOST = 120 * MIB
"""What two gigabytes may cost here: an answer's cap, its parts put together, and its rows."""
LIMIT_S = 12.0
"""A read may be tried three times, each for three times its timeout, with waits in between."""


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
UNTIL_TOMORROW = http("429 Too Many", b"", Retry_After="86400")
READS: dict[str, tuple[Callable[[], Fault], set[Reason]]] = {
    "refused": (lambda: Fault(acts=False, request_bytes=0), {Reason.OFFLINE}),
    "request cut": (lambda: Fault(request_bytes=40), {Reason.OFFLINE}),
    "reset after it acted": (lambda: Fault(answer_bytes=0), {Reason.OFFLINE}),
    "answer cut in its head": (lambda: Fault(answer_bytes=30), {Reason.OFFLINE}),
    "answer cut in its body": (lambda: Fault(answer_bytes=250), {Reason.OFFLINE, Reason.BAD_DATA}),
    "no answer": (lambda: Fault(hangs=True), {Reason.OFFLINE}),
    "dripping": (lambda: Fault(drip_s=0.02), {Reason.OFFLINE}),
    "429 storm": (lambda: Fault(acts=False, answer=STORM), {Reason.RATE_LIMIT}),
    "429 until tomorrow": (lambda: Fault(acts=False, answer=UNTIL_TOMORROW), {Reason.RATE_LIMIT}),
    "502": (lambda: Fault(acts=False, answer=http("502 Bad Gateway", b"<html>")), {Reason.SERVER}),
    "a web page": (lambda: Fault(acts=False, answer=LOGIN_PAGE), {Reason.BAD_DATA}),
    "redirect elsewhere": (lambda: Fault(acts=False, answer=ELSEWHERE), {Reason.BAD_DATA}),
    "truncated JSON": (lambda: Fault(acts=False, answer=http("200 OK", b'{"items":[{"id":1')), {Reason.BAD_DATA}),
    "another charset": (lambda: Fault(acts=False, answer=UTF_16), {Reason.BAD_DATA}),
    "not HTTP": (lambda: Fault(acts=False, answer=b"SSH-2.0-OpenSSH_9.2\r\n"), {Reason.OFFLINE}),
}  # fmt: skip
HUGE: dict[str, tuple[Callable[[], Fault], set[Reason]]] = {
    "endless JSON": (endless, {Reason.BAD_DATA, Reason.OFFLINE}),
    "compression bomb": (lambda: Fault(acts=False, answer=bomb()), {Reason.BAD_DATA}),
}


@dataclass(frozen=True, slots=True)
class Write:
    """A fault on a POST: what may become of the note, and how often it is there."""

    fault: Fault
    states: tuple[State, ...]
    there: int


WRITES: dict[str, Write] = {
    "refused": Write(Fault(acts=False, request_bytes=0), (State.UNCERTAIN,), 0),
    "request cut": Write(Fault(request_bytes=250), (State.UNCERTAIN,), 0),
    "reset after it acted": Write(Fault(answer_bytes=0), (State.DONE,), 1),
    "answer cut": Write(Fault(answer_bytes=100), (State.DONE,), 1),
    "no answer": Write(Fault(hangs=True), (State.DONE,), 1),
    "502 after it acted": Write(Fault(answer=http("502 Bad Gateway", b"")), (State.DONE,), 1),
    "a web page after it acted": Write(Fault(answer=LOGIN_PAGE), (State.DONE,), 1),
    "truncated JSON after it acted": Write(Fault(answer=http("201 Created", b'{"id":')), (State.DONE,), 1),
    "another charset after it acted": Write(Fault(answer=UTF_16), (State.DONE,), 1),
    "redirect after it acted": Write(Fault(answer=ELSEWHERE), (State.DONE,), 1),
    "a web page instead": Write(Fault(acts=False, answer=LOGIN_PAGE), (State.UNCERTAIN, State.FAILED), 0),
    "429": Write(Fault(acts=False, answer=STORM), (State.QUEUED,), 0),
    "503": Write(Fault(acts=False, answer=http("503 Unavailable", b"")), (State.QUEUED,), 0),
    "403": Write(Fault(acts=False, answer=http("403 Forbidden", b"")), (State.FAILED,), 0),
}


def said_well(failure: Failure | None, reasons: set[Reason], name: str) -> None:
    """A reason, one sentence that names the connection, and nothing of ours or secret in it."""
    assert failure is not None
    assert failure.reason in reasons, failure
    assert failure.sentence.endswith(".")
    assert name in failure.sentence
    assert "Traceback" not in failure.sentence
    assert "token" not in failure.sentence.lower()


@contextmanager
def bounded(most: int = MOST) -> Iterator[None]:
    """What is done in the block adds no more than `most` bytes to the process at any time."""
    if sys.platform != "linux":
        tracemalloc.start()
        yield
        grown = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    else:
        before = _memory("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        yield
        grown = _memory("VmHWM") - before
    assert grown < most, f"{grown >> 20} MiB"


def _memory(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
