"""Writes as values: what is asked, of what, at what risk, and what became of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from mspterm.domain.reasons import Failure
from mspterm.domain.spec import Risk
from mspterm.domain.ticket import Ticket


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


Write = Update | NewTicket | RunCommand | Reboot | OpenSession


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
    it will meet, or why none. `stake` is what a disruptive action puts at risk.
    """

    action: str
    risk: Risk
    writes: tuple[Write, ...]
    targets: tuple[Target, ...]
    lines: tuple[str, ...] = ()
    stake: tuple[str, ...] = ()
    phrase: str | None = None
    emergency: Emergency | None = None

    @property
    def clients(self) -> tuple[str, ...]:
        return tuple(sorted({t.client for t in self.targets if t.client}))

    @property
    def because(self) -> str | None:
        """What the journal's intent says of why, where more than the plan itself is to be said."""
        return None if self.emergency is None else str(self.emergency)

    @property
    def hash(self) -> str:
        """16 hex digits over what would be written and the versions it was planned against."""
        core = {
            "action": self.action,
            "writes": [asdict(w) for w in self.writes],
            "targets": [[t.ref, t.version] for t in self.targets],
        }
        if self.emergency is not None:
            core["emergency"] = [self.emergency.reason, self.emergency.approver]
        text = json.dumps(core, sort_keys=True, default=str, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Allow:
    """The guard has nothing against it."""


@dataclass(frozen=True, slots=True)
class Refuse:
    failure: Failure


@dataclass(frozen=True, slots=True)
class Ask:
    """The guard wants a person's word: `phrase` typed where it is set, else a plain yes."""

    stake: tuple[str, ...]
    phrase: str


Verdict = Allow | Refuse | Ask


@dataclass(frozen=True, slots=True)
class Consent:
    """What the person said: the phrase typed, and the hash of the plan that was shown."""

    phrase: str | None = None
    plan_hash: str | None = None
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one write came to. `detail` are lines that prove it (or say what was applied of half
    a change); `output` a command's output; `ticket` the row as re-read after the write."""

    ref: str
    state: State
    failure: Failure | None = None
    detail: tuple[str, ...] = ()
    output: str | None = None
    ticket: Ticket | None = None
    created_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """An outcome with the names it is recorded under; the rows of `--json`."""

    outcome: Outcome
    action: str
    plan_hash: str
    intent_id: str | None
