"""The grammar of `conditions`, as the developer guide gives it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import quote_plus

# Two such lists (statuses, boards) share the 2,000 characters with the fields, some 760 of them.
LIST_LIMIT = 400
"""Characters of one list of values as they stand in an address."""


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


def any_of(field: str, values: Iterable[str]) -> list[str]:
    """Conditions that hold together every record with one of the values: an address has to stay
    under 2,000 characters, so that a long list takes several."""
    made: list[str] = []
    part = ""
    for value in map(quoted, values):
        if part and len(quote_plus(f"{part},{value}")) > LIST_LIMIT:
            made.append(part)
            part = ""
        part = f"{part},{value}" if part else value
    return [f"{field} in ({part})" for part in [*made, part]]
