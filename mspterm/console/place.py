"""Where the console was left: view, filter, sort, cursor, marks and what was open, kept in a small file.

It is looked at every second and written where it differs, so that neither a killed process nor a dropped
line costs more than that second. Several consoles on one state directory: the last one to write wins.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mspterm.config.paths import private_dir
from mspterm.domain.reasons import Failed, Reason, failed

VERSION = 1
KEEP_S = 1.0
"""How often it is looked at whether anything changed."""
_LARGEST = 4_000_000
"""Characters; 50,000 marked tickets need less than half of them."""


@dataclass(frozen=True, slots=True)
class Place:
    """Names, not positions: what is no longer there is left out when the console comes back. `open`:
    refs of tickets and devices, the one on top last."""

    view: str = ""
    filter: str = ""
    sort: str = "default"
    cursor: str | None = None
    marked: tuple[str, ...] = ()
    open: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Left:
    """A place, and when it was left."""

    place: Place
    at: datetime


class PlaceFile:
    """`console.json` in the state directory, readable by its writer only."""

    def __init__(self, state_dir: Path) -> None:
        self.path = state_dir / "console.json"

    def read(self, now: datetime, hours: int) -> Left | None:
        """Where it was left within these `hours`; None where that is longer ago or there is nothing.

        Raises Failed where the file can't be understood.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise self._unreadable(str(error)) from error
        left = self._left(text)
        # One from the future, left before a clock was set back, has an age that nobody knows.
        return left if timedelta() <= now - left.at <= timedelta(hours=hours) else None

    def write(self, place: Place, now: datetime) -> None:
        """Replace what was there. Raises OSError where the directory can't be written."""
        private_dir(self.path.parent)
        # Of this process alone, then renamed: a reader sees the old file or the new one, never half.
        new = self.path.with_suffix(f".{os.getpid()}.new")
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"version": VERSION, "at": now.isoformat(), **asdict(place)}, file)
        new.replace(self.path)

    def _left(self, text: str) -> Left:
        try:
            if len(text) > _LARGEST:
                raise ValueError(f"it has {len(text)} characters")
            found = json.loads(text)
            if not isinstance(found, dict) or found.get("version") != VERSION:
                raise ValueError("another version of mspterm wrote it")
            return Left(_place(found), _moment(found["at"]))
        # The last is what a thousand nested brackets raise.
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise self._unreadable(str(error)) from error

    def _unreadable(self, why: str) -> Failed:
        sentence = f"Where the console was left can't be read from {self.path} ({why}); it starts afresh."
        return failed(Reason.BAD_DATA, sentence)


def _place(found: Mapping[str, Any]) -> Place:
    cursor = found["cursor"]
    return Place(
        view=_text(found["view"]),
        filter=_text(found["filter"]),
        sort=_text(found["sort"]),
        cursor=None if cursor is None else _text(cursor),
        marked=tuple(_text(ref) for ref in found["marked"]),
        open=tuple(_text(ref) for ref in found["open"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is no text")
    return value


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    # Comparing it with an aware time would raise far from here.
    if at.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return at
