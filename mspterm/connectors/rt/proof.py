"""RT answers 200 with an English sentence when it refuses: only what is read back counts. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mspterm.connectors.proof import Change, Check
from mspterm.connectors.rt import wire
from mspterm.connectors.rt.mapping import custom_field, when
from mspterm.domain.reasons import Failed, Failure, Reason
from mspterm.domain.text import SafeText, clean
from mspterm.net.faults import Answered

_PREFIX = re.compile(r"^Ticket \d+: ")
# What RT says where it did something; every other sentence counts as its reason for not doing it.
_DONE = re.compile(r"\bchanged (from|to)\b|\badded\b|^Worked |\brefers to\b", re.IGNORECASE)
_DENIED = re.compile(r"permission|not allowed|no rights?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Put(Change[Mapping[str, Any], wire.WireTicket]):
    """A change and what a PUT carries for it."""


def date_change(field: str | None, at: datetime) -> Put:
    """The next-action date in RT's Starts or a custom field.

    RT stores a PUT's text as it is: a date in ISO's `T..Z` form would read back as 1970.
    """
    value, shown = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"), _shown(at)
    if field is None:
        return Put("next date", {"Starts": value}, shown, lambda row: _shown(when(row.starts)))
    return Put(
        "next date",
        {"CustomFields": {field: value}},
        shown,
        lambda row: _shown(when(custom_field(row.custom_fields, field))),
    )


def body_of(changes: Iterable[Put]) -> dict[str, Any]:
    """One PUT for all the changes."""
    merged: dict[str, Any] = {}
    for change in changes:
        for key, value in change.sent.items():
            # Two changes may each set a custom field: the second must not replace the first.
            merged[key] = {**merged.get(key, {}), **value} if isinstance(value, dict) else value
    return merged


def same_text(sent: str, read: str | None) -> bool:
    """Whether a text arrived: RT changes line ends and trailing blanks."""
    return read is not None and sent.split() == read.split()


def sentences(body: bytes) -> tuple[SafeText, ...]:
    """What RT said: the list of a PUT or POST, or the message of an error."""
    try:
        said = json.loads(body)
    except ValueError:
        return ()
    found = [said.get("message", "")] if isinstance(said, dict) else said if isinstance(said, list) else []
    return tuple(clean(_PREFIX.sub("", str(sentence)).strip()) for sentence in found if sentence)


def refused(name: str, missing: Sequence[Check], said: Sequence[str]) -> Failure:
    """The failure for what RT did not do, in its own words where it gave any."""
    what = " and ".join(check.what for check in missing)
    denied = next((sentence for sentence in said if _DENIED.search(sentence)), None)
    if denied is not None:
        sentence = f"RT refused {name} the {what} ({denied}); ask RT's administrator for that right."
        return Failure(Reason.PERMISSION, sentence, name)
    reasons = "; ".join(sentence for sentence in said if not _DONE.search(sentence))
    words = f": {reasons}" if reasons else " and gave no reason"
    return Failure(Reason.REFUSED, f"RT did not apply the {what} for {name}{words.rstrip('.')}.", name)


def better(name: str, error: Failed) -> Failure:
    """A failure in RT's own words: it says 400 "Permission Denied" for a ticket that isn't there."""
    said = sentences(error.body) if isinstance(error, Answered) and error.status in (400, 403) else ()
    if not said:
        return error.failure
    if _DENIED.search(said[0]) or error.failure.reason is Reason.PERMISSION:
        sentence = f"RT refused this to {name} ({said[0]}): no right to it, or no such item."
        return Failure(Reason.PERMISSION, sentence, name)
    return Failure(Reason.REFUSED, f"RT refused this for {name}: {said[0].rstrip('.')}.", name)


def _shown(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
