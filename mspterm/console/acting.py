"""One action from key to outcome: ask, plan, judge, confirm, perform. No text that was typed is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from textual.app import App

from mspterm.console.dialogs.ask import AskContext, ask
from mspterm.console.dialogs.confirm import confirm
from mspterm.console.dialogs.result import sentence_of, show_results
from mspterm.console.drafts import Drafts
from mspterm.console.session import Running
from mspterm.desk.actions import BY_NAME
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Consent, OpenSession, Plan, Refuse, Result, State
from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.domain.spec import ActionSpec

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
    ) -> None:
        """`flying` is told +1 and -1 around each sending; `doing` what is waited for before, then ""."""
        self._app = app
        self._running = running
        self._drafts = drafts
        self._tell = tell
        self._flying = flying
        self._doing = doing

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
                if not spec.params:
                    wanted = replace(wanted, attach=attach)
                ready = await self._confirmed(spec, refs, wanted, because)
                if ready is not None:
                    self._keep(spec, refs, wanted)
                    return await self._send(spec, refs, wanted, *ready)
                problem = ""
            except Failed as error:
                problem = error.failure.sentence
            if not spec.params or wanted is None:
                if problem:
                    self._tell(f"{spec.title}: {problem}", "failed")
                return ()

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
            verdict = await self._running.performer.judge(plan, Consent(plan_hash=plan.hash))
        finally:
            self._doing("")
        if isinstance(verdict, Refuse):
            # The refusal reaches the journal by way of the only door.
            await self._running.performer.perform(plan, Consent(plan_hash=plan.hash))
        consent = await confirm(self._app, plan, verdict, because)
        return None if consent is None else (plan, consent)

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
        if isinstance(plan.writes[0], OpenSession):
            return await self._session(plan, consent)
        self._flying(1)
        try:
            results = await self._running.performer.perform(plan, consent)
        except Failed as error:
            # The journal failed half-way: asking again could send it twice.
            self._tell(f"{error.failure.sentence} Look at the ticket before you do it again.", "failed")
            return ()
        finally:
            self._flying(-1)
        names = {t.ref: t.name for t in plan.targets} if spec.scope == "device" else {}
        for result in results:
            proof = "; ".join(result.outcome.detail)
            said = sentence_of(result, names.get(result.outcome.ref))
            self._tell(f"{said} ({proof})" if proof else said, _ROLES.get(result.outcome.state, "failed"))
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

        ended = await open_session(self._app, self._running, plan, consent)
        role = _ROLES.get(ended.result.outcome.state, "failed")
        self._tell(sentence_of(ended.result, plan.targets[0].name), role)
        offer, update = update_of(ended, plan), BY_NAME["update"]
        if offer is None or offer.attach is None:
            return (ended.result,)
        if self._app.screen.is_modal:
            self._keep(update, (offer.attach,), offer)
            self._tell(f"Its note is kept: {update.title} on {offer.attach} brings it up.")
            return (ended.result,)
        return (ended.result, *await self.run(update, (offer.attach,), None, before=offer))
