"""Tickets as the PSA keeps them: row N is made from the seed when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mspterm.sandbox import catalogue as desk
from mspterm.sandbox import devices
from mspterm.sandbox.clients import CLIENT, CLIENTS, Client
from mspterm.sandbox.draw import Draw
from mspterm.sandbox.stories import CHANGE, P1, PROJECT, PROJECTS, STORIES, TECH, Story, fill

FIRST_ID = 40_001
FIRST_PROJECT_ID = 39_001


@dataclass(frozen=True, slots=True)
class Layout:
    """How much of everything there is at the start. Closed tickets have the lower ids."""

    tickets: int = 60
    closed: int = 240
    devices: int = 40
    projects: int = 8

    @property
    def first_open(self) -> int:
        return FIRST_ID + self.closed

    @property
    def after_last(self) -> int:
        return self.first_open + self.tickets


@dataclass(slots=True)
class Ticket:
    """One row. Times are those that readers are told; `pauses` are the waits that stop its clocks."""

    id: int
    summary: str
    board: int
    status: int
    client: int
    site: int
    contact: int | None
    type: int
    team: int | None
    owner: int | None
    priority: int
    source: int
    created: datetime
    updated: datetime
    updated_by: str
    story: int | None = None
    configurations: list[int] = field(default_factory=list)
    responded: datetime | None = None
    planned: datetime | None = None
    resolved: datetime | None = None
    closed: datetime | None = None
    closed_by: str | None = None
    pauses: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    customer_updated: bool = False
    parent: int | None = None
    children: list[int] = field(default_factory=list)
    merged_into: int | None = None
    required: datetime | None = None
    impact: str = "Medium"
    severity: str = "Medium"
    hours: float = 0.0
    project: bool = False
    approved: bool = False
    custom: list[dict[str, object]] = field(default_factory=list)

    @property
    def state(self) -> desk.Status:
        return desk.STATUSES[self.status]

    @property
    def is_closed(self) -> bool:
        return self.state.closed


def seeded(seed: int, id: int, layout: Layout, began: datetime) -> Ticket:
    """The ticket with this id as it was when the world began."""
    if id < FIRST_ID:
        return _project(seed, id, began)
    place = id - layout.first_open
    draw = Draw(seed, "ticket", id)
    # Dealt and not drawn among the first sixty: 7 shares no divisor with the thirty stories, so each
    # comes up twice.
    story_place = place * 7 % len(STORIES) if 0 <= place < 60 else draw.below(len(STORIES))
    story = STORIES[story_place]
    # The first ticket is of the first client at every size.
    device, client = _about(seed, story, 2 if place == 0 else layout.devices, draw)
    contact = draw.pick(client.contacts)
    ticket = Ticket(
        id=id,
        summary=summary(story, device, contact.name, desk_site(client, contact.site)),
        board=story.board,
        status=0,
        client=client.id,
        site=contact.site,
        contact=None if story.source == 4 else contact.id,
        type=desk.TYPE_OF[story.board, story.type],
        team=_team(story.board, draw),
        owner=None,
        priority=story.priority,
        source=story.source,
        created=began,
        updated=began,
        updated_by="zadmin",
        story=story_place,
        configurations=[devices.FIRST_ID + device[0]] if device else [],
    )
    if place < 0:
        _as_closed(ticket, began, draw)
    else:
        _as_open(ticket, place, began, draw)
    return ticket


def summary(story: Story, device: tuple[int, str] | None, contact: str, site: str) -> str:
    """A story's line about this device and person, within ConnectWise's hundred characters."""
    return fill(story.summary, device=device[1] if device else "a device", contact=contact, site=site)[:100]


def desk_site(client: Client, site: int) -> str:
    return next((place.name for place in client.sites if place.id == site), client.sites[0].name)


def _about(seed: int, story: Story, count: int, draw: Draw) -> tuple[tuple[int, str] | None, Client]:
    """The device that a ticket is about (its place and name), and whose it is."""
    if not story.roles:
        return None, draw.pick(CLIENTS)
    # A few draws among all, then the first forty: a search through twenty thousand costs too much.
    for _ in range(4 if count > devices.FIXED else 0):
        place = draw.below(count)
        role, client = devices.role_at(seed, place)
        if role in story.roles:
            return (place, devices.name_at(seed, place)), CLIENT[client]
    places = [place for role in story.roles for place in devices.PLACES.get(role, ()) if place < count]
    if not places:
        return None, draw.pick(CLIENTS)
    place = draw.pick(places)
    return (place, devices.name_at(seed, place)), CLIENT[devices.role_at(seed, place)[1]]


def _team(board: int, draw: Draw) -> int:
    return draw.pick([team for team, (_, owner) in desk.TEAMS.items() if owner == board])


def _technician(board: int, draw: Draw) -> int:
    tier = desk.BOARD[board].tier
    tier = "L3" if tier == "vendor" else tier
    people = [member.id for member in desk.MEMBERS if member.tier == tier]
    # The person at the console is on call, and has more than a fair share.
    return draw.pick([*people, desk.ME.id, desk.ME.id] if desk.ME.tier == tier else people)


# In per cent.
_OPEN = (
    (desk.NEW, 22),
    (desk.ASSIGNED, 8),
    (desk.WORKING, 22),
    (desk.REPLIED, 14),
    (desk.PLANNED, 6),
    (desk.SCHEDULED, 7),
    (desk.CLIENT, 12),
    (desk.VENDOR, 4),
    (desk.PARTS, 2),
    (desk.APPROVAL, 3),
)
_DEALT = tuple(name for name, weight in _OPEN for _ in range(weight))


def _as_open(ticket: Ticket, place: int, began: datetime, draw: Draw) -> None:
    name = desk.NEW if place == 0 else draw.pick(_DEALT)
    if ticket.board == CHANGE:
        name = draw.pick((desk.APPROVAL, desk.SCHEDULED, desk.PLANNED))
    if ticket.contact is None and name in (desk.REPLIED, desk.CLIENT):
        # Nobody could answer: the RMM opened it.
        name = desk.WORKING
    ticket.status = desk.STATUS_OF[ticket.board, name].id
    hours = desk.PRIORITY[ticket.priority].hours or (24, 48, 120)
    target = hours[0] if name in (desk.NEW, desk.ASSIGNED) else hours[2]
    # One in twenty is over its target already.
    used = draw.between(1.02, 1.6) if draw.chance(5) else draw.between(0.05, 0.95)
    if place == 0:
        # The first one's response clock runs out eight minutes in, whoever looks on.
        ticket.priority, used, target = P1, 7 / 15, 0.25
    ticket.created = began - timedelta(seconds=round(target * 3600 * used) + 1)
    if name != desk.NEW or draw.chance(15):
        ticket.owner = _technician(ticket.board, draw) if place else None
    _stages(ticket, hours, began, draw)


def _stages(ticket: Ticket, hours: Sequence[float], began: datetime, draw: Draw) -> None:
    age = (began - ticket.created).total_seconds()
    stage = ticket.state.stage
    ticket.updated = began - timedelta(seconds=round(age * draw.between(0.02, 0.5)))
    if stage in ("Responded", "ResolutionPlan", "NoEscalation"):
        # Within the first half of its age: nothing that is seeded lies in the future.
        first = min(age * 0.5, hours[0] * 3600 * draw.between(0.1, 0.95))
        ticket.responded = ticket.created + timedelta(seconds=round(first))
    if ticket.responded and (stage == "ResolutionPlan" or age > hours[1] * 3600):
        ticket.planned = ticket.responded
    if stage == "NoEscalation":
        ticket.pauses.append((ticket.updated, None))
        if ticket.state.name == desk.SCHEDULED:
            ticket.required = began + timedelta(hours=round(draw.between(2, 60)))
    if ticket.state.name == desk.REPLIED:
        ticket.customer_updated = True
        ticket.updated_by = "customer"
    ticket.hours = draw.below(9) / 4 if ticket.responded else 0.0
    ticket.approved = ticket.board == CHANGE and ticket.state.name != desk.APPROVAL


def _as_closed(ticket: Ticket, began: datetime, draw: Draw) -> None:
    ticket.status = desk.STATUS_OF[ticket.board, desk.CLOSED].id
    # At least 4,000 minutes ago: the longest resolution drawn below takes 3,888.
    ticket.created = began - timedelta(minutes=round(draw.between(4_000, 90_000)))
    ticket.owner = _technician(ticket.board, draw)
    hours = desk.PRIORITY[ticket.priority].hours or (24, 48, 72)
    ticket.responded = ticket.created + timedelta(minutes=round(hours[0] * 60 * draw.between(0.1, 0.9)))
    ticket.planned = ticket.responded
    ticket.resolved = ticket.created + timedelta(minutes=round(hours[2] * 30 * draw.between(0.7, 1.8)))
    ticket.closed = ticket.updated = max(ticket.resolved, ticket.responded)
    ticket.closed_by = ticket.updated_by = desk.MEMBER[ticket.owner].identifier
    ticket.hours = (1 + draw.below(12)) / 4


def _project(seed: int, id: int, began: datetime) -> Ticket:
    draw = Draw(seed, "project", id)
    client = draw.pick(CLIENTS)
    name = draw.pick((desk.NEW, desk.WORKING, desk.PLANNED, desk.SCHEDULED))
    ticket = Ticket(
        id=id,
        summary=fill(draw.pick(PROJECTS), device="", contact="", site=client.sites[0].name),
        board=PROJECT,
        status=desk.STATUS_OF[PROJECT, name].id,
        client=client.id,
        site=client.sites[0].id,
        contact=client.contacts[0].id,
        type=desk.TYPE_OF[PROJECT, "Project"],
        team=_team(PROJECT, draw),
        owner=_technician(PROJECT, draw),
        priority=5,
        source=TECH,
        created=began - timedelta(days=5 + draw.below(40)),
        updated=began - timedelta(hours=2 + draw.below(70)),
        updated_by="zadmin",
        project=True,
    )
    ticket.required = began + timedelta(days=3 + draw.below(20))
    return ticket
