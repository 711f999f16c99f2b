"""A ticket's row as one line of cells. Never parsed as markup, and each cell exactly as wide as its
column, wide and combining characters included."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from mspterm.console.columns import Column, Layout
from mspterm.domain.ages import age, age_changes_in, countdown, next_change
from mspterm.domain.row import ClockState, StatusClass, TicketRow

SOON_S = 1800.0

Roles = Mapping[str, Style]
"""Style by role; `theme.role_styles` gives them. `text` and `cursor` are whole styles, the others are
laid over `text`."""


class Line(NamedTuple):
    """All that one painted line depends on but its row's cells: two equal ones look the same."""

    ref: str
    revision: int
    pending: int
    clock: str
    clock_role: str
    age: str
    selected: bool
    fresh: bool
    cursor: str
    """`cursor`, `cursor-idle` (the list has no focus) or empty."""
    fold: str = ""
    """What stands before the summary: how many rows are folded here, or that this is one of them."""
    proposed: bool = False
    """An escalation is proposed: the mark is the key that takes it up."""

    def only_ticked(self, was: Line) -> bool:
        """Whether nothing but time lies between the two."""
        return self._replace(clock=was.clock, clock_role=was.clock_role, age=was.age) == was


def clock_cell(row: TicketRow, now: float) -> tuple[str, str]:
    """The clock's text and role: `!` and `~` say breached and soon where colour can't."""
    if row.due is None or row.due_state in (ClockState.NONE, ClockState.MET):
        return "", "muted"
    if row.due_state is ClockState.PAUSED:
        return "paused", "muted"
    text = countdown(_time(row.due), _time(now))
    if row.due <= now:
        return f"!{text}", "breach"
    if row.due - now <= SOON_S:
        return f"~{text}", "warning"
    return text, "ok"


def changes_in(row: TicketRow, layout: Layout, now: float) -> float | None:
    """Seconds until a ticking cell of the row reads otherwise; None: never."""
    waits = []
    if row.due is not None and row.due_state in (ClockState.RUNNING, ClockState.BREACHED):
        waits.append(next_change(_time(row.due), _time(now)))
        if row.due - now > SOON_S:
            waits.append(row.due - now - SOON_S)
    if row.escalate_at is not None and row.escalate_at > now:
        waits.append(row.escalate_at - now)
    if layout.has("age"):
        waits.append(age_changes_in(now - row.updated_at))
    return min(waits, default=None)


def _time(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def _marks(row: TicketRow, line: Line) -> str:
    return (
        ("*" if line.selected else " ")
        + ("<" if row.customer_replied_at is not None else " ")
        + ("+" if line.fresh else " ")
        + ("^" if row.pending else "e" if line.proposed else " ")
    )


_WAITING = {
    "customer": "wait cust",
    "vendor": "wait vend",
    "parts": "wait part",
    "approval": "wait appr",
    "schedule": "wait date",
    "us": "wait us",
}


def _status(row: TicketRow) -> str:
    if row.status_class is StatusClass.WAITING and row.waiting_on:
        return _WAITING.get(row.waiting_on, "waiting")
    return row.status_class.value


_CELLS: Mapping[str, Callable[[TicketRow, Line], str]] = {
    "clock": lambda row, line: line.clock,
    "age": lambda row, line: line.age,
    "marks": _marks,
    "priority": lambda row, line: f"P{row.priority}",
    "number": lambda row, line: row.number,
    "ref": lambda row, line: row.ref,
    "status": lambda row, line: _status(row),
    "word": lambda row, line: row.status,
    "client": lambda row, line: row.client or "-",
    "summary": lambda row, line: line.fold + row.summary,
    "owner": lambda row, line: row.assignee or "-",
    "tier": lambda row, line: row.tier or "",
    "queue": lambda row, line: row.queue or "",
    "contact": lambda row, line: row.contact or "",
    "device": lambda row, line: row.device or "",
}


def _role(column: Column, row: TicketRow, line: Line) -> str:
    match column.name:
        case "clock":
            return line.clock_role
        case "age":
            return "muted"
        case "marks":
            return "new" if line.fresh else "text"
        case "priority":
            return f"p{min(row.priority, 3)}"
        case "status" if row.status_class is StatusClass.NEW:
            return "new"
        case "owner" if row.assignee is None:
            return "warning"
    return "text"


def fit(text: str, width: int, *, right: bool = False) -> str:
    """`text` in exactly `width` cells, cut with `…` where it is longer; wide characters line up."""
    if text.isascii():
        if len(text) > width:
            return text[: width - 1] + "…"
        return text.rjust(width) if right else text.ljust(width)
    size = cell_len(text)
    if size > width:
        return set_cell_size(set_cell_size(text, width - 1).rstrip() + "…", width)
    pad = " " * (width - size)
    return pad + text if right else text + pad


def line_for(
    row: TicketRow,
    now: float,
    *,
    selected: bool = False,
    fresh: bool = False,
    cursor: str = "",
    fold: str = "",
) -> Line:
    """What `row` looks like at `now` (epoch seconds)."""
    clock, role = clock_cell(row, now)
    since = age(now - row.updated_at)
    proposed = row.escalate_at is not None and row.escalate_at <= now
    return Line(
        row.ref, row.revision, row.pending, clock, role, since, selected, fresh, cursor, fold, proposed
    )


def render(row: TicketRow, line: Line, layout: Layout, roles: Roles) -> Strip:
    """The line as a strip of `layout.width` cells: as few segments as its styles allow, because each
    costs some 40 bytes on the wire."""
    runs: list[tuple[str, Style]] = []
    for column in layout.columns:
        text = fit(_CELLS[column.name](row, line), column.width, right=column.right)
        text += "" if column is layout.columns[-1] else " "
        style = _style(_role(column, row, line), line, roles)
        if runs and runs[-1][1] == style:
            runs[-1] = (runs[-1][0] + text, style)
        else:
            runs.append((text, style))
    strip = Strip([Segment(text, style) for text, style in runs], layout.needed)
    return strip if layout.needed == layout.width else strip.adjust_cell_length(layout.width, runs[-1][1])


def _style(role: str, line: Line, roles: Roles) -> Style:
    if line.cursor:
        # One colour for the whole line: a role's own is not readable on every cursor colour.
        return roles[line.cursor] + Style(bold=True) if role == "breach" else roles[line.cursor]
    style = roles["text"] + roles[role]
    return style + roles["selected"] if line.selected else style


def header(layout: Layout, roles: Roles) -> Strip:
    """The column titles."""
    text = " ".join(fit(c.title, c.width, right=c.right) for c in layout.columns)
    return Strip([Segment(text, roles["header"])]).adjust_cell_length(layout.width, roles["header"])
