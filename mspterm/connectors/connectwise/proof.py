"""ConnectWise may answer 200 and have changed nothing: only what is read back counts. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mspterm.connectors.connectwise import wire
from mspterm.connectors.connectwise.conditions import stamp
from mspterm.connectors.connectwise.mapping import custom
from mspterm.connectors.connectwise.sla import when
from mspterm.connectors.proof import Change, Check
from mspterm.domain.action import Audience
from mspterm.domain.reasons import Failure, Reason

NOBODY = "nobody"
Op = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Patch(Change[tuple[Op, ...], wire.Ticket]):
    """A change and its operations of the PATCH. They replace a whole reference (`status`, never
    `status/id`): the guide warns that a wrong nested path is answered with a false 200."""


def replace(path: str, value: Any) -> Op:
    return {"op": "replace", "path": path, "value": value}


def remove(path: str) -> Op:
    return {"op": "remove", "path": path}


def owner_change(owner: str) -> Patch:
    """`owner` is a member's login, "" for nobody."""
    op = replace("owner", {"identifier": owner}) if owner else remove("owner")
    return Patch("owner", (op,), owner or NOBODY, owner_of)


def owner_of(row: wire.Ticket) -> str:
    return (row.owner and (row.owner.identifier or str(row.owner.id or ""))) or NOBODY


def status_change(status: wire.Status) -> Patch:
    op = replace("status", {"id": status.id})
    return Patch("status", (op,), status.name, lambda row: _name(row.status))


def board_change(board: wire.Board, following: Sequence[Op]) -> Patch:
    """`following` are what belongs to a board and moves with it."""
    op = replace("board", {"id": board.id})
    return Patch("queue", (op, *following), board.name, lambda row: _name(row.board))


def priority_change(priority: wire.Named) -> Patch:
    op = replace("priority", {"id": priority.id})
    return Patch("priority", (op,), priority.name, lambda row: _name(row.priority))


def date_change(source: str | None, at: datetime, fields: Sequence[wire.CustomField]) -> Patch:
    """The next-action date in the required date, or in a custom field (`cf:Caption`).

    Custom fields go as the complete array: those left out would lose their values.
    """
    wanted = stamp(at)
    if source is None or not source.startswith("cf:"):
        op = replace("requiredDate", wanted)
        return Patch("next date", (op,), wanted, lambda row: _stamped(row.required_date))
    caption = source[3:]
    array = [
        {"id": f.id, "caption": f.caption, "value": wanted if f.caption == caption else f.value}
        for f in fields
    ]
    op = replace("customFields", array)
    return Patch("next date", (op,), wanted, lambda row: _stamped(custom(row.custom_fields, caption)))


def flags_of(audience: Audience) -> tuple[bool, bool, bool]:
    """Discussion, internal analysis, resolution: exactly one says who reads a text."""
    return (
        audience is Audience.PUBLIC,
        audience is Audience.INTERNAL,
        audience is Audience.RESOLUTION,
    )


def same_text(sent: str, read: str | None) -> bool:
    """Whether a text arrived: line ends and trailing blanks may change."""
    return read is not None and sent.split() == read.split()


def not_applied(name: str, missing: Sequence[Check]) -> Failure:
    """The failure for what was accepted and not done."""
    what = " and ".join(check.what for check in missing)
    sentence = f"ConnectWise accepted the {what} for {name} and did not apply it; look at the ticket there."
    return Failure(Reason.REFUSED, sentence, name)


def _name(ref: wire.Ref | None) -> str:
    return (ref.name if ref else None) or ""


def _stamped(value: str | None) -> str:
    at = when(value)
    return stamp(at) if at else ""
