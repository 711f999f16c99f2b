"""What is going to happen, in order. Nothing runs by itself: each request first lets happen what is
due, at the instant it was due, so that a seed tells the same story however often it is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush

from mspterm.sandbox.faults import Faults
from mspterm.sandbox.world import World

Event = Callable[[datetime], None]


@dataclass(slots=True)
class Life:
    """The events to come, the faults that vendors have now, and who listens for what callers write."""

    world: World
    faults: Faults = field(default_factory=Faults)
    _due: list[tuple[datetime, int, Event]] = field(default_factory=list)
    _count: int = 0
    listeners: list[Callable[[int, datetime], None]] = field(default_factory=list)

    def advance(self) -> datetime:
        """Lets happen what is due; the time until which it has."""
        now = self.world.now()
        # Looked at anew after each: an event may bring others that are due already.
        while self._due and self._due[0][0] <= now:
            at, _, event = heappop(self._due)
            event(at)
        return now

    def after(self, at: datetime, seconds: float, event: Event) -> None:
        """`event` is to happen `seconds` of the world after `at`."""
        # Events of one instant come in the order they were asked for; the heap never compares functions.
        self._count += 1
        heappush(self._due, (self.world.clock.after(at, seconds), self._count, event))

    def customer_was_told(self, ticket: int) -> None:
        """Somebody wrote to the contact of this ticket, who may answer."""
        for listener in self.listeners:
            listener(ticket, self.world.now())
