"""A desk's day as it happens by itself: people call, colleagues work, customers answer, things break."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from mspterm.sandbox import catalogue as desk
from mspterm.sandbox import incidents, monitor
from mspterm.sandbox.clients import CLIENT, CLIENTS
from mspterm.sandbox.draw import Draw
from mspterm.sandbox.faults import CONNECTWISE, NINJAONE
from mspterm.sandbox.life import Life
from mspterm.sandbox.stories import ALERT, P1, STORIES, TECH, THANKS, fill
from mspterm.sandbox.tickets import Ticket, desk_site, summary

_RECENT = 200
"""How far back from the last open ticket colleagues and customers look for one."""

# In open tickets, and in seconds of the world.
_CROWDED = 60
_PATIENCE_S = 1200


@dataclass(frozen=True, slots=True)
class _Rhythm:
    """Something that goes on and on: every so many seconds of the world."""

    name: str
    low: float
    high: float
    happens: Callable[[Life, datetime, Draw], None]


def begin(life: Life) -> None:
    """Sets everything going that happens again and again; customers answer when they are written to."""
    for rhythm in _RHYTHMS:
        _go_on(life, rhythm, life.world.clock.began, 0)
    life.listeners.append(partial(answers, life))


def _go_on(life: Life, rhythm: _Rhythm, at: datetime, turn: int) -> None:
    # A stream a turn: how much one turn draws doesn't shift the next.
    draw = Draw(life.world.seed, rhythm.name, turn)

    def event(when: datetime) -> None:
        rhythm.happens(life, when, draw)
        _go_on(life, rhythm, when, turn + 1)

    life.after(at, draw.between(rhythm.low, rhythm.high), event)


def arrival(life: Life, at: datetime, draw: Draw) -> None:
    """Somebody calls, writes or fills the portal's form."""
    world = life.world
    place = draw.pick([n for n, story in enumerate(STORIES) if story.source not in (ALERT, TECH)])
    story, client = STORIES[place], draw.pick(CLIENTS)
    contact = draw.pick(client.contacts)
    ids = [n for n in _some_devices(life, draw) if (d := world.device(n)) and d.role in story.roles]
    device = world.device(ids[0]) if ids else None
    if device:
        client = CLIENT[device.client]
        contact = draw.pick(client.contacts)
    # Of the two `summary` needs the name alone.
    named = (0, device.name) if device else None
    site = desk_site(client, contact.site)
    ticket = Ticket(
        id=world.new_ticket_id(),
        summary=summary(story, named, contact.name, site),
        board=story.board,
        status=desk.STATUS_OF[story.board, desk.NEW].id,
        client=client.id,
        site=contact.site,
        contact=contact.id,
        type=desk.TYPE_OF[story.board, story.type],
        team=None,
        owner=None,
        priority=story.priority,
        source=story.source,
        created=at,
        updated=at,
        updated_by="zadmin",
        configurations=[device.id] if device else [],
    )
    body = fill(story.body, device=device.name if device else "the device", contact=contact.name, site=site)
    world.add_note(world.add_ticket(ticket), body, "description", at, contact=contact.id, issue=True)


def _some_devices(life: Life, draw: Draw) -> list[int]:
    ids = life.world.device_ids
    start = draw.below(len(ids))
    return [ids[(start + step) % len(ids)] for step in range(min(40, len(ids)))]


def _open_ones(life: Life, wanted: Callable[[Ticket], bool]) -> list[Ticket]:
    """The last open tickets that are as wanted."""
    world = life.world
    last = world.layout.after_last
    # Changed ones too: new tickets are among them, and none of the seeded ids.
    ids = {*range(max(world.layout.first_open, last - _RECENT), last), *world.tickets_changed}
    # Sorted: who is drawn must not hang on the order of a set.
    found = (world.ticket(number) for number in sorted(ids))
    return [t for t in found if t is not None and not t.is_closed and not t.project and wanted(t)]


def _spare(life: Life) -> int:
    """The ticket that is left to breach, unless the person at the console takes it."""
    return life.world.layout.first_open


