"""The bottom line: each connection's age, or why it fails and when it tries again; whose name is used."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from textual.timer import Timer

from mspterm.console.bar import Bar, Run, cut, width_of
from mspterm.console.session import Session
from mspterm.domain.ages import age, age_changes_in
from mspterm.store.connections import ConnectionState

if TYPE_CHECKING:
    from mspterm.domain.circumstances import Entry

SKEW_S = 30.0
"""A server's clock this far from ours makes its due times mislead."""
_LONGEST_WAIT_S = 15.0


class StatusBar(Bar):
    """Looks again when an age steps; an outage of another process is seen within 15 s."""

    def __init__(self, session: Session) -> None:
        super().__init__("bar", id="status")
        self._session = session
        self._next: Timer | None = None

    def look(self) -> None:
        super().look()
        if self._next is not None:
            self._next.stop()
        now = self._session.now
        ages = [(now - s.checked_at).total_seconds() for s in self._session.states() if s.checked_at]
        wait = min([_LONGEST_WAIT_S, *(age_changes_in(a) for a in ages)])
        self._next = self.set_timer(max(0.25, wait), self.look)

    def runs(self, width: int) -> Sequence[Run]:
        session = self._session
        states, now = session.states(), session.now
        parts = [flag for flag in _flags(session) if flag]
        failing = [s for s in states if s.failure]
        room = width - width_of(parts) - sum(12 for s in states if not s.failure)
        parts += [_failing(s, now, room // max(1, len(failing))) for s in failing]
        parts += [part for s in states if not s.failure for part in _working(s, now)]
        if not states:
            parts.append((" no connections: see `mspterm init` ", "warning"))
        left = cut(parts, width)
        who = _identity(states, width - width_of(left) - 1)
        return _with_right(left, (who, "muted"), width)


def _flags(session: Session) -> list[Run | None]:
    return [
        (" LOCKDOWN ", "failed") if session.lockdown else None,
        (" READ-ONLY ", "warning") if session.read_only else None,
        _entered(session.entry, session.now),
        (f" {session.doing} ... ", "new") if session.doing else None,
        (f" {session.in_flight} being sent ", "new") if session.in_flight else None,
        (f" {session.sessions} on devices ", "new") if session.sessions else None,
    ]


def _entered(entry: Entry | None, now: datetime) -> Run | None:
    if entry is None:
        return None
    minutes = math.ceil((entry.until - now).total_seconds() / 60)
    return f" IN {entry.client or 'no client'} {minutes}m ", "warning"


def _failing(state: ConnectionState, now: datetime, room: int) -> Run:
    """The reason and when it is tried again, then as much of the sentence as there is room for."""
    assert state.failure is not None
    failure = state.failure
    since = f", data {_old(now, state.checked_at)}" if state.checked_at else ", no data"
    again = f", again {failure.retry_at.astimezone():%H:%M:%S}" if failure.retry_at else ""
    text = f" ! {state.name} {failure.reason.value}{since}{again} "
    more = f"({failure.sentence}) "
    return (text + more if len(text + more) <= room else text, "failed")


def _old(now: datetime, at: datetime) -> str:
    seconds = (now - at).total_seconds()
    return "fresh" if seconds < 15 else f"{age(seconds)} old"


def _working(state: ConnectionState, now: datetime) -> list[Run]:
    if state.checked_at is None:
        return [(f" {state.name} asking... ", "muted")]
    seconds = (now - state.checked_at).total_seconds()
    parts: list[Run] = [(f" {state.name} {age(seconds)} ", "warning" if seconds >= 300 else "bar")]
    if state.skipped:
        parts.append((f"{len(state.skipped)} unreadable ", "warning"))
    if state.skew_s is not None and abs(state.skew_s) > SKEW_S:
        way = "ahead" if state.skew_s > 0 else "behind"
        parts.append((f"clock {abs(state.skew_s):.0f}s {way} ", "warning"))
    return parts


def _identity(states: Sequence[ConnectionState], room: int) -> str:
    """Under whose names is written, in as many words as there is room for."""
    names = list(dict.fromkeys(s.identity.removesuffix(" (personal)") for s in states if s.identity))
    if not names:
        return ""
    few = names[0] if len(names) == 1 else f"{names[0]} +{len(names) - 1}"
    ways = (f"acting as {', '.join(names)} ", f"acting as {few} ", f"as {few} ")
    return next((way for way in ways if width_of([(way, "muted")]) <= room), "")


def _with_right(left: list[Run], right: Run, width: int) -> list[Run]:
    gap = width - width_of(left) - width_of([right])
    return [*left, (" " * gap, "bar"), right] if right[0] and gap > 0 else left
