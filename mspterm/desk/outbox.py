"""What waits in the outbox: sent in order when its connection returns, or decided by a person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from mspterm.desk.arrival import left_to_do
from mspterm.desk.desk import Desk
from mspterm.desk.journal import Journal
from mspterm.desk.look import ticket_now
from mspterm.desk.recording import closed, entry, may_wait, seen, waits
from mspterm.desk.sending import Sender, count_pending
from mspterm.domain.action import Allow, Audience, Consent, Outcome, Plan, Refuse, State, Update, Verdict
from mspterm.domain.reasons import Failed, Failure, Reason, failed
from mspterm.domain.spec import Risk
from mspterm.domain.ticket import Ticket
from mspterm.store.intents import Intent, Seen

Judge = Callable[[Plan, Consent], Awaitable[Verdict]]
DECIDABLE = ("queued", "uncertain", "failed")
# Begins the reason of one that is queued and yet goes only once a person has decided.
_HELD = f"{Reason.CONFLICT.value}: "


class Outbox:
    """Everything that goes later than it was asked for. `judge` is the guard, asked again then."""

    def __init__(self, desk: Desk, sender: Sender, judge: Judge) -> None:
        self._desk, self._sender, self._judge = desk, sender, judge
        self._looked: set[str] = set()

    async def flush(self, journal: Journal, name: str) -> dict[str, Outcome]:
        """Sends what waits for this connection, oldest first, each after re-reading its ticket; what
        became of each by intent id. Stops at the first that has to go on waiting."""
        await self._look_for_lost(journal, name)
        outcomes: dict[str, Outcome] = {}
        intents = self._desk.store.intents
        # Ids, each read anew: while one is sent, another process or a person may decide the next.
        for intent_id in [i.intent_id for i in intents.queued(name)]:
            intent = intents.get(intent_id)
            if intent is None or intent.state != "queued" or (intent.reason or "").startswith(_HELD):
                continue
            outcome = await self._forward(journal, intent)
            if outcome is not None:
                outcomes[intent.intent_id] = outcome
                if outcome.state is State.QUEUED:
                    break
        return outcomes

    async def _forward(self, journal: Journal, intent: Intent) -> Outcome | None:
        """Sends one that waits; None where it is not its turn, or a person has to look first."""
        intents, now = self._desk.store.intents, self._desk.now()
        # Before the server is asked, and not given up: what stops writes now may be lifted again.
        verdict = await self._judge(_plan(intent), Consent())
        if isinstance(verdict, Refuse):
            return Outcome(intent.ref, State.QUEUED, verdict.failure)
        try:
            before = await self._as_it_is(intent)
        except Failed as error:
            return self._go_on_waiting(intent, error.failure, "queued")
        changed = None if before is None else _changed_under(intent, before)
        if changed is not None:
            # None below, not an outcome: what waits for other tickets goes on.
            intents.move(intent.intent_id, "queued", str(changed), now, expected="queued")
            journal.append(entry(self._desk, intent, "queued", str(changed)), now)
            return None
        if not intents.claim(intent.intent_id, "queued", self._desk.presence.token(), now, ordered=True):
            return None
        try:
            # After the claim, so that of several processes only the one that sends puts it on record.
            journal.append(entry(self._desk, intent, "sending", None), now)
        except Failed as error:
            return self._go_on_waiting(intent, error.failure, "sending")
        outcome = await self._sender.send(journal, intent, patient=True)
        if before is not None and outcome.ticket is not None:
            self._rebase(before, outcome.ticket)
        return outcome

    def _rebase(self, before: Ticket, after: Ticket) -> None:
        """What our own write changed, by itself or by the PSA's rules, is no change under the next."""
        was, now = seen(before), seen(after)

        def change(found: Seen) -> Seen:
            status, owner = found.status == was.status, found.owner == was.owner
            found = replace(found, status=now.status, closed=now.closed) if status else found
            return replace(found, owner=now.owner) if owner else found

        self._desk.store.intents.rebase(after.ref, change)

    def take_for_granted(self, write: Update, after: Ticket) -> None:
        """What a write that went at once has set is no change under what waits: its technician knows."""
        now = seen(after)

        def change(found: Seen) -> Seen:
            found = found if write.owner is None else replace(found, owner=now.owner)
            return found if write.status is None else replace(found, status=now.status, closed=now.closed)

        self._desk.store.intents.rebase(after.ref, change)

    def _go_on_waiting(self, intent: Intent, failure: Failure, expected: str) -> Outcome:
        outcome = waits(intent.write, failure)
        reason, now = str(outcome.failure), self._desk.now()
        self._desk.store.intents.move(intent.intent_id, "queued", reason, now, expected=expected)
        return outcome

    async def _as_it_is(self, intent: Intent) -> Ticket | None:
        """The ticket, asked now. Raises Failed where the server doesn't answer."""
        try:
            return (await ticket_now(self._desk, intent.ref)).ticket
        except Failed as error:
            if error.failure.reason in (Reason.NOT_FOUND, Reason.PERMISSION, Reason.REFUSED):
                return None  # Sending it brings the server's own word on that.
            raise

    async def _look_for_lost(self, journal: Journal, name: str) -> None:
        """Uncertain ones whose mark is on the ticket have arrived; each is looked for once a process."""
        for intent in self._desk.store.intents.uncertain(name):
            if intent.intent_id in self._looked or not isinstance(intent.write, Update):
                continue
            try:
                rest = await left_to_do(self._desk, intent)
            except Failed:
                # Not looked at yet, then: it is tried again when the connection answers.
                return
            self._looked.add(intent.intent_id)
            if rest is None:
                self._found(journal, intent)

    def _found(self, journal: Journal, intent: Intent) -> Outcome:
        found = f"{intent.ref} shows it: it had arrived, and was not sent again"
        return self._sender.settle(journal, intent, Outcome(intent.ref, State.DONE, detail=(found,)))

    async def retry(self, journal: Journal, intent_id: str) -> Outcome:
        """Sends an intent again, because a person decided so: what of it isn't there yet.

        Raises Failed where it can't be.
        """
        intent, write = self._decidable(intent_id), None
        if not may_wait(intent.write):
            raise failed(Reason.REFUSED, f"A {intent.action} is not repeated from the outbox; do it anew.")
        verdict = await self._judge(_plan(intent), Consent())
        if not isinstance(verdict, Allow):
            raise Failed(verdict.failure) if isinstance(verdict, Refuse) else _not_now(intent)
        if intent.state != "queued":
            # Half of one that failed may have been applied too.
            write = await left_to_do(self._desk, intent)
            if write is None:
                return self._found(journal, intent)
        now = self._desk.now()
        journal.append(entry(self._desk, intent, "retry", None), now)
        token = self._desk.presence.token()
        if not self._desk.store.intents.claim(intent_id, intent.state, token, now):
            raise _not_now(intent)
        return await self._sender.send(journal, replace(intent, write=write or intent.write))

    def drop(self, journal: Journal, intent_id: str, *, arrived: bool) -> None:
        """Ends an intent that is not being sent: it `arrived`, as a person saw, or is given up."""
        intent, now = self._decidable(intent_id), self._desk.now()
        if arrived and intent.state != "uncertain":
            raise failed(Reason.REFUSED, f"{intent_id} is {intent.state}: what was not sent has not arrived.")
        state, said, words = "cancelled", "cancelled", intent.reason
        if arrived:
            state, said, words = "confirmed", "done", "a technician saw that it arrived"
        # On record before it is gone from the outbox: no write may vanish without a word.
        journal.append(entry(self._desk, replace(intent, action="drop"), said, words), now)
        if not self._desk.store.intents.move(intent_id, state, words, now, expected=intent.state):
            raise _not_now(intent)
        count_pending(self._desk, intent)

    def _decidable(self, intent_id: str) -> Intent:
        found = self._desk.store.intents.get(intent_id)
        if found is None:
            sentence = f"The outbox has no intent {intent_id}; see `mspterm outbox list`."
            raise failed(Reason.NOT_FOUND, sentence)
        if found.state not in DECIDABLE:
            sentence = f"{intent_id} is {found.state}; only what waits, failed or is uncertain is decided."
            raise failed(Reason.CONFLICT, sentence)
        return found


