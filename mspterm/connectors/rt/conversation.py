"""RT's transactions and message parts as a conversation. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from mspterm.connectors.rt.mapping import person, when
from mspterm.connectors.rt.wire import WireAttachment, WireTransaction
from mspterm.domain.fold import html_to_text
from mspterm.domain.text import SafeText, clean
from mspterm.domain.ticket import Attachment, Note

# Dates that RT's SLA sets when a ticket is made: no news to anyone.
SET_AT_CREATION = frozenset({"Starts", "Due"})
NEVER = "1970-01-01 00:00:00"
# What RT writes beside the change itself: mail records, and the roles that follow a new owner.
NOISE = frozenset({"EmailRecord", "CommentEmailRecord", "SetWatcher", "AddWatcher", "DelWatcher", "Create"})
OWNER_CHANGES = frozenset({"Give", "Take", "Steal", "Untake", "Force"})
# Without its content a part has its size only among its own mail headers.
_LENGTH = re.compile(r"^Content-Length:\s*(\d+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Names:
    """What RT's history gives as numbers only: users, queues and custom fields by id."""

    users: Mapping[str, str] = field(default_factory=dict)
    queues: Mapping[str, str] = field(default_factory=dict)
    custom_fields: Mapping[str, str] = field(default_factory=dict)


def bodies(parts: Iterable[WireAttachment]) -> dict[str, SafeText]:
    """The text of each transaction: the plain alternative where there is one, else the HTML as text."""
    plain: dict[str, list[str]] = {}
    html: dict[str, list[str]] = {}
    for part in parts:
        if part.filename or not part.content:
            continue
        is_html = (part.content_type or "").startswith("text/html")
        (html if is_html else plain).setdefault(str(part.transaction_id), []).append(part.content)
    texts = {entry: "\n".join(html_to_text(page) for page in pages) for entry, pages in html.items()}
    # After the HTML, so that the plain alternative of the same message wins.
    texts.update({entry: "\n".join(pages) for entry, pages in plain.items()})
    return {entry: clean(text.strip(), multiline=True) for entry, text in texts.items()}


def description(transactions: Iterable[WireTransaction], texts: Mapping[str, SafeText]) -> SafeText:
    """What the ticket was opened with."""
    created = (texts.get(str(entry.id)) for entry in transactions if entry.type == "Create")
    return next((text for text in created if text is not None), clean(""))


def notes(
    transactions: Iterable[WireTransaction],
    texts: Mapping[str, SafeText],
    customers: frozenset[str],
    names: Names,
) -> tuple[Note, ...]:
    """Messages and changes, oldest first."""
    told = (entry for entry in transactions if entry.type not in NOISE and not _at_creation(entry))
    made = (_note(entry, texts, customers, names) for entry in told)
    return tuple(
        # RT dates to the second, and one update writes several: their numbers keep the order.
        sorted((note for note in made if note is not None), key=lambda note: (note.at, int(note.id)))
    )


def _at_creation(entry: WireTransaction) -> bool:
    by_rt = entry.creator.login == "RT_System"
    return by_rt and entry.field in SET_AT_CREATION and entry.old_value == NEVER


def last_word(transactions: Iterable[WireTransaction], customers: frozenset[str]) -> datetime | None:
    """When the customer wrote, if nobody has replied to it since."""
    # A comment is not seen by the customer, so it answers nothing.
    messages = [entry for entry in transactions if entry.type == "Correspond"]
    last = max(messages, key=lambda entry: int(entry.id), default=None)
    return when(last.created) if last is not None and last.creator.login in customers else None


def is_file(part: WireAttachment) -> bool:
    """Whether a part is a file rather than words: a mail's inline picture may have no name."""
    kind = part.content_type or ""
    return bool(part.filename) or not kind.startswith(("text/", "multipart/", "message/"))


def attachment(part: WireAttachment, base_url: str) -> Attachment:
    """A file, with the page of the web interface that gives it out."""
    size = _LENGTH.search(part.headers or "")
    name = part.filename or part.content_type or ""
    ids = f"{quote(str(part.transaction_id))}/{quote(str(part.id))}"
    url = f"{base_url}/Ticket/Attachment/{ids}/{quote(name, safe='')}"
    return Attachment(clean(name), int(size[1]) if size else None, url)


def _note(
    entry: WireTransaction, texts: Mapping[str, SafeText], customers: frozenset[str], names: Names
) -> Note | None:
    at = when(entry.created)
    if at is None:
        return None
    kind = _kind(entry, customers)
    minutes = entry.time_taken or None
    body = texts.get(str(entry.id)) if kind != "system" else clean(_change(entry, names))
    if body is None:
        body = clean(f"Worked {minutes} minutes" if minutes else "")
    return Note(clean(str(entry.id)), at, person(entry.creator), kind, body, minutes)


def _kind(entry: WireTransaction, customers: frozenset[str]) -> str:
    if entry.type == "Correspond":
        return "customer" if entry.creator.login in customers else "public"
    return "internal" if entry.type == "Comment" else "system"


def _change(entry: WireTransaction, names: Names) -> str:
    """A change in words; RT's own description is empty in REST 2.0."""
    what, old, new = entry.field or entry.type, entry.old_value or "", entry.new_value or ""
    if what == "TimeWorked":
        return f"Worked {entry.time_taken or 0} minutes"
    if entry.type in ("AddLink", "DeleteLink"):
        done = "added" if entry.type == "AddLink" else "removed"
        # A link is a whole URI (fsck.com-rt://HOST/ticket/7), of which the end says enough.
        return f"Link {what} {done}: {'/'.join((new or old).split('/')[-2:])}"
    if what == "Owner" or entry.type in OWNER_CHANGES:
        what, old, new = "Owner", names.users.get(old, old), names.users.get(new, new)
    elif what == "Queue":
        old, new = names.queues.get(old, old), names.queues.get(new, new)
    elif entry.type == "CustomField":
        what = names.custom_fields.get(what, "Custom field")
    return f"{what} changed from {_value(old)} to {_value(new)}"


def _value(value: str) -> str:
    return "none" if value in ("", NEVER) else value
