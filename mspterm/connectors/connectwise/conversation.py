"""Notes and time entries as one conversation. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from mspterm.connectors.connectwise import wire
from mspterm.connectors.connectwise.sla import when
from mspterm.domain.text import SafeText, clean
from mspterm.domain.ticket import Attachment, Note


def kind_of(public: bool | None, internal: bool | None, resolution: bool | None) -> str:
    """Who reads it, by the three flags; of several the one with the most readers counts."""
    if public:
        return "public"
    return "resolution" if resolution and not internal else "internal"


def description(notes: Iterable[wire.Note]) -> SafeText:
    """What the ticket was opened with: its first text under Discussion."""
    opened = sorted(
        (n for n in notes if n.detail_description_flag), key=lambda n: (n.date_created or "", n.id)
    )
    return clean((opened[0].text or "").strip(), multiline=True) if opened else clean("")


def notes(written: Sequence[wire.Note], entries: Sequence[wire.TimeEntry]) -> tuple[Note, ...]:
    """Texts and booked time, oldest first.

    `/notes` holds no time entries, but a server may show one's text there too: it is shown once,
    with its minutes.
    """
    spoken = {text for entry in entries if (text := _words(entry))}
    texts = [_note(n) for n in written if (n.text or "").strip() not in spoken]
    made = [note for note in (*texts, *map(_entry, entries)) if note is not None]
    return tuple(sorted(made, key=lambda note: (note.at, note.id)))


def last_word(written: Iterable[wire.Note], entries: Iterable[wire.TimeEntry]) -> datetime | None:
    """When the customer wrote, if nobody has replied to it since."""
    # A customer's note has a contact and no member; a technician's may have both.
    said = [
        (at, n.contact is not None and n.member is None) for n in written if _public(n) and (at := _at(n))
    ]
    said += [(at, False) for e in entries if e.add_to_detail_description_flag and (at := _ended(e))]
    last = max(said, default=None)
    return last[0] if last is not None and last[1] else None


def attachment(row: wire.Document) -> Attachment:
    """A file; the API gives it out to who has a key only, so that no address is shown."""
    return Attachment(clean(row.file_name or row.title or "(no name)"), row.size, None)


def minutes_of(entry: wire.TimeEntry) -> int:
    """Minutes of an entry; ConnectWise keeps hours with two decimals, which are less than half a minute off."""
    return round((entry.actual_hours or 0.0) * 60)


def _note(note: wire.Note) -> Note | None:
    at = _at(note)
    if at is None:
        return None
    customer = note.contact is not None and note.member is None
    flags = (note.detail_description_flag, note.internal_analysis_flag, note.resolution_flag)
    author = (note.member and note.member.label) or (note.contact and note.contact.name) or note.created_by
    body = clean((note.text or "").strip(), multiline=True)
    kind = "customer" if customer else kind_of(*flags)
    return Note(clean(str(note.id)), at, clean(author or "(unknown)"), kind, body)


def _entry(entry: wire.TimeEntry) -> Note | None:
    at = _ended(entry)
    if at is None:
        return None
    flags = (
        entry.add_to_detail_description_flag,
        entry.add_to_internal_analysis_flag,
        entry.add_to_resolution_flag,
    )
    minutes = minutes_of(entry)
    text = "\n\n".join(part.strip() for part in (entry.notes, entry.internal_notes) if part and part.strip())
    # A text for the client with an internal part in it is shown as what its readers make it.
    author = clean((entry.member.label if entry.member else None) or entry.entered_by or "(unknown)")
    body = clean(text, multiline=True) if text else clean(f"Worked {minutes} minutes")
    return Note(f"time:{entry.id}", at, author, kind_of(*flags), body, minutes or None)


def _public(note: wire.Note) -> bool:
    return bool(note.detail_description_flag or (note.contact is not None and note.member is None))


def _at(note: wire.Note) -> datetime | None:
    return when(note.date_created) or when(note.info.date_entered) or when(note.info.last_updated)


def _ended(entry: wire.TimeEntry) -> datetime | None:
    return when(entry.time_end) or when(entry.time_start) or when(entry.date_entered)


def _words(entry: wire.TimeEntry) -> str:
    return (entry.notes or "").strip()
