"""What the desk asks of a connector, and what it gets."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from mspterm.domain.action import Outcome, Write
from mspterm.domain.budget import Limit
from mspterm.domain.device import Alert, Asset, Device, DeviceDetail, Sample
from mspterm.domain.people import Identity, Technician
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Ticket, TicketDetail


@dataclass(frozen=True, slots=True)
class Capability:
    """Whether a connector can do a thing; where it can't, `reason` says why in words."""

    possible: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """A connector's light half, importable without httpx or any wire type.

    `serves` is "psa" or "rmm". `push`: its feed stays open and tells of changes by itself.
    `can` maps capability names (note, reply, time, status, assign, priority, queue, next, new,
    claim, escalate, run, reboot, telemetry...) to Capability; a missing name can't be done.
    `meets` says in words which SLA target an action (claim, reply, resolve) meets there.
    `limit` is the tenant's published limit of calls; None where no figure is published.
    """

    kind: str
    title: str
    serves: str
    settings: tuple[str, ...]
    secrets: tuple[str, ...]
    push: bool = False
    poll_s: float = 30.0
    can: Mapping[str, Capability] = field(default_factory=dict)
    meets: Mapping[str, str] = field(default_factory=dict)
    limit: Limit | None = None

    def able(self, name: str) -> Capability:
        """What is said of one capability; one that isn't named can't be done."""
        return self.can.get(name) or Capability(False, f"{self.title} has no API for it")


Known = Callable[[], Mapping[str, datetime]]
"""Ticket ids that are held as active, each with the `updated_at` it has there."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """An item that didn't parse: shown and counted, never a page lost."""

    id: str
    why: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Part of a feed's run. `cursor` is set on a batch that ends a run (hand it to the next
    `feed`); `full` on the last batch of a run that listed everything active: what no batch of
    that run held is gone there; `present` are refs that it saw unchanged and doesn't repeat.
    `gone` are refs known to be no longer active or existing.
    `server_date` is the server's own clock, where its answer carried one.
    """

    tickets: tuple[Ticket, ...] = ()
    devices: tuple[Device, ...] = ()
    assets: tuple[Asset, ...] = ()
    alerts: tuple[Alert, ...] = ()
    present: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    cursor: str | None = None
    full: bool = False
    server_date: datetime | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """What a write's fields may hold in this tenant, asked before sending rather than learnt from
    a refusal. `required` names fields that the server wants for a new ticket; `client_required`
    whether it must know the client. `claim_status` is the status that a claim of this ticket should
    set, so that its response clock stops; `status_classes` what each status means there."""

    statuses: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    technicians: tuple[Technician, ...] = ()
    clients: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    claim_status: str | None = None
    status_classes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Script:
    """A script of an RMM's library; `id` is what `RunCommand.script` takes."""

    id: str
    name: SafeText
    language: SafeText


@runtime_checkable
class HasScripts(Protocol):
    """A connector of an RMM with a library of scripts."""

    async def scripts(self, id: str) -> tuple[Script, ...]:
        """Those that can be run on a device. Raises Failed."""
        ...


class RemoteTerminal(Protocol):
    """One open terminal of a device. `recorded`: the vendor keeps what is typed and shown."""

    recorded: bool

    async def read(self) -> bytes:
        """What the device sends next, raw and hostile; empty when the session has ended."""
        ...

    async def write(self, data: bytes) -> None: ...

    async def resize(self, columns: int, rows: int) -> None: ...

    async def aclose(self) -> None: ...


@runtime_checkable
class HasTerminal(Protocol):
    """A connector that gives a device's terminal."""

    async def open_terminal(
        self, id: str, *, shell: str, run_as: str, columns: int, rows: int
    ) -> RemoteTerminal:
        """Opens one. `shell`: auto, sh, cmd or powershell; `run_as`: system or user. Raises Failed."""
        ...


class Connector(Protocol):
    """One configured endpoint. Every method may raise `domain.reasons.Failed`; nothing else
    leaves a connector on purpose. All calls are made on one event loop."""

    name: str
    manifest: Manifest

    async def whoami(self) -> Identity:
        """Who the credential acts as; the cheapest call that proves it works."""
        ...

    def feed(
        self, cursor: str | None, *, full: bool = False, known: Known | None = None
    ) -> AsyncGenerator[Batch, None]:
        """Changes since `cursor` (everything active when None or `full`).

        `known` tells what the caller holds as active, so that a full run may name what is unchanged
        (`Batch.present`) instead of reading it again; asked at most once a run.

        A poll connector's generator ends when it has caught up. A push connector's ends only when
        closed or failed: after its first run (one batch with `cursor` set) it yields as things change.
        """
        ...

    async def ticket(self, id: str) -> TicketDetail:
        """One ticket with its conversation, asked of the server now."""
        ...

    async def device(self, id: str) -> DeviceDetail:
        """One device with all its RMM gives, asked of the server now."""
        ...

    def live(self, id: str) -> AsyncGenerator[Sample, None]:
        """Live readings of one device, for as long as it is iterated."""
        ...

    async def choices(self, ticket: Ticket | None = None) -> Choices:
        """What may be chosen, for one ticket where it depends on it. Cached by the connector."""
        ...

    async def act(self, write: Write, *, mark: str) -> Outcome:
        """Carry out one write and prove it by re-reading.

        `mark` is the intent's id. Returns state done, refused, failed or uncertain; half-applied
        changes are failed with what was applied in `detail`. Never repeats a write by itself.
        """
        ...

    async def aclose(self) -> None: ...
