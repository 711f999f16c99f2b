"""Whose name a write goes under: shown before it goes, and signed where several people share one."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from mspterm.desk.desk import Desk
from mspterm.desk.recording import connection_of
from mspterm.domain.action import NewTicket, OpenSession, Plan, Update, Write
from mspterm.domain.reasons import Failed


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


async def identify(desk: Desk, name: str) -> str | None:
    """Under whose name this connection writes, asked once and kept; None where it can't say now."""
    known = desk.store.connections.get(name)
    # Not where it is known to be down: a plan must not hang on that, and says that it isn't known.
    if known.identity is None and known.failure is None:
        with contextlib.suppress(Failed):
            identity = await (await desk.connector(name)).whoami()
            desk.store.connections.acts_as(name, f"{identity.technician.name} ({identity.kind})")
    return desk.store.connections.get(name).identity


async def under_a_name(desk: Desk, plan: Plan) -> Plan:
    """The plan with its texts signed where they must be, and lines that say under whose name it goes."""
    # An ssh session is nobody's in the RMM that knows the device.
    through = [w for w in plan.writes if not isinstance(w, OpenSession) or w.by != "ssh"]
    names = dict.fromkeys(connection_of(w) for w in through)
    lines = [_acting_as(n, await identify(desk, n)) for n in names]
    # Before the plan is shown: what is consented to, by hash, is the text as it goes out.
    writes = tuple(signed(desk, w) for w in plan.writes)
    if writes != plan.writes:
        lines.append(f"signed: -- {desk.config.technician.name}")
    return replace(plan, writes=writes, lines=(*plan.lines, *lines))


def _acting_as(name: str, who: str | None) -> str:
    return f"acting as {who} in {name}" if who else f"acting as: {name} has not said yet under whose name"
