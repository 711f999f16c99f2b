"""The only door to a write: guard, journal intent, outbox, call, verify, journal outcome."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import replace

from mspterm.desk.desk import Desk, split_ref
from mspterm.desk.journal import Entry, Journal
from mspterm.domain.action import (
    Ask,
    Audience,
    Consent,
    NewTicket,
    Outcome,
    Plan,
    Refuse,
    Result,
    RunCommand,
    State,
    Update,
    Verdict,
    Write,
)
from mspterm.domain.device import Device
from mspterm.domain.guard import GuardContext, judge, unconfirmed
from mspterm.domain.people import Technician
from mspterm.domain.reasons import Failed, Failure, Reason, failed
from mspterm.domain.text import SafeText
from mspterm.store.intents import Intent

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
OUTBOX = {
    State.DONE: "confirmed",
    State.QUEUED: "queued",
    State.UNCERTAIN: "uncertain",
    State.REFUSED: "failed",
    State.FAILED: "failed",
}


def new_intent_id() -> str:
    """A ULID: 48 bits of milliseconds, 80 random bits, sortable by time."""
    number = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


class Performer:
    """Judges and performs plans for one process."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def judge(self, plan: Plan, consent: Consent) -> Verdict:
        """What the guard says now; writes nothing."""
        return judge(plan, await self._context(plan, consent))

    async def _context(self, plan: Plan, consent: Consent) -> GuardContext:
        desk = self._desk
        journal = await desk.journal()
        return GuardContext(
            read_only=desk.read_only,
            read_only_connections=frozenset(n for n, c in desk.connections.items() if c.read_only),
            lockdown=desk.lockdown is not None,
            journal_keyed=journal.keyed,
            max_devices=desk.config.guard.max_devices,
            max_clients=desk.config.guard.max_clients,
            devices=self._devices(plan),
            held=self._held(plan),
            consent=consent,
        )

    def _devices(self, plan: Plan) -> Mapping[str, Device]:
        """The plan's devices with the flags that the config adds to the RMM's."""
        flags = {k.casefold(): v for k, v in self._desk.config.guard.flags.items()}
        found = (self._desk.store.devices.get(t.ref) for t in plan.targets)
        return {
            d.ref: replace(d, flags=(*d.flags, *flags.get(d.name.casefold(), ())))
            for d in found
            if d is not None
        }

    def _held(self, plan: Plan) -> Mapping[str, Technician]:
        rows = (self._desk.store.tickets.row(t.ref) for t in plan.targets)
        return {
            r.ref: Technician(r.assignee_id, r.assignee or SafeText(r.assignee_id))
            for r in rows
            if r is not None and r.assignee_id
        }

    async def perform(self, plan: Plan, consent: Consent) -> list[Result]:
        """Performs every write of the plan in order; each has its own result.

        A refusal is journalled too and nothing is sent. Where the journal can't be written, every
        write is refused.
        """
        journal = await self._desk.journal()
        verdict = await self.judge(plan, consent)
        if isinstance(verdict, Refuse | Ask):
            failure = verdict.failure if isinstance(verdict, Refuse) else unconfirmed(verdict)
            return [self._refused(journal, plan, w, failure) for w in plan.writes]
        results = []
        for write in plan.writes:
            results += await self._one(journal, plan, write)
        return results

    def _refused(self, journal: Journal, plan: Plan, write: Write, failure: Failure) -> Result:
        outcome = Outcome(write.ref, State.REFUSED, failure)
        try:
            journal.append(self._entry(plan, write, outcome.state.value, failure, None), self._desk.now())
        except Failed as error:
            outcome = replace(outcome, failure=error.failure)
        return Result(outcome, plan.action, plan.hash, None)

    async def _one(self, journal: Journal, plan: Plan, write: Write) -> list[Result]:
        intent_id, now = new_intent_id(), self._desk.now()
        await self._identify(connection_of(write))
        try:
            journal.append(self._entry(plan, write, "intent", None, intent_id), now)
        except Failed as error:
            return [Result(Outcome(write.ref, State.REFUSED, error.failure), plan.action, plan.hash, None)]
        name = connection_of(write)
        intent = Intent(intent_id, write.ref, name, plan.action, "sending", None, now, 1, plan.hash, write)
        self._desk.store.intents.add(intent)
        outcome = await self._call(write, intent_id)
        self._settle(journal, plan.action, plan.hash, write, intent_id, outcome)
        results = [Result(outcome, plan.action, plan.hash, intent_id)]
        if isinstance(write, RunCommand) and write.attach and outcome.output is not None:
            results += await self._attach(journal, plan, write, outcome)
        return results

    async def _identify(self, name: str) -> None:
        """Under whose name this connection writes, asked once and kept, for the journal."""
        if self._desk.store.connections.get(name).identity is not None:
            return
        with contextlib.suppress(Failed):
            identity = await (await self._desk.connector(name)).whoami()
            self._desk.store.connections.acts_as(name, f"{identity.technician.name} ({identity.kind})")

    async def _attach(
        self, journal: Journal, plan: Plan, write: RunCommand, outcome: Outcome
    ) -> list[Result]:
        """The output as an internal note, in a write of its own."""
        assert write.attach is not None
        device = self._desk.store.devices.get(write.ref)
        name = device.name if device else write.ref
        said = "; ".join(outcome.detail)
        output = outcome.output or "(no output)"
        text = (
            f"Ran on {name} at {self._desk.now():%Y-%m-%d %H:%M} UTC ({said}):\n$ {write.command}\n{output}"
        )
        note = Update(write.attach, text=text, audience=Audience.INTERNAL)
        return await self._one(journal, replace(plan, action="note", writes=(note,)), note)

    async def _call(self, write: Write, intent_id: str) -> Outcome:
        try:
            connector = await self._desk.connector(connection_of(write))
            outcome = await connector.act(write, mark=intent_id)
        except Failed as error:
            return self._not_sent(write, error.failure)
        if outcome.state is State.FAILED and outcome.failure is not None and not outcome.detail:
            return self._not_sent(write, outcome.failure)
        return outcome

    def _not_sent(self, write: Write, failure: Failure) -> Outcome:
        """Nothing left this machine: notes, time and status wait, everything else has failed."""
        if failure.reason in (Reason.OFFLINE, Reason.RATE_LIMIT, Reason.SERVER) and may_wait(write):
            sentence = (
                f"{failure.sentence} It waits in the outbox and goes by itself when"
                f" {connection_of(write)} answers; nothing has been sent yet."
            )
            return Outcome(write.ref, State.QUEUED, replace(failure, sentence=sentence))
        return Outcome(write.ref, State.FAILED, failure)

    def _settle(
        self, journal: Journal, action: str, plan_hash: str, write: Write, intent_id: str, outcome: Outcome
    ) -> None:
        store, now = self._desk.store, self._desk.now()
        reason = None if outcome.failure is None else str(outcome.failure)
        store.intents.move(intent_id, OUTBOX[outcome.state], reason, now)
        if outcome.ticket is not None:
            client = self._desk.canonical(outcome.ticket.client, outcome.ticket.connection)
            store.tickets.upsert([replace(outcome.ticket, client=client)])  # type: ignore[arg-type]
        if isinstance(write, Update):
            store.tickets.set_pending(write.ref, store.intents.pending(write.ref))
        target = outcome.created_ref or write.ref
        entry = Entry(
            action, (target,), self._client(write), outcome.state.value, reason, intent_id, plan_hash,
            store.connections.get(connection_of(write)).identity,
        )  # fmt: skip
        journal.append(entry, now)

    def _entry(
        self, plan: Plan, write: Write, state: str, failure: Failure | None, intent_id: str | None
    ) -> Entry:
        identity = self._desk.store.connections.get(connection_of(write)).identity
        reason = None if failure is None else str(failure)
        client = self._client(write)
        return Entry(plan.action, (write.ref,), client, state, reason, intent_id, plan.hash, identity)

    def _client(self, write: Write) -> str | None:
        if isinstance(write, NewTicket):
            return write.client
        if isinstance(write, Update):
            row = self._desk.store.tickets.row(write.ref)
            return None if row is None else row.client
        device = self._desk.store.devices.get(write.ref)
        return (
            None
            if device is None
            else device.client or self._desk.store.devices.client_names().get(write.ref)
        )

    async def flush(self, name: str) -> None:
        """Sends what waited for this connection, oldest first, each after re-reading its ticket."""
        journal = await self._desk.journal()
        for intent in self._desk.store.intents.queued(name):
            if self._desk.read_only or self._desk.lockdown is not None:
                return
            outcome = await self._send(intent)
            if outcome.state is State.QUEUED:
                return
            self._settle(journal, intent.action, intent.plan_hash, intent.write, intent.intent_id, outcome)

    async def _send(self, intent: Intent) -> Outcome:
        now = self._desk.now()
        self._desk.store.intents.move(intent.intent_id, "sending", intent.reason, now, attempt=True)
        changed = await self._changed_under(intent)
        outcome = changed or await self._call(intent.write, intent.intent_id)
        if outcome.state is State.QUEUED:
            self._desk.store.intents.move(intent.intent_id, "queued", str(outcome.failure), now)
        return outcome

    async def _changed_under(self, intent: Intent) -> Outcome | None:
        """A status change doesn't go over one that somebody made meanwhile."""
        write = intent.write
        if not isinstance(write, Update) or write.status is None:
            return None
        try:
            detail = await (await self._desk.connector(intent.connection)).ticket(split_ref(write.ref)[1])
        except Failed as error:
            return self._not_sent(write, error.failure)
        known = self._desk.store.tickets.get(write.ref)
        if known is None or known.status == detail.ticket.status:
            return None
        sentence = (
            f"{write.ref} went from {known.status} to {detail.ticket.status} while this waited,"
            f" so it was not sent; `mspterm outbox retry {intent.intent_id}` sends it all the same."
        )
        self._desk.store.tickets.upsert([detail.ticket])
        return Outcome(write.ref, State.FAILED, Failure(Reason.CONFLICT, sentence, intent.connection))

    async def retry(self, intent_id: str) -> Outcome:
        """Sends an intent again, because a person decided so. Raises Failed where it can't be."""
        intent = self._decidable(intent_id)
        journal = await self._desk.journal()
        if self._desk.read_only or self._desk.lockdown is not None:
            raise failed(Reason.REFUSED, "This session is read-only or locked down; nothing is sent.")
        if not may_wait(intent.write):
            raise failed(Reason.REFUSED, f"A {intent.action} is not repeated from the outbox; do it anew.")
        now = self._desk.now()
        self._desk.store.intents.move(intent_id, "sending", intent.reason, now, attempt=True)
        outcome = await self._call(intent.write, intent_id)
        self._settle(journal, intent.action, intent.plan_hash, intent.write, intent_id, outcome)
        return outcome

    async def drop(self, intent_id: str) -> None:
        """Cancels an intent that is not being sent."""
        intent = self._decidable(intent_id)
        journal = await self._desk.journal()
        self._desk.store.intents.move(intent_id, "cancelled", intent.reason, self._desk.now())
        self._desk.store.tickets.set_pending(intent.ref, self._desk.store.intents.pending(intent.ref))
        identity = self._desk.store.connections.get(intent.connection).identity
        entry = Entry(
            "drop", (intent.ref,), self._client(intent.write), "cancelled", intent.reason, intent_id,
            intent.plan_hash, identity,
        )  # fmt: skip
        journal.append(entry, self._desk.now())

    def _decidable(self, intent_id: str) -> Intent:
        found = self._desk.store.intents.get(intent_id)
        if found is None:
            raise failed(
                Reason.NOT_FOUND, f"The outbox has no intent {intent_id}; see `mspterm outbox list`."
            )
        if found.state not in ("queued", "uncertain", "failed"):
            raise failed(
                Reason.CONFLICT, f"{intent_id} is {found.state}; only what waits or failed is decided."
            )
        return found

    def recover(self) -> int:
        """Intents that a dead process left half-way become uncertain; returns how many."""
        now = self._desk.now()
        left = [
            i
            for i in self._desk.store.intents.in_state("sending")
            if (now - i.created_at).total_seconds() > 180
        ]
        for intent in left:
            sentence = "unknown: mspterm ended while this was being sent; look at the ticket, then decide."
            self._desk.store.intents.move(intent.intent_id, "uncertain", sentence, now)
        return len(left)


def may_wait(write: Write) -> bool:
    """Notes, time and status wait out an outage; nothing that conditions could make wrong does."""
    return (
        isinstance(write, Update) and write.owner is None and write.queue is None and write.priority is None
    )


def connection_of(write: Write) -> str:
    return write.connection if isinstance(write, NewTicket) else split_ref(write.ref)[0]
