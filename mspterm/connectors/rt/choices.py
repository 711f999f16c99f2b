"""What a write's fields may hold in this RT."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from mspterm.connectors.base import Choices
from mspterm.connectors.rt.client import RtClient
from mspterm.connectors.rt.detail import NOT_SHOWN, Detail
from mspterm.connectors.rt.feed import Feed
from mspterm.connectors.rt.mapping import NOBODY
from mspterm.domain.people import Technician
from mspterm.domain.reasons import Failed, Reason
from mspterm.domain.text import clean
from mspterm.domain.ticket import Ticket

FRESH = timedelta(minutes=10)
# RT's own lifecycle; REST 2.0 lists none, only the moves that one ticket's buttons offer.
DEFAULT_STATUSES = ("new", "open", "stalled", "resolved", "rejected")
CLAIMED = "open"
"""What a claim sets: work has begun. Another lifecycle's word goes into `claim_status`."""


class Chooser:
    """Asked before a dialog opens; each queue's answer is kept for ten minutes."""

    def __init__(self, client: RtClient, detail: Detail, feed: Feed, now: Callable[[], datetime]) -> None:
        self._client, self._detail, self._feed, self._now = client, detail, feed, now
        self._owners: dict[str, tuple[datetime, tuple[Technician, ...]]] = {}

    async def choices(self, ticket: Ticket | None) -> Choices:
        """Statuses of RT's default lifecycle and those seen; who may own in that ticket's queue."""
        queues = await self._detail.queues()
        ids = [ticket.queue_id] if ticket is not None and ticket.queue_id else sorted(queues)
        statuses = (*DEFAULT_STATUSES, *sorted(self._feed.statuses_seen - set(DEFAULT_STATUSES)))
        return Choices(
            statuses=tuple(clean(status) for status in statuses),
            queues=tuple(sorted(clean(name) for name in queues.values())),
            technicians=await self._technicians("|".join(f"RT::Queue-{queue}" for queue in ids)),
            clients=tuple(clean(client) for client in sorted(self._feed.clients_seen)),
            required=("queue", "summary"),
            claim_status=CLAIMED,
            status_classes={clean(s): self._feed.class_of(s).value for s in statuses},
        )

    async def _technicians(self, limit: str) -> tuple[Technician, ...]:
        kept = self._owners.get(limit)
        if kept is not None and self._now() - kept[0] < FRESH:
            return kept[1]
        try:
            found = await self._client.owners(limit)
        except Failed as error:
            # Without a session (an RT behind single sign-on, say) the page is a login form.
            if error.failure.reason not in (*NOT_SHOWN, Reason.BAD_DATA):
                raise
            found = []
        people = tuple(_technician(owner.value, owner.label) for owner in found if owner.value != NOBODY)
        # None at all is kept as well, or a page that isn't given is asked for at each dialog.
        self._owners[limit] = (self._now(), people)
        return people


def _technician(login: str, label: str) -> Technician:
    """RT's label is `login (Real Name)`."""
    name = label.removeprefix(f"{login} (").removesuffix(")") if label.startswith(f"{login} (") else label
    return Technician(clean(login), clean(name or login))
