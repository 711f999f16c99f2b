"""What a write's fields may hold in this ConnectWise."""

from __future__ import annotations

from mspterm.connectors.base import Choices
from mspterm.connectors.connectwise import wire
from mspterm.connectors.connectwise.catalog import Catalog
from mspterm.connectors.connectwise.mapping import TenantMap
from mspterm.domain.people import Technician
from mspterm.domain.text import clean
from mspterm.domain.ticket import Ticket


class Chooser:
    """Asked before a dialog opens; the lists behind it are kept for an hour."""

    def __init__(self, mapping: TenantMap, catalog: Catalog) -> None:
        self._mapping, self._catalog = mapping, catalog

    async def choices(self, ticket: Ticket | None) -> Choices:
        """Statuses of the ticket's board, of which the first that stamps "responded" is a claim's."""
        board = int(ticket.queue_id) if ticket is not None and ticket.queue_id else None
        statuses = list((await self._catalog.statuses(board)).values()) if board is not None else []
        # Only the dialog of a new ticket asks for its client.
        companies = await self._catalog.companies() if ticket is None else []
        members = await self._catalog.members()
        return Choices(
            statuses=tuple(clean(s.name) for s in statuses),
            queues=tuple(sorted(clean(name) for name in await self._catalog.boards())),
            technicians=tuple(technician(m) for m in members if m.identifier),
            clients=tuple(sorted(clean(c.name) for c in companies if c.name)),
            required=("client", "summary"),
            claim_status=next((clean(s.name) for s in statuses if s.escalation_status == "Responded"), None),
            status_classes={clean(s.name): self._mapping.class_of(s).value for s in statuses},
        )


def technician(member: wire.Person) -> Technician:
    """A member by login: writes name it so, and people know it."""
    email = clean(member.default_email) if member.default_email and "@" in member.default_email else None
    return Technician(clean(member.identifier or str(member.id)), clean(member.label), email)
