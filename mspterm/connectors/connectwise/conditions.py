"""The grammar of `conditions`, as the developer guide gives it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime


def quoted(value: str) -> str:
    """A string literal: `[` opens a wildcard set in it, so that a literal one is `[[]`."""
    mark = "'" if '"' in value and "'" not in value else '"'
    kept = value.replace("\\", "\\\\").replace(mark, f"\\{mark}").replace("[", "[[]")
    return f"{mark}{kept}{mark}"


def instant(at: datetime) -> str:
    """A time literal; whole seconds in UTC."""
    return f"[{stamp(at)}]"


def stamp(at: datetime) -> str:
    """A time as bodies and conditions hold it: a fraction of a second is refused."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def any_of(field: str, values: Iterable[str]) -> str:
    return f"{field} in ({','.join(quoted(value) for value in values)})"
