"""Tickets as every PSA's are seen here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mspterm.domain.history import Event
from mspterm.domain.row import ACTIVE, ClockState, StatusClass
from mspterm.domain.text import SafeText

DIFFERS = timedelta(minutes=1)
"""From here on our due time and the PSA's are said to differ."""


@dataclass(frozen=True, slots=True)
class Clock:
    """One target's clock. `due` and `met_at` are UTC; `source` is "psa", "calc" or None.

    `state` is what the vendor or the calculation knew when it was read; whether a running clock
    is past its due time by now is asked of `state_at`. `calc_due` is our own due time beside the PSA's;
    `calendar` names the calendar that remaining time is counted on, None where no policy says.
    """

    state: ClockState = ClockState.NONE
    due: datetime | None = None
    source: str | None = None
    met_at: datetime | None = None
    calc_due: datetime | None = None
    calendar: str | None = None

    @property
    def differs(self) -> bool:
        """Whether the PSA's due time and ours are more than a minute apart."""
        if self.source != "psa" or self.due is None or self.calc_due is None:
            return False
        return abs(self.due - self.calc_due) > DIFFERS

    def state_at(self, now: datetime) -> ClockState:
        """The state at `now`: a running clock past its due time is breached."""
        if self.state is ClockState.RUNNING and self.due is not None and self.due <= now:
            return ClockState.BREACHED
        return self.state


NO_CLOCK = Clock()


@dataclass(frozen=True, slots=True)
class Sla:
    """The four targets of a ticket."""

    # The order of `policy.TARGETS`; of targets due at one instant the first counts as the next.
    response: Clock = NO_CLOCK
    plan: Clock = NO_CLOCK
    resolution: Clock = NO_CLOCK
    update: Clock = NO_CLOCK

    def named(self) -> tuple[tuple[str, Clock], ...]:
        return (
            ("response", self.response),
            ("plan", self.plan),
            ("resolution", self.resolution),
            ("update", self.update),
        )


@dataclass(frozen=True, slots=True)
class Contact:
    """The client's person on a ticket."""

    name: SafeText
    phones: tuple[SafeText, ...] = ()
    email: SafeText | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket of one connection. `ref` is `CONNECTION:ID`; times are UTC.

    `priority` is 1 (highest) to 5 by the connection's map; `priority_label` the vendor's own word.
    `asset_ids` are the vendor's ids of linked assets (configuration items); `device_refs` is filled
    from them when the RMM's device is known. `version` is what the vendor gives for optimistic
    locking (an ETag, say), opaque here. `history` is what was seen of it, for the clocks; `pull_s` the
    seconds by which triage moves its place forward; `escalate_at` from when on an escalation is proposed.
    """

    ref: str
    connection: str
    id: str
    number: str
    summary: SafeText
    status: SafeText
    status_class: StatusClass
    created_at: datetime
    updated_at: datetime
    observed_at: datetime
    type: str = "incident"
    client: SafeText | None = None
    client_id: str | None = None
    site: SafeText | None = None
    contact: Contact | None = None
    waiting_on: str | None = None
    priority: int = 4
    priority_label: SafeText | None = None
    queue: SafeText | None = None
    queue_id: str | None = None
    tier: str | None = None
    assignee: SafeText | None = None
    assignee_id: str | None = None
    category: SafeText | None = None
    agreement: SafeText | None = None
    service_line: str | None = None
    source: str = "other"
    parent: str | None = None
    children: tuple[str, ...] = ()
    customer_replied_at: datetime | None = None
    next_action_at: datetime | None = None
    url: str | None = None
    # Stored whole: a new field needs a default, or tickets stored before it can't be read.
    asset_ids: tuple[str, ...] = ()
    device_refs: tuple[str, ...] = ()
    in_scope: bool | None = None
    scope_reason: SafeText | None = None
    minutes_worked: int | None = None
    version: str | None = None
    sla: Sla = field(default_factory=Sla)
    history: tuple[Event, ...] = ()
    pull_s: int = 0
    escalate_at: datetime | None = None

    @property
    def active(self) -> bool:
        return self.status_class in ACTIVE


@dataclass(frozen=True, slots=True)
class Note:
    """One entry of a conversation. `kind`: public (agent's, client reads it), internal, customer
    (the client wrote it), resolution, co-managed or system (a change the PSA recorded)."""

    id: str
    at: datetime
    author: SafeText
    kind: str
    body: SafeText
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file on a ticket, listed and never fetched by itself. `bytes` is its size, where known."""

    name: SafeText
    bytes: int | None
    url: str | None


@dataclass(frozen=True, slots=True)
class TicketDetail:
    """A ticket with its conversation, oldest first."""

    ticket: Ticket
    description: SafeText
    notes: tuple[Note, ...] = ()
    attachments: tuple[Attachment, ...] = ()
