"""The way of a ticket through tiers, queues and vendors, with whom was called: from the notes that an
escalation leaves, the PSA's own records, and what was seen of it here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from mspterm.domain.history import Happened
from mspterm.domain.incident import OURS
from mspterm.domain.ticket import Note, Ticket, TicketDetail

RESULTS = ("reached", "voicemail", "busy", "no answer")
"""What a call comes to."""

_RUNGS = ("L1", "L2", "L3", "vendor")
# These read what `move_line` and `call_line` write, in notes of any age.
_MOVED = re.compile(r"(?:DE-)?ESCALATION \(mspterm\): (?P<before>.+?) -> (?P<after>.+)")
_CALLED = re.compile(r"CALL \(mspterm\): (?P<whom>.+?), at .+?: (?P<result>[A-Z ]+)\.")
_CHANGED = re.compile(r"(Queue|Owner) changed from (.+) to (.+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Step:
    """A place that the ticket came to, or a call. `who` had it there, or made the call."""

    at: datetime
    what: str
    who: str | None = None
    call: bool = False


def place_name(tier: str | None, queue: str | None) -> str:
    """A queue with its tier: `L2 Systems`."""
    return " ".join(part for part in (tier, queue) if part) or "no queue"


def goes_down(before: str | None, after: str | None) -> bool:
    """Whether a move between two tiers is a de-escalation; not where one of them isn't known."""
    if before not in _RUNGS or after not in _RUNGS:
        return False
    return _RUNGS.index(after) < _RUNGS.index(before)


def move_line(before: str, after: str, *, down: bool) -> str:
    """The first line of the note that an escalation leaves, which `path` reads again."""
    return f"{'DE-' if down else ''}ESCALATION (mspterm): {before} -> {after}"


def call_line(whom: str, number: str | None, result: str, at: datetime) -> str:
    """The first line of the note on a call, which `path` reads again."""
    return f"CALL (mspterm): {whom}, at {number or 'a number not noted'}: {result.upper()}. {at:%Y-%m-%d %H:%M} UTC"


def step_line(step: Step) -> str:
    """A step as a line of text: `2026-11-24 10:02Z  L2 Systems (Priya Nair)`."""
    return f"{step.at:%Y-%m-%d %H:%M}Z  {step.what}{f' ({step.who})' if step.who else ''}"


def is_route_note(text: str) -> bool:
    """Whether a note is one of those that `move_line` and `call_line` begin."""
    first = text.partition("\n")[0].strip()
    return bool(_MOVED.fullmatch(first) or _CALLED.match(first))


def path(ticket: Ticket, detail: TicketDetail | None, tiers: Mapping[str, str]) -> tuple[Step, ...]:
    """The steps in order, from where it began; empty where it went nowhere and nobody was called.
    `tiers` gives the tier of a queue."""
    notes = detail.notes if detail is not None else ()
    moves = _merged(sorted((*_told(notes, tiers), *_seen(ticket, tiers)), key=lambda move: move.at))
    calls = [step for note in notes if (step := _call(note)) is not None]
    if not moves and not calls:
        return ()
    begun = moves[0].before if moves else place_name(ticket.tier, ticket.queue)
    places = [Step(ticket.created_at, begun), *(Step(m.at, m.after) for m in moves)]
    return tuple(sorted((*_held(places, ticket, _owners(ticket, notes)), *calls), key=lambda step: step.at))


@dataclass(frozen=True, slots=True)
class _Move:
    at: datetime
    before: str
    after: str


def _told(notes: Iterable[Note], tiers: Mapping[str, str]) -> Iterator[_Move]:
    for note in notes:
        first = note.body.partition("\n")[0].strip()
        # A client may type the same words.
        ours = _MOVED.fullmatch(first) if note.kind in OURS else None
        if ours is not None:
            yield _Move(note.at, ours["before"], ours["after"])
        changed = _CHANGED.fullmatch(first) if note.kind == "system" else None
        if changed is not None and changed[1].casefold() == "queue":
            before, after = (place_name(tiers.get(queue), queue) for queue in changed.group(2, 3))
            yield _Move(note.at, before, after)


def _seen(ticket: Ticket, tiers: Mapping[str, str]) -> Iterator[_Move]:
    for event in ticket.history:
        if event.kind is Happened.QUEUE:
            places = (p.partition(":") for p in (event.word, event.value))
            before, after = (place_name(tiers.get(queue, tier), queue) for tier, _, queue in places)
            yield _Move(event.at, before, after)


def _merged(moves: Iterable[_Move]) -> list[_Move]:
    """One move is told by several: the first to tell gives its time, the longest its words."""
    found: list[_Move] = []
    for move in moves:
        last = found[-1] if found else None
        if last is None or not _same(last.after, move.after):
            found.append(move)
        elif len(move.after) > len(last.after):
            found[-1] = replace(last, after=move.after)
    return found


def _same(one: str, other: str) -> bool:
    """`vendor Vendors (Dell, case C-9)` is where `vendor Vendors` is."""
    return one.partition(" (")[0] == other.partition(" (")[0]


def _call(note: Note) -> Step | None:
    found = _CALLED.match(note.body.partition("\n")[0].strip()) if note.kind in OURS else None
    if found is None:
        return None
    return Step(note.at, f"called {found['whom']}: {found['result'].lower()}", note.author, call=True)


def _owners(ticket: Ticket, notes: Iterable[Note]) -> list[tuple[datetime, str]]:
    """From when who had it, as seen here or recorded by the PSA."""
    seen = [(e.at, e.word, e.value) for e in ticket.history if e.kind is Happened.OWNER]
    found = ((n.at, _CHANGED.fullmatch(n.body.strip())) for n in notes if n.kind == "system")
    told = [(at, said[2], said[3]) for at, said in found if said and said[1].casefold() == "owner"]
    # Never both: a look dates a change later than the PSA does, and would tell it twice.
    changes = sorted(told or seen)
    first = changes[0][1] if changes else ticket.assignee or ""
    return [(ticket.created_at, str(first)), *((at, after) for at, _, after in changes)]


def _held(
    places: Collection[Step], ticket: Ticket, owners: Collection[tuple[datetime, str]]
) -> Iterator[Step]:
    """Each place with who had the ticket last while it was there."""
    ends = [place.at for place in places][1:]
    for place, end in zip(places, [*ends, None], strict=True):
        if end is None:
            yield replace(place, who=ticket.assignee)
        else:
            # RT records that nobody owns a ticket as an owner of that name.
            names = [name for at, name in owners if at < end and name.casefold() not in ("", "nobody")]
            yield replace(place, who=names[-1] if names else None)
