"""JSON Patch as ConnectWise means it: whole references, ids that belong to the board, and the false
200 that a path into a reference gets."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mspterm.sandbox import catalogue as desk
from mspterm.sandbox.clients import CLIENT, CLIENTS, CONTACT
from mspterm.sandbox.cw_http import Refused, invalid
from mspterm.sandbox.cw_rows import TICKET
from mspterm.sandbox.tickets import Ticket
from mspterm.sandbox.world import World

_OPS = ("add", "replace", "remove")
_SUMMARY_LENGTH = 100


@dataclass(slots=True)
class _Change:
    """A patch being applied to a copy: nothing is kept of one that is refused."""

    ticket: Ticket
    status: int | None = None
    board: int | None = None


def patched(world: World, ticket: Ticket, operations: Any, by: str, at: datetime) -> Ticket:
    """The ticket with the operations applied, not yet kept. Refuses what ConnectWise refuses (400)."""
    if not isinstance(operations, list) or not operations:
        raise Refused(400, "InvalidObject", "The body must be an array of patch operations.")
    change = _Change(copy.copy(ticket))
    # A copy shares its lists, and `set_status` changes this one in place.
    change.ticket.pauses = list(ticket.pauses)
    # The board first: names and ids of the other operations are the new board's.
    for operation in sorted(operations, key=lambda op: isinstance(op, dict) and op.get("path") != "board"):
        _apply(change, operation)
    # Before the status is looked at: it must be one of the board that the ticket ends on.
    _settle_board(change)
    if change.status is not None:
        _check_status(change)
        world.set_status(change.ticket, change.status, at, by)
    world.stamp(change.ticket, at, by)
    return change.ticket


def _apply(change: _Change, operation: Any) -> None:
    if not isinstance(operation, dict) or operation.get("op") not in _OPS:
        raise Refused(400, "InvalidObject", f"op must be one of {', '.join(_OPS)}.")
    name, _, nested = str(operation.get("path", "")).removeprefix("/").partition("/")
    if name not in TICKET:
        raise invalid("ticket", name, f"'{name}' is not a field of a ticket")
    if nested:
        # The developer guide's warning: it answers 200 and nothing has changed.
        return
    if name not in _WRITABLE:
        raise invalid("ticket", name, f"{name} can't be changed", "ReadOnly")
    # A `remove` and a null say the same: so an owner is taken off (psa-apis 1.6).
    value = None if operation["op"] == "remove" else operation.get("value")
    _WRITABLE[name](change, value)


def _settle_board(change: _Change) -> None:
    """A ticket that changes its board takes the new one's first status, type and team, unless told."""
    if change.board is None:
        return
    board = change.board
    change.ticket.board = board
    if desk.TYPES[change.ticket.type][1] != board:
        change.ticket.type = desk.TYPE_OF[board, desk.BOARD[board].types[0]]
    if change.ticket.team and desk.TEAMS[change.ticket.team][1] != board:
        change.ticket.team = None
    if change.status is None:
        change.status = desk.STATUS_OF[board, desk.NEW].id


def _check_status(change: _Change) -> None:
    status = desk.STATUSES.get(change.status or 0)
    if status is None or status.board != change.ticket.board:
        raise invalid("ticket", "status", f"Status {change.status} does not belong to the board")


def reference(value: Any, field: str, named: Callable[[str], int | None]) -> int:
    """The id that a reference object gives, by `id`, `identifier` or `name`. Refuses bare ids (400)."""
    if not isinstance(value, dict):
        raise invalid("ticket", field, f"{field} must be a reference object")
    if isinstance(value.get("id"), int):
        return int(value["id"])
    found = named(str(value.get("identifier") or value.get("name") or ""))
    if found is None:
        raise invalid("ticket", field, f"{field} does not name anything that exists", "InvalidReference")
    return found


def _known(id: int, table: Any, field: str) -> int:
    if id not in table:
        raise invalid("ticket", field, f"{field} {id} does not exist", "InvalidReference")
    return id


def _by_name(table: dict[int, Any], board: int | None = None) -> Callable[[str], int | None]:
    def named(text: str) -> int | None:
        for key, entry in table.items():
            # Types and teams are pairs of name and board, boards and priorities objects without one.
            name, owner = entry if isinstance(entry, tuple) else (getattr(entry, "name", entry), None)
            if str(name).casefold() == text.casefold() and (owner is None or owner == board):
                return key
        return None

    return named


def _summary(change: _Change, value: Any) -> None:
    change.ticket.summary = summary_of(value)


