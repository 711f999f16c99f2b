"""A ticket or a device on the whole screen, between the console's own bars."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult

from mspterm.console.commands import Where, shown
from mspterm.console.device_pane import History
from mspterm.console.device_screen import DeviceScreen
from mspterm.console.key_bar import KeyBar, Unavailable
from mspterm.console.session import Session
from mspterm.console.status_bar import StatusBar
from mspterm.console.ticket_screen import TicketScreen
from mspterm.desk.desk import Desk

_PANE = (("device", "Device"), ("unfold_text", "Unfold"), ("client", "Client"))


def _bars(session: Session, unavailable: Unavailable, pane: Sequence[tuple[str, str]] = ()) -> ComposeResult:
    yield StatusBar(session)
    yield KeyBar(session.keys, (Where.OPENED,), unavailable, pane)


class OpenedTicket(TicketScreen):
    """Actions go to this ticket, whatever is marked in the queue."""

    def __init__(self, session: Session, desk: Desk, ref: str, unavailable: Unavailable) -> None:
        super().__init__(desk, ref)
        self._session = session
        self._unavailable = unavailable

    def compose_below(self) -> ComposeResult:
        keys = self._session.keys
        pane = [(shown(keys[name][0]), title) for name, title in _PANE]
        return _bars(self._session, self._unavailable, pane)

    # At the mount, since keys wait for a screen that has no focus yet.
    def on_mount(self) -> None:
        self.pane.focus_text()


class OpenedDevice(DeviceScreen):
    """Actions on devices go to this one; their output to `attach`, the ticket that it was opened from."""

    def __init__(
        self,
        session: Session,
        desk: Desk,
        ref: str,
        unavailable: Unavailable,
        *,
        history: History,
        plain: bool,
        attach: str | None,
    ) -> None:
        super().__init__(desk, ref, history=history, plain=plain)
        self._session = session
        self._unavailable = unavailable
        self.attach = attach

    def compose_below(self) -> ComposeResult:
        return _bars(self._session, self._unavailable)

    def on_mount(self) -> None:
        self.pane.focus_text()
