"""The last look before a write: what will happen, what is at stake, and a person's word for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from mspterm.console.dialogs.frame import Dialog, T
from mspterm.domain.action import Allow, Ask, Consent, Lift, Plan, Refuse

_LIFTS = {Lift.EMERGENCY: "Emergency", Lift.SECOND_PERSON: "Second person or break glass"}


async def confirm(
    app: App[Any], plan: Plan, verdict: Allow | Ask, because: Sequence[str] = ()
) -> Consent | None:
    """The person's consent to exactly this plan, or None. `because`: why it was proposed, to read above it.

    Call it in a worker.
    """
    asks = verdict if isinstance(verdict, Ask) else None
    return await app.push_screen_wait(ConfirmDialog(plan, asks, because))


async def refused(app: App[Any], plan: Plan, verdict: Refuse) -> bool:
    """Shows why the guard lets nothing happen; whether the person wants what could lift it.

    Call it in a worker.
    """
    wanted: bool | None = await app.push_screen_wait(RefusedDialog(plan, verdict))
    return bool(wanted)


class PlanDialog(Dialog[T]):
    """Shows a plan's lines."""

    DEFAULT_CSS = """
    PlanDialog #plan { height: auto; max-height: 1fr; }
    PlanDialog .stake { color: $role-warning; height: auto; }
    PlanDialog .line { height: auto; }
    PlanDialog .because { color: $role-muted; height: auto; }
    PlanDialog Input { background: $panel; width: 40; }
    """

    def __init__(
        self,
        title: str,
        plan: Plan,
        stake: Sequence[str] = (),
        problem: str = "",
        because: Sequence[str] = (),
    ) -> None:
        super().__init__(title, problem)
        self._because = because
        self._plan = plan
        self._stake = stake

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(id="plan", can_focus=False):
            for row in self._because:
                yield Static(Content(row), classes="because")
            for row in self._plan.lines:
                yield Static(Content(row), classes="line")
            for row in self._stake:
                yield Static(Content(f"At stake: {row}"), classes="stake")


class ConfirmDialog(PlanDialog[Consent]):
    """Enter or `y` sends a plan that the guard allows; where it asks for a phrase, only that does."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "yes", "Send", show=False, id="confirm.yes")]

    def __init__(self, plan: Plan, asks: Ask | None, because: Sequence[str] = ()) -> None:
        # What the guard asks about includes what it found by itself, such as a flag on the device.
        stake = asks.stake if asks else plan.stake
        super().__init__(f"{plan.action}: this will happen", plan, stake, because=because)
        self._phrase = asks.phrase if asks else None

    def start(self) -> Widget:
        # Where a phrase is asked, an Enter out of habit lands in an empty field and sends nothing.
        return self.query_one("#phrase" if self._phrase else "#send")

    def compose_body(self) -> ComposeResult:
        yield from super().compose_body()
        if self._phrase:
            yield Static(Content(f"Type  {self._phrase}  to go on:"), classes="stake")
            entry = Input(id="phrase", compact=True)
            entry.cursor_blink = False
            yield entry

    def hint(self) -> str:
        return "" if self._phrase else "Enter or y sends"

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_send()

    def action_yes(self) -> None:
        # The y may be a letter of the phrase.
        if not self._phrase:
            self.action_send()

    def action_send(self) -> None:
        typed = self.query_one("#phrase", Input).value if self._phrase else None
        if typed != self._phrase:
            self.say_problem(f"That is not it. Nothing is sent until it reads exactly: {self._phrase}")
            return
        # The hash ties the word to what was read: a plan that changed since is refused by the guard.
        self.dismiss(Consent(phrase=typed, plan_hash=self._plan.hash))


class RefusedDialog(PlanDialog[bool]):
    """Says why the guard lets nothing happen, and what a person can do about it."""

    SEND, CANCEL = "", "Close"

    def __init__(self, plan: Plan, refused: Refuse) -> None:
        super().__init__(f"{plan.action}: refused", plan, problem=refused.failure.sentence)
        if refused.lift is not None:
            self.SEND = _LIFTS[refused.lift]

    def start(self) -> Widget:
        # Enter closes; what lifts a refusal is chosen on purpose.
        return self.query_one("#cancel")

    def action_send(self) -> None:
        if self.SEND:
            self.dismiss(True)
        else:
            self.action_cancel()
