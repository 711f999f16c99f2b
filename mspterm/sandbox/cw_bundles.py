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
    status = body.get("status")
    for child in _bundled(ask, body.get("mergeTicketIds"), parent):
        # Before the patch, which is applied to a copy.
        child.merged_into = parent.id
        operations = [{"op": "replace", "path": "status", "value": status}] if status else []
        if operations:
            changed = cw_patch.patched(ask.world, child, operations, desk.ME.identifier, ask.world.now())
            ask.world.tickets_changed[child.id] = changed
    return answer({"success": True, "message": ""})


async def attach_children(ask: Ask) -> Response:
    parent = ask.ticket()
    body = await _object(ask)
    _bundled(ask, body.get("childTicketIds"), parent)
    return answer({"success": True, "message": ""})


async def _object(ask: Ask) -> dict[str, Any]:
    body = await body_of(ask.request)
    if not isinstance(body, dict):
        raise Refused(400, "InvalidObject", "The body must be an object.")
    return body


def _bundled(ask: Ask, ids: Any, parent: Ticket) -> list[Ticket]:
    """The children, tied to the parent. All of them or none."""
    world = ask.world
    if not isinstance(ids, list) or not ids:
        raise Refused(400, "InvalidObject", "The ids of the children are required.")
    _check_parent(parent)
    numbers = list(dict.fromkeys(ids))
    # All are looked at before the first is tied: a refusal must leave nothing half done.
    for number in numbers:
        _check_child(world, number, parent)
    kept = world.edit(parent.id)
    kept.children = sorted({*kept.children, *numbers})
    children = [world.edit(number) for number in numbers]
    for child in children:
        child.parent = parent.id
    for ticket in (kept, *children):
        world.stamp(ticket, world.now(), desk.ME.identifier)
    return children


def _check_parent(parent: Ticket) -> None:
    if parent.parent is not None:
        raise invalid("ticket", "parentId", f"Ticket {parent.id} is a child and can't be a parent")
    if parent.is_closed:
        raise invalid("ticket", "parentId", f"Ticket {parent.id} is closed")


def _check_child(world: World, number: Any, parent: Ticket) -> None:
    known = isinstance(number, int) and not isinstance(number, bool) and number != parent.id
    child = world.ticket(number) if known else None
    if child is None or child.project:
        raise not_found("Ticket", number)
    if child.children:
        raise invalid("ticket", "childTicketIds", f"Ticket {number} has children of its own")
    if child.parent not in (None, parent.id):
        raise invalid("ticket", "childTicketIds", f"Ticket {number} is a child of {child.parent}")
