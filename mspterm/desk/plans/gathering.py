"""The plan of one parent for the tickets of one cause, and of the end of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mspterm.desk.directory import Directory
from mspterm.desk.family import closings, ends
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Audience, Plan
from mspterm.domain.gathering import MOST, family, plan_gather, proposed, with_children
from mspterm.domain.planning import PUBLIC, Asked
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.row import StatusClass
from mspterm.domain.ticket import Ticket


async def plan_parent(book: Directory, refs: Sequence[str], wanted: Wanted) -> Plan:
    """`wanted.parent` is the parent's ref; the best of the tickets where it isn't given. One that is
    closed is opened again: its cause has come back."""
    tickets = book.tickets(refs)
    parent = book.ticket(wanted.parent) if wanted.parent else proposed(tickets)
    book.must(parent.connection, "parent")
    found = family(parent, tickets)
    if not found.children:
        why = "; ".join(f"{ref} {why}" for ref, why in found.left_out.items()) or "mark the others too"
        raise failed(Reason.REFUSED, f"parent: nothing would become a child of {parent.ref}: {why}.")
    if len(found.children) > MOST:
        sentence = f"parent: {len(found.children)} children are more than the cap of {MOST}; choose fewer."
        raise failed(Reason.REFUSED, sentence)
    says, robots = await _says(book, parent, wanted), book.desk.clockwork.storms.integrations
    return plan_gather(found, says, wanted.contact or None, robots)


async def _says(book: Directory, parent: Ticket, wanted: Wanted) -> Asked:
    audience = wanted.audience or Audience.PUBLIC
    name = parent.connection
    if wanted.text is not None:
        book.must(name, "reply" if audience in PUBLIC else "note")
        if wanted.mail is not None:
            book.must(name, "mail")
    return Asked(
        text=wanted.text,
        audience=audience,
        mail=wanted.mail,
        mail_words=_mail(book, parent, audience, wanted) if wanted.text else "",
        status=None if parent.active else await book.status(parent, StatusClass.OPEN.value),
    )


def _mail(book: Directory, parent: Ticket, audience: Audience, wanted: Wanted) -> str:
    """Who gets the one mail, in words."""
    if wanted.mail is False:
        return "no mail"
    if audience in PUBLIC and parent.contact is None and not wanted.contact:
        return "no mail at the client: the parent has no contact; name one (contact)"
    usual = book.desk.manifest(parent.connection).meets.get(f"mail {audience.value}", "")
    return f"one mail: {usual}" if usual else ""


async def closed_with_children(book: Directory, plan: Plan, closed: Sequence[tuple[Ticket, Asked]]) -> Plan:
    """The plan, and where it closes a parent, what becomes of the children."""
    if len(closed) > 1:
        parents = [t.ref for t, asked in closed if asked.status and t.children]
        left = "its children stay as they are: set the status of a parent by itself to close them with it"
        return replace(plan, lines=(*plan.lines, *(f"{ref}: {left}" for ref in parents)))
    [(ticket, asked)] = closed
    ended = await ends(book, ticket, asked.status) if asked.status else None
    if asked.status is None or ended is None or not ticket.active:
        return plan
    found = await closings(book, ticket, asked.status, ended)
    if not found:
        return plan
    told = book.desk.manifest(ticket.connection).meets
    made = with_children(plan, found, told.get("mail status", ""))
    return replace(made, lines=(*made.lines, told["close parent"])) if "close parent" in told else made
