"""Writes as values: what is asked, of what, at what risk, and what became of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from mspterm.domain.reasons import Failure
from mspterm.domain.spec import Risk
from mspterm.domain.ticket import Ticket

if TYPE_CHECKING:
    # For types only: `approval` imports this module.
    from mspterm.domain.approval import Approval


class Audience(StrEnum):
    """Who reads a text."""

    PUBLIC = "public"
    INTERNAL = "internal"
    RESOLUTION = "resolution"
    CO_MANAGED = "co-managed"


class State(StrEnum):
    """What became of a write, as `--json` says it."""

    DONE = "done"
    QUEUED = "queued"
    UNCERTAIN = "uncertain"
    REFUSED = "refused"
    FAILED = "failed"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True)
class Update:
    """The technician's unit of work on one ticket, all of it optional but one field.

    `owner` is a technician's id in that connection, or "" for nobody. `minutes` are added.
    `mail` None leaves the vendor's default for that audience. `priority` is our 1..5.
    `expected_owner` is who held it when this was planned ("" nobody, None: don't check): where
    somebody else holds it by now, nothing is written and the outcome is a conflict.
    """

    ref: str
    text: str | None = None
    audience: Audience = Audience.INTERNAL
    mail: bool | None = None
    minutes: int | None = None
    status: str | None = None
    owner: str | None = None
    priority: int | None = None
    queue: str | None = None
    next_at: datetime | None = None
    expected_owner: str | None = None


@dataclass(frozen=True, slots=True)
class NewTicket:
    """A ticket to create in `connection`; `device` and `parent` are refs."""

    connection: str
    client: str
    summary: str
    text: str = ""
    contact: str | None = None
    device: str | None = None
    queue: str | None = None
    priority: int | None = None
    type: str = "incident"
    parent: str | None = None
    owner: str | None = None

    @property
    def ref(self) -> str:
        return f"{self.connection}:new"


@dataclass(frozen=True, slots=True)
class RunCommand:
    """One command line on one device, by its RMM. `shell`: auto, sh, powershell or cmd;
    `run_as`: system or user; `attach` a ticket ref that gets the output as an internal note.
    `script` is the id of a script in the RMM's library, run in place of a command line with `command`
    as its parameters."""

    ref: str
    command: str
    shell: str = "auto"
    run_as: str = "system"
    attach: str | None = None
    timeout_s: float = 60.0
    script: str | None = None


@dataclass(frozen=True, slots=True)
class Reboot:
    ref: str


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A person's session on one device: by `ssh`, or in the `terminal` of its RMM with `shell` (auto, sh,
    powershell or cmd) and `run_as` (system or user). `where` says what is connected to, so that consent
    is to that; `ticket` is the ref that it is for. It is never queued and no connector performs it."""

    ref: str
    by: str
    where: str
    ticket: str | None = None
    shell: str = "auto"
    run_as: str = "system"


@dataclass(frozen=True, slots=True)
class Attach:
    """Makes other tickets of the same connection the children of `ref`; nobody is told of it.
    `contact`, a mail address or a whole name, becomes the person of the parent at the client."""

    ref: str
    children: tuple[str, ...]
    contact: str | None = None


# `store.intents` reads each of these back from the outbox by its name: a new kind goes there too.
Write = Update | NewTicket | RunCommand | Reboot | OpenSession | Attach


@dataclass(frozen=True, slots=True)
class Target:
    """What a write acts on, as it was known when the plan was made."""

    ref: str
    name: str
    client: str | None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Emergency:
    """Why something is done in a change freeze all the same, and who at the client approved it."""

    reason: str
    approver: str

    def __str__(self) -> str:
        return f"emergency: {self.reason}; approved by {self.approver}"


@dataclass(frozen=True, slots=True)
class Plan:
    """One action over one or more targets, ready to be judged, shown, confirmed and performed.

    `lines` say in words what will happen, for `--dry-run` and the dialog; `meets` which SLA target
    it will meet, or why none. `stake` is what a disruptive action puts at risk. `break_glass` is why
    it goes above the caps with nobody awake to sign it. Where the first write `leads`, the others are
    begun only once it is done.
    """

    action: str
    risk: Risk
    writes: tuple[Write, ...]
    targets: tuple[Target, ...]
    lines: tuple[str, ...] = ()
    stake: tuple[str, ...] = ()
    phrase: str | None = None
    emergency: Emergency | None = None
    break_glass: str | None = None
    leads: bool = False

    @property
    def clients(self) -> tuple[str, ...]:
        return tuple(sorted({t.client for t in self.targets if t.client}))

    @property
    def because(self) -> str | None:
        """What the journal's intent says of why, where more than the plan itself is to be said."""
        broken = None if self.break_glass is None else f"break-glass: {self.break_glass}"
        said = [str(why) for why in (self.emergency, broken) if why is not None]
        return "; ".join(said) or None

    @property
    def whole(self) -> str:
        """All that counts of it, as canonical JSON: what would be written, of what as it was known, and
        what was claimed for it. A second person signs this."""
        emergency = self.emergency
        # Not the plan's lines: who signs reads words made of this text alone (`approval.shown`).
        core = {
            "action": self.action,
            # With its kind, as the fields of a Reboot alone would be a ref and say nothing.
            "writes": [{"write": type(w).__name__, **asdict(w)} for w in self.writes],
            "targets": [asdict(t) for t in self.targets],
            "emergency": None if emergency is None else asdict(emergency),
            "break_glass": self.break_glass,
        }
        # Sorted and ASCII: one plan has the same bytes in every process that makes, signs or checks it.
        return json.dumps(core, sort_keys=True, default=str, ensure_ascii=True, separators=(",", ":"))

    @property
    def hash(self) -> str:
        """16 hex digits over all that counts of it."""
        # 64 bits notice a change; they don't withstand somebody who makes two plans of one hash.
        return hashlib.sha256(self.whole.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Allow:
    """The guard has nothing against it."""


class Lift(StrEnum):
    """By what a person can get past a refusal."""

    EMERGENCY = "emergency"
    SECOND_PERSON = "second person"


@dataclass(frozen=True, slots=True)
class Refuse:
    failure: Failure
    lift: Lift | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """The guard wants a person's word: `phrase` typed where it is set, else a plain yes."""

    stake: tuple[str, ...]
    phrase: str


Verdict = Allow | Refuse | Ask


@dataclass(frozen=True, slots=True)
class Consent:
    """What the person said: the phrase typed, and the hash of the plan that was shown; and what a
    second person signed, where the caps ask for one."""

    phrase: str | None = None
    plan_hash: str | None = None
    read_only: bool = False
    approval: Approval | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one write came to. `detail` are lines that prove it (or say what was applied of half
    a change); `output` a command's output; `ticket` the row as re-read after the write,
    `others` those of other tickets that it changed."""

    ref: str
    state: State
    failure: Failure | None = None
    detail: tuple[str, ...] = ()
    output: str | None = None
    ticket: Ticket | None = None
    created_ref: str | None = None
    others: tuple[Ticket, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """An outcome with the names it is recorded under; the rows of `--json`."""

    outcome: Outcome
    action: str
    plan_hash: str
    intent_id: str | None
