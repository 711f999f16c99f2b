"""What a bad night's network does to requests, drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

from tests.faults.proxy import PASS, Fault, Rule, Seen, http

LOGIN_PAGE = http("200 OK", b"<html><title>Welcome to HotelWifi</title>", "text/html")
STORM = http("429 Too Many Requests", b"", Retry_After="1")
ELSEWHERE = http("302 Found", b"", Location="http://127.0.0.1:9/REST/2.0/ticket/1")

Draw = Callable[[random.Random, Callable[[], Awaitable[None]]], Fault]
FAULTS: dict[str, Draw] = {
    "refused": lambda rng, kill: Fault(acts=False, request_bytes=0),
    "request cut": lambda rng, kill: Fault(request_bytes=rng.randrange(1, 700)),
    "reset after it acted": lambda rng, kill: Fault(answer_bytes=0),
    "answer cut": lambda rng, kill: Fault(answer_bytes=rng.randrange(1, 900)),
    "no answer": lambda rng, kill: Fault(hangs=True, acts=rng.random() < 0.7),
    "slow": lambda rng, kill: Fault(delay_s=rng.random() / 4),
    "429": lambda rng, kill: Fault(acts=False, answer=STORM),
    "502 after it acted": lambda rng, kill: Fault(answer=http("502 Bad Gateway", b"<html>")),
    "503": lambda rng, kill: Fault(acts=False, answer=http("503 Unavailable", b"")),
    "a web page": lambda rng, kill: Fault(acts=rng.random() < 0.5, answer=LOGIN_PAGE),
    "redirect elsewhere": lambda rng, kill: Fault(acts=rng.random() < 0.5, answer=ELSEWHERE),
    "another charset": lambda rng, kill: Fault(answer=http("200 OK", '{"a":"\xe9"}'.encode("latin-1"))),
    "truncated JSON": lambda rng, kill: Fault(answer=http("200 OK", b'{"items":[{"id":')),
    "killed before": lambda rng, kill: Fault(acts=False, then=kill, hangs=True),
    "killed after": lambda rng, kill: Fault(then=kill, hangs=True),
}


def weather(seed: str, often: float, kill: Callable[[], Awaitable[None]]) -> Rule:
    """A rule that lets most requests pass, and does one of the faults to the others."""
    rng = random.Random(seed)
    names = sorted(FAULTS)

    def rule(_seen: Seen) -> Fault:
        return FAULTS[rng.choice(names)](rng, kill) if rng.random() < often else PASS

    return rule
