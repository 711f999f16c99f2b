"""What happened to a ticket, as far as it was seen: the log that clocks are computed from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Happened(StrEnum):
    """Kinds of events. SEEN is the state in which a ticket first came to us; what was before it
    is not known."""

    # The values are stored with every ticket: another word makes what is stored unreadable.
    CREATED = "created"
    SEEN = "seen"
    STATUS = "status"
    PRIORITY = "priority"
    CUSTOMER = "customer"
    AGENT = "agent"
    QUEUE = "queue"
    OWNER = "owner"


ROUTE = frozenset({Happened.QUEUE, Happened.OWNER})
"""Where a ticket went and who had it: no clock depends on these."""


@dataclass(frozen=True, slots=True)
class Event:
    """One change, at a UTC instant.

    SEEN and STATUS: `value` is the status class, `waiting:vendor` where it is said on whom, and `word`
    the vendor's own status. CREATED and PRIORITY: `value` is the priority, 1 to 5, and a PRIORITY's
    `word` the one before. CUSTOMER wrote to us; AGENT wrote to them. QUEUE: `value` and `word` are the place
    after and before, as `TIER:QUEUE`; OWNER: the names, empty for nobody.
    """

    at: datetime
    kind: Happened
    value: str = ""
    word: str = ""
