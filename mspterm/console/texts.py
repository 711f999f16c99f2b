"""Screens that only show lines: help, connections, messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from mspterm.console.bar import Bar
from mspterm.console.commands import key_of, shown
from mspterm.console.line_view import BLANK, LineView, Span, TextLine, line, wrap
from mspterm.console.quiet import QuietScreen
from mspterm.console.session import Session
from mspterm.domain.ages import age
from mspterm.domain.reasons import Failed
from mspterm.store.connections import ConnectionState

SHOWN = 20
"""Items named of those that a connection could not read."""
Lines = Callable[[int], Sequence[TextLine]]
"""Lines for a width."""


class TextScreen(QuietScreen[None]):
    """A title over lines that scroll; Escape or q goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "close", "Back", show=False, id="page.close")
    ]

    def __init__(self, title: str, lines: Lines) -> None:
        super().__init__()
        self._title = title
        self._lines = lines

    def compose(self) -> ComposeResult:
        title = Bar("header")
        back = shown(key_of(self.app, "close_page"))
        title.say([(f" {self._title}", "header"), (f"   {back} goes back", "muted")])
        yield title
        yield LineView()

    def on_mount(self) -> None:
        self.set_focus(self.query_one(LineView))

    def action_close(self) -> None:
        self.dismiss()

    def on_line_view_resized(self, event: LineView.Resized) -> None:
        view = self.query_one(LineView)
        view.set_lines(self._lines(view.size.width))


def connection_lines(session: Session, width: int) -> list[TextLine]:
    """Each connection's state in whole sentences."""
    lines: list[TextLine] = []
    for state in session.states():
        connection = session.config.connections[state.name]
        lines += [
            BLANK,
            TextLine((Span(f" {state.name} "), Span(f"{connection.kind}, {connection.url}", "muted"))),
        ]
        for sentence, role in _sentences(session, state):
            lines += [line(row, role) for row in wrap(sentence, width - 2, "   ")]
    if not lines:
        lines = [BLANK, line(" No connection is configured. `mspterm init` sets one up.", "warning")]
    return lines


def _sentences(session: Session, state: ConnectionState) -> list[tuple[str, str]]:
    now = session.now
    said: list[tuple[str, str]] = []
    if state.failure is not None:
        retry = state.failure.retry_at
        again = f" It is tried again at {retry.astimezone():%H:%M:%S}." if retry else ""
        said.append((f"{state.failure.reason.value.capitalize()}: {state.failure.sentence}{again}", "failed"))
    if state.checked_at is None:
        said.append(("It has not answered yet." if state.failure else "It is being asked.", "muted"))
    else:
        ago = age((now - state.checked_at).total_seconds())
        said.append((f"Last in step at {state.checked_at.astimezone():%H:%M:%S} ({ago} ago).", "text"))
    if state.identity:
        said.append((f"Writes there are made as {state.identity}.", "text"))
    if session.read_only or session.config.connections[state.name].read_only:
        said.append(("It is read-only here: nothing is written to it.", "warning"))
    if state.skew_s is not None and abs(state.skew_s) >= 1:
        role = "warning" if abs(state.skew_s) > 30 else "muted"
        said.append((f"Its clock differs from this machine's by {state.skew_s:+.0f} s.", role))
    if (budget := _budget(session, state.name)) is not None:
        said.append(budget)
    return said + _left_out(state)


def _budget(session: Session, name: str) -> tuple[str, str] | None:
    if session.running is None:
        return None
    from mspterm.desk import budget

    try:
        standing = session.running.desk.pacer.standing(name)
    except Failed:
        return None
    role = "warning" if standing.rate < 1 or standing.held_until else "muted"
    return budget.said(standing), role


def _left_out(state: ConnectionState) -> list[tuple[str, str]]:
    many = len(state.skipped)
    if not many:
        return []
    said = [(f"{many} items could not be read and are left out:", "warning")]
    said += [(f"{id_}: {why}", "warning") for id_, why in state.skipped[:SHOWN]]
    return said if many <= SHOWN else [*said, (f"and {many - SHOWN} more.", "warning")]


def message_lines(messages: Sequence[tuple[str, str, str]], width: int) -> list[TextLine]:
    """What the console has told, the latest first: (time, text, role)."""
    if not messages:
        return [BLANK, line(" Nothing has been told yet.", "muted")]
    rows = []
    for at, text, role in reversed(messages):
        first, *rest = wrap(text, width - 10)
        rows.append(TextLine((Span(f" {at} ", "muted"), Span(first, role))))
        rows += [line(f"          {row}", role) for row in rest]
    return rows
