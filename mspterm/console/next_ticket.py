"""The next ticket for me: which one, why, and what I have set aside."""

from __future__ import annotations

import json
from collections.abc import Mapping

from mspterm.console.folds import Folding
from mspterm.console.session import Session
from mspterm.domain.escalation import proposal_line, proposed
from mspterm.domain.row import StatusClass, TicketRow
from mspterm.domain.triage import NextContext, Skip, next_for, passed_over

_SKIPS = "console:skips"
_KEPT_S = 14 * 86_400.0
"""A ticket set aside this long ago, and not changed since, comes back."""


def next_row(session: Session) -> TicketRow | None:
    """The ticket to take next, None where nothing waits for me."""
    return next_for(session.board.rows, _context(session))


def in_my_hands(session: Session, row: TicketRow) -> bool:
    """Whether I work on it already, so that there is nothing to claim."""
    mine = row.assignee_id is not None and row.assignee_id in session.board.me.get(row.connection, ())
    return mine and row.status_class is not StatusClass.NEW


def why_lines(session: Session, ref: str) -> list[str]:
    """Why the ticket stands where it does, and whether it is my next one."""
    ticket, row = session.store.tickets.get(ref), session.store.tickets.row(ref)
    if ticket is None or row is None:
        return [f"{ref} is not in the store yet."]
    clockwork, storm = session.clockwork, _folding(session).storm_of(ref)
    return [
        *clockwork.why(ticket),
        _turn(session, row),
        *([f"of one cause with others: {storm.why}"] if storm else []),
        *(alert_lines(session, ref)),
        *(proposal_line(p, ticket.tier) for p in proposed(clockwork.proposals(ticket), session.now)),
        *clockwork.mark(ticket, session.now).lines(),
    ]


def alert_lines(session: Session, ref: str) -> list[str]:
    """What the RMM says of the ticket's alerts, and whether its cause was closed a while ago."""
    from mspterm.console.alert_lines import words
    from mspterm.desk.ties import of_tickets

    ticket = session.store.tickets.get(ref)
    back = session.storms.again.get(ref) if session.storms else None
    lines = [f"the same cause as {back}, which was closed: Parent opens that again"] if back else []
    tied = of_tickets(session.store).get(ref, ())
    return lines + [words(tie, ticket) for tie in tied if ticket is not None]


def _turn(session: Session, row: TicketRow) -> str:
    against = passed_over(row, _context(session))
    if against is not None:
        return f"not your next: {against}"
    first = next_row(session)
    if first is None or first.ref == row.ref:
        return "it is your next ticket"
    return f"yours to take, after #{first.number} {first.summary}"


def skips(session: Session) -> Mapping[str, Skip]:
    """What was set aside on this machine, by ref."""
    found = json.loads(session.store.database.get(_SKIPS) or "[]")
    return {ref: Skip(ref, at, reason) for ref, at, reason in found if at > session.clock() - _KEPT_S}


def set_aside(session: Session, ref: str, reason: str) -> None:
    """Record that the ticket is passed over until it changes, and why."""
    kept = {**skips(session), ref: Skip(ref, session.clock(), reason)}
    text = json.dumps([(s.ref, s.at, s.reason) for s in kept.values()])
    session.store.database.put(_SKIPS, text)


def _folding(session: Session) -> Folding:
    return session.storms.folding if session.storms else Folding()


def _context(session: Session) -> NextContext:
    board = session.board
    return NextContext(
        session.clock(),
        board.me,
        session.config.technician.tier,
        skips(session),
        _folding(session).hidden(board.rows),
        session.clockwork.triage.leave,
    )
