"""Keys one after the other: each goes to where the one before it has put the focus.

Textual hands every key at once to what has the focus, and runs what it is bound to when it has come up
from there: of `/oak` in one write (a paste, or fast typing over ssh) `oak` would go to the list, and a
bound key with priority would overtake the letters typed before it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Any, Protocol, TypeVar, runtime_checkable

from textual.app import App
from textual.events import Event, Key, Paste
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget

T = TypeVar("T")
PATIENCE_S = 0.5
"""How long keys wait for a key that isn't done, or for a screen without focus."""
_LOOK_S = 0.01
_ROUNDS = 3
"""From a list's key by way of its message and the screen's to the app, which opens a ticket."""


@runtime_checkable
class Chooses(Protocol):
    """A screen to which not every key counts that was pressed before it stood there."""

    def counts(self, event: Key | Paste) -> bool:
        """Whether the key is for this screen."""
        ...


class KeyDone(Message):
    """Sent after a key along the same way: where it arrives, the key has been dealt with; on a later
    `round`, so have the messages that this made a widget send."""

    def __init__(self, number: int, target: Widget, round: int = 1) -> None:
        self.number = number
        self.target = target
        self.round = round
        super().__init__()


class KeyLine(App[T]):
    """An app whose keys wait for each other."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._line: deque[Key | Paste] = deque()
        self._number = 0
        self._due: float | None = None
        self._hold: tuple[Screen[Any], float] | None = None
        self._waits_for: tuple[Screen[Any], float] | None = None
        self._again: asyncio.TimerHandle | None = None

    def hold_keys(self) -> None:
        """Keys wait for the screen that is on its way: they are meant for it."""
        self._hold = (self.screen, time.monotonic() + PATIENCE_S)

    def let_keys_go(self) -> None:
        """No screen comes."""
        self._hold = None

    async def on_event(self, event: Event) -> None:
        # A forwarded one is on its way down from here already.
        if isinstance(event, Key | Paste) and not event.is_forwarded:
            self._line.append(event)
            await self._next()
        else:
            await super().on_event(event)

    async def on_key_done(self, message: KeyDone) -> None:
        message.stop()
        # Of a key that was given up on: its widget hung, and others have gone since.
        if message.number != self._number:
            return
        # Only where a key waits: one that is typed by itself costs no extra round.
        if self._line and message.round < _ROUNDS:
            again = KeyDone(message.number, message.target, message.round + 1)
            # False where the key has closed its own widget: nothing more comes from there.
            if message.target.post_message(again):
                return
        self._due = None
        await self._next()

    async def _next(self) -> None:
        while self._line and self._may_go():
            await self._deliver(self._line.popleft())
        # Patience ends without any message, so somebody has to look.
        if self._line and self._again is None:
            self._again = asyncio.get_running_loop().call_later(_LOOK_S, self._look_again)

    def _look_again(self) -> None:
        self._again = None
        # Through the app's own queue: called from the timer it would run beside the handling of a key.
        self.call_later(self._next)

    async def _deliver(self, event: Key | Paste) -> None:
        screen = self.screen
        if isinstance(screen, Chooses) and not screen.counts(event):
            return
        # Before the delivery, which may move the focus: the mark must go where the key went.
        target = self.focused or screen
        await super().on_event(event)
        self._number += 1
        if target.post_message(KeyDone(self._number, target)):
            self._due = time.monotonic() + PATIENCE_S

    def _may_go(self) -> bool:
        now = time.monotonic()
        if self._due is not None and now < self._due:
            return False
        if not self.screen_stack:
            return False
        if self._hold is not None:
            screen, until = self._hold
            if screen is self.screen and now < until:
                return False
            self._hold = None
        return self._has_focus(now)

    def _has_focus(self, now: float) -> bool:
        """Whether the screen has the focus somewhere; one that never will is waited for once."""
        screen = self.screen
        if screen.focused is not None:
            return True
        if self._waits_for is None or self._waits_for[0] is not screen:
            self._waits_for = (screen, now + PATIENCE_S)
        return now >= self._waits_for[1]
