"""Which tickets are suspected security incidents: kept for all of this user's processes, and told to the
other technicians by a note on the ticket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from mspterm.desk.desk import Desk
from mspterm.domain.action import Outcome, State, Update, Write
from mspterm.domain.incident import OFF, ON, last_word, told, turns, verified
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.ticket import Ticket, TicketDetail

_KEY = "incidents"


def incidents(desk: Desk) -> Mapping[str, datetime]:
    """Since when, by the ticket's ref."""
    known = json.loads(desk.store.database.get(_KEY) or "{}")
    return {ref: datetime.fromisoformat(at) for ref, at in known.items()}


def incident_devices(desk: Desk) -> Mapping[str, str]:
    """The ticket by each device that must be left as it is."""
    refs = incidents(desk)
    # Every judgement asks this, and on nearly all days there is none.
    tied = desk.store.tickets.device_refs() if refs else {}
    found = {ref: tied.get(ref) or _named(desk, ref) for ref in refs}
    return {device: ref for ref, devices in found.items() for device in devices}


def _named(desk: Desk, ref: str) -> tuple[str, ...]:
    ticket = desk.store.tickets.get(ref)
    return ticket.device_refs if ticket else ()


def seen(desk: Desk, detail: TicketDetail) -> None:
    """What the ticket's notes say, by whichever console they were written."""
    said, ref = last_word(detail.notes), detail.ticket.ref
    if said is None:
        return
    on, at = said
    with desk.store.database.write():
        since = incidents(desk).get(ref)
        # An older "lifted" says nothing of one whose note is still on its way.
        if on or (since is not None and at > since):
            _keep(desk, ref, at if on else None)


def turn(desk: Desk, write: Write, outcome: Outcome | None) -> None:
    """On before its note is sent, so that nothing here is done meanwhile; off once the note is written."""
    turned = turns(write.text) if isinstance(write, Update) else None
    if turned and outcome is None:
        _keep(desk, write.ref, desk.now())
    elif turned is False and outcome is not None and outcome.state is State.DONE:
        _keep(desk, write.ref, None)


def _keep(desk: Desk, ref: str, since: datetime | None) -> None:
    """One that is on already stays since when it was."""
    with desk.store.database.write():
        # In here: what another process keeps between a look and the writing would be lost.
        known = incidents(desk)
        if (ref in known) == (since is not None):
            return
        kept = {**known, ref: since}
        desk.store.database.put(_KEY, json.dumps({r: at.isoformat() for r, at in kept.items() if at}))
        # Front ends follow by revision: this is what makes them show the warning.
        desk.store.database.next_revision()


def warning(desk: Desk, ticket: Ticket) -> str | None:
    """What everybody who opens the ticket is told; None where it is no incident."""
    since = incidents(desk).get(ticket.ref)
    if since is None:
        return None
    return "; ".join((f"SECURITY INCIDENT since {since:%Y-%m-%d %H:%M} UTC", *_told(desk, ticket, since)))


def switch_text(desk: Desk, ticket: Ticket, switch: str | None) -> str:
    """The note that turns the switch. Raises Failed where neither on nor off was asked."""
    if switch not in ("on", "off"):
        raise failed(Reason.REFUSED, "incident: on or off is needed.")
    if switch == "off":
        return OFF
    since = incidents(desk).get(ticket.ref) or desk.now()
    return "\n".join((ON, *(f"{said[0].upper()}{said[1:]}." for said in _told(desk, ticket, since))))


def verification(ticket: Ticket, method: str | None, number: str | None, result: str | None) -> str:
    """The note on who called. Raises Failed where method or result is missing."""
    if not method or not result:
        raise failed(Reason.REFUSED, "verify: the method and the result are needed.")
    contact = ticket.contact
    on_file = number or (contact.phones[0] if contact and contact.phones else "none")
    return verified(contact.name if contact else "the caller", method, on_file, result)


def _told(desk: Desk, ticket: Ticket, since: datetime) -> tuple[str, ...]:
    facts = desk.clockwork.facts(ticket)
    return told(since, facts.incident_contact if facts else None, facts.notice_h if facts else None)
