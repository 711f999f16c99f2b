"""The queue's order: a ticket's place as a stored string, and the sorts that a person may choose.

The place depends on the ticket alone, never on the present time: a breach sorts first because its
due time is the earliest, not because somebody looked at a clock.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from mspterm.domain.folding import fold
from mspterm.domain.row import ClockState, StatusClass, TicketRow
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import NO_CLOCK, Clock, Ticket

ASSUMED_HOURS: Mapping[int, int] = {1: 4, 2: 8, 3: 24, 4: 72, 5: 120}
"""Hours from creation within which a ticket without any clock is taken to be wanted."""

# What eleven digits of a place hold; a vendor's "no date" is cut to it.
_LATEST = 99_999_999_999
_LIVE = frozenset({ClockState.RUNNING, ClockState.BREACHED})


class Group(IntEnum):
    """The coarse part of a place: what can be worked on, what waits for others, what is over."""

    # Each is the first character of stored places, which `triage` reads too.
    WORK = 0
    WAITING = 1
    OVER = 2


@dataclass(frozen=True, slots=True)
class Place:
    """Why a ticket stands where it stands. `assumed`: no clock gave `by`, its priority did.

    `by` is before triage moves work forward (`pull_s`); `kind` is the target whose due time it is.
    """

    group: Group
    by: datetime
    assumed: bool
    kind: str | None = None


def next_clock(ticket: Ticket) -> tuple[str, Clock] | None:
    """The unmet target that matters next: the earliest due that runs, else the earliest paused."""
    unmet = [(kind, clock) for kind, clock in ticket.sla.named() if clock.met_at is None]
    running = [(c.due, kind, c) for kind, c in unmet if c.state in _LIVE and c.due is not None]
    if running:
        _, kind, clock = min(running, key=lambda entry: entry[0])
        return kind, clock
    paused = [(kind, c) for kind, c in unmet if c.state is ClockState.PAUSED]
    return min(paused, key=lambda entry: _seconds(entry[1].due), default=None)


def place(ticket: Ticket) -> Place:
    """Where the ticket belongs by default.

    A ticket that waits for its customer, who has replied, waits for us: it is work again.
    """
    if not ticket.active:
        return Place(Group.OVER, ticket.updated_at, False)
    found = next_clock(ticket)
    due = found[1].due if found and found[1].state in _LIVE else None
    if ticket.status_class is StatusClass.WAITING and not _answered(ticket):
        by = ticket.next_action_at or due
        return Place(Group.WAITING, by or _assumed(ticket), by is None)
    if due is not None:
        return Place(Group.WORK, due, False, found[0] if found else None)
    # All of its clocks stand: it waits, whatever its status is called.
    if found and not _answered(ticket):
        return Place(Group.WAITING, ticket.next_action_at or found[1].due or _assumed(ticket), False)
    return Place(Group.WORK, ticket.next_action_at or _assumed(ticket), True)


def sort_key(ticket: Ticket) -> str:
    """The place as 50 ASCII characters that sort as text: group, due, priority, customer replied,
    age, then the id, so that no two tickets share a place."""
    where = place(ticket)
    by = _seconds(where.by)
    if where.group is Group.WORK:
        # A minus sign would put it out of order, as the place is compared as text.
        by = min(max(by - ticket.pull_s, 0), _LATEST)
    # Of what is over, the latest is looked for first.
    by = _LATEST - by if where.group is Group.OVER else by
    replied = "0" if ticket.customer_replied_at else "1"
    # ASCII, so that SQLite's order of bytes is Python's order of characters.
    ident = ticket.id.encode("ascii", "replace").decode()[-16:].rjust(16, "0")
    # The id is cut, and two connections may have the same one: this tells them apart.
    crc = zlib.crc32(ticket.ref.encode("utf-8", "replace"))
    priority = min(max(ticket.priority, 0), 9)
    return f"{where.group:d}{by:011d}{priority:d}{replied}{_seconds(ticket.created_at):012d}{ident}{crc:08x}"


def device_text(names: Sequence[str]) -> SafeText | None:
    """A row's devices, in the order given; None where there is none."""
    return SafeText(", ".join(names)) if names else None


def row_of(ticket: Ticket, *, device_names: Sequence[str], pending: int, revision: int) -> TicketRow:
    """The list's row of a ticket; `device_names` in the order that they matter."""
    kind, clock = next_clock(ticket) or (None, NO_CLOCK)
    return TicketRow(
        ref=ticket.ref,
        connection=ticket.connection,
        number=ticket.number,
        summary=ticket.summary,
        client=ticket.client,
        priority=ticket.priority,
        status=ticket.status,
        status_class=ticket.status_class,
        waiting_on=ticket.waiting_on,
        assignee=ticket.assignee,
        assignee_id=ticket.assignee_id,
        queue=ticket.queue,
        tier=ticket.tier,
        type=ticket.type,
        contact=ticket.contact.name if ticket.contact else None,
        device=device_text(device_names),
        due=_stamp(clock.due),
        due_kind=kind,
        due_state=clock.state,
        created_at=ticket.created_at.timestamp(),
        updated_at=ticket.updated_at.timestamp(),
        customer_replied_at=_stamp(ticket.customer_replied_at),
        next_action_at=_stamp(ticket.next_action_at),
        pending=pending,
        order=sort_key(ticket),
        revision=revision,
        escalate_at=_stamp(ticket.escalate_at),
    )


def _answered(ticket: Ticket) -> bool:
    return ticket.customer_replied_at is not None and ticket.waiting_on in (None, "us", "customer")


def _assumed(ticket: Ticket) -> datetime:
    return ticket.created_at + timedelta(hours=ASSUMED_HOURS.get(ticket.priority, ASSUMED_HOURS[4]))


def _seconds(at: datetime | None) -> int:
    return _LATEST if at is None else min(max(int(at.timestamp()), 0), _LATEST)


def _stamp(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _name_last(name: str | None) -> tuple[bool, str]:
    return (name is None, fold(name or ""))


Sort = Callable[[TicketRow], Any]

# Each ends in the stored place, so that equals never change places between two looks.
SORTS: Mapping[str, Sort] = {
    "default": lambda row: row.order,
    "due": lambda row: (row.due is None, row.due or 0.0, row.order),
    "priority": lambda row: (row.priority, row.order),
    "updated": lambda row: (-row.updated_at, row.order),
    "created": lambda row: (-row.created_at, row.order),
    "client": lambda row: (_name_last(row.client), row.order),
    "owner": lambda row: (_name_last(row.assignee), row.order),
}
"""The sorts of the list by name; `updated` and `created` put the newest first."""
