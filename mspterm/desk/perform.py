"""The only door to a write: guard, journal intent, outbox, call, verify, journal outcome."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from mspterm.desk import recovery
from mspterm.desk.circumstances import circumstances
from mspterm.desk.coverage import coverage
from mspterm.desk.desk import Desk
from mspterm.desk.flags import all_flagged
from mspterm.desk.incidents import incident_devices, turn
from mspterm.desk.journal import Journal
from mspterm.desk.outbox import Outbox
from mspterm.desk.prior_word import closing, owned, unverified
from mspterm.desk.recording import connection_of, entry, may_wait, review, seen
from mspterm.desk.sending import Sender
from mspterm.desk.signing import identify, shared, signed
from mspterm.desk.targets import as_known
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
from mspterm.domain.batches import batches, stopped, unwatched
from mspterm.domain.device import Device
from mspterm.domain.guard import GuardContext, judge, unconfirmed
from mspterm.domain.people import Technician
from mspterm.domain.reasons import Failed, Failure, Reason
from mspterm.domain.spec import Risk
from mspterm.domain.text import SafeText
from mspterm.store.intents import Intent

Look = Callable[[Sequence[Result], int], Awaitable[bool]]
"""Shows what came of a batch, and how many are left; whether a person wants these done too."""

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

    async def _context(self, plan: Plan, consent: Consent, begun: int = 0) -> GuardContext:
        """`begun` of the plan's writes were sent: they are among those of the last hour, and what a
        second person signed was good for all of it."""
        desk, guard = self._desk, self._desk.config.guard
        journal = await desk.journal()
        doubt = None if begun else await self._doubt(plan, consent)
        hour_ago = desk.now() - timedelta(hours=1)
        return GuardContext(
            read_only=desk.read_only,
            read_only_connections=frozenset(n for n, c in desk.connections.items() if c.read_only),
            shared_connections=shared(desk),
            allow_shared=guard.allow_shared,
            signer=desk.config.technician.name,
            lockdown=desk.lockdown is not None,
            journal_keyed=journal.keyed,
            max_devices=guard.max_devices,
            max_clients=guard.max_clients,
            max_disruptive_per_hour=guard.max_disruptive_per_hour,
            disruptive_last_hour=max(0, desk.store.intents.acted_on_devices(hour_ago) - begun),
            policy_doubt=guard.doubt,
            free_text_tiers=guard.free_text_tiers,
            free_text_max_devices=guard.free_text_max_devices,
            tier=desk.config.technician.tier,
            may_break_glass=guard.break_glass,
            approved=consent.approval is not None and doubt is None,
            approval_doubt=doubt,
            known=as_known(desk, plan),
            around=circumstances(desk, plan),
            devices=self._devices(plan),
            held=self._held(plan),
            coverage=() if plan.risk is Risk.ROUTINE else coverage(desk, plan),
            incident_devices=incident_devices(desk),
            owned=owned(desk, plan),
            unverified=await unverified(desk, plan),
            closing=closing(desk, plan),
            consent=consent,
        )

    async def _doubt(self, plan: Plan, consent: Consent) -> str | None:
        if consent.approval is None:
            return None
        from mspterm.desk.approving import doubt_of

        return await doubt_of(self._desk, plan, consent.approval)

    def _devices(self, plan: Plan) -> Mapping[str, Device]:
        found = (self._desk.store.devices.get(t.ref) for t in plan.targets)
        return {d.ref: d for d in all_flagged(self._desk, (d for d in found if d is not None))}

    def _held(self, plan: Plan) -> Mapping[str, Technician]:
        rows = (self._desk.store.tickets.row(t.ref) for t in plan.targets)
        return {
            r.ref: Technician(r.assignee_id, r.assignee or SafeText(r.assignee_id))
            for r in rows
            if r is not None and r.assignee_id
        }

    async def perform(self, plan: Plan, consent: Consent, look: Look | None = None) -> list[Result]:
        """Performs every write of the plan in order; each has its own result.

        A refusal is journalled too and nothing is sent. Where the journal can't be written, every
        write is refused. A disruptive plan over several devices goes on to its next batch where
        `look` says so; without it nobody can look, and only few go on by themselves while all is done.
        """
        journal = await self._ready()
        failure = await self._against(plan, consent) or (unwatched(plan) if look is None else None)
        # Last of all: an approval is spent only where nothing else refuses.
        failure = failure or self.begin(journal, plan, consent)
        if failure is not None:
            return [self._refused(journal, plan, w, failure) for w in plan.writes]
        results: list[Result] = []
        done = 0
        for batch in batches(plan):
            if done and failure is None:
                failure = await self._between(plan, consent, results, done, look)
            for write in batch:
                if failure is not None:
                    results.append(self._refused(journal, plan, write, failure))
                    continue
                came = await self._one(journal, plan, write, why_allowed(plan, consent))
                results += came
                done += 1
                # Routine writes stand alone; where the first leads, the others mean nothing without it.
                binds = plan.risk is not Risk.ROUTINE or (plan.leads and write is plan.writes[0])
                if binds and came[0].outcome.state is not State.DONE:
                    failure = _not_begun(came[0].outcome)
        return results

    async def _against(self, plan: Plan, consent: Consent, begun: int = 0) -> Failure | None:
        """Why it isn't allowed as things stand; None where it is."""
        verdict = judge(plan, await self._context(plan, consent, begun))
        if isinstance(verdict, Refuse | Ask):
            return verdict.failure if isinstance(verdict, Refuse) else unconfirmed(verdict)
        return None

    async def _between(
        self, plan: Plan, consent: Consent, results: Sequence[Result], done: int, look: Look | None
    ) -> Failure | None:
        """Why the next batch is not begun: nobody looked, or things stand otherwise by now."""
        if look is not None and not await look(results, len(plan.writes) - done):
            return stopped(plan, done)
        return await self._against(plan, consent, done)

    def begin(self, journal: Journal, plan: Plan, consent: Consent) -> Failure | None:
        """Spends what lifts the caps, on record, before anything is sent; why it can't be."""
        try:
            if consent.approval is not None:
                from mspterm.desk.approving import spend

                if not spend(self._desk, consent.approval):
                    return Failure(
                        Reason.REFUSED, "the approval was used just now; have the plan signed again"
                    )
            if plan.break_glass is not None:
                journal.append(review(self._desk, plan), self._desk.now())
        except Failed as error:
            return error.failure
        return None

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
        record = entry(self._desk, self._intent(plan, write, None), outcome.state.value, str(failure))
        try:
            # Without an id: none of it was ever in the outbox, where that could be looked up.
            journal.append(replace(record, intent_id=None), self._desk.now())
        except Failed as error:
            outcome = replace(outcome, failure=error.failure)
        return Result(outcome, plan.action, plan.hash, None)

    def _intent(self, plan: Plan, write: Write, because: str | None) -> Intent:
        """A new one, as this process is about to send it."""
        known = self._desk.store.tickets.get(write.ref) if isinstance(write, Update) else None
        name, now, at = connection_of(write), self._desk.now(), None if known is None else seen(known)
        return Intent(
            new_intent_id(),
            write.ref,
            name,
            plan.action,
            "sending",
            because,
            now,
            1,
            plan.hash,
            write,
            at,
        )

    async def _one(self, journal: Journal, plan: Plan, write: Write, because: str | None) -> list[Result]:
        # Before the record, which says under whose name it goes.
        await identify(self._desk, connection_of(write))
        intent = self._intent(plan, write, because)
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
            # The journal first: after a crash a record without a row in the outbox is closed as never sent,
            # while a row without a record would be sent and nobody know of it.
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
        # `add` queued it where an earlier one on the same ticket is still to go.
        at_once = (intents.get(intent.intent_id) or intent).state == "sending"
        if at_once:
            outcome = await self._sender.send(journal, intent)
            if isinstance(intent.write, Update) and outcome.ticket is not None:
                self._outbox.take_for_granted(intent.write, outcome.ticket)
        # It answered just now: what waits for it need not wait for the next poll.
        if not at_once or (outcome.state is State.DONE and intents.queued(intent.connection)):
            outcomes = await self._outbox.flush(journal, intent.connection)
            outcome = outcomes.get(intent.intent_id, outcome)
        return outcome

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
        # The plan that was consented to names this note, so the guard isn't asked again: the command has run.
        note = signed(self._desk, Update(write.attach, text=text, audience=Audience.INTERNAL))
        return await self._one(journal, replace(plan, action="note", writes=(note,)), note, None)

    async def flush(self, name: str) -> None:
        """Sends what waited for this connection, oldest first, each after re-reading its ticket."""
        # Every run of a feed comes by here, also in a console that writes nothing more.
        self._desk.seal_when_due()
        # Asked before the journal: its key is in the keyring, which most polls can do without.
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


def why_allowed(plan: Plan, consent: Consent) -> str | None:
    """Why it may be done at all, for the record."""
    signed_by = None if consent.approval is None else f"{consent.approval} ({consent.approval.request.id})"
    return "; ".join(why for why in (plan.because, signed_by) if why) or None


def _not_begun(before: Outcome) -> Failure:
    """What goes wrong on one device may go wrong on all: the rest of them wait for a person's look."""
    sentence = (
        f"not begun, as {before.ref} before it is {before.state.value}; look at that one, then do the rest"
    )
    return Failure(Reason.REFUSED, sentence)
