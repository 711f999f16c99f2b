"""Each tenant's budget of calls, shared through the store, and the waits that servers ask for."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from mspterm.config.model import Connection
from mspterm.domain import budget
from mspterm.domain.budget import CallClass, Ledger, Limit
from mspterm.domain.reasons import Failed, Failure, Reason
from mspterm.store.store import Store, StoreError

PATIENCE_S: dict[CallClass, float] = {"interactive": 5.0, "action": 15.0, "poll": 60.0, "prefetch": 0.0}
"""How long a call of each class waits for its turn before it is given up with the time to come back."""
HOLD_PATIENCE_S = 2.0
ALONE = 0.25
"""The part of the limit that one process takes while the store can't be written."""
_OF_TENANT = ("company", "tenant")
"""Settings that tell apart the tenants of one host."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A tenant's budget by now. `limit` None: none is published. `most` calls may go in a window, None
    where they aren't counted; `used` by class; `held_until` where the server asked us to wait."""

    limit: Limit | None
    most: int | None
    used: dict[CallClass, int]
    rate: float
    held_until: datetime | None


def tenant(connection: Connection) -> str:
    """Whose budget a connection's calls are of: two connections to one tenant share it."""
    host = urlsplit(connection.url).netloc or connection.settings.get("username") or connection.name
    parts = (connection.kind, host, *(connection.settings.get(name, "") for name in _OF_TENANT))
    return " ".join(part for part in parts if part)


class SharedPacer:
    """Every call of every process of the user asks here first. `ticks` is the host's monotonic clock,
    which all its processes share; `limit_of` a connection's published limit."""

    def __init__(
        self,
        store: Store,
        now: Callable[[], datetime],
        of: Callable[[str], tuple[str, Limit | None]],
        *,
        ticks: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store, self._now, self._of = store, now, of
        self._ticks, self._sleep = ticks, sleep
        self._own: dict[str, Ledger] = {}

    async def turn(self, connection: str, kind: CallClass) -> None:
        began = self._ticks()
        # Asked again after each wait: the call that came free may be another process's by then.
        while (wait := self._ask(connection, kind)) > 0:
            patience = HOLD_PATIENCE_S if self._held(connection) > 0 else PATIENCE_S[kind]
            if self._ticks() - began + wait > patience:
                raise Failed(self._refusal(connection, kind, wait))
            await self._sleep(wait)

    def _ask(self, connection: str, kind: CallClass) -> float:
        """Seconds to wait; 0 where the call may go, which is then counted."""
        tenant, limit = self._of(connection)
        ledger = self._ledger(tenant)
        # Nothing is counted there, so nothing is written: such a call costs one read.
        if budget.in_force(ledger, limit) is None:
            return max(0.0, ledger.hold - ledger.at)
        wait = 0.0

        def take(ledger: Ledger) -> Ledger | None:
            nonlocal wait
            now = self._ticks()
            # The ledger inside the transaction counts: the one above may be spent by another already.
            ledger = budget.settled(ledger, now)
            wait = budget.wait(ledger, limit, kind, now)
            return None if wait > 0 else budget.spend(ledger, limit, kind, now)

        try:
            self._store.budgets.change(tenant, take)
        except StoreError:
            # A full disk must not keep anybody from looking: this process counts for itself, and takes
            # little, since others may do the same.
            own = self._own.get(tenant) or self._ledger(tenant)
            self._own[tenant] = take(replace(own, rate=min(own.rate, ALONE))) or own
        return wait

    def limited(self, connection: str, until: datetime) -> None:
        self._brake(connection, max(0.0, (until - self._now()).total_seconds()))

    # A 429 that names no time: the rate is halved all the same, and nothing held back.
    def throttled(self, connection: str) -> None:
        self._brake(connection, 0.0)

    def _brake(self, connection: str, hold_s: float) -> None:
        def brake(ledger: Ledger) -> Ledger:
            now = self._ticks()
            return budget.braked(budget.settled(ledger, now), now, hold_s)

        # The answer that asked for it must get through to whoever waits for it.
        with contextlib.suppress(StoreError):
            self._store.budgets.change(self._of(connection)[0], brake)

    def standing(self, connection: str) -> Standing:
        """What there is to show of it."""
        tenant, limit = self._of(connection)
        ledger = self._ledger(tenant)
        force = budget.in_force(ledger, limit)
        most = None if force is None else budget.allowance(ledger, force)
        held = self._at(ledger.hold - ledger.at) if ledger.hold > ledger.at else None
        return Standing(limit, most, budget.used(ledger), ledger.rate, held)

    def _held(self, connection: str) -> float:
        ledger = self._ledger(self._of(connection)[0])
        return ledger.hold - ledger.at

    def _ledger(self, tenant: str) -> Ledger:
        known = self._store.budgets.get(tenant)
        ledger = budget.settled(known, self._ticks())
        if known.at > ledger.at:
            # The clock began anew: were that not kept, nothing would ever grow old from here on.
            with contextlib.suppress(StoreError):
                self._store.budgets.change(tenant, lambda latest: budget.settled(latest, self._ticks()))
        return ledger

    def _at(self, seconds: float) -> datetime:
        return self._now() + timedelta(seconds=seconds)

    def _refusal(self, connection: str, kind: CallClass, wait: float) -> Failure:
        until = self._at(wait)
        at = f"{until:%H:%M:%S} UTC"
        if self._held(connection) > 0:
            sentence = f"{connection} asked us to wait until {at}; nothing is sent before that."
        else:
            most = self.standing(connection).most
            sentence = f"The budget of {connection} ({most} calls) has no {kind} call left before {at}."
        return Failure(Reason.RATE_LIMIT, sentence, connection, until)


def said(standing: Standing) -> str:
    """A budget in a sentence."""
    limit = standing.limit
    if limit is None:
        text = "No limit is published for its API, so calls are not counted"
    else:
        text = (
            f"Its limit is {limit.calls:,} calls in {_span(limit.per_s)}, of which we take {limit.take:.0%}"
        )
    if standing.most is not None:
        used = ", ".join(f"{kind} {n}" for kind, n in standing.used.items() if n)
        text += (
            f"; used {sum(standing.used.values())} of {standing.most} {f'({used})' if used else ''}".rstrip()
        )
    if standing.rate < 1:
        text += f"; after it said it had too many, down to {standing.rate:.0%} and rising"
    if standing.held_until is not None:
        text += f"; nothing is sent before {standing.held_until.astimezone():%H:%M:%S}, as it asked"
    return f"{text}."


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
