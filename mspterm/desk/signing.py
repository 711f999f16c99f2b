"""Whose name a write goes under: shown before it goes, and signed where several people share one."""

from __future__ import annotations

from dataclasses import replace

from mspterm.desk.desk import Desk
from mspterm.desk.recording import connection_of
from mspterm.domain.action import NewTicket, Plan, Update, Write


def shared(desk: Desk) -> frozenset[str]:
    """The connections whose identity is several people's."""
    return frozenset(n for n, c in desk.connections.items() if c.identity == "shared")


def signed(desk: Desk, write: Write) -> Write:
    """The write with its text signed by the technician, where its connection's identity is shared."""
    name = desk.config.technician.name
    if not isinstance(write, Update | NewTicket) or not write.text or name is None:
        return write
    if connection_of(write) not in shared(desk):
        return write
    return replace(write, text=f"{write.text.rstrip()}\n\n-- {name}")


def under_a_name(desk: Desk, plan: Plan) -> Plan:
    """The plan with its texts signed where they must be, and lines that say under whose name it goes."""
    names = dict.fromkeys(connection_of(w) for w in plan.writes)
    known = {n: desk.store.connections.get(n).identity for n in names}
    lines = tuple(f"acting as {who} in {n}" for n, who in known.items() if who)
    writes = tuple(signed(desk, w) for w in plan.writes)
    if writes != plan.writes:
        lines = (*lines, f"signed: -- {desk.config.technician.name}")
    return replace(plan, writes=writes, lines=(*plan.lines, *lines))
