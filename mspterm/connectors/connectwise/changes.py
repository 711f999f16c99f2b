"""An update's fields as changes of one ticket, in the ids of that tenant and board."""

from __future__ import annotations

from mspterm.connectors.connectwise import proof, wire
from mspterm.connectors.connectwise.catalog import Catalog
from mspterm.connectors.connectwise.mapping import TenantMap
from mspterm.connectors.connectwise.proof import Op, Patch
from mspterm.domain.action import Update
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.text import clean

_OF_A_BOARD = (("type", "types"), ("subType", "subtypes"), ("item", "items"), ("team", "teams"))


class Changer:
    """Finds out what must be sent for what was asked."""

    def __init__(self, mapping: TenantMap, catalog: Catalog) -> None:
        self._mapping, self._catalog = mapping, catalog
        self._name = mapping.connection.name

    async def changes(self, write: Update, row: wire.Ticket) -> tuple[Patch, ...]:
        """Raises Failed, before anything is sent, for what this tenant or board hasn't got."""
        board = await self._catalog.board(write.queue) if write.queue is not None else None
        board_id = board.id if board else (row.board.id if row.board else None) or 0
        changes = []
        # The board goes first: status, type and team below are the new board's, by ids of its own.
        if board is not None:
            changes.append(proof.board_change(board, await self._following(row, board.id)))
        if write.status is not None:
            changes.append(proof.status_change(await self._catalog.status(board_id, write.status)))
        elif board is not None:
            changes.append(proof.status_change(await self._entry_status(row, board.id)))
        if write.owner is not None:
            changes.append(proof.owner_change(write.owner))
        if write.priority is not None:
            changes.append(proof.priority_change(await self.priority(write.priority)))
        if write.next_at is not None:
            source = self._mapping.connection.next_from
            changes.append(proof.date_change(source, write.next_at, row.custom_fields or []))
        return tuple(changes)

    async def priority(self, ours: int) -> wire.Named:
        """The tenant's priority for our 1..5. Raises Failed (refused) where it has none."""
        known = await self._catalog.priorities()
        found = next((p for p in known if self._mapping.priority(p.name) == ours), None)
        if found is None:
            names = ", ".join(p.name for p in known)
            sentence = f"{self._name} has no priority {ours} ({names}); map them in its `priorities`."
            raise failed(Reason.REFUSED, clean(sentence), self._name)
        return found

    def ours(self, row: wire.Ticket) -> int:
        """A ticket's priority as our 1..5."""
        return self._mapping.priority(row.priority.name if row.priority else None)

    async def _entry_status(self, row: wire.Ticket, board: int) -> wire.Status:
        """A ticket that moves keeps its status by name, else gets the new board's first: ids differ."""
        statuses = list((await self._catalog.statuses(board)).values())
        if not statuses:
            raise failed(
                Reason.REFUSED, f"That board of {self._name} shows no status to move to.", self._name
            )
        name = row.status.name if row.status else None
        same = next((s for s in statuses if s.name == name), None)
        return same or next((s for s in statuses if s.default_flag), statuses[0])

    async def _following(self, row: wire.Ticket, board: int) -> tuple[Op, ...]:
        """Type, subtype, item and team belong to a board: the new one's of that name, else its default
        type, and none of the others."""
        refs = {"type": row.type, "subType": row.sub_type, "item": row.item, "team": row.team}
        ops = []
        for path, what in _OF_A_BOARD:
            ref = refs[path]
            if ref is None:
                continue
            known = await self._catalog.of_board(what, board)
            same = next((n for n in known if n.name == ref.name), None)
            same = same or next((n for n in known if path == "type" and n.default_flag), None)
            if same is not None:
                ops.append(proof.replace(path, {"id": same.id}))
            elif path != "type":  # a board may demand one, and then refuses that it is removed
                ops.append(proof.remove(path))
        return tuple(ops)
