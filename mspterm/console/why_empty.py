"""Why the list is empty, if it is: four cases that must not look alike."""

from __future__ import annotations

from mspterm.console.nothing import Nothing
from mspterm.console.session import Session
from mspterm.domain.filter import Filter
from mspterm.domain.row import TicketRow
from mspterm.domain.views import DomainView


def why_empty(session: Session, view: DomainView, filter_: Filter[TicketRow]) -> tuple[Nothing, str]:
    """The case and its sentence, for a list of this view and filter without rows."""
    states = session.states()
    failing = [s.failure.sentence for s in states if s.failure]
    # First: while a filter is on, the list says nothing about what there is.
    if filter_.terms:
        words = filter_.describe()
        return Nothing.FILTERED, f"No ticket of {view.title} matches: {words}. Esc drops the filter."
    if session.board.size:
        return Nothing.EMPTY, f"No ticket in {view.title}; {session.board.size} in All."
    if not states:
        return Nothing.EMPTY, "No connection is configured. `mspterm init` sets one up."
    # Before loading: a server that refuses would be waited for in vain.
    if failing:
        return Nothing.FAILED, " ".join(failing)
    if not session.caught_up():
        return Nothing.LOADING, f"Asking {', '.join(session.connection_names)} for the queue ..."
    return Nothing.EMPTY, "The queue is empty: no active ticket anywhere."
