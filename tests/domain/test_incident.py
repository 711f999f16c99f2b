"""The switch of a suspected security incident, by the words of its notes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mspterm.domain.incident import OFF, ON, last_word, told
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Note

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def note(number: int, body: str, kind: str = "internal") -> Note:
    return Note(str(number), AT + timedelta(minutes=number), SafeText("Ines"), kind, SafeText(body))


def test_the_last_of_our_words_counts_and_its_first_telling_is_since() -> None:
    notes = [note(1, f"{ON}\nTell Sam."), note(2, ON), note(3, "x")]
    assert last_word(notes) == (True, AT + timedelta(minutes=1))
    assert last_word([*notes, note(4, OFF)]) == (False, AT + timedelta(minutes=4))
    assert last_word([note(3, "x")]) is None


def test_a_client_can_not_lift_it() -> None:
    notes = [note(1, ON), note(2, OFF, "customer"), note(3, OFF, "public")]
    assert last_word(notes) == (True, AT + timedelta(minutes=1))


def test_whom_to_tell_and_by_when() -> None:
    assert told(AT, "Sam, 555", 24) == (
        "tell Sam, 555",
        "notice is due 2026-11-25 09:00 UTC (24 h after it was declared)",
    )
    assert told(AT, None, None) == ("no incident contact is known for this client: ask your lead",)
