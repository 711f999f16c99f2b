"""The plan of an escalation: the queue that a tier or a vendor means, and whom to call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mspterm.desk.choosing import one_of
from mspterm.desk.directory import Directory
from mspterm.desk.escalation import calls, told_vendor, vendor_of
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Plan
from mspterm.domain.planning import Asked, plan_update
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.ticket import Ticket


async def plan_escalate(book: Directory, refs: Sequence[str], wanted: Wanted) -> Plan:
    tickets = book.tickets(refs)
    if wanted.to is None:
        raise failed(Reason.REFUSED, "escalate: --to tier:N, queue:NAME or vendor:NAME is missing.")
    asked, lines = [], list[str]()
    end = told_vendor(vendor_of(book.desk, wanted.to), wanted.number)
    for ticket in tickets:
        queue = await _escalation_queue(book, ticket, wanted.to)
        owner = ("", "nobody") if wanted.release else None
        asked.append((ticket, Asked(text=f"{wanted.text or ''}{end}" or None, queue=queue, owner=owner)))
        lines += calls(book.desk, ticket, wanted.to, queue)
    plan = plan_update("escalate", asked)
    return replace(plan, lines=(*plan.lines, *lines))


async def _escalation_queue(book: Directory, ticket: Ticket, to: str) -> str:
    kind, _, name = to.partition(":")
    tiers = book.desk.connection(ticket.connection).tiers
    vendor = vendor_of(book.desk, to)
    if vendor is not None and ticket.connection in vendor.queues:
        return vendor.queues[ticket.connection]
    if kind == "queue" and name:
        return one_of(name, (await book.choices(ticket.connection)).queues, "queue", ticket.connection)
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
