"""The last look before a write: what will happen, what is at stake, and a person's word for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from mspterm.console.commands import key_of, shown
from mspterm.console.dialogs.frame import Dialog, T
from mspterm.console.dialogs.passage import BACK, Passage
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
    """Shows a plan's lines, and apart from them, so that it is in view however long the plan is, what is
    at stake."""

    DEFAULT_CSS = """
    PlanDialog .-full Passage { height: 1fr; }
    PlanDialog .stake { color: $role-warning; height: auto; }
    PlanDialog .because, PlanDialog #more { color: $role-muted; height: auto; }
    PlanDialog Input { background: $panel; width: 40; }
    """

    # Without priority: in a phrase, Home, End and letters are the input's.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "read('down')", "Down", show=False, id="plan.down"),
        Binding("up,k", "read('up')", "Up", show=False, id="plan.up"),
        Binding("pagedown,space", "read('page_down')", "Page down", show=False, id="plan.page_down"),
        Binding("pageup", "read('page_up')", "Page up", show=False, id="plan.page_up"),
        Binding("home", "read('home')", "Top", show=False, id="plan.first"),
        Binding("end", "read('end')", "Bottom", show=False, id="plan.last"),
    ]

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
        yield Passage("plan", because=self._because, line=self._plan.lines)
        yield Passage("stake", stake=[f"At stake: {row}" for row in self._stake])
        yield Static(id="more", markup=False)

    def on_resize(self) -> None:
        self.query_one("#frame").remove_class("-full")
        for part in self.query(Passage):
            part.styles.max_height = None
        self.call_after_refresh(self._fill)

    def say_problem(self, sentence: str) -> None:
        super().say_problem(sentence)
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        """Where the plan is too long for the screen, it takes what the other parts leave, and is scrolled."""
        frame = self.query_one("#frame")
        if frame.get_content_height(self.size, self.size, frame.size.width) > self.size.height:
            frame.add_class("-full")

    def on_passage_moved(self) -> None:
        """Says how much there is where not all of it is in view."""
        scrolled = [part for part in self.query(Passage) if not part.all_seen]
        key = shown(key_of(self.app, "plan_page_down"))
        below = f": {key}" if any(part.can_move("down") for part in scrolled) else ""
        more = self.query_one("#more", Static)
        more.display = bool(scrolled)
        more.update(f"{', '.join(f'{part.id} {part.in_view()}' for part in scrolled)}{below}")

    def action_read(self, way: str) -> None:
        """Moves in the plan and, from its end on, in what is at stake; to top and bottom in both."""
        parts = [part for part in self.query(Passage) if part.can_move(way)]
        in_turn = parts[::-1] if way in BACK else parts
        for part in in_turn if way in ("home", "end") else in_turn[:1]:
            part.move(way)


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
        return "" if self._phrase else f"Enter or {key_of(self.app, 'yes')} sends"

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
