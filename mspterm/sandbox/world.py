"""The MSP's one world: what both servers tell of and what their callers change.

Rows that nobody has changed are made from the seed at each question; changed ones are kept.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from mspterm.sandbox import catalogue as desk
from mspterm.sandbox import devices, tickets
from mspterm.sandbox.clients import CLIENT, CONTACT
from mspterm.sandbox.clock import Clock
from mspterm.sandbox.devices import Device
from mspterm.sandbox.stories import FIRST_REPLY, STORIES, fill
from mspterm.sandbox.tickets import FIRST_PROJECT_ID, Layout, Ticket

# Above every seeded note, whose id is a hundred times its ticket's and its place.
_NEW_NOTE_ID = 20_000_000
# The oldest go, so that a world which runs all night stays of one size.
_KEPT_ACTIVITIES = 5_000


@dataclass(slots=True)
class Note:
    """`kind` is the one of ConnectWise's three flags that is set: description, internal, resolution."""

    id: int
    ticket: int
    text: str
    kind: str
    at: datetime
    member: int | None = None
    contact: int | None = None
    issue: bool = False


@dataclass(slots=True)
class TimeEntry:
    id: int
    ticket: int
    ticket_kind: str
    member: int
    start: datetime
    end: datetime | None
    hours: float
    notes: str
    kinds: tuple[str, ...]
    billable: str
    entered: datetime
    work_type: int = 1
    work_role: int = 1
    internal_notes: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """What the PSA would have mailed."""

    ticket: int
    to: str
    text: str


@dataclass(slots=True)
class Alert:
    """`kind` is a key of `monitor.CONDITIONS`, `detail` what it is about (a volume, a service).
    `lasts`: the condition is still true, so that a reset alert comes back."""

    uid: str
    device: int
    kind: str
    detail: str
    message: str
    raised: datetime
    ticket: int | None = None
    lasts: bool = True


@dataclass(frozen=True, slots=True)
class Activity:
    id: int
    at: datetime
    device: int | None
    type: str
    code: str
    subject: str
    message: str
    severity: str = "NONE"
    result: str | None = None
    series: str | None = None
    user: int | None = None
    data: dict[str, object] | None = None


@dataclass(slots=True)
class Job:
    """A script or action that runs on a device. `user` is the one who began it."""

    uid: str
    device: int
    name: str
    started: datetime
    user: int


