"""A person's session on a device, behind the guard: recorded before it begins and after it ends.

It is the one write that no connector performs and no outbox holds: a session can't wait.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from mspterm.desk.desk import Desk
from mspterm.desk.journal import Journal
from mspterm.desk.perform import Performer, new_intent_id, why_allowed
from mspterm.desk.recording import connection_of, entry
from mspterm.domain.action import Allow, Consent, OpenSession, Outcome, Plan, Result, State
from mspterm.domain.reasons import Failed, Failure, Reason
from mspterm.store.intents import Intent


@dataclass(frozen=True, slots=True)
class Ended:
    """A session's result and its length; no length where there was none."""

    result: Result
    seconds: float = 0.0

    @property
    def minutes(self) -> int:
        """As time is booked: a minute begun is a minute."""
        return math.ceil(self.seconds / 60)


@dataclass(frozen=True, slots=True)
class Came:
    """What came of it, with what the journal should keep of that."""

    outcome: Outcome
    more: Mapping[str, str]


class Sessions:
    """Opens sessions for one process."""

    def __init__(self, desk: Desk, performer: Performer) -> None:
        self._desk = desk
        self._performer = performer

    async def hold(
        self, plan: Plan, consent: Consent, work: Callable[[], Awaitable[Came]], more: Mapping[str, str]
    ) -> Ended:
        """Judges the plan, records the intent with `more`, does the work, records what came of it.

        Raises Failed where the journal can't take the intent: nothing is opened then.
        """
        if not isinstance(await self._performer.judge(plan, consent), Allow):
            # The one place that refuses is also the one that puts the refusal into the journal.
            [refused] = await self._performer.perform(plan, consent)
            return Ended(refused)
        journal = await self._desk.journal()
        failure = self._performer.begin(journal, plan, consent)
        if failure is not None:
            raise Failed(failure)
        write = plan.writes[0]
        assert isinstance(write, OpenSession)
        began = self._desk.now()
        # Only what the record is made from: it never gets into the outbox, where a crash would find it.
        intent = Intent(
            new_intent_id(),
            write.ref,
            connection_of(write),
            plan.action,
            "sending",
            why_allowed(plan, consent),
            began,
            1,
            plan.hash,
            write,
        )
        self._record(journal, intent, "intent", intent.reason, more)
        came = await self._done(journal, intent, work)
        # A try that failed, or a session that was lost, books no time on anybody's ticket.
        seconds = (self._desk.now() - began).total_seconds() if came.outcome.state is State.DONE else 0.0
        outcome = self._settle(
            journal, intent, replace(came, more={**came.more, "seconds": f"{seconds:.0f}"})
        )
        return Ended(Result(outcome, plan.action, plan.hash, intent.intent_id), seconds)

    async def _done(self, journal: Journal, intent: Intent, work: Callable[[], Awaitable[Came]]) -> Came:
        try:
            return await work()
        except Failed as error:
            refused = error.failure.reason in (Reason.REFUSED, Reason.CONFLICT)
            return Came(Outcome(intent.ref, State.REFUSED if refused else State.FAILED, error.failure), {})
        except BaseException:
            # Not Exception: a task that is cancelled, as at a quit, raises CancelledError, which is none.
            sentence = "mspterm was left while the session was open; it may have gone on."
            lost = Outcome(intent.ref, State.UNCERTAIN, Failure(Reason.UNKNOWN, sentence))
            self._settle(journal, intent, Came(lost, {}))
            raise

    def _settle(self, journal: Journal, intent: Intent, came: Came) -> Outcome:
        outcome = came.outcome
        reason = None if outcome.failure is None else str(outcome.failure)
        try:
            self._record(journal, intent, outcome.state.value, reason, came.more)
        except Failed as error:
            # The session has been by now: a journal that is full must not hide what came of it.
            return replace(outcome, detail=(*outcome.detail, f"not recorded: {error.failure.sentence}"))
        return outcome

    def _record(
        self, journal: Journal, intent: Intent, state: str, reason: str | None, more: Mapping[str, str]
    ) -> None:
        record = entry(self._desk, intent, state, reason)
        journal.append(replace(record, more={k: v for k, v in more.items() if v}), self._desk.now())
