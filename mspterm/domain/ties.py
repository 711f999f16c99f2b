"""Which ticket an alert opened, where neither the RMM nor the PSA says so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from mspterm.domain.storms import Sign

WITHIN_S = 15 * 60
"""An integration opens the ticket within a poll or two of the alert."""


@dataclass(frozen=True, slots=True)
class Tie:
    """An alert and its ticket, by ref. `cleared_at` None: the alert is on, as far as is known; `told`
    once the ticket says that it has cleared. `quiet`: why its device's alerts don't count now."""

    alert: str
    ticket: str
    message: str
    raised_at: datetime
    cleared_at: datetime | None = None
    told: bool = False
    quiet: str | None = None


def opened(alert: Sign, tickets: Iterable[Sign]) -> str | None:
    """The ticket that the alert names, else the nearest of its device and condition that no human
    reported; None where none is near."""
    found = list(tickets)
    if alert.linked is not None and any(t.ref == alert.linked for t in found):
        return alert.linked
    # On either side: RMM and PSA date by clocks of their own.
    near = [t for t in found if _same(alert, t) and abs(t.at - alert.at) <= WITHIN_S]
    return min(near, key=lambda t: (abs(t.at - alert.at), t.ref)).ref if near else None


def _same(alert: Sign, ticket: Sign) -> bool:
    about = alert.device is not None and alert.device == ticket.device
    return about and alert.condition == ticket.condition and not ticket.human