def _plan(intent: Intent) -> Plan:
    """For the guard to judge anew: only what may wait is ever sent from here, and that is routine."""
    return Plan(intent.action, Risk.ROUTINE, (intent.write,), ())


def _not_now(intent: Intent) -> Failed:
    sentence = f"{intent.intent_id} was just decided elsewhere; see `mspterm outbox list`."
    return failed(Reason.CONFLICT, sentence)


def _changed_under(intent: Intent, ticket: Ticket) -> Failure | None:
    """What somebody changed on the ticket meanwhile that the technician should see first."""
    if intent.seen is None or not isinstance(intent.write, Update):
        return None
    words = " and ".join(_changes(intent.write, intent.seen, ticket))
    if not words:
        return None
    sentence = (
        f"While this waited, {words}; it was not sent. Look at {intent.ref}, then `mspterm outbox retry"
        f" {intent.intent_id}` sends it all the same, `drop` gives it up."
    )
    return Failure(Reason.CONFLICT, sentence, intent.connection)


def _changes(write: Update, known: Seen, ticket: Ticket) -> list[str]:
    """What matters of it: an internal note goes on a ticket that is open, whoever has it by now."""
    found = []
    outward = write.status is not None or bool(write.text and write.audience is not Audience.INTERNAL)
    # Where somebody has set what we would set there is nothing to look at.
    status = outward and ticket.status not in (known.status, write.status)
    if status or (closed(ticket) and not known.closed and ticket.status != write.status):
        found.append(f"{write.ref} went from {known.status} to {ticket.status}")
    if outward and ticket.assignee_id != known.owner:
        found.append(f"{write.ref} went to {ticket.assignee or 'nobody'}")
    replied = ticket.customer_replied_at
    if (
        outward
        and replied is not None
        and (known.customer_replied_at is None or replied > known.customer_replied_at)
    ):
        found.append("the customer wrote")
    return found
