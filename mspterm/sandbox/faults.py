"""When a vendor's API doesn't answer as it should: too many requests for a while, or down once."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime

CONNECTWISE, NINJAONE = "connectwise", "ninjaone"


@dataclass(slots=True)
class Faults:
    """What is wrong now, by vendor."""

    throttled_until: dict[str, datetime] = field(default_factory=dict)
    broken: dict[str, int] = field(default_factory=dict)
    """How many requests are still to be answered 503."""

    def retry_after(self, vendor: str, now: datetime) -> int:
        """Seconds until the vendor takes requests again; 0 where it does."""
        until = self.throttled_until.get(vendor, now)
        # Rounded up: who comes back at the second that was told must not be refused again.
        return max(0, math.ceil((until - now).total_seconds()))

    def take_break(self, vendor: str) -> bool:
        """Whether this request is one of those that find the vendor down."""
        left = self.broken.get(vendor, 0)
        self.broken[vendor] = max(0, left - 1)
        return left > 0