def colleague(life: Life, at: datetime, draw: Draw) -> None:
    """Other technicians take tickets and finish their own; the more are open, the more."""
    open_ones = len(_open_ones(life, lambda ticket: True))
    for _ in range(1 + max(0, open_ones - _CROWDED) // 8):
        if draw.chance(55):
            _takes(life, at, draw)
        else:
            _finishes(life, at, draw)


def _takes(life: Life, at: datetime, draw: Draw) -> None:
    """One that a person reported, a P1 only when nobody has come for it. Alerts that came in meanwhile
    are left to who is on call."""
    world = life.world
    # Divided by the speed, as tickets are stamped in the reader's time.
    overdue = at - timedelta(seconds=_PATIENCE_S / world.clock.speed)

    def is_free(ticket: Ticket) -> bool:
        reported = ticket.source != ALERT or ticket.story is not None
        left_alone = ticket.priority == P1 and ticket.created > overdue
        return ticket.owner is None and reported and not left_alone and ticket.id != _spare(life)

    free = _open_ones(life, is_free)
    if free:
        ticket = world.edit(draw.pick(free).id)
        tier = desk.BOARD[ticket.board].tier
        member = draw.pick([m for m in desk.MEMBERS if m.tier == tier and m != desk.ME] or desk.MEMBERS[1:])
        ticket.owner = member.id
        world.set_status(ticket, desk.STATUS_OF[ticket.board, desk.WORKING].id, at, member.identifier)


def _finishes(life: Life, at: datetime, draw: Draw) -> None:
    world, me = life.world, desk.ME.id
    theirs = _open_ones(life, lambda t: t.owner not in (None, me) and t.state.stage == "Responded")
    if theirs:
        ticket = world.edit(draw.pick(theirs).id)
        owner = desk.MEMBER[ticket.owner or me]
        world.add_note(ticket, "Solved and checked with the user.", "resolution", at, member=owner.id)
        world.set_status(ticket, desk.STATUS_OF[ticket.board, desk.CLOSED].id, at, owner.identifier)


def reply(life: Life, at: datetime, draw: Draw) -> None:
    """A customer writes again, most often one who was asked something."""
    waiting = _open_ones(life, lambda t: bool(t.contact) and t.state.name == desk.CLIENT)
    others = _open_ones(life, lambda t: bool(t.contact) and t.responded is not None)
    found = waiting if waiting and draw.chance(70) else others
    if found:
        ticket = draw.pick(found)
        story = STORIES[ticket.story] if ticket.story is not None else None
        customer_writes(life, at, ticket.id, story.customer if story else draw.pick(THANKS))


def customer_writes(life: Life, at: datetime, number: int, text: str) -> None:
    """A mail of the contact: a note by them, and the board's rule sets the status."""
    world = life.world
    ticket = world.edit(number)
    if ticket.contact is None:
        return
    status = desk.STATUS_OF[ticket.board, desk.REPLIED].id
    # That status counts as responded: it would stop a response clock that nobody has met.
    if ticket.state.stage != "NotResponded":
        world.set_status(ticket, status, at, "customer")
    world.add_note(ticket, text, "description", at, contact=ticket.contact)
    ticket.customer_updated = True


def answers(life: Life, number: int, at: datetime) -> None:
    """Two of three people answer what they are written, in a few minutes."""
    # Numbered, so that a second message to a ticket is answered in its own way.
    draw = Draw(life.world.seed, "answer", number, life.world.next_id("answer", 1))
    if draw.chance(67):
        text = draw.pick(THANKS)
        life.after(at, draw.between(70, 240), lambda when: customer_writes(life, when, number, text))


def flap(life: Life, at: datetime, draw: Draw) -> None:
    """An alert that fires and clears, up to three times."""
    world = life.world
    found = [n for n in _some_devices(life, draw) if (d := world.device(n)) and d.model.os and not d.offline]
    if not found:
        return
    kind = draw.pick(("cpu", "memory"))
    wait = draw.between(60, 150)

    def once(left: int, when: datetime) -> None:
        device = world.edit_device(found[0])
        what = "CPU above 95 %" if kind == "cpu" else "Memory above 96 %"
        alert = monitor.fire(world, when, device, kind, "", f"{device.name}: {what} for 5 minutes")

        def over(then: datetime) -> None:
            monitor.clear(world, then, alert, "Back to normal.")
            if left:
                life.after(then, wait, partial(once, left - 1))

        life.after(when, wait, over)

    once(draw.below(3), at)


def agent(life: Life, at: datetime, draw: Draw) -> None:
    """An agent drops off and returns; a server's is alerted."""
    world = life.world
    found = [n for n in _some_devices(life, draw) if (d := world.device(n)) and d.model.os and not d.offline]
    if found:
        incidents.agent_drops(life, at, world.edit_device(found[0]), draw.between(240, 700))


def backup(life: Life, at: datetime, draw: Draw) -> None:
    world = life.world
    found = [
        n for n in _some_devices(life, draw) if (d := world.device(n)) and d.role in ("FS", "NAS", "SQL")
    ]
    if found:
        incidents.backup_runs(life, at, world.edit_device(found[0]))


def throttle(life: Life, at: datetime, draw: Draw) -> None:
    """The API answers 429 for a few seconds of the reader's own time."""
    vendor = draw.pick((CONNECTWISE, NINJAONE))
    life.faults.throttled_until[vendor] = at + timedelta(seconds=3 + draw.below(5))


# Seconds of the world from one to the next. A name is a key of the draws: another tells another story.
_RHYTHMS = (
    _Rhythm("arrival", 150, 400, arrival),
    _Rhythm("colleague", 200, 460, colleague),
    _Rhythm("reply", 180, 420, reply),
    _Rhythm("flap", 400, 900, flap),
    _Rhythm("agent", 600, 1300, agent),
    _Rhythm("backup", 900, 2400, backup),
    _Rhythm("throttle", 1000, 1700, throttle),
)
