"""What the store knows of the ticket under the cursor; no server is asked before it is opened."""

from __future__ import annotations

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from mspterm.console.line_view import BLANK, LineView, TextLine, line
from mspterm.console.session import Session
from mspterm.console.theme import roles_of


class Divider(Widget):
    """A line between the list and the preview; a border would be sent with each of the preview's rows."""

    def render_line(self, y: int) -> Strip:
        roles = roles_of(self.app.current_theme)
        return Strip([Segment("│", roles["text"] + roles["muted"])])


class Preview(LineView, can_focus=False):
    """Beside the queue on wide screens, below it on high ones."""

    def __init__(self, session: Session) -> None:
        super().__init__(id="preview")
        self._session = session
        self._ref: str | None = None

    def show(self, ref: str | None) -> None:
        """Show what is known of `ref` by now."""
        self._ref = ref
        if self.display and self.size.width:
            self.set_lines(self._known(self.size.width), pinned=1, to_top=True)

    def _known(self, width: int) -> list[TextLine]:
        # Imported once there is something to show: the first frame doesn't wait for it.
        from mspterm.console.alert_lines import alert_lines
        from mspterm.console.conversation import conversation_lines
        from mspterm.console.ticket_header import Known, dates_lines, header_lines

        store, now = self._session.store, self._session.now
        ticket = store.tickets.get(self._ref) if self._ref else None
        row = store.tickets.row(self._ref) if self._ref else None
        if ticket is None or row is None:
            return [line("", "muted")]
        refs = store.tickets.device_refs().get(ticket.ref, ())
        devices = [d for ref in refs if (d := store.devices.get(ref) or store.devices.asset(ref))]
        lines = header_lines(Known(ticket, devices, row.pending), now=now, width=width)
        lines += alert_lines(store, ticket, width=width)
        lines += dates_lines(ticket, now=now, width=width)
        detail = store.tickets.detail(ticket.ref)
        if detail is None:
            return [*lines, BLANK, line("Enter opens it and asks for the conversation.", "muted")]
        return lines + conversation_lines(detail, width=width, now=now)

    def on_line_view_resized(self, event: LineView.Resized) -> None:
        event.stop()
        self.show(self._ref)
