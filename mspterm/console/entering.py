"""Entering a client: disruptive work is only in the one that was entered, and only for a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mspterm.console.session import Session
from mspterm.console.targets import devices_of, shown_refs

if TYPE_CHECKING:
    from mspterm.console.app import MsptermApp


def enter_shown(app: MsptermApp) -> None:
    """Enters the client of the ticket or device that the screen is about, in place of the last one."""
    from mspterm.desk.circumstances import enter

    session = app.session
    refs = shown_refs(app.screen)
    if session.running is None or not refs:
        app.tell("Enter client: no ticket or device is chosen.", "warning")
        return
    clients = clients_of(session, refs)
    if len(clients) > 1:
        named = ", ".join(sorted(c or "no client" for c in clients))
        app.tell(f"Enter client: one client at a time, and these are of {named}.", "warning")
        return
    entry = enter(session.running.desk, clients.pop())
    app.tell(f"You are in {entry.client or 'no client'} until {entry.until.astimezone():%H:%M}.")
    app.look()


def clients_of(session: Session, refs: tuple[str, ...]) -> set[str | None]:
    """The clients of the devices of these, as an action on them would have them; of the tickets
    where no device is known."""
    assert session.running is not None
    desk, planner = session.running.desk, session.running.planner
    devices = [planner.device(ref) for ref in devices_of(session, refs)]
    if devices:
        return {desk.canonical(client, device.connection) for device, client in devices}
    rows = (session.store.tickets.row(ref) for ref in refs)
    return {row.client for row in rows if row is not None} or {None}
