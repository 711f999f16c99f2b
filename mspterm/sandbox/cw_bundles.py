"""Parents and children: the bundle and the merge. What is refused is refused before anything changes."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from mspterm.sandbox import catalogue as desk
from mspterm.sandbox import cw_patch
from mspterm.sandbox.cw_ask import Ask
from mspterm.sandbox.cw_http import Refused, answer, body_of, invalid, not_found
from mspterm.sandbox.tickets import Ticket
from mspterm.sandbox.world import World


async def merge(ask: Ask) -> Response:
    """Each merged ticket takes the given status; its conversation stays with it, bundled."""
    parent = ask.ticket()
    body = await _object(ask)
    children = _children(ask.world, body, "mergeTicketIds", parent)
    if (status := body.get("status")) is not None:
        operations = [{"op": "replace", "path": "status", "value": status}]
        now, by = ask.world.now(), desk.ME.identifier
        # On copies, all before the first is tied: it may be no status of one of the boards.
        children = [cw_patch.patched(ask.world, child, operations, by, now) for child in children]
    for child in children:
        child.merged_into = parent.id
    _tie(ask.world, children, parent)
    return answer({"success": True, "message": ""})


async def attach_children(ask: Ask) -> Response:
    parent = ask.ticket()
    body = await _object(ask)
    _tie(ask.world, _children(ask.world, body, "childTicketIds", parent), parent)
    return answer({"success": True, "message": ""})


async def _object(ask: Ask) -> dict[str, Any]:
    body = await body_of(ask.request)
    if not isinstance(body, dict):
        raise Refused(400, "InvalidObject", "The body must be an object.")
    return body


def _children(world: World, body: dict[str, Any], field: str, parent: Ticket) -> list[Ticket]:
    """The tickets that the field of the body names, each fit to be a child. Refuses all for one that isn't."""
    ids = body.get(field)
    if not isinstance(ids, list) or not ids:
        raise Refused(400, "InvalidObject", "The ids of the children are required.")
    if not all(isinstance(one, int) and not isinstance(one, bool) for one in ids):
        raise invalid("ticket", field, f"{field} must be the ids of tickets")
    _check_parent(parent)
    return [_child(world, number, field, parent) for number in dict.fromkeys(ids)]


def _tie(world: World, children: list[Ticket], parent: Ticket) -> None:
    kept = world.edit(parent.id)
    kept.children = sorted({*kept.children, *(child.id for child in children)})
    for child in children:
        child.parent = parent.id
        world.tickets_changed[child.id] = child
    for ticket in (kept, *children):
        world.stamp(ticket, world.now(), desk.ME.identifier)


def _check_parent(parent: Ticket) -> None:
    if parent.parent is not None:
        raise invalid("ticket", "parentId", f"Ticket {parent.id} is a child and can't be a parent")
    if parent.is_closed:
        raise invalid("ticket", "parentId", f"Ticket {parent.id} is closed")


def _child(world: World, number: int, field: str, parent: Ticket) -> Ticket:
    child = world.ticket(number) if number != parent.id else None
    if child is None or child.project:
        raise not_found("Ticket", number)
    if child.children:
        raise invalid("ticket", field, f"Ticket {number} has children of its own")
    if child.parent not in (None, parent.id):
        raise invalid("ticket", field, f"Ticket {number} is a child of {child.parent}")
    return child
