"""What can be filtered on: the fields of tickets, of devices and of alerts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from mspterm.domain.fields import (
    FilterContext,
    Table,
    Test,
    Turn,
    contains,
    known_value,
    one_of,
    span,
    turning,
)
from mspterm.domain.folding import fold
from mspterm.domain.row import ACTIVE, ClockState, StatusClass, TicketRow

if TYPE_CHECKING:
    from mspterm.domain.device import Alert, Device

FIRE_S = 3600.0
"""A clock that ends within this many seconds is on fire."""


def _live(row: TicketRow) -> bool:
    return row.due_state is ClockState.RUNNING or row.due_state is ClockState.BREACHED


def _due_in(row: TicketRow, ctx: FilterContext) -> float | None:
    return row.due - ctx.now if row.due is not None and _live(row) else None


def _breached(row: TicketRow, ctx: FilterContext) -> bool:
    return row.due is not None and row.due <= ctx.now and _live(row)


def _mine(row: TicketRow, ctx: FilterContext) -> bool:
    return row.assignee_id in ctx.me.get(row.connection, ())


def _unassigned(row: TicketRow, ctx: FilterContext) -> bool:
    return not row.assignee_id and not row.assignee


def _fire(row: TicketRow, ctx: FilterContext) -> bool:
    if row.status_class is not StatusClass.NEW and row.status_class is not StatusClass.OPEN:
        return False
    return row.priority == 1 or (row.due is not None and row.due - ctx.now <= FIRE_S and _live(row))


def _new(row: TicketRow, ctx: FilterContext) -> bool:
    return ctx.seen_revision is not None and row.revision > ctx.seen.get(row.ref, ctx.seen_revision)


def _owner(values: Sequence[str]) -> Test[TicketRow]:
    names = tuple(fold(value) for value in values)
    named: Test[TicketRow] = lambda row, ctx: (  # noqa: E731
        row.assignee_id in values or any(n in fold(row.assignee or "") for n in names)
    )
    special = {"me": _mine, "none": _unassigned}
    tests = [special.get(name, named) for name in names]
    return tests[0] if len(tests) == 1 else lambda row, ctx: any(t(row, ctx) for t in tests)


def _priority(values: Sequence[str]) -> Test[TicketRow]:
    wanted = frozenset(
        int(known_value(v.lower().removeprefix("p"), ("1", "2", "3", "4", "5"))) for v in values
    )
    return lambda row, ctx: row.priority in wanted


TICKET_FLAGS: Mapping[str, Test[TicketRow]] = {
    "mine": _mine,
    "unassigned": _unassigned,
    "breached": _breached,
    "replied": lambda row, ctx: row.customer_replied_at is not None,
    "new": _new,
    "waiting": lambda row, ctx: row.status_class is StatusClass.WAITING,
    "active": lambda row, ctx: row.status_class in ACTIVE,
    "pending": lambda row, ctx: row.pending > 0,
    "fire": _fire,
    "escalate": lambda row, ctx: row.escalate_at is not None and row.escalate_at <= ctx.now,
}

_FLAGS_TURN: Mapping[str, Turn[TicketRow]] = {
    "breached": lambda row: _due_at(row, 0.0),
    "fire": lambda row: _due_at(row, FIRE_S),
    "escalate": lambda row: row.escalate_at,
}


def _due_at(row: TicketRow, before: float) -> float | None:
    return row.due - before if row.due is not None and _live(row) else None


def _flags_turn(values: Sequence[str]) -> Sequence[Turn[TicketRow]]:
    return [_FLAGS_TURN[value] for value in map(str.lower, values) if value in _FLAGS_TURN]


_ticket_text: dict[str, tuple[int, str]] = {}
_other_text: dict[str, tuple[object, str]] = {}
_KEPT = 100_000


def ticket_haystack(row: TicketRow) -> str:
    """All words of a row, folded; kept by ref until its revision changes."""
    kept = _ticket_text.get(row.ref)
    if kept is not None and kept[0] == row.revision:
        return kept[1]
    if len(_ticket_text) > _KEPT:
        _ticket_text.clear()
    parts = (row.summary, row.client, row.contact, row.device, row.ref, row.number)
    more = (row.assignee, row.queue, row.status, row.type, row.tier)
    text = _joined(parts + more)
    _ticket_text[row.ref] = (row.revision, text)
    return text


def _joined(parts: Iterable[str | None]) -> str:
    # Not through `fold`'s own cache: whole rows would push the names out of it.
    return fold.__wrapped__("\n".join(part for part in parts if part))


def _kept(row: Device | Alert, parts: Callable[[], Iterable[str | None]]) -> str:
    kept = _other_text.get(row.ref)
    if kept is not None and kept[0] is row:
        return kept[1]
    if len(_other_text) > _KEPT:
        _other_text.clear()
    text = _joined(parts())
    _other_text[row.ref] = (row, text)
    return text


def _device_haystack(row: Device) -> str:
    return _kept(row, lambda: (row.name, row.client, row.site, row.os, row.user, row.ref, row.kind, *row.ips))


def _alert_haystack(row: Alert) -> str:
    return _kept(row, lambda: (row.message, row.client, row.severity, row.ref, row.device_ref))


TICKETS: Table[TicketRow] = Table(
    {
        "client": contains(lambda row: row.client),
        "contact": contains(lambda row: row.contact),
        "device": contains(lambda row: row.device),
        "queue": contains(lambda row: row.queue),
        "tier": contains(lambda row: row.tier),
        "type": contains(lambda row: row.type),
        "ref": contains(lambda row: row.ref, lambda row: row.number),
        "status": contains(lambda row: row.status, lambda row: row.status_class),
        "on": contains(lambda row: row.waiting_on),
        "p": _priority,
        "owner": _owner,
        "is": one_of(TICKET_FLAGS),
        "age": span(lambda row, ctx: ctx.now - row.created_at, ">"),
        "updated": span(lambda row, ctx: ctx.now - row.updated_at, "<"),
        "due": span(_due_in, "<"),
    },
    {"priority": "p", "prio": "p", "assignee": "owner", "q": "queue", "number": "ref", "waiting": "on"},
    ticket_haystack,
    {
        "is": _flags_turn,
        "age": turning(lambda row, limit: row.created_at + limit),
        "updated": turning(lambda row, limit: row.updated_at + limit),
        "due": turning(_due_at),
    },
)

_ONLINE: Mapping[str, Test[Device]] = {
    "yes": lambda row, ctx: row.online is True,
    "no": lambda row, ctx: row.online is False,
    "unknown": lambda row, ctx: row.online is None,
}

DEVICES: Table[Device] = Table(
    {
        "client": contains(lambda row: row.client),
        "name": contains(lambda row: row.name),
        "kind": contains(lambda row: row.kind),
        "os": contains(lambda row: row.os),
        "site": contains(lambda row: row.site),
        "user": contains(lambda row: row.user),
        "ip": contains(lambda row: "\n".join(row.ips)),
        "flag": contains(lambda row: "\n".join(row.flags)),
        "ref": contains(lambda row: row.ref),
        "online": one_of(_ONLINE),
    },
    {"type": "kind", "device": "name"},
    _device_haystack,
)

_ALERT_FLAGS: Mapping[str, Test[Alert]] = {
    "open": lambda row, ctx: row.cleared_at is None,
    "acknowledged": lambda row, ctx: row.acknowledged is True,
    "ticketed": lambda row, ctx: row.ticket_ref is not None,
}


def _alert_device(values: Sequence[str]) -> Test[Alert]:
    wanted = tuple(fold(value) for value in values)

    def test(row: Alert, ctx: FilterContext) -> bool:
        name = fold(f"{row.device_ref or ''}\n{ctx.device_names.get(row.device_ref or '', '')}")
        return any(w in name for w in wanted)

    return test


ALERTS: Table[Alert] = Table(
    {
        "severity": contains(lambda row: row.severity),
        "client": contains(lambda row: row.client),
        "device": _alert_device,
        "message": contains(lambda row: row.message),
        "ref": contains(lambda row: row.ref),
        "is": one_of(_ALERT_FLAGS),
        "age": span(lambda row, ctx: ctx.now - row.raised_at.timestamp(), ">"),
    },
    {"sev": "severity"},
    _alert_haystack,
)
