"""The course of one target through a ticket's events: from when its clock runs, what stopped it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, pairwise

from mspterm.domain.business import Pause
from mspterm.domain.folding import fold
from mspterm.domain.history import Event, Happened
from mspterm.domain.policy import Policy, Reopen

_STATES = frozenset({Happened.SEEN, Happened.STATUS})
_OVER = ("resolved", "closed")


@dataclass(frozen=True, slots=True)
class Course:
    """`met_at` is exact only where `exact`: a ticket that came to us already answered was met by then."""

    start: datetime
    met_at: datetime | None = None
    exact: bool = True
    pauses: tuple[Pause, ...] = ()


def course(target: str, events: Sequence[Event], policy: Policy) -> Course | None:
    """The course of `target`, None where nothing has started its clock. `events` are in order and
    begin with CREATED."""
    created = events[0].at
    if target == "update":
        return _update(events, policy)
    if target == "resolution":
        return _resolution(created, events, policy)
    met = next((e for e in events if _meets(target, e, policy)), None)
    found = Course(created, pauses=_pauses(target, events, policy))
    return found if met is None else replace(found, met_at=met.at, exact=met.kind is not Happened.SEEN)


def priority_in(events: Sequence[Event]) -> int:
    """The priority that the last of `events` left."""
    said = [e.value for e in events if e.kind in (Happened.CREATED, Happened.PRIORITY)]
    return int(said[-1])


def status_spans(events: Sequence[Event]) -> Iterator[tuple[str, datetime, datetime | None]]:
    """Each status with its stretch of time; the last has no end."""
    changes = [e for e in events if e.kind in _STATES]
    for change, after in pairwise(chain(changes, (None,))):
        assert change is not None
        yield change.value, change.at, None if after is None else after.at


def _meets(target: str, event: Event, policy: Policy) -> bool:
    if event.kind is Happened.AGENT:
        return target == "response"
    if event.kind not in _STATES:
        return False
    # What is over needed no plan, so that meets it too.
    if target == "plan":
        return _over(event) or fold(event.word) in policy.plan_statuses
    # Every status but New is a first response, as Autotask maps them (desk-practice.md).
    return event.value != "new"


def _over(event: Event) -> bool:
    return event.kind in _STATES and event.value in _OVER


def _pauses(target: str, events: Sequence[Event], policy: Policy) -> tuple[Pause, ...]:
    return tuple((a, b) for status, a, b in status_spans(events) if target in policy.paused(status))


def _resolution(created: datetime, events: Sequence[Event], policy: Policy) -> Course:
    found = Course(created, pauses=_pauses("resolution", events, policy))
    for event in events:
        if event.kind not in _STATES:
            continue
        # Of resolved and then closed the first counts.
        if _over(event) and found.met_at is None:
            found = replace(found, met_at=event.at, exact=event.kind is not Happened.SEEN)
        elif not _over(event) and found.met_at is not None:
            found = _reopened(found, event.at, policy.reopen)
    return found


def _reopened(closed: Course, at: datetime, reopen: Reopen) -> Course:
    if reopen is Reopen.IGNORE or closed.met_at is None:
        return closed
    start = at if reopen is Reopen.RESTART else closed.start
    # The time closed is a pause, as in Zammad and Frappe: else reopening would often be a breach at once.
    return replace(closed, start=start, met_at=None, exact=True, pauses=(*closed.pauses, (closed.met_at, at)))


def _update(events: Sequence[Event], policy: Policy) -> Course | None:
    """From the customer's first word that we haven't answered; where the client is kept in the loop,
    from our own last word too. Resolving the ticket ends it, reopening doesn't wake it."""
    begun: Event | None = None
    met: datetime | None = None
    waits = False
    for event in events:
        if event.kind is Happened.CUSTOMER and not waits:
            # Reached only where no word waits: a customer who writes daily must not put the due time off.
            begun = begun if policy.keep_in_loop and begun and met is None else event
            met, waits = None, True
        elif event.kind is Happened.AGENT:
            begun, met, waits = (event, None, False) if policy.keep_in_loop else (begun, event.at, False)
        elif _over(event) and begun is not None and met is None:
            met, waits = event.at, False
    if begun is None:
        return None
    return Course(begun.at, met, pauses=tuple(_update_pauses(begun, events, policy)))


def _update_pauses(begun: Event, events: Sequence[Event], policy: Policy) -> Iterator[Pause]:
    """A status that was there when the customer wrote doesn't stop the clock that their word started:
    what was waited for has come."""
    own = begun.kind is Happened.AGENT
    for start, end in _pauses("update", events, policy):
        if start > begun.at or (own and start == begun.at):
            yield start, end
