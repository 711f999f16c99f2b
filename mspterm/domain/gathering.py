"""One parent for the tickets of one cause, and its end: which are its children, what is said to whom.

The client reads one text on the parent; the children stay silent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mspterm.domain.action import Attach, Plan, Update, Write
from mspterm.domain.planning import Asked, plan_update, target_of
from mspterm.domain.spec import Risk
from mspterm.domain.text import clean
from mspterm.domain.ticket import Contact, Ticket
from mspterm.domain.touch import by_machine

MOST = 100
"""Children of one plan: more than a person can look through are no storm but a fault of the filter."""
_SILENT = "no text, no mail"


@dataclass(frozen=True, slots=True)
class Family:
    """What becomes of the tickets given: `left_out` says of each other why it stays as it is."""

    parent: Ticket
    children: tuple[Ticket, ...]
    left_out: Mapping[str, str]


def proposed(tickets: Sequence[Ticket]) -> Ticket:
    """The parent among them: one that is one already, else the highest priority, else the oldest."""
    parents = {t.parent for t in tickets if t.parent}
    return min(
        tickets,
        key=lambda t: (
            # One that has children goes first: `_unfit` keeps it from being a child.
            t.ref not in parents and not t.children,
            t.parent is not None,
            t.priority,
            t.created_at,
            t.ref,
        ),
    )


def family(parent: Ticket, others: Iterable[Ticket]) -> Family:
    """The parent with those of the others that may become its children."""
    children, left_out = list[Ticket](), dict[str, str]()
    for ticket in others:
        why = _unfit(parent, ticket)
        if ticket.ref != parent.ref and why is None:
            children.append(ticket)
        elif ticket.ref != parent.ref and why is not None:
            left_out[ticket.ref] = why
    return Family(parent, tuple(children), left_out)


def _unfit(parent: Ticket, ticket: Ticket) -> str | None:
    if ticket.connection != parent.connection:
        return f"is in {ticket.connection}, which knows no ticket of {parent.connection}"
    if ticket.client != parent.client:
        # Whoever reads the parent's text may not learn of another client's outage, nor get its mail.
        return f"is {ticket.client or 'no client'}'s, and gets a parent of its own"
    if ticket.parent == parent.ref or ticket.ref in parent.children:
        return "is a child of it already"
    if ticket.parent:
        return f"is a child of {ticket.parent}"
    if ticket.children:
        return "has children of its own"
    return None if ticket.active else f"is {ticket.status}"


def plan_gather(found: Family, says: Asked, contact: str | None = None, robots: Collection[str] = ()) -> Plan:
    """The children attached, then one update of the parent where there is anything to say or change.
    `contact` becomes the parent's person at the client, before the text goes; `robots` are integrations,
    which report but need no answer."""
    parent, children = found.parent, found.children
    was = parent.contact.name if parent.contact else "nobody"
    if contact is not None:
        # Before the lines are made, which name who will read the text.
        parent = replace(parent, contact=Contact(clean(contact)))
    told = plan_update("parent", [(parent, says)])
    # An update of nothing is no write, and would be journalled as one.
    changes = [
        w for w in told.writes if isinstance(w, Update) and w != Update(parent.ref, audience=says.audience)
    ]
    attach = [Attach(parent.ref, tuple(c.ref for c in children), contact)] if children else []
    # A parent that is closed is opened first: a PSA may refuse children under a closed one.
    writes: tuple[Write, ...] = (*changes, *attach) if says.status else (*attach, *changes)
    silent = f"its {_count(children)}, silent ({_SILENT}):"
    lines = (
        f"parent {told.lines[0]}",
        *([f"  contact: {was} -> {contact}"] if contact is not None else []),
        *told.lines[1:],
        *([] if says.text else ["  no text, so no mail: the client isn't told"]),
        *((silent, *(_line(c, robots) for c in children)) if children else ()),
        *(f"left out: {ref} {why}" for ref, why in found.left_out.items()),
    )
    targets = tuple(target_of(t) for t in (parent, *children))
    return Plan("parent", Risk.ROUTINE, writes, targets, lines, leads=True)


def _line(child: Ticket, robots: Collection[str]) -> str:
    keeps = " (P1: keeps a row of its own here)" if child.priority == 1 else ""
    person = None if by_machine(child, robots) else child.contact
    told = f" ({person.name} reported it, and isn't told by this)" if person else ""
    return f"  {child.ref} {child.summary}{keeps}{told}"


def _count(children: Sequence[Ticket]) -> str:
    return f"{len(children)} {'child' if len(children) == 1 else 'children'}"


@dataclass(frozen=True, slots=True)
class Closing:
    """A child of a parent that is closed: with it in `status`, or it stays open for the reason `why`."""

    child: Ticket
    status: str | None
    why: str | None = None


def with_children(plan: Plan, closing: Sequence[Closing], mailed: str = "") -> Plan:
    """The plan that closes a parent, and after it the children no human touched, a write each. A child
    that somebody takes meanwhile is theirs: the write finds it out. `mailed`: what the PSA itself does
    about mail at a change of status."""
    closed = [c for c in closing if c.status is not None]
    writes = tuple(
        Update(c.child.ref, status=c.status, expected_owner=c.child.assignee_id or "") for c in closed
    )
    silent = "; ".join(word for word in (f"{_SILENT} of ours", mailed) if word)
    lines = [
        f"and {_count([c.child for c in closed])} that no human touched, silent ({silent}):",
        *(f"  {c.child.ref} {c.child.summary}: {c.child.status} -> {c.status}" for c in closed),
    ]
    left = [f"stays open: {c.child.ref} {c.child.summary}: {c.why}" for c in closing if c.status is None]
    return Plan(
        plan.action,
        plan.risk,
        (*plan.writes, *writes),
        (*plan.targets, *(target_of(c.child) for c in closed)),
        (*plan.lines, *left, *(lines if closed else ())),
        leads=True,
    )
