"""Screens that only show lines: help, connections, messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from mspterm.console.bar import Bar
from mspterm.console.line_view import BLANK, LineView, Span, TextLine, line, wrap
from mspterm.console.quiet import QuietScreen
from mspterm.console.session import Session
from mspterm.domain.ages import age
from mspterm.store.connections import ConnectionState

Lines = Callable[[int], Sequence[TextLine]]
"""Lines for a width."""


class TextScreen(QuietScreen[None]):
    """A title over lines that scroll; Escape or q goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss", "Back", show=False)]

    def __init__(self, title: str, lines: Lines) -> None:
        super().__init__()
        self._title = title
        self._lines = lines

    def compose(self) -> ComposeResult:
        title = Bar("header")
        title.say([(f" {self._title}", "header"), ("   Esc goes back", "muted")])
        yield title
        yield LineView()

    def on_mount(self) -> None:
        self.set_focus(self.query_one(LineView))

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
    for id_, why in state.skipped[:20]:
        said.append((f"Left out, since it could not be read: {id_}: {why}", "warning"))
    return said


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
