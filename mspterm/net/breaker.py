"""An endpoint that keeps failing is left alone for a while; one call then tries whether it is back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from mspterm.domain.reasons import Failed, Failure, Reason
from mspterm.net.pacer import CallClass

FAILURES = 5
"""So many in a row, each with its own retries, and further calls fail at once."""
COOL_S = 30.0
PERSON_COOL_S = 5.0
"""A person who waits, or a write, may be the one that tries a good deal sooner."""
_COUNTS = (Reason.OFFLINE, Reason.SERVER)
"""Any other answer shows that the endpoint works."""


@dataclass(slots=True)
class _Ill:
    times: int
    last: Failure
    tried: datetime


class Breaker:
    """One connection's endpoints, each known by method and path template."""

    def __init__(self, name: str, now: Callable[[], datetime]) -> None:
        self._name, self._now = name, now
        self._ill: dict[str, _Ill] = {}

    @contextmanager
    def guarding(self, endpoint: str, kind: CallClass) -> Iterator[None]:
        """Around one call. Raises Failed, before anything is sent, while the endpoint is left alone."""
        self._check(endpoint, kind)
        try:
            yield
        # Nothing else counts: a caller that is cancelled says nothing about the server.
        except Failed as error:
            self._failed(endpoint, error.failure)
            raise
        self._ill.pop(endpoint, None)

    def _check(self, endpoint: str, kind: CallClass) -> None:
        ill = self._ill.get(endpoint)
        if ill is None or ill.times < FAILURES:
            return
        cool = timedelta(seconds=PERSON_COOL_S if kind in ("interactive", "action") else COOL_S)
        now, until = self._now(), ill.tried + cool
        # The lower bound too: a clock that is set back would keep the endpoint shut for as long as its step.
        if ill.tried <= now < until:
            sentence = (
                f"{self._name} has failed {ill.times} times in a row at {endpoint}, so it is left alone until "
                f"{until:%H:%M:%S} UTC. The last time: {ill.last.sentence}"
            )
            raise Failed(Failure(ill.last.reason, sentence, self._name, until))
        # This one tries; who comes meanwhile is told to wait for what it finds.
        ill.tried = now

    def _failed(self, endpoint: str, failure: Failure) -> None:
        if failure.reason in _COUNTS:
            times = self._ill[endpoint].times if endpoint in self._ill else 0
            self._ill[endpoint] = _Ill(times + 1, failure, self._now())
        # A 429 shows neither that it works nor that it is broken: it is the pacer's, and the count stays.
        elif failure.reason is not Reason.RATE_LIMIT:
            self._ill.pop(endpoint, None)
