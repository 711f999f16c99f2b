"""What the guard judges a plan by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mspterm.domain.action import Consent, Target
from mspterm.domain.circumstances import Circumstances
from mspterm.domain.device import Device
from mspterm.domain.people import Technician
from mspterm.domain.reasons import Failure, Reason


@dataclass(frozen=True, slots=True)
class GuardContext:
    """`devices` holds those that the plan acts on, by ref, with the config's
    flags among their own; `held` the owners of its tickets where that is another technician."""

    read_only: bool = False
    read_only_connections: frozenset[str] = frozenset()
    shared_connections: frozenset[str] = frozenset()
    allow_shared: bool = False
    signer: str | None = None
    lockdown: bool = False
    journal_writable: bool = True
    journal_keyed: bool = True
    # The usual caps of [guard] (security.md 2.4), as `config.model.Guard` has them too.
    max_devices: int = 5
    max_clients: int = 1
    max_disruptive_per_hour: int = 20
    disruptive_last_hour: int = 0
    policy_doubt: str | None = None
    free_text_tiers: tuple[str, ...] = ("L1", "L2", "L3")
    free_text_max_devices: int = 5
    tier: str | None = None
    may_break_glass: bool = True
    approved: bool = False
    """A second person has signed exactly this plan, and that holds."""
    approval_doubt: str | None = None
    """Why what came as a second person's word doesn't hold."""
    known: Mapping[str, Target] = field(default_factory=dict)
    """The plan's targets as they are known now, by ref."""
    around: Circumstances = field(default_factory=Circumstances)
    devices: Mapping[str, Device] = field(default_factory=dict)
    held: Mapping[str, Technician] = field(default_factory=dict)
    coverage: tuple[str, ...] = ()
    """What isn't covered, at what rate and with whose OK, or that all is."""
    incident_devices: Mapping[str, str] = field(default_factory=dict)
    """The ticket of a suspected security incident by the device that it is about."""
    owned: Mapping[str, str] = field(default_factory=dict)
    """Whom to ask first, by the device in a field that its client owns."""
    unverified: Mapping[str, str] = field(default_factory=dict)
    """Why the caller must be verified first, by the ref of a write that is account work."""
    closing: frozenset[str] = frozenset()
    """The tickets that the plan resolves or closes."""
    consent: Consent = field(default_factory=Consent)


def refused(sentence: str) -> Failure:
    return Failure(Reason.REFUSED, sentence)
