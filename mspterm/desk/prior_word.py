"""Whose word must come first: the client's where they own the field, the caller's who they are."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from mspterm.desk import kept_choices
from mspterm.desk.desk import Desk
from mspterm.desk.look import ticket_now
from mspterm.domain.account_work import account_word, command_word, verified_at
from mspterm.domain.action import OpenSession, Plan, Reboot, RunCommand, Update, Write
from mspterm.domain.planning import PUBLIC
from mspterm.domain.raci import fields_of, theirs
from mspterm.domain.reasons import Failed
from mspterm.domain.ticket import Ticket

_OVER = ("resolved", "closed")


def owned(desk: Desk, plan: Plan) -> Mapping[str, str]:
    """Whom to ask first, by the device in a field that its client owns."""
    found: dict[str, str] = {}
    for write in plan.writes:
        device = (
            desk.store.devices.get(write.ref)
            if isinstance(write, RunCommand | Reboot | OpenSession)
            else None
        )
        if device is None:
            continue
        client = device.client or desk.store.devices.client_names().get(device.ref)
        facts = desk.config.clients.get(desk.canonical(client, device.connection) or "")
        ticket = _ticket_of(desk, write)
        lines = fields_of(device.kind, ticket.service_line if ticket else None)
        why = theirs(facts.raci, lines, _ours(desk)) if facts is not None else None
        if why is not None:
            found[device.ref] = why
    return found


async def unverified(desk: Desk, plan: Plan) -> Mapping[str, str]:
    """Why a write must wait for the caller to be verified, by its ref. The server is asked before it is
    said: a colleague may have verified them a minute ago."""
    found: dict[str, str] = {}
    for write in plan.writes:
        ticket, why = _ticket_of(desk, write), _account_work(desk, write)
        # The store answers this for almost all writes; only what is left may cost a call.
        if why is None or not _gives(desk, write):
            continue
        if ticket is None:
            found[write.ref] = f"{why}: attach it to the ticket of a verified caller (--attach REF)"
        elif not await _is_verified(desk, ticket):
            who = ticket.contact.name if ticket.contact else "the caller"
            found[write.ref] = f"{why}, and nobody has verified {who} on {ticket.ref} today (Verify caller)"
    return found


def _gives(desk: Desk, write: Write) -> bool:
    """Whether the caller gets something by it: a text, an end, or what a command does."""
    if not isinstance(write, Update):
        return isinstance(write, RunCommand)
    told = write.text is not None and write.audience in PUBLIC
    return told or (write.status is not None and _ends(desk, write))


def closing(desk: Desk, plan: Plan) -> frozenset[str]:
    """The tickets that the plan resolves or closes."""
    return frozenset(w.ref for w in plan.writes if isinstance(w, Update) and w.status and _ends(desk, w))


def caller_line(desk: Desk, ticket: Ticket) -> str | None:
    """What everybody who opens a ticket of account work is told; None for any other."""
    word = account_word(ticket, desk.config.guard.verify_first)
    if word is None:
        return None
    detail = desk.store.tickets.detail(ticket.ref)
    at = verified_at(detail.notes, ticket, desk.now()) if detail is not None else None
    if at is not None:
        return f"account work ({word}): the caller was verified at {at:%Y-%m-%d %H:%M}Z"
    return f"account work ({word}): verify the caller first (Y)"


def _account_work(desk: Desk, write: Write) -> str | None:
    words, ticket = desk.config.guard.verify_first, _ticket_of(desk, write)
    word = command_word(write, words) if isinstance(write, RunCommand) else None
    if word is not None:
        return f"this command is account work ({word})"
    word = account_word(ticket, words) if ticket is not None and not isinstance(write, OpenSession) else None
    return None if word is None or ticket is None else f"{ticket.ref} is account work ({word})"


def _ticket_of(desk: Desk, write: Write) -> Ticket | None:
    ref = write.ref if isinstance(write, Update) else None
    if isinstance(write, RunCommand):
        ref = write.attach
    elif isinstance(write, OpenSession):
        ref = write.ticket
    return desk.store.tickets.get(ref) if ref else None


async def _is_verified(desk: Desk, ticket: Ticket) -> bool:
    detail = desk.store.tickets.detail(ticket.ref)
    if detail is not None and verified_at(detail.notes, ticket, desk.now()):
        return True
    # Where the server can't be asked nobody is verified: whoever calls must not gain by an outage.
    with suppress(Failed):
        return verified_at((await ticket_now(desk, ticket.ref)).notes, ticket, desk.now()) is not None
    return False


def _ends(desk: Desk, write: Update) -> bool:
    """Whether its status is over, by the config's words, the vendor's as last asked, or the usual ones."""
    ticket, name = desk.store.tickets.get(write.ref), write.ref.partition(":")[0]
    known = desk.connection(name).status_classes.get(write.status or "")
    if known is None:
        kept = kept_choices.read(desk.store.database.get(kept_choices.key(name, ticket)))
        known = kept.status_classes.get(write.status or "", write.status)
    return str(known).casefold() in _OVER


def _ours(desk: Desk) -> tuple[str, ...]:
    teams = desk.config.escalation.tiers.values()
    name = desk.config.technician.name
    return (*(member for team in teams for member in team.members), *([name] if name else []))
