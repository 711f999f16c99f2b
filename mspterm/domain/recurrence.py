"""A cause that comes back soon after its parent was closed: the same trouble, and no new one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mspterm.domain.conditions import DOWN
from mspterm.domain.storms import Sign


@dataclass(frozen=True, slots=True)
class Ended:
    """A parent that is closed, with the signs of its children, and when that was (epoch seconds)."""

    parent: Sign
    children: tuple[Sign, ...]
    at: float


def recurrences(ended: Iterable[Ended], signs: Iterable[Sign], within_s: float) -> Mapping[str, str]:
    """The closed parent by each ticket that shows its cause again; of several the one closed last."""
    families = sorted(ended, key=lambda e: (-e.at, e.parent.ref))
    found: dict[str, str] = {}
    for sign in signs:
        # Alerts have no priority, and a child has a parent already.
        if sign.priority is None or sign.parent is not None:
            continue
        for family in families:
            # What came before the end belongs to the trouble that ended.
            if 0 <= sign.at - family.at <= within_s and _same_cause(sign, family):
                found[sign.ref] = family.parent.ref
                break
    return found


def _same_cause(sign: Sign, family: Ended) -> bool:
    known = (family.parent, *family.children)
    # A provider's storm joins many clients, and the parent's text goes to one of them.
    ours = [s for s in known if s.client is not None and s.client == sign.client]
    if any(s.device is not None and (s.device, s.condition) == (sign.device, sign.condition) for s in ours):
        return True
    if any(s.provider is not None and s.provider == sign.provider for s in ours):
        return True
    # A site that was down is down again; one device of it that was says nothing of another.
    down = [s for s in ours if s.condition in DOWN and s.site is not None and s.site == sign.site]
    return sign.condition in DOWN and len(down) > 1
