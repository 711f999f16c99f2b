"""Leaving the console while something of it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mspterm.console.palette import Choice, Palette

if TYPE_CHECKING:
    from mspterm.console.app import MsptermApp


def warned(app: MsptermApp) -> bool:
    """Whether there is something to lose, and the person is asked."""
    # What waits in the outbox is no reason to ask: it is on disk, and any console sends it.
    sending, sessions = app.session.in_flight, app.session.sessions
    if not sending and not sessions:
        return False
    if sending:
        title, stay = f"{sending} being sent. Leave?", "until the server has answered"
        lost = "the write may or may not arrive: it will be listed as uncertain"
    else:
        title = f"{sessions} session{'s' * (sessions > 1)} on devices still open. Leave?"
        stay, lost = "until it has ended", "it goes on in its window; its end doesn't reach the journal"

    def chosen(choice: str | None) -> None:
        if choice == "leave":
            app.exit(0)

    # Staying stands first: it is what Enter takes.
    choices = [Choice("stay", "Stay", stay), Choice("leave", "Leave", lost)]
    app.push_screen(Palette(title, choices), chosen)
    return True