def summary_of(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise invalid("ticket", "summary", "summary is required", "MissingRequiredField")
    if len(value) > _SUMMARY_LENGTH:
        raise invalid("ticket", "summary", f"summary is longer than {_SUMMARY_LENGTH}", "StringLength")
    return value


def _board(change: _Change, value: Any) -> None:
    change.board = _known(reference(value, "board", _by_name(desk.BOARD)), desk.BOARD, "board")


def _status(change: _Change, value: Any) -> None:
    board = change.board or change.ticket.board
    named = {status.name: status.id for status in desk.STATUSES.values() if status.board == board}
    change.status = reference(value, "status", named.get)


def _owner(change: _Change, value: Any) -> None:
    if value is None:
        change.ticket.owner = None
        return
    change.ticket.owner = member_of(value, "owner")


def member_of(value: Any, field: str) -> int:
    """The member that a reference names. Refuses one that doesn't exist (400)."""

    def named(text: str) -> int | None:
        member = desk.MEMBER_NAMED.get(text.lower())
        return member.id if member else None

    return _known(reference(value, field, named), desk.MEMBER, field)


def _priority(change: _Change, value: Any) -> None:
    named = _by_name(desk.PRIORITY)
    change.ticket.priority = _known(reference(value, "priority", named), desk.PRIORITY, "priority")


def _type(change: _Change, value: Any) -> None:
    board = change.board or change.ticket.board
    found = _known(reference(value, "type", _by_name(desk.TYPES, board)), desk.TYPES, "type")
    if desk.TYPES[found][1] != board:
        raise invalid("ticket", "type", f"Type {found} does not belong to the board")
    change.ticket.type = found


def _team(change: _Change, value: Any) -> None:
    board = change.board or change.ticket.board
    if value is None:
        change.ticket.team = None
        return
    found = _known(reference(value, "team", _by_name(desk.TEAMS, board)), desk.TEAMS, "team")
    if desk.TEAMS[found][1] != board:
        raise invalid("ticket", "team", f"Team {found} does not belong to the board")
    change.ticket.team = found


def company_of(value: Any) -> int:
    """The company that a reference names. Refuses one that doesn't exist (400)."""

    def named(text: str) -> int | None:
        return next(
            (c.id for c in CLIENTS if text.casefold() in (c.code.casefold(), c.name.casefold())), None
        )

    return _known(reference(value, "company", named), CLIENT, "company")


def _contact(change: _Change, value: Any) -> None:
    change.ticket.contact = None if value is None else contact_of(value, change.ticket.client)


def contact_of(value: Any, client: int) -> int:
    """The contact that a reference names. Refuses one of another company (400)."""
    found = _known(reference(value, "contact", lambda text: None), CONTACT, "contact")
    if CONTACT[found].client != client:
        raise invalid("ticket", "contact", "The contact does not belong to the company")
    return found


def _required_date(change: _Change, value: Any) -> None:
    change.ticket.required = None if value is None else instant(value, "requiredDate")


def instant(value: Any, field: str) -> datetime:
    """A time as ConnectWise takes it: UTC, `YYYY-MM-DDTHH:MM:SSZ`, no fraction. Refuses others (400)."""
    try:
        if not isinstance(value, str) or len(value) != 20 or not value.endswith("Z"):
            raise ValueError
        return datetime.fromisoformat(value)
    except ValueError:
        raise invalid("ticket", field, f"{field} must be YYYY-MM-DDTHH:MM:SSZ", "InvalidDate") from None


def _level(name: str) -> Callable[[_Change, Any], None]:
    def set_level(change: _Change, value: Any) -> None:
        if value not in ("Low", "Medium", "High"):
            raise invalid("ticket", name, f"{name} must be Low, Medium or High")
        setattr(change.ticket, name, value)

    return set_level


def _flag(attribute: str, name: str) -> Callable[[_Change, Any], None]:
    def set_flag(change: _Change, value: Any) -> None:
        if not isinstance(value, bool):
            raise invalid("ticket", name, f"{name} must be true or false")
        setattr(change.ticket, attribute, value)

    return set_flag


def _custom(change: _Change, value: Any) -> None:
    if not isinstance(value, list):
        raise invalid("ticket", "customFields", "customFields must be the complete array")
    # It replaces what is there, so a part of it would lose the rest (psa-apis 1.6).
    change.ticket.custom = value


# What isn't here is told and can't be changed: `closedFlag`, for one, follows from the status.
_WRITABLE: dict[str, Callable[[_Change, Any], None]] = {
    "summary": _summary,
    "board": _board,
    "status": _status,
    "owner": _owner,
    "priority": _priority,
    "type": _type,
    "team": _team,
    "contact": _contact,
    "requiredDate": _required_date,
    "impact": _level("impact"),
    "severity": _level("severity"),
    "customerUpdatedFlag": _flag("customer_updated", "customerUpdatedFlag"),
    "approved": _flag("approved", "approved"),
    "customFields": _custom,
}
