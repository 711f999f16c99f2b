"""A suspected security incident, as it is written on its ticket and read from there again; and the check
of who calls. The words are the switch: every console that reads the ticket finds them in its notes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from mspterm.domain.ticket import Note

# Every console reads these from notes, old ones too: with other words an incident that is on
# would no longer be seen.
ON = "SUSPECTED SECURITY INCIDENT (mspterm): no reboot, no command and no session on this ticket's devices."
OFF = "SECURITY INCIDENT LIFTED (mspterm): the devices of this ticket may be worked on again."
OURS = ("internal", "co-managed")
"""Kinds of notes that are our own word and not the client's."""


def last_word(notes: Iterable[Note]) -> tuple[bool, datetime] | None:
    """Whether the notes say that it is on, and since when they do; None where none of them says
    anything. A client's own words never turn it."""
    said: tuple[bool, datetime] | None = None
    for note in notes:
        turned = turns(note.body) if note.kind in OURS else None
        # Said again it is still since the first time: the notice clock runs from there.
        if turned is not None and (said is None or said[0] is not turned):
            said = turned, note.at
    return said


def turns(text: str | None) -> bool | None:
    """Whether a note turns the switch on or off; None where it does neither."""
    words = " ".join((text or "").split())
    # At the start only: a note that quotes the words turns nothing.
    return True if words.startswith(ON) else False if words.startswith(OFF) else None


def told(since: datetime, contact: str | None, notice_h: int | None) -> tuple[str, ...]:
    """Whom to tell of it, and by when."""
    whom = f"tell {contact}" if contact else "no incident contact is known for this client: ask your lead"
    if notice_h is None:
        return (whom,)
    by = since + timedelta(hours=notice_h)
    return whom, f"notice is due {by:%Y-%m-%d %H:%M} UTC ({notice_h} h after it was declared)"


# Reads what `verified` writes, and has written: the two change together.
_VERIFIED = re.compile(r"Caller verification: (?P<caller>.+?), by .+: (?P<result>PASSED|FAILED)\.")


def verified_by(text: str) -> tuple[str, bool] | None:
    """Who was verified by a note of `verified`, and whether they passed; None for any other text."""
    found = _VERIFIED.match(" ".join(text.split()))
    return None if found is None else (found["caller"], found["result"] == "PASSED")


def verified(caller: str, method: str, number: str, result: str) -> str:
    """The note that records how a caller was verified."""
    return f"Caller verification: {caller}, by {method}, number on file {number}: {result.upper()}."
