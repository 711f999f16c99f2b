"""One action from key to outcome: ask, plan, judge, confirm, perform. No text that was typed is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from textual.app import App

from mspterm.console.dialogs.ask import AskContext, ask
from mspterm.console.dialogs.confirm import confirm, refused
from mspterm.console.dialogs.result import look_between, sentence_of, show_results
from mspterm.console.drafts import Drafts
from mspterm.console.session import Running
from mspterm.desk.actions import BY_NAME
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Consent, OpenSession, Plan, Refuse, Result, State
from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.domain.spec import ActionSpec

if TYPE_CHECKING:
    from mspterm.console.dialogs.lift import Lifted
    from mspterm.domain.approval import Approval

_MOST_TOLD = 6
"""Results of one action that are told each: more would cover the screen."""
_ROLES = {State.DONE: "ok", State.QUEUED: "warning", State.PLANNED: "muted"}


class Tell(Protocol):
    """Shows one sentence and keeps it among the messages."""

    def __call__(self, text: str, role: str = "text") -> None: ...


class Acting:
    """Carries out actions of one console, each in a worker of its own."""

    def __init__(
        self,
        app: App[Any],
        running: Running,
        drafts: Drafts,
        *,
        tell: Tell,
        flying: Callable[[int], None],
        doing: Callable[[str], None],
        holding: Callable[[int], None] = lambda step: None,
    ) -> None:
        """`flying` is told +1 and -1 around each sending, `holding` around each session on a device;
        `doing` what is waited for before, then ""."""
        self._app = app
        self._running = running
        self._drafts = drafts
        self._tell = tell
        self._flying = flying
        self._doing = doing
        self._holding = holding

    async def run(
        self,
        spec: ActionSpec,
        refs: tuple[str, ...],
        attach: str | None,
        because: Sequence[str] = (),
        before: Wanted | None = None,
    ) -> Sequence[Result]:
        """The results; empty where the person left off or nothing could be done. `because` is shown
        above the plan; `before` is filled in already."""
        wanted, problem = before or self._draft(spec, refs), ""
        while True:
            context = AskContext(self._running.desk, self._running.planner, refs, attach, wanted, problem)
            try:
                wanted = await ask(self._app, spec, context)
                if wanted is None:
                    return ()
                # No form has put in the ticket that the device was opened from.
                if not spec.params:
                    wanted = replace(wanted, attach=attach)
                ready = await self._confirmed(spec, refs, wanted, because)
                if ready is not None:
                    # On disk before the first byte is on its way: a cut line may leave the text nowhere else.
                    self._keep(spec, refs, wanted)
                    results = await self._send(spec, refs, wanted, *ready)
                    return (*results, *await self._after(spec, refs, wanted, results))
                # Left at the confirmation: the form opens again as it was, and nothing is wrong with it.
                problem = ""
            except Failed as error:
                problem = error.failure.sentence
            # Without a form there is nothing to go back to, and the loop would ask the same for ever.
            if not spec.params or wanted is None:
                if problem:
                    self._tell(f"{spec.title}: {problem}", "failed")
                return ()

    async def _after(
        self, spec: ActionSpec, refs: tuple[str, ...], wanted: Wanted, results: Sequence[Result]
    ) -> Sequence[Result]:
        """An escalation wakes nobody: whom to call is asked next, to note what came of it."""
        if spec.name != "escalate" or any(r.outcome.state is not State.DONE for r in results):
            return ()
        from mspterm.console.dialogs.call_form import call_after

        before = call_after(self._running.desk, refs[0], wanted.to)
        # While it was sent the person may have opened another dialog, which no form may cover.
        if before is None or self._app.screen.is_modal:
            return ()
        return await self.run(BY_NAME["call"], refs, None, before=before)

    def _draft(self, spec: ActionSpec, refs: Sequence[str]) -> Wanted | None:
        text = self._drafts.find(spec.name, refs)
        return None if text is None else Wanted(text=text)

    async def _confirmed(
        self, spec: ActionSpec, refs: Sequence[str], wanted: Wanted, because: Sequence[str]
    ) -> tuple[Plan, Consent] | None:
        """The plan and the person's word for it; None: back to the dialog, whatever was typed kept.

        Raises Failed where no plan can be made.
        """
        self._doing(f"{spec.title}: asking")
        try:
            plan = await self._running.planner.plan(spec.name, refs, wanted)
            # Without a phrase: what the guard answers says whether one is to be typed, and which.
            verdict = await self._running.performer.judge(plan, Consent(plan_hash=plan.hash))
        finally:
            self._doing("")
        approval = None
        # One thing lifted may bring up the next that stands in the way, a cap behind a freeze.
        while isinstance(verdict, Refuse):
            lifted = await self._lifted(plan, verdict, approval)
            if lifted is None:
                return None
            plan, approval = lifted.plan, lifted.approval
            verdict = await self._running.performer.judge(
                plan, Consent(plan_hash=plan.hash, approval=approval)
            )
        consent = await confirm(self._app, plan, verdict, because)
        return None if consent is None else (plan, replace(consent, approval=approval))

    async def _lifted(self, plan: Plan, verdict: Refuse, approval: Approval | None) -> Lifted | None:
        """What the person says that lifts a refusal, which is shown; None where nothing does."""
        # The refusal reaches the journal by way of the only door.
        await self._running.performer.perform(plan, Consent(plan_hash=plan.hash, approval=approval))
        if not await refused(self._app, plan, verdict) or verdict.lift is None:
            return None
        from mspterm.console.dialogs.lift import lift

        return await lift(self._app, self._running.desk, plan, verdict.lift)

    async def _look(self, plan: Plan, results: Sequence[Result], left: int) -> bool:
        # While a person looks nothing is on its way, so leaving then loses nothing.
        self._flying(-1)
        try:
            return await look_between(self._app, plan, results, left)
        finally:
            self._flying(1)

    def _keep(self, spec: ActionSpec, refs: Sequence[str], wanted: Wanted) -> None:
        """The text on disk before anything is sent. Raises Failed where that can't be done."""
        if wanted.text:
            try:
                self._drafts.keep(spec.name, refs, wanted.text)
            except OSError as error:
                sentence = f"Nothing was sent: the text can't be kept on disk first ({error})."
                raise failed(Reason.REFUSED, sentence) from error

    async def _send(
        self, spec: ActionSpec, refs: Sequence[str], wanted: Wanted, plan: Plan, consent: Consent
    ) -> Sequence[Result]:
        """The results, told; the text stays kept until it has been delivered."""
        # A session is never performed as a write: it can't wait in the outbox, and no connector sends it.
        if isinstance(plan.writes[0], OpenSession):
            return await self._session(plan, consent)
        self._flying(1)
        try:
            results = await self._running.performer.perform(plan, consent, partial(self._look, plan))
        except Failed as error:
            # The journal failed half-way: asking again could send it twice.
            self._tell(f"{error.failure.sentence} Look at the ticket before you do it again.", "failed")
            return ()
        finally:
            self._flying(-1)
        # An RMM's id says nothing to a person; a ticket's number does.
        names = {t.ref: t.name for t in plan.targets} if spec.scope == "device" else {}
        for result in _worth_telling(results):
            proof = "; ".join(result.outcome.detail)
            said = sentence_of(result, names.get(result.outcome.ref))
            self._tell(f"{said} ({proof})" if proof else said, _ROLES.get(result.outcome.state, "failed"))
        if len(results) > _MOST_TOLD:
            done = sum(r.outcome.state is State.DONE for r in results)
            self._tell(f"{spec.title}: {done} of {len(results)} writes done.")
        # What waits in the outbox has its text there. One that is uncertain or failed keeps all of it here.
        if all(r.outcome.state in (State.DONE, State.QUEUED) for r in results):
            self._drafts.drop(spec.name, refs)
        elif wanted.text:
            path = self._drafts.path(spec.name, refs)
            self._tell(
                f"Your text is kept: {spec.title} on the same ticket brings it back ({path}).", "warning"
            )
        if any(r.outcome.output is not None for r in results):
            await show_results(self._app, plan, results)
        return results

    async def _session(self, plan: Plan, consent: Consent) -> Sequence[Result]:
        """A session on a device, and after it the update of its ticket, offered or kept for later."""
        from mspterm.console.remote import open_session, update_of

        self._holding(1)
        try:
            ended = await open_session(self._app, self._running, plan, consent)
        finally:
            self._holding(-1)
        role = _ROLES.get(ended.result.outcome.state, "failed")
        self._tell(sentence_of(ended.result, plan.targets[0].name), role)
        offer, update = update_of(ended, plan), BY_NAME["update"]
        if offer is None or offer.attach is None:
            return (ended.result,)
        # The session may end in its own window an hour later, under a dialog that somebody is filling in.
        if self._app.screen.is_modal:
            self._keep(update, (offer.attach,), offer)
            self._tell(f"Its note is kept: {update.title} on {offer.attach} brings it up.")
            return (ended.result,)
        return (ended.result, *await self.run(update, (offer.attach,), None, before=offer))


def _worth_telling(results: Sequence[Result]) -> Sequence[Result]:
    """Of many, the first and those that did not get done."""
    if len(results) <= _MOST_TOLD:
        return results
    return [r for n, r in enumerate(results) if n == 0 or r.outcome.state is not State.DONE]
