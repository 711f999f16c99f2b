"""Every secret that this process has read or was given: what a crash report has to mask."""

from __future__ import annotations

from mspterm.domain.secret import Secret

_SEEN: set[Secret] = set()


def see(secret: Secret) -> Secret:
    """Remembers it, in memory, for as long as the process lives."""
    _SEEN.add(secret)
    return secret


def seen() -> frozenset[Secret]:
    """All of them so far, whatever backend or environment they came from."""
    return frozenset(_SEEN)
