"""The only door to a write: guard, journal intent, outbox, call, verify, journal outcome."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from mspterm.desk import recovery
from mspterm.desk.circumstances import circumstances
from mspterm.desk.coverage import coverage
from mspterm.desk.desk import Desk
from mspterm.desk.incidents import incident_devices, turn
from mspterm.desk.journal import Journal
from mspterm.desk.outbox import Outbox
from mspterm.desk.recording import connection_of, entry, may_wait, seen
from mspterm.desk.sending import Sender
from mspterm.desk.signing import shared, signed
from mspterm.domain.action import (
    Ask,
    Audience,
    Consent,
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
from mspterm.domain.reasons import Failed, Failure, Reason
from mspterm.domain.spec import Risk
from mspterm.domain.text import SafeText
from mspterm.store.intents import Intent

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_intent_id() -> str:
    """A ULID: 48 bits of milliseconds, 80 random bits, sortable by time."""
    number = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


log = logging.getLogger(__name__)


class Performer:
    """Judges and performs plans for one process."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._sender = Sender(desk)
        self._outbox = Outbox(desk, self._sender, self.judge)
        self._agreed = False

    async def judge(self, plan: Plan, consent: Consent) -> Verdict:
        """What the guard says now; writes nothing."""
        return judge(plan, await self._context(plan, consent))

    async def _context(self, plan: Plan, consent: Consent) -> GuardContext:
        desk = self._desk
        journal = await desk.journal()
        return GuardContext(
            read_only=desk.read_only,
            read_only_connections=frozenset(n for n, c in desk.connections.items() if c.read_only),
            shared_connections=shared(desk),
            allow_shared=desk.config.guard.allow_shared,
            signer=desk.config.technician.name,
            lockdown=desk.lockdown is not None,
            journal_keyed=journal.keyed,
            max_devices=desk.config.guard.max_devices,
            max_clients=desk.config.guard.max_clients,
            max_disruptive_per_hour=desk.config.guard.max_disruptive_per_hour,
            disruptive_last_hour=desk.store.intents.acted_on_devices(desk.now() - timedelta(hours=1)),
            policy_doubt=desk.config.guard.doubt,
            around=circumstances(desk, plan),
            devices=self._devices(plan),
            held=self._held(plan),
            coverage=() if plan.risk is Risk.ROUTINE else coverage(desk, plan),
            incident_devices=incident_devices(desk),
            consent=consent,
        )

    def _devices(self, plan: Plan) -> Mapping[str, Device]:
        """The plan's devices with the flags that the config adds to the RMM's."""
        flags = {k.casefold(): v for k, v in self._desk.config.guard.flags.items()}
        found = (self._desk.store.devices.get(t.ref) for t in plan.targets)
        return {
            d.ref: replace(d, flags=tuple(dict.fromkeys((*d.flags, *flags.get(d.name.casefold(), ())))))
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
        journal = await self._ready()
        verdict = await self.judge(plan, consent)
        if isinstance(verdict, Refuse | Ask):
            failure = verdict.failure if isinstance(verdict, Refuse) else unconfirmed(verdict)
            return [self._refused(journal, plan, w, failure) for w in plan.writes]
        results: list[Result] = []
        halted: Failure | None = None
        for write in plan.writes:
            if halted is not None:
                results.append(self._refused(journal, plan, write, halted))
                continue
            came = await self._one(journal, plan, write)
            results += came
            if plan.risk is not Risk.ROUTINE and came[0].outcome.state is not State.DONE:
                halted = _not_begun(came[0].outcome)
        return results

    async def _ready(self) -> Journal:
        """The journal, and outbox and journal made to agree on what a crash left, once a process."""
        journal = await self._desk.journal()
        if not self._agreed:
            self._agreed = True
            with contextlib.suppress(Failed):
                recovery.recover(self._desk)
                recovery.agree(self._desk, journal)
        return journal

    def _refused(self, journal: Journal, plan: Plan, write: Write, failure: Failure) -> Result:
        outcome = Outcome(write.ref, State.REFUSED, failure)
        record = entry(self._desk, self._intent(plan, write), outcome.state.value, str(failure))
        try:
            journal.append(replace(record, intent_id=None), self._desk.now())
        except Failed as error:
            outcome = replace(outcome, failure=error.failure)
        return Result(outcome, plan.action, plan.hash, None)

    def _intent(self, plan: Plan, write: Write) -> Intent:
        """A new one, as this process is about to send it."""
        known = self._desk.store.tickets.get(write.ref) if isinstance(write, Update) else None
        name, now, at = connection_of(write), self._desk.now(), None if known is None else seen(known)
        return Intent(
            new_intent_id(),
            write.ref,
            name,
            plan.action,
            "sending",
            plan.because,
            now,
            1,
            plan.hash,
            write,
            at,
        )

    async def _one(self, journal: Journal, plan: Plan, write: Write) -> list[Result]:
        await self._identify(connection_of(write))
        intent = self._intent(plan, write)
        failure = self._record(journal, intent)
        if failure is not None:
            return [Result(Outcome(write.ref, State.REFUSED, failure), plan.action, plan.hash, None)]
        turn(self._desk, write, None)
        outcome = await self._send(journal, intent)
        turn(self._desk, write, outcome)
        results = [Result(outcome, plan.action, plan.hash, intent.intent_id)]
        if isinstance(write, RunCommand) and write.attach and outcome.output is not None:
            results += await self._attach(journal, plan, write, outcome)
        return results

    def _record(self, journal: Journal, intent: Intent) -> Failure | None:
        """The intent on disk, in the journal and then in the outbox; why it isn't, else."""
        try:
            journal.append(entry(self._desk, intent, "intent", intent.reason), intent.created_at)
        except Failed as error:
            return error.failure
        try:
            token = self._desk.presence.token()
            self._desk.store.intents.add(intent, sender=token, ordered=may_wait(intent.write))
        except (Failed, OSError) as error:
            sentence = f"The outbox can't be written ({error}), so nothing is sent."
            failure = error.failure if isinstance(error, Failed) else Failure(Reason.REFUSED, sentence)
            with contextlib.suppress(Failed):
                journal.append(entry(self._desk, intent, "refused", str(failure)), self._desk.now())
            return failure
        return None

    async def _send(self, journal: Journal, intent: Intent) -> Outcome:
        """Sends it now, or after what waits for the same ticket."""
        intents = self._desk.store.intents
        behind = Failure(
            Reason.CONFLICT, f"An earlier write of {intent.ref} has not gone yet.", intent.connection
        )
        outcome = Outcome(intent.ref, State.QUEUED, behind)
        at_once = (intents.get(intent.intent_id) or intent).state == "sending"
        if at_once:
            outcome = await self._sender.send(journal, intent)
        if not at_once or (outcome.state is State.DONE and intents.queued(intent.connection)):
            outcomes = await self._outbox.flush(journal, intent.connection)
            outcome = outcomes.get(intent.intent_id, outcome)
        return outcome

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
        note = signed(self._desk, Update(write.attach, text=text, audience=Audience.INTERNAL))
        return await self._one(journal, replace(plan, action="note", writes=(note,)), note)

    async def flush(self, name: str) -> None:
        """Sends what waited for this connection, oldest first, each after re-reading its ticket."""
        self._desk.seal_when_due()
        if self._desk.store.intents.unsettled(name):
            try:
                await self._outbox.flush(await self._ready(), name)
            except Failed as error:
                # A full disk here is no failure of the connection, whose feed calls this.
                log.error("the outbox waits on: %s", error)

    async def retry(self, intent_id: str) -> Outcome:
        """Sends an intent again, because a person decided so: what of it has not arrived. Raises
        Failed where it can't be."""
        return await self._outbox.retry(await self._ready(), intent_id)

    async def drop(self, intent_id: str, *, arrived: bool = False) -> None:
        """Ends an intent that is not being sent: given up, or `arrived` as a person saw."""
        self._outbox.drop(await self._ready(), intent_id, arrived=arrived)

    def recover(self) -> int:
        """Intents that a dead process left half-way become uncertain; returns how many."""
        return recovery.recover(self._desk)


def _not_begun(before: Outcome) -> Failure:
    """What goes wrong on one device may go wrong on all: the rest of them wait for a person's look."""
    sentence = (
        f"not begun, as {before.ref} before it is {before.state.value}; look at that one, then do the rest"
    )
    return Failure(Reason.REFUSED, sentence)
