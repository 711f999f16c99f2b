"""The outbox as a screen: every write that waits, failed or is uncertain, and what a person decides of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from mspterm.console.bar import Bar
from mspterm.console.commands import key_of, shown
from mspterm.console.line_view import BLANK, LineView, Span, TextLine, line, wrap
from mspterm.console.quiet import QuietScreen
from mspterm.desk.recording import words_of
from mspterm.domain.ages import age
from mspterm.domain.reasons import Failed
from mspterm.domain.text import clean

if TYPE_CHECKING:
    from mspterm.console.app import MsptermApp
    from mspterm.console.session import Running
    from mspterm.store.intents import Intent

# What only a person can settle comes first; the rest goes on by itself.
RANK = {"uncertain": 0, "failed": 1, "queued": 2, "sending": 3, "sent": 4}
ROLE = {"uncertain": "failed", "failed": "failed", "queued": "warning"}
"""Red until a person decides."""
SHOWN_ROWS = 3
STAKES = {
    "again": "sends what of it is not at the server",
    "arrived": "says that you saw it at the server",
    "drop": "gives it up for good",
}


class OutboxScreen(QuietScreen[None]):
    """One write at a time is chosen; a decision's key is pressed twice, as nothing takes it back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority: the text below has the focus and would scroll.
        Binding("down,j", "move(1)", "Down", show=False, priority=True, id="outbox.down"),
        Binding("up,k", "move(-1)", "Up", show=False, priority=True, id="outbox.up"),
        Binding("s", "decide('again')", "Send again", show=False, id="outbox.again"),
        Binding("a", "decide('arrived')", "It arrived", show=False, id="outbox.arrived"),
        Binding("x", "decide('drop')", "Drop", show=False, id="outbox.drop"),
        Binding("escape,q,enter", "close", "Back", show=False, id="page.close"),
    ]

    def __init__(self, app: MsptermApp, running: Running) -> None:
        super().__init__()
        self._front, self._at_work = app, running
        self._intents: Sequence[Intent] = ()
        self._chosen = 0
        self._asked: tuple[str, str] | None = None

    def compose(self) -> ComposeResult:
        yield Bar("header")
        yield LineView()

    def on_mount(self) -> None:
        self.set_focus(self.query_one(LineView))

    def on_line_view_resized(self, event: LineView.Resized) -> None:
        self.read()

    def read(self) -> None:
        """The outbox as it is now."""
        desk = self._at_work.desk
        found = desk.store.intents.listed(desk.now())
        self._intents = sorted(found, key=lambda i: RANK.get(i.state, len(RANK)))
        # Another console may have settled some of them meanwhile.
        self._chosen = max(0, min(self._chosen, len(self._intents) - 1))
        self._show()

    def _show(self) -> None:
        view, now = self.query_one(LineView), self._at_work.desk.now()
        lines, place = [BLANK], (0, 0)
        for number, intent in enumerate(self._intents):
            old = age((now - intent.created_at).total_seconds())
            block = intent_lines(intent, old, view.size.width, chosen=number == self._chosen)
            if number == self._chosen:
                place = (len(lines), len(lines) + len(block))
            lines += block
        if not self._intents:
            lines.append(line(" Nothing waits, and nothing was decided in the last day."))
        view.set_lines(lines)
        view.reveal(*place)
        self.query_one(Bar).say(self._title())

    def _title(self) -> list[tuple[str, str]]:
        if self._asked is not None:
            key = shown(key_of(self.app, f"outbox_{self._asked[0]}"))
            return [(f" {key} once more {STAKES[self._asked[0]]}", "warning")]
        names = {"outbox_again": "send again", "outbox_arrived": "it arrived", "outbox_drop": "drop"}
        keys = [f"{shown(key_of(self.app, name))} {title}" for name, title in names.items()]
        back = f"{shown(key_of(self.app, 'close_page'))} goes back"
        return [(" Outbox", "header"), (f"   {'  '.join((*keys, back))}", "muted")]

    def action_move(self, step: int) -> None:
        # The question was about the write that was chosen.
        self._asked = None
        self._chosen = max(0, min(self._chosen + step, len(self._intents) - 1))
        self._show()

    def action_close(self) -> None:
        self.dismiss()

    def action_decide(self, what: str) -> None:
        """Asks; the same key on the same write again does it."""
        if not self._intents:
            return
        asked, intent = self._asked, self._intents[self._chosen]
        # By id and not by place: a list that is read anew must not put the answer to another write.
        self._asked = (what, intent.intent_id)
        if asked == self._asked:
            self._asked = None
            self.run_worker(self._decide(what, intent), group="outbox", exclusive=True)
        self._show()

    async def _decide(self, what: str, intent: Intent) -> None:
        ways: dict[str, Callable[[Intent], Awaitable[str]]] = {
            "again": self._again,
            "arrived": self._arrived,
            "drop": self._drop,
        }
        try:
            self._front.tell(await ways[what](intent))
        except Failed as error:
            self._front.tell(error.failure.sentence, "failed")
        self._front.changed()
        if self.is_current:
            self.read()

    async def _again(self, intent: Intent) -> str:
        outcome = await self._at_work.performer.retry(intent.intent_id)
        said = outcome.failure.sentence if outcome.failure else "; ".join(outcome.detail)
        return f"{intent.ref}: {outcome.state.value}{f': {said}' if said else ''}"

    async def _arrived(self, intent: Intent) -> str:
        await self._at_work.performer.drop(intent.intent_id, arrived=True)
        return f"{intent.ref}: settled, it had arrived"

    async def _drop(self, intent: Intent) -> str:
        await self._at_work.performer.drop(intent.intent_id)
        return f"{intent.ref}: given up, it is never sent"


def intent_lines(intent: Intent, old: str, width: int, *, chosen: bool) -> list[TextLine]:
    """One write: what and where, why it stands there, and what was to be written."""
    role = ROLE.get(intent.state, "muted")
    head = f" {'>' if chosen else ' '} {intent.state:<10}"
    lines = [TextLine((Span(head, role), Span(f"{intent.ref}  {intent.action}  {old} ago")))]
    lines += [line(row, role) for row in wrap(clean(intent.reason or ""), width - 1, "     ") if row.strip()]
    # Once more: what is on disk may be of another version, or another hand.
    words = clean(words_of(intent.write) or "", multiline=True)
    lines += [line(row, "muted") for row in wrap(words, width - 1, "     ")[:SHOWN_ROWS] if row.strip()]
    return [*lines, BLANK]
