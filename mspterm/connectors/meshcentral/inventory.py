"""All devices as they are known by now: read once in bulk, then kept by what the server pushes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec
from msgspec.structs import replace as patched

from mspterm.config.model import Connection
from mspterm.connectors.base import Skipped
from mspterm.connectors.meshcentral import mapping, wire
from mspterm.connectors.meshcentral.mapping import AGENT, Known, node_id
from mspterm.connectors.meshcentral.questions import Questions
from mspterm.domain.device import Device

# Pushes that say only that a report is new; what is in it has to be asked for.
_REPORTS = frozenset({"sysinfohash", "ifchange"})
_GROUPS = frozenset({"createmesh", "meshchange"})


@dataclass(slots=True)
class Change:
    """What pushes came to: devices to show anew, devices gone, devices to ask about."""

    touched: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    ask: set[str] = field(default_factory=set)


class Inventory:
    """The devices of one connection. Ids in here have the shape of ids."""

    def __init__(self, connection: Connection, questions: Questions, now: Callable[[], datetime]) -> None:
        self._connection = connection
        self._questions = questions
        self._now = now
        self._groups: dict[str, str] = {}
        self.known: dict[str, Known] = {}

    def device(self, nodeid: str) -> Device:
        return mapping.device(self.known[nodeid], self._connection, self._groups, self._now())

    def name(self, nodeid: str) -> str:
        """The device's name for a sentence; its id while it isn't known."""
        return self.device(nodeid).name if nodeid in self.known else nodeid

    async def list(self) -> list[Skipped]:
        """Reads which devices there are. What is known of their hardware stays."""
        self._groups = await self._questions.groups()
        nodes, skipped = await self._questions.nodes()
        old = self.known
        self.known = {n.id: replace(old[n.id], node=n) if n.id in old else Known(n) for n in nodes}
        return skipped

    async def describe(self, ids: Sequence[str]) -> None:
        """Reads hardware, network and last connection of these devices."""
        for row in await self._questions.details(ids):
            if row.node.id in self.known:
                known = self.known[row.node.id]
                seen = row.last.time if row.last is not None else known.seen_ms
                self.known[row.node.id] = replace(known, sys=row.sys, net=row.net, seen_ms=seen)

    async def refresh(self, nodeid: str) -> Known | None:
        """Reads one device's row now; None (and no longer known) where it doesn't exist."""
        # A verb that looks at one device has listed nothing, and shows its group's name all the same.
        if not self._groups:
            self._groups = await self._questions.groups()
        node = await self._questions.node(nodeid)
        if node is None:
            self.known.pop(nodeid, None)
            return None
        self.known[nodeid] = replace(self.known[nodeid], node=node) if nodeid in self.known else Known(node)
        return self.known[nodeid]

    async def reread(self, nodeid: str) -> None:
        """Reads one device's row where it is unknown, and its hardware and network."""
        if nodeid not in self.known and await self.refresh(nodeid) is None:
            return
        (sys, _), net = await asyncio.gather(
            self._questions.system(nodeid, "poll"), self._questions.network(nodeid, "poll")
        )
        # It may have been removed while the answers were on their way.
        if nodeid in self.known:
            self.known[nodeid] = replace(self.known[nodeid], sys=sys, net=net)

    def note(self, nodeid: str, **parts: object) -> None:
        """Keeps what was read of a known device by somebody else."""
        if nodeid in self.known:
            self.known[nodeid] = replace(self.known[nodeid], **parts)  # type: ignore[arg-type]

    def apply(self, event: wire.Event, change: Change) -> None:
        """Takes in one push and notes in `change` what it touches."""
        nodeid = node_id(event.nodeid)
        if event.action in _GROUPS and event.mesh is not None:
            self._rename(event.mesh, change)
        elif event.action in ("changenode", "addnode"):
            self._changed(event, change)
        elif nodeid is None:
            return
        elif event.action == "nodeconnect":
            self._connected(nodeid, event, change)
        elif event.action == "removenode":
            if self.known.pop(nodeid, None) is not None:
                change.gone.add(nodeid)
                # Of pushes that are taken together the last one counts.
                change.touched.discard(nodeid)
        elif event.action in _REPORTS:
            change.ask.add(nodeid)

    def _rename(self, mesh: wire.Mesh, change: Change) -> None:
        if self._groups.get(mesh.id) != mesh.name:
            self._groups[mesh.id] = mesh.name
            change.touched |= {nodeid for nodeid, known in self.known.items() if known.node.meshid == mesh.id}

    def _changed(self, event: wire.Event, change: Change) -> None:
        try:
            node = wire.decode(event.node, wire.Node)
        except msgspec.MsgspecError:
            return
        if node_id(node.id) is None:
            return
        if (old := self.known.get(node.id)) is not None:
            # A changed row comes without its connection state.
            node = patched(
                node, conn=old.node.conn, agct=old.node.agct, meshid=node.meshid or old.node.meshid
            )
            self.known[node.id] = replace(old, node=node)
        else:
            self.known[node.id] = Known(node)
        change.gone.discard(node.id)
        change.touched.add(node.id)

    def _connected(self, nodeid: str, event: wire.Event, change: Change) -> None:
        if (old := self.known.get(nodeid)) is None:
            change.ask.add(nodeid)
            return
        now_ms = self._now().timestamp() * 1000
        conn = event.conn or 0
        agct = (event.ct or now_ms) if conn & AGENT else old.node.agct
        was_on = bool((old.node.conn or 0) & AGENT)
        # Only an agent that leaves was seen just now; other bits of `conn` change without it.
        seen = now_ms if was_on and not conn & AGENT else old.seen_ms
        self.known[nodeid] = Known(patched(old.node, conn=conn, agct=agct), old.sys, old.net, seen)
        change.touched.add(nodeid)
