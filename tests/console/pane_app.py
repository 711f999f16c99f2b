"""A pane or a dialog alone in an app, over a real store and vendors in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

from mspterm.connectors.base import Batch
from mspterm.console.key_line import KeyLine
from mspterm.console.theme import load_theme
from mspterm.desk.desk import Desk
from mspterm.desk.linking import relink
from mspterm.domain.device import Asset, DeviceDetail, Sample
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Attachment, Contact, Note, TicketDetail
from tests.desk.vendor import Clock, Vendor, a_desk, psa, rmm
from tests.store.store_rows import NOW, device


class Desktop(KeyLine[None]):
    """Nothing but a screen. What panes ask for is remembered."""

    def __init__(self) -> None:
        super().__init__()
        self.register_theme(load_theme("dark"))
        self.theme = "dark"
        self.wanted: list[str] = []

    def on_ticket_pane_device_wanted(self, event: Any) -> None:
        self.wanted.append(event.ref)

    def on_ticket_pane_ticket_wanted(self, event: Any) -> None:
        self.wanted.append(event.ref)

    def on_device_pane_ticket_wanted(self, event: Any) -> None:
        self.wanted.append(event.ref)


class TalkingVendor(Vendor):
    """A vendor whose answers about one ticket or device the test writes; `gate` holds them back."""

    def __init__(self, made: Vendor) -> None:
        super().__init__(made.name, made.manifest, made.now)
        self.tickets, self.batches = made.tickets, made.batches
        self.details: dict[str, TicketDetail] = {}
        self.device_details: dict[str, DeviceDetail] = {}
        self.samples: asyncio.Queue[Sample] = asyncio.Queue()
        self.reading = 0
        self.gate: asyncio.Event | None = None

    async def ticket(self, id: str) -> TicketDetail:
        self._call("ticket")
        if self.gate is not None:
            await self.gate.wait()
        found = self.details.get(id) or TicketDetail(self.tickets[id], SafeText(f"Description of {id}"))
        return replace(found, ticket=replace(found.ticket, observed_at=self.now()))

    async def device(self, id: str) -> DeviceDetail:
        self._call("device")
        found = self.device_details.get(id) or DeviceDetail(device(id))
        return replace(found, device=replace(found.device, observed_at=self.now()))

    async def live(self, id: str) -> AsyncGenerator[Sample, None]:
        self._call("live")
        self.reading += 1
        try:
            while True:
                yield await self.samples.get()
        finally:
            self.reading -= 1


@dataclass
class Room:
    """A desk with one PSA and one RMM; ticket rt:1 is about the device OAK-DC01."""

    desk: Desk
    now: Clock
    rt: TalkingVendor
    mesh: TalkingVendor
    app: Desktop = field(default_factory=Desktop)


def detail(vendor: Vendor, id: str, *notes: Note, **fields: Any) -> TicketDetail:
    made = TicketDetail(vendor.tickets[id], SafeText("The printer prints blank pages."), notes)
    return replace(made, **fields)


def note(id: str, kind: str, body: str, *, hours: float = 1, **fields: Any) -> Note:
    made = Note(id, NOW - timedelta(hours=hours), SafeText("Dana Reyes"), kind, SafeText(body))
    return replace(made, **fields)


def attachment(name: str, size: int | None) -> Attachment:
    return Attachment(SafeText(name), size, None)


CONTACT = Contact(SafeText("Dana Reyes"), (SafeText("+1 555 0100"),), SafeText("dana@oak.test"))


def a_room(tmp_path: Path, **options: Any) -> Room:
    now = Clock()
    rt, mesh = TalkingVendor(psa(now)), TalkingVendor(rmm(now))
    rt.tickets["1"] = replace(rt.tickets["1"], contact=CONTACT, asset_ids=("7",))
    desk = a_desk(tmp_path, now, rt, mesh, **options)
    store = desk.store
    store.devices.upsert(d for batch in mesh.batches for d in batch.devices)
    asset = Asset("rt:asset:7", "rt", "7", SafeText("OAK-DC01"), SafeText("Oak"))
    loose = Asset("rt:asset:8", "rt", "8", SafeText("OAK-UPS"), SafeText("Oak"), serial=SafeText("S-8"))
    store.devices.upsert_assets([asset, loose])
    store.tickets.upsert(rt.tickets.values())
    relink(desk.store, desk.client_key)
    return Room(desk, now, rt, mesh)


@asynccontextmanager
async def shown(
    room: Room, screen: Screen[Any] | None = None, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Pilot[None]]:
    async with room.app.run_test(size=size, notifications=True) as pilot:
        if screen is not None:
            await room.app.push_screen(screen)
        await pilot.pause()
        yield pilot
    await room.desk.aclose()


def lines(app: App[Any]) -> list[str]:
    return [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]


def text(app: App[Any]) -> str:
    return "\n".join(lines(app))


async def until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    """Waits for a state of the app, which has five seconds to come."""
    for _ in range(250):
        if true():
            return
        await pilot.pause(0.02)
    raise AssertionError(f"it never came:\n{text(pilot.app)}")


async def until_text(pilot: Pilot[None], words: str) -> str:
    await until(pilot, lambda: words in text(pilot.app))
    return text(pilot.app)


def push(room: Room, **changes: Any) -> None:
    """What the RMM's feed would put in the store."""
    known = room.desk.store.devices.get("mesh:OAK-DC01")
    assert known is not None
    batch = Batch(devices=(replace(known, observed_at=room.now(), **changes),))
    room.desk.store.devices.upsert(batch.devices)
