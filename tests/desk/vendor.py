"""A vendor for desk tests: a PSA and an RMM in memory that can be away, slow to say, or refuse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mspterm.config.model import Config, Connection
from mspterm.connectors.base import Batch, Choices, Known, Manifest
from mspterm.connectors.meshcentral.manifest import MANIFEST as MESH
from mspterm.connectors.rt.manifest import MANIFEST as RT
from mspterm.desk.desk import Desk
from mspterm.domain.action import NewTicket, Outcome, RunCommand, State, Update, Write
from mspterm.domain.device import DeviceDetail, Sample
from mspterm.domain.people import Identity, Technician
from mspterm.domain.reasons import Failed, Failure, Reason
from mspterm.domain.row import StatusClass
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Ticket, TicketDetail
from mspterm.secrets.chain import Credentials
from tests.store.store_rows import NOW, device, ticket

KEY = "cafe0bad" * 8


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=10)
        return self.at

    def pass_by(self, **delta: float) -> None:
        self.at += timedelta(**delta)


class Vendor:
    """`away` raises that failure at every call; `written` are the writes that arrived."""

    def __init__(self, name: str, manifest: Manifest, now: Clock) -> None:
        self.name = name
        self.manifest = manifest
        self.now = now
        self.tickets: dict[str, Ticket] = {}
        self.batches: list[Batch] = []
        self.away: Failure | None = None
        self.answer: State = State.DONE
        self.written: list[Write] = []
        self.calls: list[str] = []
        self.pushed: asyncio.Queue[Batch] = asyncio.Queue()

    def _call(self, what: str) -> None:
        self.calls.append(what)
        if self.away is not None:
            raise Failed(self.away)

    async def whoami(self) -> Identity:
        self._call("whoami")
        return Identity(Technician("ines", SafeText("Ines Duarte")))

    async def feed(
        self, cursor: str | None, *, full: bool = False, known: Known | None = None
    ) -> AsyncGenerator[Batch, None]:
        self._call("full" if full else "delta")
        for batch in self.batches:
            yield batch
        seen = tuple(replace(t, observed_at=self.now()) for t in self.tickets.values())
        yield Batch(tickets=seen, cursor="c", full=full)
        while self.manifest.push:
            yield await self.pushed.get()

    async def ticket(self, id: str) -> TicketDetail:
        self._call("ticket")
        return TicketDetail(replace(self.tickets[id], observed_at=self.now()), SafeText("It is down"))

    async def device(self, id: str) -> DeviceDetail:
        self._call("device")
        return DeviceDetail(device(id))

    async def live(self, id: str) -> AsyncGenerator[Sample, None]:
        yield Sample(self.now(), 12.0, 34.0)

    async def choices(self, ticket: Ticket | None = None) -> Choices:
        self._call("choices")
        technicians = (
            Technician("ines", SafeText("Ines Duarte")),
            Technician("marcus", SafeText("Marcus Bell")),
        )
        classes = {"new": "new", "open": "open", "stalled": "waiting", "resolved": "resolved"}
        queues = ("Service Desk", "Tier 2")
        return Choices(tuple(classes), queues, technicians, ("Oak",), (), "open", classes)

    async def act(self, write: Write, *, mark: str) -> Outcome:
        self._call("act")
        if self.answer is not State.DONE:
            failure = Failure(Reason.UNKNOWN, f"{self.name} did not say.", self.name)
            return Outcome(write.ref, self.answer, failure)
        self.written.append(write)
        if isinstance(write, RunCommand):
            return Outcome(write.ref, State.DONE, output="Linux\n", detail=("merged",))
        if isinstance(write, NewTicket):
            return Outcome(write.ref, State.DONE, created_ref=f"{self.name}:99", ticket=ticket(99))
        changed = self._changed(write) if isinstance(write, Update) else None
        return Outcome(write.ref, State.DONE, ticket=changed)

    def _changed(self, write: Update) -> Ticket:
        known = self.tickets[write.ref.split(":")[1]]
        fields: dict[str, Any] = {"observed_at": self.now(), "updated_at": self.now()}
        if write.status:
            fields |= {"status": SafeText(write.status), "status_class": StatusClass.OPEN}
        if write.owner is not None:
            fields |= {"assignee_id": write.owner or None, "assignee": SafeText(write.owner) or None}
        if write.queue:
            fields |= {"queue": SafeText(write.queue)}
        self.tickets[known.id] = replace(known, **fields)
        return self.tickets[known.id]

    async def aclose(self) -> None:
        self.calls.append("aclose")


def psa(now: Clock) -> Vendor:
    vendor = Vendor("rt", RT, now)
    for number in (1, 2, 3):
        vendor.tickets[str(number)] = ticket(number, queue=SafeText("Service Desk"), client=SafeText("Oak"))
    return vendor


def rmm(now: Clock) -> Vendor:
    vendor = Vendor("mesh", MESH, now)
    vendor.batches = [Batch(devices=(device("OAK-DC01"), device("HVD-DC01")))]
    return vendor


def config(**fields: Any) -> Config:
    rt = Connection(
        "rt",
        "rt",
        "http://127.0.0.1",
        tiers={"Service Desk": "L1", "Tier 2": "L2"},
        claim_status={"*": "open"},
    )
    mesh = Connection("mesh", "meshcentral", "https://127.0.0.1")
    return Config(connections={"rt": rt, "mesh": mesh}, **fields)


def a_desk(tmp_path: Path, now: Clock, *vendors: Vendor, key: str | None = KEY, **options: Any) -> Desk:
    env = {"MSPTERM_SECRET_JOURNAL_KEY": key} if key else {}
    settings = options.pop("config", None) or config()
    return Desk(
        settings,
        tmp_path / "state",
        now=now,
        credentials=Credentials(env),
        connectors={v.name: v for v in vendors},
        **options,
    )