@dataclass(slots=True)
class World:
    seed: int
    clock: Clock
    layout: Layout = field(default_factory=Layout)
    rows_made: int = 0
    """How many rows were made from the seed so far."""
    tickets_changed: dict[int, Ticket] = field(default_factory=dict)
    devices_changed: dict[int, Device] = field(default_factory=dict)
    notes_added: dict[int, list[Note]] = field(default_factory=dict)
    times: dict[int, TimeEntry] = field(default_factory=dict)
    mails: list[Mail] = field(default_factory=list)
    alerts: dict[str, Alert] = field(default_factory=dict)
    activities: deque[Activity] = field(default_factory=lambda: deque(maxlen=_KEPT_ACTIVITIES))
    jobs: dict[str, Job] = field(default_factory=dict)
    _ids: dict[str, int] = field(default_factory=dict)

    def now(self) -> datetime:
        return self.clock.now()

    def next_id(self, kind: str, first: int) -> int:
        self._ids[kind] = self._ids.get(kind, first - 1) + 1
        return self._ids[kind]

    def ticket(self, id: int) -> Ticket | None:
        """The ticket to read; a change to it is kept only where `edit` gave it."""
        held = self.tickets_changed.get(id)
        if held is not None or not self.is_seeded(id):
            return held
        return self._as_seeded(id)

    def is_seeded(self, id: int) -> bool:
        first_project = FIRST_PROJECT_ID
        return first_project <= id < first_project + self.layout.projects or (
            tickets.FIRST_ID <= id < self.layout.after_last
        )

    def edit(self, id: int) -> Ticket:
        """The ticket to change; from now on it is kept."""
        ticket = self.ticket(id)
        if ticket is None:
            raise KeyError(id)
        # The kept one is handed out from here on, so what its holder changes is seen by all.
        return self.tickets_changed.setdefault(id, ticket)

    def seeded_ids(self, *, project: bool) -> range:
        if project:
            return range(FIRST_PROJECT_ID, FIRST_PROJECT_ID + self.layout.projects)
        return range(tickets.FIRST_ID, self.layout.after_last)

    def add_ticket(self, ticket: Ticket) -> Ticket:
        """Keeps a new ticket; its id must come from `new_ticket_id`."""
        self.tickets_changed[ticket.id] = ticket
        return ticket

    def new_ticket_id(self) -> int:
        return self.next_id("ticket", self.layout.after_last)

    def stamp(self, ticket: Ticket, at: datetime, by: str) -> None:
        ticket.updated, ticket.updated_by = at, by

    def set_status(self, ticket: Ticket, status: int, at: datetime, by: str) -> None:
        """Another status, with what ConnectWise stamps by its `escalationStatus`."""
        ticket.status = status
        stage = ticket.state.stage
        # From one wait into another, as client to vendor, it is a single pause that goes on.
        _pause(ticket, stage == "NoEscalation", at)
        # Stamped once and kept; only resolved and closed are taken back when a ticket is reopened.
        if stage in ("Responded", "ResolutionPlan", "Resolved"):
            ticket.responded = ticket.responded or at
        if stage in ("ResolutionPlan", "Resolved"):
            ticket.planned = ticket.planned or at
        ticket.resolved = (ticket.resolved or at) if stage == "Resolved" else None
        ticket.closed = (ticket.closed or at) if ticket.is_closed else None
        ticket.closed_by = by if ticket.is_closed else None
        self.stamp(ticket, at, by)

    def notes(self, ticket: Ticket) -> list[Note]:
        """All notes, oldest first."""
        seeded = [] if not self.is_seeded(ticket.id) else _seeded_notes(self._as_seeded(ticket.id))
        return [*seeded, *self.notes_added.get(ticket.id, ())]

    def _as_seeded(self, id: int) -> Ticket:
        """What was said before the world began is told the same whatever became of the ticket."""
        self.rows_made += 1
        return tickets.seeded(self.seed, id, self.layout, self.clock.began)

    def add_note(
        self,
        ticket: Ticket,
        text: str,
        kind: str,
        at: datetime,
        *,
        member: int | None = None,
        contact: int | None = None,
        issue: bool = False,
    ) -> Note:
        note = Note(self.next_id("note", _NEW_NOTE_ID), ticket.id, text, kind, at, member, contact, issue)
        self.notes_added.setdefault(ticket.id, []).append(note)
        by = desk.MEMBER[member].identifier if member else "customer" if contact else "zadmin"
        self.stamp(ticket, at, by)
        return note

    @property
    def device_ids(self) -> range:
        return range(devices.FIRST_ID, devices.FIRST_ID + self.layout.devices)

    def device(self, id: int) -> Device | None:
        held = self.devices_changed.get(id)
        if held is not None or id not in self.device_ids:
            return held
        self.rows_made += 1
        return devices.made(self.seed, id - devices.FIRST_ID, self.clock.began)

    def edit_device(self, id: int) -> Device:
        device = self.device(id)
        if device is None:
            raise KeyError(id)
        return self.devices_changed.setdefault(id, device)

    def log(
        self,
        at: datetime,
        device: int | None,
        type: str,
        code: str,
        subject: str,
        message: str,
        *,
        severity: str = "NONE",
        result: str | None = None,
        series: str | None = None,
        user: int | None = None,
        data: dict[str, object] | None = None,
    ) -> Activity:
        number = self.next_id("activity", 900_001)
        activity = Activity(
            number, at, device, type, code, subject, message, severity, result, series, user, data
        )
        self.activities.append(activity)
        return activity


def _pause(ticket: Ticket, waits: bool, at: datetime) -> None:
    if ticket.pauses and ticket.pauses[-1][1] is None:
        if not waits:
            ticket.pauses[-1] = (ticket.pauses[-1][0], at)
    elif waits:
        ticket.pauses.append((at, None))


def _seeded_notes(ticket: Ticket) -> list[Note]:
    if ticket.story is None:
        return []
    story, client = STORIES[ticket.story], CLIENT[ticket.client]
    contact = CONTACT[ticket.contact] if ticket.contact else client.contacts[0]
    device = ticket.summary.split(":")[0] if ticket.summary.startswith(client.code) else "the device"
    words = {"device": device, "contact": contact.name, "site": tickets.desk_site(client, ticket.site)}

    def note(place: int, text: str, kind: str, at: datetime | None, **by: int | None) -> Note:
        when = at or ticket.created
        return Note(
            ticket.id * 100 + place, ticket.id, fill(text, **words), kind, when, issue=not place, **by
        )

    notes = [note(0, story.body, "description", None, contact=ticket.contact)]
    if ticket.responded and ticket.owner:
        reply = FIRST_REPLY[ticket.id % len(FIRST_REPLY)]
        notes.append(note(1, reply, "description", ticket.responded, member=ticket.owner))
        notes.append(note(2, story.finding, "internal", ticket.responded, member=ticket.owner))
    if ticket.customer_updated and ticket.contact:
        notes.append(note(3, story.customer, "description", ticket.updated, contact=ticket.contact))
    if ticket.resolved:
        notes.append(
            note(4, "Done and checked with the user.", "resolution", ticket.resolved, member=ticket.owner)
        )
    return notes
