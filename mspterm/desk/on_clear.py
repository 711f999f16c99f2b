"""What mspterm does by itself when an alert clears, where `[storms] on_clear` asks for it.

Only the process that polls the RMM does it, once for each alert: a lease keeps other processes of this
user from it, and the mark in the comment the desks of others.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import replace
from datetime import timedelta

from mspterm.desk.desk import Desk
from mspterm.desk.look import ticket_now
from mspterm.desk.perform import Performer
from mspterm.desk.planner import Planner
from mspterm.desk.plans.clearing import mark, says
from mspterm.desk.signing import under_a_name
from mspterm.desk.ties import keep, renew, ties
from mspterm.domain.action import Consent, Plan, State
from mspterm.domain.planning import plan_update
from mspterm.domain.reasons import Failed
from mspterm.domain.ticket import TicketDetail
from mspterm.domain.ties import Tie

log = logging.getLogger(__name__)
# As long as a cleared alert is remembered: until then no other process tells its ticket again.
_CLAIM_S = 86_400.0
LATE = timedelta(hours=1)
"""An alert that cleared so long ago while nobody looked is left to people."""


class OnClear:
    """Keeps alerts and tickets tied, and tells tickets of cleared alerts."""

    def __init__(self, desk: Desk, planner: Planner, performer: Performer) -> None:
        self._desk, self._planner, self._performer = desk, planner, performer

    async def look(self, connection: str) -> None:
        """After a connection was read. Never raises: its feed calls this."""
        desk = self._desk
        if connection not in desk.serving("rmm"):
            return
        # In every mode and before any refusal: what the queue shows of cleared alerts comes from here.
        found = renew(desk.store, desk.clockwork, connection, desk.now())
        mode = desk.clockwork.storms.on_clear
        if mode == "show" or desk.read_only or desk.lockdown is not None:
            return
        for tie in found.values():
            if self._due(tie):
                try:
                    await self._tell(tie, close=mode == "close")
                except Failed as error:
                    log.warning("the ticket of a cleared alert can't be told: %s", error)

    def _due(self, tie: Tie) -> bool:
        at = tie.cleared_at
        return at is not None and not tie.told and self._desk.now() - at < LATE

    async def _tell(self, tie: Tie, *, close: bool) -> None:
        owner = self._desk.presence.token()
        if (
            self._desk.store.connections.lease(f"clear:{tie.alert}", owner, self._desk.now(), _CLAIM_S)
            is None
        ):
            return
        detail = await ticket_now(self._desk, tie.ticket)
        if detail.ticket.active and not _told(detail, tie):
            plan = await self._plan(detail, tie, close=close)
            [result] = await self._performer.perform(plan, Consent(plan_hash=plan.hash))
            if result.outcome.state not in (State.DONE, State.QUEUED):
                return
        # Read anew: while we asked and wrote, a poll may have changed the ties, and ours would undo it.
        with self._desk.store.database.write(), contextlib.suppress(KeyError):
            found = dict(ties(self._desk.store))
            found[tie.alert] = replace(found[tie.alert], told=True)
            keep(self._desk.store, found)

    async def _plan(self, detail: TicketDetail, tie: Tie, *, close: bool) -> Plan:
        asked = await says(self._planner, detail, (tie,), close=close)
        return await under_a_name(self._desk, plan_update("on clear", [(detail.ticket, asked)]))


def _told(detail: TicketDetail, tie: Tie) -> bool:
    """By another desk, or by the RMM's own integration."""
    since = tie.raised_at
    return any(
        mark(tie) in note.body or (note.at >= since and "cleared" in note.body.casefold())
        for note in detail.notes
    )
