"""One ticket on the whole screen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from mspterm.console.quiet import QuietScreen
from mspterm.console.ticket_pane import TicketPane
from mspterm.desk.desk import Desk


class TicketScreen(QuietScreen[None]):
    """The pane for a ticket, and Escape to go back. Bars go in by `compose_above`, `compose_below`."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,left", "close", "Back", id="close")]

    def __init__(self, desk: Desk, ref: str) -> None:
        super().__init__()
        self._desk = desk
        self.ref = ref

    def compose(self) -> ComposeResult:
        yield from self.compose_above()
        yield TicketPane(self._desk, self.ref)
        yield from self.compose_below()

    def action_close(self) -> None:
        self.dismiss()

    def compose_above(self) -> ComposeResult:
        yield from ()

    def compose_below(self) -> ComposeResult:
        yield from ()

    @property
    def pane(self) -> TicketPane:
        return self.query_one(TicketPane)
