"""A second person's word for a plan above the caps: what is signed, and when it holds.

The signature is Ed25519 over the whole plan, not over its hash of 64 bits: whoever asks could make
two plans of one such hash, and have the harmless one signed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from mspterm.domain.action import Emergency, Target
from mspterm.domain.guard import phrase_of

# The sentence in `_too_late` names these minutes too.
VALID = timedelta(minutes=15)
_AHEAD = timedelta(minutes=1)
"""How far another host's clock may run before ours."""

Proves = Callable[[str, bytes, bytes], bool]
"""Whether a signature (second) of a text (third) was made with the secret of a public key (first)."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a second person is asked for: the `plan` whole, as canonical JSON, who asks, and when."""

    id: str
    requester: str
    asked_at: datetime
    plan: str


@dataclass(frozen=True, slots=True)
class Approval:
    """A request signed `by` a technician at an instant."""

    request: Request
    by: str
    at: datetime
    signature: bytes = b""

    @property
    def message(self) -> bytes:
        """What the signature is over."""
        request = self.request
        # The first words keep a signature of this key for anything else from counting here; a list keeps
        # the end of one field from being read as the start of the next.
        said = [
            "mspterm approval 1", request.id, request.requester, request.asked_at.isoformat(), request.plan,
            self.by, self.at.isoformat(),
        ]  # fmt: skip
        return json.dumps(said, ensure_ascii=True, separators=(",", ":")).encode()

    def __str__(self) -> str:
        return f"approved by {self.by} at {self.at:%H:%M} UTC"


@dataclass(frozen=True, slots=True)
class Presented:
    """Where an approval is shown and when: at whose console, which keys are known, whether it was used."""

    requester: str
    now: datetime
    approvers: Mapping[str, str] = field(default_factory=dict)
    own_key: str | None = None
    used: bool = False


def doubt(approval: Approval, plan: str, here: Presented, proves: Proves) -> str | None:
    """Why this approval doesn't hold for the plan (whole, as JSON) here and now; None where it does."""
    key = here.approvers.get(approval.by)
    if key is None:
        return f"{approval.by} is no approver here; [guard.approvers] lists them with their public keys"
    # Before all that the request says: nothing of it is believed until the signature holds.
    if not proves(key, approval.signature, approval.message):
        return f"the signature is not {approval.by}'s, or what was signed has been changed"
    if approval.request.plan != plan:
        return "another plan was signed than this one as it is now; have this one signed"
    asked = approval.request.requester
    if asked.casefold() != here.requester.casefold():
        return f"it was signed for {asked}, and you are {here.requester}"
    # Also by the key: a second name with the asker's own key is no second person.
    if approval.by.casefold() == asked.casefold() or key == here.own_key:
        return "you signed it yourself; a second person is needed"
    return _too_late(approval, here)


def _too_late(approval: Approval, here: Presented) -> str | None:
    if approval.at > here.now + _AHEAD:
        return f"it was signed at {approval.at:%H:%M:%S} UTC, which is still to come; compare the clocks"
    if here.now >= approval.at + VALID:
        return f"it was signed at {approval.at:%H:%M} UTC and holds for 15 minutes; have it signed again"
    return "it has been used, and holds once; have the plan signed again" if here.used else None


def targets(request: Request) -> tuple[Target, ...]:
    """What the plan acts on, as who asks calls it."""
    return tuple(Target(**target) for target in json.loads(request.plan)["targets"])


def phrase(request: Request) -> str:
    """What is typed to sign it."""
    return f"approve {phrase_of(targets(request))}"


def shown(request: Request) -> tuple[str, ...]:
    """The plan in words, made of what is signed and of nothing else, so that nothing can be left out.

    Raises KeyError, TypeError or ValueError where it is no plan.
    """
    plan: Mapping[str, Any] = json.loads(request.plan)
    lines = [f"{plan['action']}, asked by {request.requester} at {request.asked_at:%Y-%m-%d %H:%M} UTC"]
    names = {target.ref: target for target in targets(request)}
    for what, refs in _alike(plan["writes"]).items():
        lines.append(what)
        lines += [f"  on {_named(names.get(ref), ref)}" for ref in refs]
    if plan["emergency"]:
        lines.append(str(Emergency(**plan["emergency"])))
    if plan["break_glass"] is not None:
        lines.append(f"break-glass: {plan['break_glass']}")
    return tuple(lines)


def _alike(writes: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The refs of writes that are the same but for it, by what they are."""
    found: dict[str, list[str]] = {}
    for write in writes:
        rest = {k: v for k, v in write.items() if k not in ("ref", "write") and v is not None}
        said = ", ".join(f"{k}: {v}" for k, v in rest.items())
        found.setdefault(f"{write['write']} {said}".rstrip(), []).append(str(write.get("ref", "new")))
    return found


def _named(target: Target | None, ref: str) -> str:
    return ref if target is None else f"{target.name} of {target.client or 'no known client'} ({ref})"
