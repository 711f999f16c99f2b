"""The client card: what is agreed, who may decide, how to get in; each fact with where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from mspterm.config.model import Client
from mspterm.console.line_view import BLANK, Span, TextLine, line, wrap
from mspterm.console.session import Session
from mspterm.domain.ticket import Ticket

_LABEL = 20
_OLD_DAYS = 365
_DIRECTORY, _OWN, _PSA = "clients_dir", "your config", "PSA"

Fact = tuple[str, str, str]
"""What it is, what it says, and whose word that is."""


def card_lines(session: Session, ticket: Ticket, width: int) -> list[TextLine]:
    """Everything known of the ticket's client, for a width."""
    client = session.clockwork.facts(ticket)
    lines = [BLANK, line(f" {ticket.client or 'no client'}", "header")]
    if client is None:
        lines += _sentence("Nobody has written its facts down: neither clients_dir nor [clients].", width)
    else:
        lines += [row for said, role in _origin(session, client) for row in _sentence(said, width, role)]
    for said in session.clockwork.mark(ticket, session.now).lines():
        lines += _sentence(f"#{ticket.number}: {said}", width, "warning")
    for title, facts in _sections(ticket, client or Client("")):
        if facts:
            lines += [BLANK, line(f" {title}", "link")]
            lines += [row for fact in facts for row in _fact(fact, width)]
    return lines


def _sentence(said: str, width: int, role: str = "muted") -> list[TextLine]:
    return [line(row, role) for row in wrap(said, width - 2, " ")]


def _origin(session: Session, client: Client) -> Iterable[tuple[str, str]]:
    # Above all else: what follows is then what is left of the facts, and may lack the one that counts.
    if client.doubt:
        yield f"! Its facts in clients_dir can't be read: {client.doubt}", "failed"
    source = client.source or "a source that nobody has named"
    reviewed = client.reviewed_on
    if reviewed is None:
        yield f"Facts from {source}; nobody has said when they were last checked.", "warning"
        return
    days = (session.now.date() - datetime.fromisoformat(reviewed).date()).days
    old = days > _OLD_DAYS
    yield (
        f"Facts from {source}, reviewed on {reviewed}{': a year and more ago' if old else ''}.",
        ("warning" if old else "muted"),
    )


def _sections(ticket: Ticket, client: Client) -> list[tuple[str, list[Fact]]]:
    def of(key: str, label: str, value: object) -> list[Fact]:
        return [(label, str(value), _whose(client, key))] if value else []

    agreed = [("agreement", ticket.agreement, _PSA)] if ticket.agreement and not client.agreement else []
    agreement = [
        *agreed,
        *of("agreement", "agreement", client.agreement),
        *of("plan", "plan", client.plan),
        *of("covers", "covers", ", ".join(client.covers)),
        *of("excludes", "excludes", ", ".join(client.excludes)),
        *of("coverage", "coverage hours", client.coverage),
        *of("rate", "rate outside", client.rate),
        *of("authoriser", "may authorise", _with_phone(client)),
    ]
    compliance = [
        *of("baa", "associate agreement", "yes (HIPAA): breaches are to be notified" if client.baa else ""),
        *of("no_patient_data", "notes", "no patient data in them" if client.no_patient_data else ""),
        *of("incident_contact", "security incident", client.incident_contact),
        *of("notice_h", "notice within", f"{client.notice_h} h" if client.notice_h else ""),
    ]
    change = [
        *of("windows", "maintenance", client.windows),
        *(f for a, b, why in client.freezes for f in of("freezes", "change freeze", f"{a} to {b}: {why}")),
        *of("zone", "time zone", client.zone),
    ]
    people = [
        *_contact(ticket),
        *(fact for contact in client.contacts for fact in of("contacts", "contact", contact)),
        *of("phones", "phones", ", ".join(client.phones)),
    ]
    places = [
        *(fact for name, where in client.sites.items() for fact in of("sites", name, where)),
        *(fact for said in client.access for fact in of("access", "access", said)),
        *of("carrier", "line by", client.carrier),
        *of("notes", "notes", client.notes),
    ]
    raci = [f for name, roles in client.raci.items() for f in of("raci", name, _roles(roles))]
    return [
        ("Agreement", agreement), ("Who owns what", raci), ("Compliance", compliance),
        ("Change", change), ("People", people), ("Getting in", places),
    ]  # fmt: skip


def _whose(client: Client, key: str) -> str:
    return _DIRECTORY if key in client.from_dir else _OWN


def _with_phone(client: Client) -> str:
    if not client.authoriser:
        return ""
    return f"{client.authoriser}, {client.authoriser_phone or 'no phone known'}"


def _contact(ticket: Ticket) -> list[Fact]:
    contact = ticket.contact
    if contact is None:
        return []
    said = ", ".join([contact.name, *contact.phones, *([contact.email] if contact.email else [])])
    return [("of this ticket", said, _PSA)]


def _roles(roles: Mapping[str, str]) -> str:
    return ", ".join(f"{role} {who}" for role, who in roles.items())


def _fact(fact: Fact, width: int) -> Sequence[TextLine]:
    label, said, whose = fact
    rows = wrap(said, width - _LABEL - len(whose) - 8) or [""]
    first = TextLine(
        (Span(f"   {label[:_LABEL]:<{_LABEL}} ", "muted"), Span(rows[0]), Span(f"  [{whose}]", "muted"))
    )
    return [first, *(line(f"{'':{_LABEL + 4}}{row}") for row in rows[1:])]
