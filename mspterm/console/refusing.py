"""What was tried where a rule forbids every write is on record too, though no plan of it was ever made."""

from __future__ import annotations

import contextlib
from typing import Any

from textual.screen import Screen

from mspterm.console.session import Session
from mspterm.console.targets import devices_of, forbidden_for, shown_refs
from mspterm.desk.journal import Entry
from mspterm.domain.reasons import Failed
from mspterm.domain.spec import ActionSpec


async def record_forbidden(session: Session, screen: Screen[Any] | None, spec: ActionSpec) -> None:
    """Records the refusal of an action on what the screen shows, where it is forbidden."""
    refs = shown_refs(screen)
    why = forbidden_for(session, refs, spec)
    # What can't be done at all, such as with no ticket chosen, is no refusal and leaves no trace.
    if why is None or session.running is None:
        return
    if spec.scope == "device":
        # The journal names what would have been acted on, as it would for the action itself.
        refs = tuple(devices_of(session, refs)) or refs
    desk = session.running.desk
    rows = (session.store.tickets.row(ref) for ref in shown_refs(screen))
    clients = {row.client for row in rows if row is not None and row.client}
    # One record has one client; of several none is named rather than a wrong one.
    client = clients.pop() if len(clients) == 1 else None
    # Nothing is written anyway: a journal that fails needs to stop nothing here.
    with contextlib.suppress(Failed):
        journal = await desk.journal()
        journal.append(
            Entry(spec.name, refs, client, "refused", f"refused: {why}", None, None, None), desk.now()
        )
