"""A device on the whole screen, between the console's own bars."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from mspterm.console.commands import Where, bindings
from mspterm.console.device_screen import DeviceScreen
from mspterm.console.key_bar import KeyBar, Unavailable
from mspterm.console.session import Session
from mspterm.console.status_bar import StatusBar
from mspterm.desk.desk import Desk


def _bars(session: Session, unavailable: Unavailable) -> ComposeResult:
    yield StatusBar(session)
    yield KeyBar(session.keys, (Where.OPENED,), unavailable)


class OpenedDevice(DeviceScreen):
    """Actions on devices go to this one."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings((Where.OPENED,))]

    def __init__(self, session: Session, desk: Desk, ref: str, unavailable: Unavailable) -> None:
        super().__init__(desk, ref)
        self._session = session
        self._unavailable = unavailable

    def compose_below(self) -> ComposeResult:
        return _bars(self._session, self._unavailable)

    def action_close(self) -> None:
        self.dismiss()
