"""One device on the whole screen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import ScreenResume, ScreenSuspend

from mspterm.console.device_pane import DevicePane, History
from mspterm.console.quiet import QuietScreen
from mspterm.desk.desk import Desk


class DeviceScreen(QuietScreen[None]):
    """The pane for a device, and Escape to go back. Nothing is read live while another screen covers it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,left", "close", "Back", id="close")]

    def __init__(self, desk: Desk, ref: str, *, history: History | None = None, plain: bool = False) -> None:
        super().__init__()
        self._desk = desk
        self.ref = ref
        self._history = history
        self._plain = plain

    def compose(self) -> ComposeResult:
        yield from self.compose_above()
        yield DevicePane(self._desk, self.ref, history=self._history, plain=self._plain)
        yield from self.compose_below()

    def action_close(self) -> None:
        self.dismiss()

    def compose_above(self) -> ComposeResult:
        yield from ()

    def compose_below(self) -> ComposeResult:
        yield from ()

    @property
    def pane(self) -> DevicePane:
        return self.query_one(DevicePane)

    def on_screen_suspend(self, event: ScreenSuspend) -> None:
        self.pane.pause()

    def on_screen_resume(self, event: ScreenResume) -> None:
        self.pane.resume()
