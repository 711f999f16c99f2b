"""Feeds into the store: runs, generations, back-off, leases and what the outbox held back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from mspterm.connectors.base import Batch
from mspterm.desk.desk import Desk
from mspterm.domain.match import match
from mspterm.domain.reasons import Failed, Failure, Reason

RECONCILE = timedelta(minutes=5)
LEASE_S = 30.0
LONGEST_WAIT_S = 60.0
CHUNK = 50
PROMPT = timedelta(seconds=5)


@dataclass(slots=True)
class _Run:
    """One run of a feed: its generation, when it began, and what it couldn't read."""

    number: int
    started: datetime
    skipped: list[tuple[str, str]] = field(default_factory=list)
    touched: bool = False


class Sync:
    """Keeps the store up to date. One per process; `changed` is called after every stored batch."""

    def __init__(self, desk: Desk, *, changed: Callable[[], None] = lambda: None) -> None:
        self._desk = desk
        self._changed = changed
        self._owner = f"{os.getpid()}-{random.randrange(16**8):08x}"
        self._kick: dict[str, asyncio.Event] = {}
        self.flush: Callable[[str], object] | None = None

    def poll_s(self, name: str) -> float:
        """Seconds between two looks: the configured ones, else the connector's."""
        return self._desk.connection(name).poll_s or self._desk.manifest(name).poll_s

    def fresh(self, name: str) -> bool:
        """Whether the store is younger than one interval and the last look succeeded."""
        state = self._desk.store.connections.get(name)
        if state.failure is not None or state.checked_at is None:
            return False
        return self._desk.now() - state.checked_at < timedelta(seconds=self.poll_s(name))

    def held_elsewhere(self, name: str) -> bool:
        """Whether another process of this user polls this connection."""
        return (
            self._desk.store.connections.lease(f"poll:{name}", self._owner, self._desk.now(), LEASE_S) is None
        )

    def release(self, name: str) -> None:
        self._desk.store.connections.release(f"poll:{name}", self._owner)

    async def once(self, name: str, *, full: bool = False) -> Failure | None:
        """One run, until caught up. The failure is returned and stored; the last data stays."""
        try:
            async with contextlib.aclosing(self._runs(name, full=full)) as runs:
                async for _ in runs:
                    break
        except Failed as error:
            await self._failed(name, error.failure)
            return error.failure
        return None

    async def follow(self, name: str) -> None:
        """Runs for ever: a poll every interval or a push feed kept open, with back-off on failure."""
        kick = self._kick.setdefault(name, asyncio.Event())
        failures = 0
        while True:
            if self.held_elsewhere(name):
                await self._pause(kick, LEASE_S / 3)
                continue
            try:
                async with contextlib.aclosing(self._runs(name)) as runs:
                    async for _ in runs:
                        failures = 0
                        self._changed()
                wait = self.poll_s(name)
            except Failed as error:
                failures += 1
                wait = self._wait(error.failure, failures)
                later = self._desk.now() + timedelta(seconds=wait)
                await self._failed(name, replace(error.failure, retry_at=later))
                self._changed()
            await self._pause(kick, wait)

    def kick(self, name: str) -> None:
        """Look now rather than at the end of the interval or of the back-off."""
        self._kick.setdefault(name, asyncio.Event()).set()

    async def _pause(self, kick: asyncio.Event, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(kick.wait(), seconds)
        kick.clear()

    def _wait(self, failure: Failure, failures: int) -> float:
        if failure.retry_at is not None:
            asked = (failure.retry_at - self._desk.now()).total_seconds()
            return max(1.0, min(asked, 3600.0))
        longest = min(LONGEST_WAIT_S, 2.0**failures)
        return random.uniform(longest / 2, longest)

    async def _failed(self, name: str, failure: Failure) -> None:
        if failure.reason is Reason.AUTH:
            await self._desk.forget(name)
        self._desk.store.connections.failed(name, failure, self._desk.now())

    async def _runs(self, name: str, *, full: bool = False) -> AsyncGenerator[None, None]:
        """Yields each time the store is up to date with the connection."""
        store, now = self._desk.store, self._desk.now
        connector = await self._desk.connector(name)
        state = store.connections.get(name)
        full = full or state.full_at is None or now() - state.full_at >= RECONCILE or connector.manifest.push

        def known() -> Mapping[str, datetime]:
            return store.tickets.known(name)

        run = _Run(store.connections.next_run(name) if full else state.run, now())
        async with contextlib.aclosing(connector.feed(state.cursor, full=full, known=known)) as feed:
            async for batch in self._alive(name, feed):
                await self._store(name, run, batch)
                if batch.cursor is not None:
                    self._caught_up(name, run, batch)
                    await self._flush(name)
                    yield
                elif batch.devices or batch.gone:
                    self._changed()

    async def _alive(self, name: str, feed: AsyncGenerator[Batch, None]) -> AsyncGenerator[Batch, None]:
        """The feed's batches; while it is silent the lease and the age are kept up."""
        while True:
            coming = asyncio.ensure_future(anext(feed, None))
            try:
                while not (await asyncio.wait({coming}, timeout=LEASE_S / 3))[0]:
                    self.held_elsewhere(name)
                    state = self._desk.store.connections.get(name)
                    if (
                        self._desk.manifest(name).push
                        and state.failure is None
                        and state.checked_at is not None
                    ):
                        self._desk.store.connections.caught_up(
                            name, self._desk.now(), None, full=False, skipped=None
                        )
            finally:
                if not coming.done():
                    coming.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await coming
            batch = coming.result()
            if batch is None:
                return
            yield batch

    async def _store(self, name: str, run: _Run, batch: Batch) -> None:
        store, desk = self._desk.store, self._desk
        run.touched = run.touched or bool(batch.assets or batch.devices)
        store.devices.upsert_assets(batch.assets, run=run.number)
        for start in range(0, len(batch.tickets), CHUNK):
            some = batch.tickets[start : start + CHUNK]
            store.tickets.upsert(some, run=run.number, finish=desk.finished)
            await asyncio.sleep(0)
        for start in range(0, len(batch.devices), CHUNK):
            store.devices.upsert(batch.devices[start : start + CHUNK], run=run.number)
            await asyncio.sleep(0)
        if batch.alerts:
            store.devices.upsert_alerts(batch.alerts, run=run.number)
        if batch.present:
            store.tickets.seen(batch.present, run=run.number)
        if batch.gone:
            store.tickets.gone(batch.gone)
            store.devices.gone(batch.gone)
        run.skipped += [(s.id, s.why) for s in batch.skipped]
        # What can't be read now is still there: its last known row stays.
        store.tickets.seen([f"{name}:{s.id}" for s in batch.skipped], run=run.number)
        # A run that took long says when it began: that is no clock to compare with.
        if batch.server_date is not None and desk.now() - run.started < PROMPT:
            store.connections.skewed(name, (batch.server_date - desk.now()).total_seconds())

    def _caught_up(self, name: str, run: _Run, batch: Batch) -> None:
        store = self._desk.store
        if batch.full:
            store.tickets.retire(name, before_run=run.number, started=run.started)
            store.devices.retire(name, before_run=run.number)
        if run.touched:
            relink(self._desk)
            run.touched = False
        skipped = run.skipped if batch.full else None
        store.connections.caught_up(name, self._desk.now(), batch.cursor, full=batch.full, skipped=skipped)

    async def _flush(self, name: str) -> None:
        if self.flush is not None:
            done = self.flush(name)
            if asyncio.iscoroutine(done):
                await done


def relink(desk: Desk) -> None:
    """Ties assets to devices anew and names them on their tickets."""
    store = desk.store
    assets, devices = store.devices.asset_keys(), store.devices.keys()
    if assets:
        store.devices.tie(match(assets, devices, desk.client_key))
        store.tickets.name_devices()
