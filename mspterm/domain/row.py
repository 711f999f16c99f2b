"""The narrow row of a ticket, apart from the whole one: it is all that the first frame needs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mspterm.domain.text import SafeText


class StatusClass(StrEnum):
    """What a vendor's status means for the desk."""

    NEW = "new"
    OPEN = "open"
    WAITING = "waiting"
    RESOLVED = "resolved"
    CLOSED = "closed"


ACTIVE = frozenset({StatusClass.NEW, StatusClass.OPEN, StatusClass.WAITING})


class ClockState(StrEnum):
    """The live state of one SLA target."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class TicketRow:
    """The narrow row a list shows, sorts and filters; a Ticket's worth of columns and no bodies.

    `due` and `due_state` are those of the target that matters next. `order` is the stored place
    in the default order (see `order.sort_key`). `revision` is the store's number of its last change;
    from `escalate_at` on an escalation is proposed.
    """

    # In the order of `store.rows.COLUMNS`, by which a row is filled.
    ref: str
    connection: str
    number: str
    summary: SafeText
    client: SafeText | None
    priority: int
    status: SafeText
    status_class: StatusClass
    waiting_on: str | None
    assignee: SafeText | None
    assignee_id: str | None
    queue: SafeText | None
    tier: str | None
    type: str
    contact: SafeText | None
    device: SafeText | None
    due: float | None
    due_kind: str | None
    due_state: ClockState
    created_at: float
    updated_at: float
    customer_replied_at: float | None
    next_action_at: float | None
    pending: int
    order: str
    revision: int
    escalate_at: float | None = None
