"""Sends one intent that this process has claimed, and records what became of it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import replace

from mspterm.desk.desk import Desk
from mspterm.desk.journal import Journal
from mspterm.desk.recording import OUTBOX, connection_of, entry, may_wait, waits
from mspterm.domain.action import Outcome, State, Update, Write
from mspterm.domain.reasons import Failed, Failure, Reason
from mspterm.net.faults import MaybeSent
from mspterm.store.intents import Intent
from mspterm.store.store import StoreError

log = logging.getLogger(__name__)
_MAY_PASS = (Reason.OFFLINE, Reason.RATE_LIMIT, Reason.SERVER, Reason.BAD_DATA)
"""A page of a Wi-Fi's login is bad data too: what the server would say is not known yet."""
LOOK = "look at the ticket, then `mspterm outbox retry` or `drop --arrived`"


class Sender:
    """What leaves this process for a vendor leaves here."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def send(self, journal: Journal, intent: Intent, *, patient: bool = False) -> Outcome:
        """Calls the connector and settles. However that ends, the outbox knows of it.

        `patient`: it has waited already, and nobody is at hand to log in again.
        """
        try:
            outcome = await self._call(intent.write, intent.intent_id, patient)
        except BaseException:
            # Cancelled in the middle: the request may have left.
            sentence = f"mspterm was stopped while it sent this to {intent.connection}; {LOOK}."
            unknown = Failure(Reason.UNKNOWN, sentence, intent.connection)
            self.settle(journal, intent, Outcome(intent.ref, State.UNCERTAIN, unknown))
            raise
        return self.settle(journal, intent, outcome)

    async def _call(self, write: Write, intent_id: str, patient: bool) -> Outcome:
        try:
            connector = await self._desk.connector(connection_of(write))
            outcome = await connector.act(write, mark=intent_id)
        except MaybeSent as error:
            # Before Failed, of which it is one: that one says that nothing has left.
            return Outcome(write.ref, State.UNCERTAIN, error.failure)
        except Failed as error:
            return _not_sent(write, error.failure, patient)
        except Exception as error:
            # A fault of ours may come before the request or after it: nobody knows, so it is not `failed`.
            log.exception("sending %s failed", intent_id)
            sentence = f"mspterm itself failed ({type(error).__name__}) at {write.ref}; {LOOK}."
            return Outcome(write.ref, State.UNCERTAIN, Failure(Reason.UNKNOWN, sentence))
        # `detail` says what of it was applied all the same; only where nothing was may the whole of it wait.
        if outcome.state is State.FAILED and outcome.failure is not None and not outcome.detail:
            return _not_sent(write, outcome.failure, patient)
        return outcome

    def settle(self, journal: Journal, intent: Intent, outcome: Outcome) -> Outcome:
        """Writes the outcome down, in the outbox and then in the journal.

        A write that was done is `sent` until the journal has it: what is missing there is recorded
        at the next start.
        """
        now, problems = self._desk.now(), list[str]()
        intents = self._desk.store.intents
        reason = None if outcome.failure is None else str(outcome.failure)
        done = outcome.state is State.DONE
        with _noted(problems):
            intents.move(intent.intent_id, "sent" if done else OUTBOX[outcome.state], reason, now)
        self._remember(outcome)
        target = outcome.created_ref or ""
        # On its own: an outbox that can't be written must not keep the outcome from the journal as well.
        with _noted(problems):
            journal.append(entry(self._desk, intent, outcome.state.value, reason, target=target), now)
            if done:
                intents.move(intent.intent_id, "confirmed", reason, now, expected="sent")
        count_pending(self._desk, intent)
        return replace(outcome, detail=(*outcome.detail, *problems)) if problems else outcome

    def _remember(self, outcome: Outcome) -> None:
        """The ticket as it was re-read. What can be asked for again is no reason to fail."""
        store = self._desk.store
        with contextlib.suppress(StoreError):
            known = (outcome.ticket, *outcome.others)
            store.tickets.upsert([t for t in known if t is not None], finish=self._desk.finished)


def count_pending(desk: Desk, intent: Intent) -> None:
    """How many writes of its ticket are not decided yet, for the queue."""
    if isinstance(intent.write, Update):
        with contextlib.suppress(StoreError):
            desk.store.tickets.set_pending(intent.ref, desk.store.intents.pending(intent.ref))


def _not_sent(write: Write, failure: Failure, patient: bool) -> Outcome:
    """Nothing left this machine: notes, time and status wait, everything else has failed."""
    passes = failure.reason in _MAY_PASS or (patient and failure.reason is Reason.AUTH)
    if passes and may_wait(write):
        return waits(write, failure)
    return Outcome(write.ref, State.FAILED, failure)


@contextlib.contextmanager
def _noted(problems: list[str]) -> Iterator[None]:
    """The server has acted by now: a full disk here must not hide what it did."""
    try:
        yield
    except Failed as error:
        log.error("an outcome could not be recorded: %s", error)
        problems.append(f"not recorded yet, it is at the next start: {error.failure.sentence}")
