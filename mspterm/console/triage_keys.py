"""What the keys about one ticket do: the next one, why it is here, setting it aside, its client."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from mspterm.console.client_card import card_lines
from mspterm.console.dialogs.reason import ReasonDialog
from mspterm.console.line_view import BLANK, TextLine, line, wrap
from mspterm.console.main_screen import MainScreen
from mspterm.console.next_ticket import in_my_hands, next_row, set_aside, why_lines
from mspterm.console.targets import unavailable_for
from mspterm.console.texts import TextScreen
from mspterm.desk.actions import BY_NAME
from mspterm.desk.look import ticket_now
from mspterm.domain.reasons import Failed, Reason
from mspterm.domain.row import TicketRow

if TYPE_CHECKING:
    from mspterm.console.app import MsptermApp

_NOTHING = "Nothing is next for you: what is open is assigned, waits, is planned or was set aside."


async def take_next(app: MsptermApp) -> None:
    """Go to the next ticket and claim it; one that somebody else took meanwhile is theirs, and the one
    after it is next."""
    while (row := next_row(app.session)) is not None:
        _go_to(app, row.ref)
        # Only a lost race goes on to the next: any other failure is for the person to look at.
        if not _claimable(app, row) or not await _lost(app, row):
            return
        await _learn(app, row.ref)
        # Nothing was learned of who has it: claiming the same again would go round for ever.
        if next_row(app.session) == row:
            return
    app.tell(_NOTHING)


def show_why(app: MsptermApp) -> None:
    row = _one_ticket(app)
    if row is None:
        return
    said = [f"#{row.number} {row.summary}", *why_lines(app.session, row.ref)]

    def lines(width: int) -> list[TextLine]:
        return [BLANK, *(line(text) for sentence in said for text in wrap(sentence, width - 2, " "))]

    app.push_screen(TextScreen("Why is this ticket here?", lines))


def show_client(app: MsptermApp) -> None:
    row = _one_ticket(app)
    ticket = app.session.store.tickets.get(row.ref) if row else None
    if ticket is not None:
        app.push_screen(TextScreen("Client card", lambda width: card_lines(app.session, ticket, width)))


def ask_to_skip(app: MsptermApp) -> None:
    row = _one_ticket(app)
    if row is None:
        return

    def chosen(reason: str | None) -> None:
        if reason:
            set_aside(app.session, row.ref, reason)
            app.tell(f"#{row.number} is set aside until it changes: {reason}.")

    app.push_screen(ReasonDialog(f"Skip #{row.number}", f"{row.summary}: why not now?"), chosen)


def _claimable(app: MsptermApp, row: TicketRow) -> bool:
    """Whether it is to be claimed; told where not, and opened where it is mine."""
    why = unavailable_for(app.session, (row.ref,), BY_NAME["claim"])
    if in_my_hands(app.session, row):
        app.tell(f"#{row.number} is next: it is yours already.")
        app.open_ticket(row.ref)
    elif why:
        app.tell(f"#{row.number} is next, but it can't be claimed: {why}.", "warning")
    else:
        return True
    return False


async def _lost(app: MsptermApp, row: TicketRow) -> bool:
    """Whether somebody else was quicker."""
    because = [*why_lines(app.session, row.ref), ""]
    results = await app.perform(BY_NAME["claim"], (row.ref,), None, because)
    failures = [r.outcome.failure for r in results if r.outcome.failure is not None]
    return any(failure.reason is Reason.CONFLICT for failure in failures)


async def _learn(app: MsptermApp, ref: str) -> None:
    """Whose it is now, before the next poll says so; a server that is away says it by and by."""
    assert app.session.running is not None
    with suppress(Failed):
        await ticket_now(app.session.running.desk, ref)
    app.main.follow()


def _go_to(app: MsptermApp, ref: str) -> None:
    while app.screen is not app.main:
        app.pop_screen()
    app.main.show_ticket(ref)


def _one_ticket(app: MsptermApp) -> TicketRow | None:
    """The ticket that is open or under the cursor; told where there is none."""
    screen = app.screen
    ref = screen.queue.cursor_ref if isinstance(screen, MainScreen) else getattr(screen, "ref", None)
    row = app.session.store.tickets.row(ref) if ref else None
    if row is None:
        app.tell("No ticket is chosen.", "warning")
    return row
