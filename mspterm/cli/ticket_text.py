"""One ticket as text: its facts, what is proposed of it, the way it has gone, and its conversation."""

from __future__ import annotations

from mspterm.cli.rows import Row
from mspterm.desk.desk import Desk
from mspterm.desk.escalation import path_of, proposals_now
from mspterm.domain.escalation import proposal_line
from mspterm.domain.route import step_line
from mspterm.domain.ticket import Ticket, TicketDetail


def ticket_text(desk: Desk, t: Ticket, detail: TicketDetail | None, row: Row) -> str:
    """`row` is the ticket's JSON with that of its conversation."""
    contact = row["contact"]
    who = ", ".join([contact["name"], *contact["phones"], contact["email"] or ""]) if contact else "-"
    head = [
        f"{t.ref}  #{t.number}  {t.summary}{'  (stale)' if row['stale'] else ''}",
        f"client    {t.client or '-'}    contact {who}",
        f"status    {t.status} ({t.status_class.value})    P{t.priority} {t.priority_label or ''}",
        f"owner     {t.assignee or 'nobody'}    queue {t.queue or '-'}    tier {t.tier or '-'}",
        f"devices   {', '.join(row['device_refs']) or '-'}",
    ]
    head += [
        f"{name:<9} {c['state']} due {c['due']} ({c['source']})" for name, c in row["sla"].items() if c["due"]
    ]
    head += _course(desk, t, detail)
    notes = [
        f"\n--- {n['at']} {n['author']} [{n['kind']}] {n['minutes'] or 0} min\n{n['body']}"
        for n in row["notes"]
    ]
    files = [f"attachment {a['name']} ({a['bytes']} bytes)" for a in row["attachments"]]
    return "\n".join([*head, "", row["description"] or "", *notes, *files])


def _course(desk: Desk, ticket: Ticket, detail: TicketDetail | None) -> list[str]:
    lines = [f"propose   {proposal_line(p, ticket.tier)}" for p in proposals_now(desk, ticket)]
    return [*lines, *(f"path      {step_line(step)}" for step in path_of(desk, ticket, detail))]
