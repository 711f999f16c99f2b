"""Feeds into the store: runs, generations, back-off, leases and what the outbox held back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from mspterm.connectors.base import Batch
from mspterm.desk.desk import Desk
from mspterm.desk.linking import Linking
from mspterm.desk.poll_lease import LEASE_S, PollLease
from mspterm.domain.reasons import Failed, Failure, Reason, failed
from mspterm.store.store import StoreError

log = logging.getLogger(__name__)

RECONCILE = timedelta(minutes=5)
LONGEST_WAIT_S = 60.0
LONGEST_ASKED_S = 3600.0
"""The longest wait that a server's Retry-After gets."""
SHARED_S = 30.0
"""How long a verb waits for another process's run of the same connection."""
LOOK_S = 0.1
CHUNK = 50
PROMPT = timedelta(seconds=5)
STEP = timedelta(seconds=1)


@dataclass(slots=True)
class _Run:
    """One run of a feed: its generation, the lease's fencing number, when it began, what came of it."""

    number: int
    fence: int
    started: datetime
    read: set[str] = field(default_factory=set)
    skipped: dict[str, str] = field(default_factory=dict)


class Sync:
    """Keeps the store up to date. One per process; `changed` is called after every stored batch.

    Of the user's consoles one leads: it reads a connection when that is due. The others, and verbs, have
    what it read, and step in where it is late by a whole interval. Each run is made under a lease.
    """

    def __init__(self, desk: Desk, *, changed: Callable[[], None] = lambda: None) -> None:
        self._desk = desk
        self._changed = changed
        self._lease = PollLease(desk)
        self._linking = Linking(desk)
        self._kick: dict[str, asyncio.Event] = {}
        self.flush: Callable[[str], object] | None = None

    def poll_s(self, name: str) -> float:
        """Seconds between two looks: the configured ones, else the connector's."""
        return self._desk.connection(name).poll_s or self._desk.manifest(name).poll_s

    def fresh(self, name: str) -> bool:
        """Whether the last look succeeded and is younger than one interval, or where a console sees to
        the connection anyway, than two."""
        state = self._desk.store.connections.get(name)
        if state.failure is not None or state.checked_at is None:
            return False
        # A clock that was set back must not keep it fresh for as long.
        age = self._desk.now() - state.checked_at
        return -STEP < age < timedelta(seconds=self.poll_s(name) * (1 + self._lease.led(name)))

    def led(self, name: str) -> bool:
        """Whether another console of this user sees to this connection."""
        return self._lease.led(name)

    def release(self, name: str) -> None:
        self._lease.leave(name)

    async def once(self, name: str, *, full: bool = False) -> Failure | None:
        """One run, until caught up. The failure is returned and stored; the last data stays.

        Where another process is at it, its run is waited for and shared.
        """
        try:
            with self._storing(name):
                return await self._once(name, full=full)
        except Failed as error:
            await self._failed(name, error.failure)
            return error.failure

    async def _once(self, name: str, *, full: bool) -> Failure | None:
        fence, waited = await self._turn(name)
        if fence is None:
            sentence = f"{name} is being read by another mspterm, which takes its time; this is as it was."
            return None if self.fresh(name) else Failure(Reason.UNKNOWN, sentence, name)
        try:
            if waited and self.fresh(name):
                return None
            async with contextlib.aclosing(self._runs(name, fence, full=full)) as runs:
                async for _ in runs:
                    break
        finally:
            self._lease.release(name)
        return None

    async def _turn(self, name: str) -> tuple[int | None, bool]:
        """The lease as soon as it is free, and whether that took waiting."""
        waited = 0.0
        while (fence := self._lease.take(name)) is None and waited < SHARED_S:
            await asyncio.sleep(LOOK_S)
            waited += LOOK_S
            if self.fresh(name):
                break
        return fence, waited > 0

    async def follow(self, name: str) -> None:
        """Runs for ever: a poll when it is due or a push feed kept open, with back-off on failure."""
        kick = self._kick.setdefault(name, asyncio.Event())
        while True:
            try:
                with self._storing(name):
                    await self._follow(name, kick)
            except Failed as error:
                await self._failed(name, error.failure)
                self._changed()
            await self._pause(kick, LONGEST_WAIT_S)

    async def _follow(self, name: str, kick: asyncio.Event) -> None:
        # Somebody who opens a console wants to see now, and whether it answers at all.
        failures, asked = 0, self._lease.leads(name) or not self.fresh(name)
        while True:
            wait = 0.0 if asked else self._due_in(name)
            fence = None if wait > 0 else self._lease.take(name)
            if fence is None:
                # Who does not lead looks in between whether the one that does still lives.
                most = wait if wait and self._lease.leads(name) else LEASE_S / 3
                asked = await self._pause(kick, min(wait or most, most))
                continue
            try:
                # Another may have been there between the look at the clock and the lease.
                if asked or self._due_in(name) <= 0:
                    with self._storing(name):
                        async with contextlib.aclosing(self._runs(name, fence)) as runs:
                            async for _ in runs:
                                failures = 0
                                self._changed()
                wait = self._due_in(name) or self.poll_s(name)
            except Failed as error:
                failures += 1
                if error.failure.reason is Reason.AUTH:
                    # Another console may have a credential that is good.
                    self._lease.leave(name)
                wait = self._wait(error.failure, failures)
                later = self._desk.now() + timedelta(seconds=wait)
                await self._failed(name, replace(error.failure, retry_at=later))
                self._changed()
            finally:
                self._lease.release(name)
            asked = await self._pause(kick, wait)

    def _due_in(self, name: str) -> float:
        """Seconds until somebody should look; a push feed is wanted open at any time."""
        state, poll_s = self._desk.store.connections.get(name), self.poll_s(name)
        if state.failure is not None:
            due, most = state.failure.retry_at, LONGEST_ASKED_S
        elif state.checked_at is None or self._desk.manifest(name).push:
            return 0.0
        else:
            most = poll_s if self._lease.leads(name) else 2 * poll_s
            due = state.checked_at + timedelta(seconds=most)
        seconds = 0.0 if due is None else (due - self._desk.now()).total_seconds()
        return seconds if 0 < seconds <= most else 0.0

    def kick(self, name: str) -> None:
        """Look now rather than at the end of the interval or of the back-off."""
        self._kick.setdefault(name, asyncio.Event()).set()

    async def _pause(self, kick: asyncio.Event, seconds: float) -> bool:
        """Whether somebody asked for it to end."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(kick.wait(), seconds)
        asked = kick.is_set()
        kick.clear()
        return asked

    def _wait(self, failure: Failure, failures: int) -> float:
        if failure.retry_at is not None:
            asked = (failure.retry_at - self._desk.now()).total_seconds()
            return max(1.0, min(asked, LONGEST_ASKED_S))
        # After a long outage the count of failures is no number for a power.
        longest = min(LONGEST_WAIT_S, 2.0 ** min(failures, 16))
        return random.uniform(longest / 2, longest)

    @contextlib.contextmanager
    def _storing(self, name: str) -> Iterator[None]:
        """A store that can't be written (a full disk) is a failure of the run, and nothing of it is kept."""
        try:
            yield
        except StoreError as error:
            log.error("what %s says can't be stored: %s", name, error)
            path = self._desk.store.database.path
            sentence = (
                f"What {name} says can't be stored in {path} ({error}); make room there, or see its rights."
            )
            raise failed(Reason.REFUSED, sentence, name) from error

    async def _failed(self, name: str, failure: Failure) -> None:
        if failure.reason is Reason.AUTH:
            await self._desk.forget(name)
        # Where the disk is full, that is told by the log and by who asked.
        with contextlib.suppress(StoreError):
            self._desk.store.connections.failed(name, failure, self._desk.now())

    async def _runs(self, name: str, fence: int, *, full: bool = False) -> AsyncGenerator[None, None]:
        """Yields each time the store is up to date with the connection."""
        store, now = self._desk.store, self._desk.now
        connector = await self._desk.connector(name)
        state = store.connections.get(name)
        # A clock that was ahead must not put it off until that time has come.
        due = state.full_at is None or not -STEP < now() - state.full_at < RECONCILE
        full = full or due or connector.manifest.push

        def known() -> Mapping[str, datetime]:
            return store.tickets.known(name)

        run = _Run(store.connections.next_run(name) if full else state.run, fence, now())
        async with contextlib.aclosing(connector.feed(state.cursor, full=full, known=known)) as feed:
            async for batch in self._alive(name, run, feed):
                await self._store(name, run, batch)
                if batch.cursor is not None:
                    if not self._caught_up(name, run, batch):
                        return
                    await self._linking.look()
                    await self._flush(name)
                    yield
                elif batch.tickets or batch.devices or batch.gone:
                    self._changed()

    async def _alive(
        self, name: str, run: _Run, feed: AsyncGenerator[Batch, None]
    ) -> AsyncGenerator[Batch, None]:
        """The feed's batches, for as long as the lease is ours: what comes after another process took
        over is of an old generation. While it is silent the lease and the age are kept up."""
        while True:
            coming = asyncio.ensure_future(anext(feed, None))
            try:
                while not (await asyncio.wait({coming}, timeout=LEASE_S / 3))[0]:
                    if self._lease.take(name) != run.fence:
                        return
                    self._still_open(name)
            finally:
                if not coming.done():
                    coming.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await coming
            batch = coming.result()
            if batch is None or self._lease.take(name) != run.fence:
                return
            yield batch

    def _still_open(self, name: str) -> None:
        """A push feed that is silent tells that nothing happens."""
        connections = self._desk.store.connections
        state = connections.get(name)
        if self._desk.manifest(name).push and state.failure is None and state.checked_at is not None:
            connections.caught_up(name, self._desk.now(), None, full=False, skipped=None)

    async def _store(self, name: str, run: _Run, batch: Batch) -> None:
        store, desk = self._desk.store, self._desk
        for start in range(0, len(batch.assets), CHUNK):
            store.devices.upsert_assets(batch.assets[start : start + CHUNK], run=run.number)
            await asyncio.sleep(0)
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
            store.tickets.gone(batch.gone, asked=run.started)
            store.devices.gone(batch.gone)
        run.read |= {t.id for t in batch.tickets}
        run.skipped |= {s.id: s.why for s in batch.skipped}
        # What can't be read now is still there: its last known row stays.
        store.tickets.seen([f"{name}:{s.id}" for s in batch.skipped], run=run.number)
        # A run that took long says when it began: that is no clock to compare with.
        if batch.server_date is not None and desk.now() - run.started < PROMPT:
            store.connections.skewed(name, (batch.server_date - desk.now()).total_seconds())

    def _caught_up(self, name: str, run: _Run, batch: Batch) -> bool:
        """Writes down that we know all; False where another process has taken over meanwhile."""
        store, now = self._desk.store, self._desk.now()
        with store.database.write():
            if self._lease.take(name) != run.fence:
                return False
            if batch.full:
                store.tickets.retire(name, before_run=run.number, started=run.started)
                store.devices.retire(name, before_run=run.number)
            skipped = self._skipped(name, run, full=batch.full)
            store.connections.caught_up(name, now, batch.cursor, full=batch.full, skipped=skipped)
        if batch.full:
            store.retain(now - timedelta(days=self._desk.config.keep_days), self._desk.bodiless)
        return True

    def _skipped(self, name: str, run: _Run, *, full: bool) -> list[tuple[str, str]] | None:
        """What can't be read by now; a delta adds to it, and takes away what it could read."""
        if full:
            return list(run.skipped.items())
        known = dict(self._desk.store.connections.get(name).skipped)
        left = {id_: why for id_, why in known.items() if id_ not in run.read} | run.skipped
        return None if left == known else list(left.items())

    async def _flush(self, name: str) -> None:
        if self.flush is not None:
            done = self.flush(name)
            if asyncio.iscoroutine(done):
                await done
