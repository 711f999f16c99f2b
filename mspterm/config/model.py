"""The checked configuration, as values. `load` makes them; nothing else should."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Connection:
    """`[connections.NAME]`: one PSA or RMM endpoint.

    `settings` holds what only this kind has (company, client_id, username...). Paths are absolute
    and `~` is expanded. `timeout_s` and `poll_s` are seconds.
    """

    name: str
    kind: str
    url: str
    enabled: bool = True
    settings: Mapping[str, str] = field(default_factory=dict)
    ca_bundle: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    proxy: str | None = None
    timeout_s: float = 20.0
    poll_s: float | None = None
    me: str | None = None
    identity: str = "personal"
    read_only: bool = False
    client_from: str | None = None
    """The field, group or custom field that holds the client, such as RT's `cf:Client`."""
    next_from: str | None = None
    """Where the next-action date is kept, such as RT's `cf:Next action` or `Starts`."""
    status_classes: Mapping[str, str] = field(default_factory=dict)
    priorities: Mapping[str, int] = field(default_factory=dict)
    queues: tuple[str, ...] = ()
    """Only these queues are read, where any are named."""
    tiers: Mapping[str, str] = field(default_factory=dict)
    """Queue name to tier (L1, L2, L3, vendor)."""
    active: tuple[str, ...] = ()
    """Statuses that count as active, where the vendor's own notion doesn't fit."""
    psa_due: bool = True
    """False where the vendor's own due times are not the contract, so that ours count alone."""
    claim_status: Mapping[str, str] = field(default_factory=dict)
    """Queue name (or `*`) to the status that a claim sets, so that the response clock stops."""


Period = tuple[str, str, str]
"""First and last date, and why."""


@dataclass(frozen=True, slots=True)
class Client:
    """A client's names in the connections and its facts: `[clients.NAME]`, overruled key by key by
    its file in `clients_dir`.

    `covers` empty means everything. Calendars (`coverage`, `windows`) are names. `raci` is by service
    line, then role. `from_dir` are the keys that the directory's owner has set; `doubt` says why the
    directory's word on this client can't be read, so that what depends on it can be refused.
    """

    name: str
    match: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    notes: str | None = None
    agreement: str | None = None
    plan: str | None = None
    covers: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    coverage: str | None = None
    rate: str | None = None
    authoriser: str | None = None
    authoriser_phone: str | None = None
    zone: str | None = None
    windows: str | None = None
    freezes: tuple[Period, ...] = ()
    contacts: tuple[str, ...] = ()
    sites: Mapping[str, str] = field(default_factory=dict)
    access: tuple[str, ...] = ()
    carrier: str | None = None
    raci: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    baa: bool = False
    no_patient_data: bool = False
    bodies: str = "keep"
    """`none`: its tickets' descriptions and notes are not stored."""
    incident_contact: str | None = None
    notice_h: int | None = None
    source: str | None = None
    reviewed_on: str | None = None
    from_dir: frozenset[str] = frozenset()
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class Team:
    """`[escalation.tiers.TIER]`: who is behind a tier; `phones` by name, in the order to call."""

    members: tuple[str, ...] = ()
    phones: Mapping[str, str] = field(default_factory=dict)
    hours: str | None = None


@dataclass(frozen=True, slots=True)
class Vendor:
    """`[escalation.vendors.NAME]`: whom to call, and the queue for them by connection."""

    name: str
    phone: str
    contract: str | None = None
    hours: str | None = None
    queues: Mapping[str, str] = field(default_factory=dict)
    portal: str | None = None


@dataclass(frozen=True, slots=True)
class Escalation:
    """`[escalation]`: when to propose one; spans are texts as `domain.policy.seconds_of` reads them."""

    unclaimed_after: Mapping[str, str] = field(default_factory=dict)
    at_percent: int = 75
    percents: Mapping[str, int] = field(default_factory=dict)
    """By priority, before `at_percent`."""
    tier_after: Mapping[str, str] = field(default_factory=dict)
    """By tier (`L1`), or by tier and priority (`L1 P2`)."""
    handoff: tuple[str, ...] = ()
    handoff_chars: int = 15
    tiers: Mapping[str, Team] = field(default_factory=dict)
    vendors: Mapping[str, Vendor] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class View:
    """`[views.NAME]`: a tab of the queue; `filter` in the filter language."""

    name: str
    title: str
    filter: str


@dataclass(frozen=True, slots=True)
class Guard:
    """`[guard]`: the caps of the guard. `flags` maps a device's name to its flags, `approvers` a
    technician's name to the Ed25519 public key that signs plans above the caps; `doubt` says why the
    host's policy file, whose word overrides the user's, can't be read whole."""

    max_devices: int = 5
    max_clients: int = 1
    max_disruptive_per_hour: int = 20
    enter_minutes: int = 60
    allow_shared: bool = False
    break_glass: bool = True
    free_text_tiers: tuple[str, ...] = ("L1", "L2", "L3")
    free_text_max_devices: int = 5
    approvers: Mapping[str, str] = field(default_factory=dict)
    verify_first: tuple[str, ...] = ()
    """Words of account work, for which the caller must be verified."""
    doubt: str | None = None
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Console:
    """`[console]`: how the console looks and behaves."""

    theme: str = "dark"
    view: str = "all"
    mouse: bool = False
    bell: bool = True
    notify: bool = True
    resume_hours: int = 12
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class Technician:
    """`[technician]`: the person at the console, for the journal and for shared identities."""

    name: str | None = None
    email: str | None = None
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """Everything the file says, with defaults filled in. `source` is the file, None without one."""

    source: Path | None = None
    connections: Mapping[str, Connection] = field(default_factory=dict)
    clients: Mapping[str, Client] = field(default_factory=dict)
    views: tuple[View, ...] = ()
    technician: Technician = field(default_factory=Technician)
    guard: Guard = field(default_factory=Guard)
    policy_failures: tuple[str, ...] = ()
    """Why the host's policy file, or part of it, doesn't count, a sentence each."""
    console: Console = field(default_factory=Console)
    keys: Mapping[str, str] = field(default_factory=dict)
    journal_head_file: Path | None = None
    journal_texts: bool = False
    """Whether the journal holds the texts that were written, and not only their hash."""
    keep_days: int = 14
    """`[store]`: days that closed tickets, and conversations nobody opens, are kept."""
    clients_dir: Path | None = None
    """The shared directory of client facts, whose word overrides this file's."""
    clients_dir_failures: tuple[str, ...] = ()
    """What of it couldn't be read, a sentence each: its owner's to mend, so no error of this file."""
    escalation: Escalation = field(default_factory=Escalation)
    raw: Mapping[str, Any] = field(default_factory=dict)
    """Tables kept as they are, checked: `calendars`, `sla`, `triage`, `storms` and `ssh`."""
