"""One line of text: why."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from mspterm.console.dialogs.frame import Dialog


class ReasonDialog(Dialog[str]):
    """Ends with the reason, or None; Enter sends it."""

    LETTERS_COUNT = True
    SEND = "Record"

    DEFAULT_CSS = "ReasonDialog Input { background: $panel; } ReasonDialog .about { height: auto; }"

    def __init__(self, title: str, about: str) -> None:
        super().__init__(title)
        self._about = about

    def compose_body(self) -> ComposeResult:
        yield Static(Content(self._about), classes="about")
        entry = Input(id="reason", compact=True, placeholder="Reason")
        entry.cursor_blink = False
        yield entry

    def start(self) -> Widget:
        return self.query_one("#reason")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_send()

    def action_send(self) -> None:
        reason = self.query_one("#reason", Input).value.strip()
        if reason:
            self.dismiss(reason)
        else:
            self.say_problem("A reason is needed.")
