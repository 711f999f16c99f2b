"""A ticket's text as lines: the description, then the conversation with the newest note first.

Newest first, because on call the last thing that happened decides the next one; the description
comes before it, because without it no note makes sense.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from mspterm.console.line_view import BLANK, Span, TextLine, line, wrap
from mspterm.console.ticket_header import ago, local
from mspterm.domain.fold import fold
from mspterm.domain.row import TicketRow
from mspterm.domain.ticket import Attachment, Note, TicketDetail

LONG = 14
"""A description with more rows is cut, so that the newest note comes into view."""

_KINDS = {
    "public": ("PUBLIC", "link"),
    "internal": ("INTERNAL", "ok"),
    "customer": ("CUSTOMER", "new"),
    "resolution": ("RESOLUTION", "link"),
    "co-managed": ("CO-MANAGED", "warning"),
    "system": ("system", "muted"),
}


def conversation_lines(
    detail: TicketDetail, *, width: int, now: datetime, opened: frozenset[str] = frozenset()
) -> list[TextLine]:
    """All of it at this width. `opened` holds the keys of folds that show what they hold."""
    lines = [*_description(detail, width, opened), *_attachments(detail.attachments, width)]
    # Sorted here: connectors promise no order.
    for note in sorted(detail.notes, key=lambda n: n.at, reverse=True):
        lines += _note(note, width, now, opened)
    if not detail.notes:
        lines += [BLANK, line("No notes yet.", "muted")]
    return lines


def _description(detail: TicketDetail, width: int, opened: frozenset[str]) -> list[TextLine]:
    if not detail.description.strip():
        return [BLANK, line("No description.", "muted")]
    rows = list(_body(detail.description, "description", width, opened))
    # Two rows more than that are shown: a line that says so would take one of them.
    if len(rows) > LONG + 2 and "long" not in opened:
        more = TextLine((Span(f"… {len(rows) - LONG} more lines (v shows)", "muted"),), "long")
        rows = [*rows[:LONG], more]
    return [BLANK, *rows]


def _attachments(attachments: Sequence[Attachment], width: int) -> list[TextLine]:
    if not attachments:
        return []
    listed = ", ".join(f"{a.name} ({size(a.bytes)})" for a in attachments)
    return [line(row, "muted") for row in wrap(f"Attached: {listed}", width)]


def _note(note: Note, width: int, now: datetime, opened: frozenset[str]) -> Iterator[TextLine]:
    word, role = _KINDS.get(note.kind, (note.kind.upper(), "warning"))
    minutes = f", {note.minutes} min" if note.minutes else ""
    when = f", {local(note.at, now)}, {ago(note.at, now)}{minutes}"
    if note.kind == "system":
        yield from (line(row, "muted") for row in wrap(f"{word} {note.author}{when}: {note.body}", width))
        return
    yield BLANK
    yield TextLine((Span(word, role), Span(f" {note.author}"), Span(when, "muted")))
    yield from _body(note.body, note.id, width, opened, indent="  ")


def _body(text: str, key: str, width: int, opened: frozenset[str], indent: str = "") -> Iterator[TextLine]:
    """The text with its quoted replies and signature folded, each to one line that names it."""
    parts = fold(text)
    yield from (line(row) for row in wrap(parts.shown, width, indent))
    for what, hidden in (("quoted reply", parts.quoted), ("signature", parts.signature)):
        if not hidden:
            continue
        # By the note's id and not its place: a fold stays open when a newer note comes above it.
        name = f"{key}/{what}"
        if name in opened:
            yield from (TextLine((Span(row, "muted"),), name) for row in wrap(hidden, width, indent + "| "))
        else:
            rows = hidden.count("\n") + 1
            words = f"{indent}… {what}, {rows} line{'s' * (rows > 1)} (v shows)"
            yield TextLine((Span(words, "muted"),), name)


def related_lines(
    groups: Sequence[tuple[str, Sequence[TicketRow]]], *, first: int, width: int
) -> list[TextLine]:
    """Other tickets, numbered from `first` so that a digit opens one."""
    lines: list[TextLine] = []
    number = first
    for title, rows in groups:
        if rows:
            lines += [BLANK, line(title, "muted")]
        for row in rows:
            # Only the nine digits are bound.
            key = f"[{number}] " if number < 10 else "    "
            lines.append(TextLine((Span(f"{key}#{row.number} {row.status_class.value} "), Span(row.summary))))
            number += 1
    return lines


def size(count: int | None) -> str:
    """Bytes for people."""
    if count is None:
        return "size unknown"
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.0f} KB" if count < 1_000_000 else f"{count / 1e6:.1f} MB"
