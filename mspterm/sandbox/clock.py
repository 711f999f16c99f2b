"""The world's clock. What the APIs say is always in the time of whoever reads it, so a console needs
no word of the speed: at 60 a due time that lies an hour ahead is told as one a minute ahead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


def wall() -> datetime:
    """This machine's time, in whole seconds as both vendors tell it."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class Clock:
    """`began` is when the world began; before it time is as long as ever, after it `speed` applies."""

    began: datetime
    speed: float = 1.0
    now: Callable[[], datetime] = wall

    def after(self, at: datetime, seconds: float) -> datetime:
        """When `seconds` of the world have passed since `at`, an instant after `began`."""
        return at + timedelta(seconds=seconds / self.speed)

    def inside(self, at: datetime) -> datetime:
        """The world's own time of an instant told to readers."""
        return at if at <= self.began else self.began + (at - self.began) * self.speed

    def told(self, inside: datetime) -> datetime:
        """The instant that readers are told for one of the world's own."""
        return inside if inside <= self.began else self.began + (inside - self.began) / self.speed
