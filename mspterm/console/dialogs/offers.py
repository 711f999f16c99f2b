"""What each parameter of an action may hold for these tickets: from the store at once, then asked anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from mspterm.connectors.base import Choices, Manifest
from mspterm.console.dialogs.fields import Offer, Option, options
from mspterm.domain.action import Audience
from mspterm.domain.spec import Param
from mspterm.domain.ticket import Ticket

NEEDS = {
    "minutes": ("time",),
    "status": ("status",),
    "owner": ("assign",),
    "priority": ("priority",),
    "queue": ("queue",),
    "next": ("next",),
    "mail": ("mail choice", "mail"),
}
"""Parameter to the capability that it needs; the first that the manifest names counts."""

PRIORITIES = tuple(Option(str(n), f"P{n}") for n in range(1, 6))


def ticket_offers(
    params: Sequence[Param],
    tickets: Sequence[Ticket],
    manifests: Sequence[Manifest],
    choices: Sequence[Choices],
) -> Mapping[str, Offer]:
    """For an action on tickets; where they are of several connections, what all of these have."""
    makers: Mapping[str, Callable[[Param], Offer]] = {
        "status": lambda p: Offer(
            options(_common(c.statuses for c in choices)), _now(t.status for t in tickets)
        ),
        "queue": lambda p: Offer(options(_common(c.queues for c in choices)), _now(t.queue for t in tickets)),
        "owner": lambda p: _owner(tickets, choices),
        "priority": lambda p: Offer(PRIORITIES, _now(f"P{t.priority}" for t in tickets)),
        "audience": lambda p: Offer(_audiences(p.choices, manifests), preset=Audience.INTERNAL.value),
        "next": lambda p: Offer(now=_now(_date(t.next_action_at) for t in tickets)),
        "mail": lambda p: Offer(options(p.choices), preset=p.choices[0]),
    }
    found = {p.name: makers[p.name](p) if p.name in makers else Offer(options(p.choices)) for p in params}
    return {name: _unable(name, offer, manifests) for name, offer in found.items()}


def _unable(name: str, offer: Offer, manifests: Sequence[Manifest]) -> Offer:
    for manifest in manifests:
        # A parameter without an entry, such as the text, is what the action itself needs: judged before.
        needs = NEEDS.get(name, ())
        need = next((n for n in needs if n in manifest.can), needs[0] if needs else None)
        if need is not None and not (able := manifest.able(need)).possible:
            return Offer(unable=able.reason or f"{manifest.title} can't do it")
    return offer


def _audiences(wanted: Iterable[str], manifests: Sequence[Manifest]) -> tuple[Option, ...]:
    """The audiences that every connection can write to."""
    needs = {"internal": "note", "public": "reply", "resolution": "resolution", "co-managed": "co-managed"}
    return tuple(Option(a, a) for a in wanted if all(m.able(needs.get(a, a)).possible for m in manifests))


def _owner(tickets: Sequence[Ticket], choices: Sequence[Choices]) -> Offer:
    """Technicians by name where one connection is asked; where none are known any name may be typed."""
    # Ids differ from connection to connection; of two, only "me" and "nobody" mean the same.
    people = choices[0].technicians if len(choices) == 1 else ()
    named = (Option(t.id, f"{t.name} ({t.id})" if t.name != t.id else t.id) for t in people)
    found = (Option("me", "me"), Option("nobody", "nobody"), *named)
    return Offer(found, _now(t.assignee for t in tickets), free=not people)


def _common(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    # A list that is empty is one that could not be had, not a server without statuses.
    known = [values for values in lists if values]
    return tuple(v for v in known[0] if all(v in values for values in known)) if known else ()


def _now(values: Iterable[str | None]) -> str | None:
    """The present value in words, where the tickets have one and the same."""
    found = {v or "none" for v in values}
    return found.pop() if len(found) == 1 else "not the same on each"


def _date(at: datetime | None) -> str | None:
    return None if at is None else f"{at.astimezone():%a %d %b %H:%M}"
