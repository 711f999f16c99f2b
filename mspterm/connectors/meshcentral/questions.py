"""What can be asked of MeshCentral, one method a question, with answers decoded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from mspterm.connectors.base import Skipped
from mspterm.connectors.meshcentral import wire
from mspterm.connectors.meshcentral.mapping import node_id
from mspterm.connectors.meshcentral.session import Answer, Session
from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.domain.text import clean
from mspterm.net.pacer import CallClass

T = TypeVar("T")

EVENTS = 50


class Questions:
    """Each method raises Failed, with bad data for an answer of another shape.

    `part_s` is the patience with one part of a device's detail: many questions are never answered,
    and the rest of the page must not wait for them.
    """

    def __init__(self, session: Session, name: str, part_s: float) -> None:
        self._session = session
        self._name = name
        self._part_s = part_s

    async def groups(self) -> dict[str, str]:
        """Names of the device groups by id."""
        data = await self._session.ask({"action": "meshes"}, Answer("meshes"), kind="poll")
        return {mesh.id: mesh.name for mesh in self._read(data, wire.MeshesAnswer).meshes}

    async def nodes(self) -> tuple[list[wire.Node], list[Skipped]]:
        """All devices. A server with `maxdeviceview` gives them in pages."""
        found: list[wire.Node] = []
        skipped: list[Skipped] = []
        while True:
            # What couldn't be read counts too: the server skips what it has sent.
            page, total = await self._page({"skip": len(found) + len(skipped)}, "poll")
            for raw, group in page:
                self._sort(raw, group, found, skipped)
            # An empty page ends it as well, or a total that is never reached would ask for ever.
            if not page or total is None or len(found) + len(skipped) >= total:
                return found, skipped

    async def node(self, nodeid: str, kind: CallClass = "interactive") -> wire.Node | None:
        """One device as it is now; None where there is none of that id (or it may not be seen)."""
        page, _ = await self._page({"id": nodeid}, kind)
        found: list[wire.Node] = []
        for raw, group in page:
            self._sort(raw, group, found, [])
        return next((node for node in found if node.id == nodeid), None)

    async def details(self, ids: Sequence[str]) -> list[wire.Details]:
        """Hardware, network and last connection of many devices in one answer, which does not say
        what it answers: ask one at a time. Rows that don't parse are left out."""
        question = {"action": "getDeviceDetails", "type": "json", "nodeids": list(ids)}
        data = await self._session.ask(question, Answer("getDeviceDetails", "json"), kind="poll")
        text = self._read(data, wire.DetailsAnswer).data
        rows = self._read(text, list[msgspec.Raw])
        return [row for raw in rows if (row := _maybe(raw, wire.Details)) is not None]

    async def system(
        self, nodeid: str, kind: CallClass = "interactive"
    ) -> tuple[wire.System | None, int | None]:
        """The agent's hardware report, None where it never sent one or the account may not see it;
        and the account's rights on the device, where they came along."""
        question = {"action": "getsysinfo", "nodeid": nodeid, "nodeinfo": True}
        data = await self._ask_part(question, Answer("getsysinfo", node=nodeid), kind)
        about = self._read(data, wire.SystemAnswer)
        return (None if about.noinfo else self._read(data, wire.System)), about.rights

    async def network(self, nodeid: str, kind: CallClass = "interactive") -> wire.Network:
        data = await self._ask_part(
            {"action": "getnetworkinfo", "nodeid": nodeid}, Answer("getnetworkinfo", node=nodeid), kind
        )
        return self._read(data, wire.Network)

    async def last_connect(self, nodeid: str) -> wire.LastConnect:
        data = await self._ask_part(
            {"action": "lastconnect", "nodeid": nodeid}, Answer("lastconnect", node=nodeid)
        )
        return self._read(data, wire.LastConnect)

    async def timeline(self, nodeid: str) -> list[float]:
        data = await self._ask_part(
            {"action": "powertimeline", "nodeid": nodeid}, Answer("powertimeline", node=nodeid)
        )
        return list(self._read(data, wire.Timeline).timeline)

    async def events(self, nodeid: str) -> list[wire.LoggedEvent]:
        question = {"action": "events", "nodeid": nodeid, "limit": EVENTS}
        data = await self._ask_part(question, Answer("events", node=nodeid))
        return self._read(data, wire.EventsAnswer).events

    async def notes(self, nodeid: str) -> str:
        data = await self._ask_part({"action": "getNotes", "id": nodeid}, Answer("getNotes", node=nodeid))
        return self._read(data, wire.NotesAnswer).notes or ""

    async def services(self, nodeid: str, device: str) -> list[wire.ServiceRow]:
        """Asked of the agent: the device must be online."""
        value = self._read(await self._ask_agent(nodeid, "services", device), wire.ValueAnswer).value
        return [row for raw in self._read(value, list[msgspec.Raw]) if (row := _maybe(raw, wire.ServiceRow))]

    async def cpu(self, nodeid: str, device: str) -> wire.CpuAnswer:
        """Asked of the agent. CPU is the average since it was last asked; none at the first time."""
        return self._read(await self._ask_agent(nodeid, "cpuinfo", device), wire.CpuAnswer)

    async def _page(
        self, which: dict[str, object], kind: CallClass
    ) -> tuple[list[tuple[msgspec.Raw, str]], int | None]:
        data = await self._session.ask({"action": "nodes", **which}, Answer("nodes"), kind=kind)
        answer = self._read(data, wire.NodesAnswer)
        return [(raw, group) for group, rows in answer.nodes.items() for raw in rows], answer.totalcount

    def _sort(self, raw: msgspec.Raw, group: str, found: list[wire.Node], skipped: list[Skipped]) -> None:
        node = _maybe(raw, wire.Node)
        if node is not None and node_id(node.id) is not None:
            # The list names the group once for all its devices.
            found.append(msgspec.structs.replace(node, meshid=node.meshid or group))
        else:
            name = clean(node.id, limit=100) if node is not None else "?"
            skipped.append(Skipped(name, "not a device as MeshCentral describes one"))

    async def _ask_part(
        self, question: dict[str, object], answer: Answer, kind: CallClass = "interactive"
    ) -> bytes:
        return await self._session.ask(question, answer, kind=kind, timeout_s=self._part_s)

    async def _ask_agent(self, nodeid: str, kind: str, device: str) -> bytes:
        question: dict[str, object] = {"action": "msg", "type": kind, "nodeid": nodeid}
        data = await self._ask_part(question, Answer("msg", kind, nodeid))
        # Our id without our type is the server's own "Unable to route".
        if self._read(data, wire.Frame).type != kind:
            sentence = (
                f"{device} is not connected to {self._name}, or this account may not talk to its agent."
            )
            raise failed(Reason.OFFLINE, sentence, self._name)
        return data

    def _read(self, data: bytes | str, kind: type[T]) -> T:
        try:
            return wire.decode(data, kind)
        except msgspec.MsgspecError:
            raise self._bad() from None

    def _bad(self) -> Failed:
        sentence = f"{self._name} answered in a shape that is not MeshCentral's; check its url and version."
        return failed(Reason.BAD_DATA, sentence, self._name)


def _maybe(raw: msgspec.Raw, kind: type[T]) -> T | None:
    try:
        return wire.decode(raw, kind)
    except msgspec.MsgspecError:
        return None
