"""What all dialogs share: a frame, a line for what is wrong, and no key that was typed too early."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Static

from mspterm.console.commands import key_of
from mspterm.console.quiet import QuietModal

T = TypeVar("T")


class Dialog(QuietModal[T | None]):
    """A dialog over the screen. Subclasses give `compose_body`, `start` and what
    `action_send` does.

    Keys that were pressed before it stood there don't count: they were meant for something else,
    and an Enter among them would send.
    """

    # Textual would focus the first widget at the mount, before `_begin` says that keys count.
    AUTO_FOCUS = ""
    LETTERS_COUNT: ClassVar[bool] = False
    """Whether letters typed right behind the key that opened it are its text: they can't send it."""
    SEND: str = "Send"
    CANCEL: ClassVar[str] = "Cancel"

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 60%; }
    Dialog #frame {
        width: 100%; max-width: 104; height: auto; max-height: 100%; padding: 0 1; background: $surface;
    }
    Dialog #title { width: 100%; background: $role-header-background; color: $role-header; text-style: bold; }
    Dialog #problem { color: $role-failed; height: auto; }
    Dialog #buttons { height: 1; margin-top: 1; }
    Dialog #buttons Button { margin-right: 2; min-width: 8; background: $panel; color: $foreground; }
    Dialog #buttons Button:focus {
        background: $role-cursor-background; color: $role-cursor; text-style: bold; background-tint: 0%;
    }
    Dialog:ansi { background: ansi_default; }
    Dialog:ansi #title, Dialog:ansi #buttons Button:focus { text-style: bold reverse; }
    Dialog #hint { color: $role-muted; width: 1fr; height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="dialog.cancel"),
        # ctrl+s stops the output of a terminal with flow control and is a prefix in some multiplexers.
        Binding("ctrl+g,ctrl+s", "send", "Send", priority=True, id="dialog.send"),
    ]

    def __init__(self, title: str, problem: str = "") -> None:
        super().__init__()
        self._title = title
        self._problem = problem
        self._ready_at: float | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="frame"):
            yield Static(Content(self._title), id="title")
            yield from self.compose_body()
            yield Static(id="problem", markup=False)
            with Horizontal(id="buttons"):
                if self.SEND:
                    go = Content(f"{self.SEND} ({key_of(self.app, 'send')})")
                    yield Button(go, id="send", variant="primary", compact=True)
                leave = key_of(self.app, "cancel").replace("escape", "esc")
                yield Button(Content(f"{self.CANCEL} ({leave})"), id="cancel", compact=True)
                yield Static(Content(self.hint()), id="hint")

    def compose_body(self) -> ComposeResult:
        yield from ()

    def hint(self) -> str:
        """What stands beside the buttons."""
        return ""

    def on_mount(self) -> None:
        self.say_problem(self._problem)
        # Behind everything that is in the app's queue now: keys in it were pressed before this stood here.
        self.app.call_later(self._begin)

    def _begin(self) -> None:
        if self._ready_at is None and self.is_attached:
            # By the clock that stamps events, so that the two can be compared.
            self._ready_at = Message().time
            self.set_focus(self.start())

    def start(self) -> Widget:
        """What has the focus first."""
        return self.query_one("#send")

    def counts(self, event: events.Key | events.Paste) -> bool:
        """Of what was pressed before it stood there, letters at most."""
        if self.LETTERS_COUNT and (isinstance(event, events.Paste) or event.is_printable):
            return True
        return self._ready_at is not None and event.time >= self._ready_at

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # A letter that counts may be bound to something here: what is bound waits, whatever its key.
        return self._ready_at is not None

    def say_problem(self, sentence: str) -> None:
        """One sentence about what keeps this from being sent; an empty one clears it."""
        said, line = Content(f"! {sentence}" if sentence else ""), self.query_one("#problem", Static)
        # An update lays out and sends the line again, and this is called at every letter.
        if line.content != said:
            line.update(said)
        line.display = bool(sentence)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "send":
            self.action_send()
        elif event.button.id == "cancel":
            self.action_cancel()

    def action_send(self) -> None:
        raise NotImplementedError

    def action_cancel(self) -> None:
        self.dismiss(None)
