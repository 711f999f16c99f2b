"""A tenant's own words: boards with their statuses, priorities, members, companies. Asked once an hour."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from mspterm.connectors.connectwise import wire
from mspterm.connectors.connectwise.client import CwClient
from mspterm.connectors.connectwise.conditions import quoted
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.text import clean
from mspterm.net.pacer import CallClass

FRESH = timedelta(hours=1)
API_MEMBER = "A"
"""The licence class of members that are keys and no people."""

T = TypeVar("T")
_STATUS_FIELDS = "id,name,sortOrder,inactive,closedStatus,defaultFlag,timeEntryNotAllowed,escalationStatus"
_MEMBER_FIELDS = "id,identifier,firstName,lastName,fullName,defaultEmail,licenseClass,inactiveFlag"


class Catalog:
    """Lists that every ticket refers to, kept for an hour; every one is read to its last page."""

    def __init__(self, client: CwClient, now: Callable[[], datetime]) -> None:
        self._client, self._now = client, now
        self._kept: dict[str, tuple[datetime, Any]] = {}

    async def boards(self) -> dict[str, wire.Board]:
        """Service boards that are in use, by name."""

        async def ask() -> dict[str, wire.Board]:
            query = {"conditions": "inactiveFlag=False", "fields": "id,name,inactiveFlag,projectFlag"}
            found = await self._client.items("/service/boards", wire.Board, query)
            return {b.name: b for b in found if not b.inactive_flag and not b.project_flag}

        return await self._keep("boards", ask)

    async def board(self, name: str) -> wire.Board:
        """A board by its name. Raises Failed (not found) naming those there are."""
        boards = await self.boards()
        if name not in boards:
            known = ", ".join(sorted(boards))
            raise failed(
                Reason.NOT_FOUND, clean(f"{self._client.name} has no board {name}; it has: {known}.")
            )
        return boards[name]

    async def statuses(self, board: int, *, kind: CallClass = "interactive") -> Mapping[int, wire.Status]:
        """A board's statuses by id, in the board's order: ids differ from board to board."""

        async def ask() -> dict[int, wire.Status]:
            path, query = "/service/boards/{board}/statuses", {"fields": _STATUS_FIELDS}
            found = await self._client.items(path, wire.Status, query, kind=kind, board=board)
            return {s.id: s for s in sorted(found, key=lambda s: (s.sort_order or 0, s.id)) if not s.inactive}

        return await self._keep(f"statuses {board}", ask)

    async def status(self, board: int, name: str) -> wire.Status:
        """A board's status by name. Raises Failed (not found) naming those it has."""
        statuses = (await self.statuses(board)).values()
        found = next((s for s in statuses if s.name.casefold() == name.casefold()), None)
        if found is None:
            known = ", ".join(s.name for s in statuses)
            sentence = f"The ticket's board at {self._client.name} has no status {name}; it has: {known}."
            raise failed(Reason.NOT_FOUND, clean(sentence), self._client.name)
        return found

    async def of_board(self, what: str, board: int) -> list[wire.Named]:
        """A board's types, subtypes, items or teams."""

        async def ask() -> list[wire.Named]:
            path = f"/service/boards/{{board}}/{what}"
            fields = "id,name,defaultFlag" if what == "types" else "id,name"
            return await self._client.items(path, wire.Named, {"fields": fields}, board=board)

        return await self._keep(f"{what} {board}", ask)

    async def priorities(self) -> list[wire.Named]:
        async def ask() -> list[wire.Named]:
            query = {"fields": "id,name,sortOrder"}
            found = await self._client.items("/service/priorities", wire.Named, query)
            return sorted(found, key=lambda p: (p.sort_order or 0, p.id))

        return await self._keep("priorities", ask)

    async def members(self) -> list[wire.Person]:
        """People who can own tickets; `info/members` needs fewer rights than `members`."""

        async def ask() -> list[wire.Person]:
            query = {"conditions": "inactiveFlag=False", "fields": _MEMBER_FIELDS}
            found = await self._client.items("/system/info/members", wire.Person, query)
            return [m for m in found if m.license_class != API_MEMBER and not m.inactive_flag]

        return await self._keep("members", ask)

    async def member(self, login: str) -> wire.Person | None:
        """A member by login, API members too; always asked."""
        query = {"conditions": f"identifier={quoted(login)}", "fields": _MEMBER_FIELDS}
        found = await self._client.items("/system/info/members", wire.Person, query)
        return next((m for m in found if (m.identifier or "").casefold() == login.casefold()), None)

    async def companies(self) -> list[wire.Company]:
        async def ask() -> list[wire.Company]:
            query = {"conditions": "deletedFlag=False", "fields": "id,identifier,name"}
            return await self._client.items("/company/companies", wire.Company, query)

        return await self._keep("companies", ask)

    async def version(self) -> str:
        async def ask() -> str:
            found = await self._client.get("/system/info", wire.System)
            return found.version or ""

        return await self._keep("version", ask)

    async def _keep(self, key: str, ask: Callable[[], Awaitable[T]]) -> T:
        kept = self._kept.get(key)
        if kept is None or self._now() - kept[0] >= FRESH:
            # Dated before the question, and kept only where it was answered: a failure is asked again.
            self._kept[key] = kept = (self._now(), await ask())
        found: T = kept[1]
        return found
