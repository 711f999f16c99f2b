"""The plans of an escalation, up or down, and of what is noted of a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mspterm.config.model import Vendor
from mspterm.desk.choosing import one_of
from mspterm.desk.directory import Directory
from mspterm.desk.escalation import Whom, calls, number_of, vendor_of, whom
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Plan
from mspterm.domain.handoff import HandoffError, parse, too_thin
from mspterm.domain.planning import Asked, plan_update
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.route import RESULTS, call_line, goes_down, move_line, place_name
from mspterm.domain.ticket import Ticket

_FIRST = "L1"


@dataclass(frozen=True, slots=True)
class Move:
    """Where a ticket goes from its tier `before`, and who is there. `down`: to a lower tier."""

    queue: str
    before: str | None
    tier: str | None
    down: bool
    vendor: Vendor | None
    whom: Whom | None


async def plan_escalate(book: Directory, refs: Sequence[str], wanted: Wanted) -> Plan:
    tickets = book.tickets(refs)
    if wanted.to is None:
        raise failed(Reason.REFUSED, "escalate: --to tier:N, queue:NAME or vendor:NAME is missing.")
    asked, lines = [], list[str]()
    for ticket in tickets:
        move = await move_of(book, ticket, wanted.to)
        _must_say(book, ticket, move, wanted)
        # Kept until the next tier claims it: a ticket that is nobody's is nobody's problem.
        owner = ("", "nobody") if wanted.release else None
        asked.append((ticket, Asked(text=_note(ticket, move, wanted), queue=move.queue, owner=owner)))
        lines += [*(["  a de-escalation: to a lower tier"] if move.down else []), *calls(move.whom)]
    plan = plan_update("escalate", asked)
    return replace(plan, lines=(*plan.lines, *lines))


async def move_of(book: Directory, ticket: Ticket, to: str) -> Move:
    """What `to` means for the ticket. Raises Failed where it means nothing, or where it is already."""
    queue, vendor = await _queue(book, ticket, to), vendor_of(book.desk, to)
    tiers = book.desk.connection(ticket.connection).tiers
    # What the PSA itself calls its tier wins over the config's map of queues.
    before, tier = ticket.tier or tiers.get(ticket.queue or ""), tiers.get(queue)
    found = whom(book.desk, ticket.connection, queue, vendor)
    return Move(queue, before, tier, goes_down(before, tier), vendor, found)


def _must_say(book: Directory, ticket: Ticket, move: Move, wanted: Wanted) -> None:
    """Raises Failed where it says too little for whoever gets it: going down, why; leaving L1, the parts
    of the handoff that the config names."""
    if move.down:
        if not (wanted.reason or "").strip():
            raise failed(Reason.REFUSED, f"escalate: say why it goes back to {move.tier} (--reason TEXT).")
        return
    rules = book.desk.config.escalation
    if move.before != _FIRST or move.tier in (None, _FIRST) or not rules.handoff:
        return
    found = parse(wanted.text or "")
    thin = (
        found.sentence
        if isinstance(found, HandoffError)
        else too_thin(found, rules.handoff, rules.handoff_chars)
    )
    if thin is not None:
        raise failed(Reason.REFUSED, f"{ticket.ref} can't leave {_FIRST} yet: {thin}.")


def _note(ticket: Ticket, move: Move, wanted: Wanted) -> str:
    """The handoff under lines of a set form, which make the ticket's path in whichever console reads it."""
    before, after = place_name(move.before, ticket.queue), place_name(move.tier, move.queue)
    if move.vendor is not None:
        after += f" ({move.vendor.name}, case {wanted.number or 'none yet'})"
    head = [move_line(before, after, down=move.down)]
    if wanted.reason:
        head.append(f"Why: {wanted.reason}")
    if move.whom is not None and move.whom.readers:
        head.append(f"Read by: {', '.join(move.whom.readers)}")
    if move.vendor is not None and move.whom is not None:
        head.append(f"Vendor: {move.whom.call}, case number: {wanted.number or 'none yet'}")
    return "\n".join(head) + (f"\n\n{wanted.text}" if wanted.text else "")


async def _queue(book: Directory, ticket: Ticket, to: str) -> str:
    kind, _, name = to.partition(":")
    tiers = book.desk.connection(ticket.connection).tiers
    vendor = vendor_of(book.desk, to)
    # A vendor's own queue before the one queue that the connection has for all of tier `vendor`.
    if vendor is not None and ticket.connection in vendor.queues:
        return _elsewhere(ticket, vendor.queues[ticket.connection])
    if kind == "queue" and name:
        return _elsewhere(
            ticket, one_of(name, (await book.choices(ticket.connection)).queues, "queue", ticket.connection)
        )
    if kind == "tier" and name:
        wanted = f"L{name.lstrip('Ll')}"
    elif kind == "vendor" and name:
        wanted = "vendor"
    else:
        raise failed(Reason.REFUSED, f"escalate: {to!r} is not tier:N, queue:NAME or vendor:NAME.")
    queues = [q for q, tier in tiers.items() if tier == wanted]
    if not queues:
        where = f"connections.{ticket.connection}.tiers"
        raise failed(Reason.REFUSED, f"No queue of {ticket.connection} is tier {wanted}; set it in {where}.")
    if ticket.queue in queues:
        raise failed(Reason.REFUSED, f"{ticket.ref} is already in {ticket.queue}, which is tier {wanted}.")
    return queues[0]


def _elsewhere(ticket: Ticket, queue: str) -> str:
    if ticket.queue == queue:
        raise failed(Reason.REFUSED, f"{ticket.ref} is already in {queue}.")
    return queue


async def plan_call(book: Directory, refs: Sequence[str], wanted: Wanted) -> Plan:
    """An attempt to reach somebody, as an internal note of a set form."""
    if not wanted.whom or wanted.result not in RESULTS:
        raise failed(Reason.REFUSED, f"call: whom, and the result ({', '.join(RESULTS)}), are needed.")
    asked = []
    for ticket in book.tickets(refs):
        number = wanted.number or number_of(book.desk, ticket, wanted.whom)
        first = call_line(wanted.whom, number, wanted.result, book.desk.now())
        asked.append((ticket, Asked(text=f"{first}\n{wanted.text}" if wanted.text else first)))
    return plan_update("call", asked)
