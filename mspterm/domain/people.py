"""Who acts: the technician at the console, by each connection's own id."""

from __future__ import annotations

from dataclasses import dataclass

from mspterm.domain.text import SafeText


@dataclass(frozen=True, slots=True)
class Technician:
    """Somebody who can own a ticket in one connection. `id` is what the vendor wants in a write."""

    id: str
    name: SafeText
    email: SafeText | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Under whose name a connection writes. `kind`: personal, impersonated or shared.

    `version` is the server's product and version, for `auth test` and `doctor`.
    """

    technician: Technician
    kind: str = "personal"
    version: SafeText | None = None
