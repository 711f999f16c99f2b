"""The handoff of an escalation: five parts, filled in from what is known, edited as a file.

The next tier reads it at 3 a.m. and should not have to ask the client the same questions again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from mspterm.domain.ages import age
from mspterm.domain.device import Device, DeviceDetail, Disk
from mspterm.domain.evidence import Evidence
from mspterm.domain.incident import verified_by
from mspterm.domain.route import is_route_note
from mspterm.domain.ticket import Note, TicketDetail

HEADINGS: dict[str, str] = {
    "what": "What happens",
    "tried": "What was tried",
    "hypothesis": "Hypothesis",
    "client_context": "Client context",
    "check_first": "Check first",
}
"""The five parts by their fields, in the order of the file."""

LOW_DISK = 0.10
"""A disk with less than this part free is worth a look."""

# Limits that keep a draft short enough to be read at night; what is cut says that it was.
_QUOTE_LIMIT = 600
_TRIED_LIMIT = 12
_FIELDS = {title.casefold(): name for name, title in HEADINGS.items()}
# People edit the file: any depth of #, blanks and a colon are taken.
_HEADING = re.compile(r"\s*#{1,6}\s*(.+?)\s*:?\s*#*\s*")


@dataclass(frozen=True, slots=True)
class Handoff:
    """What the next tier gets. Each part is text of any length; empty is "not said"."""

    what: str
    tried: str
    hypothesis: str
    client_context: str
    check_first: str

    def missing(self) -> tuple[str, ...]:
        """The headings of the parts that say nothing yet."""
        return tuple(title for name, title in HEADINGS.items() if not getattr(self, name).strip())


@dataclass(frozen=True, slots=True)
class HandoffError:
    """Why a text is no handoff, in a sentence."""

    sentence: str


def draft(
    detail: TicketDetail, device: DeviceDetail | None, now: datetime, evidence: Evidence | None = None
) -> Handoff:
    """A handoff with all that the console knows; the hypothesis is the technician's own."""
    known = evidence or Evidence()
    looked = list(_check(device, now)) if device else ["No RMM device is tied to this ticket."]
    return Handoff(
        what="\n".join([*_what(detail), *(["", *known.clocks] if known.clocks else [])]),
        tried="\n".join([*_tried(detail), *known.done]),
        hypothesis="",
        client_context="\n".join(
            [*_context(detail, known.open_at_client), *known.notices, *known.of_contact]
        ),
        check_first="\n".join([*looked, *known.of_device]),
    )


def too_thin(handoff: Handoff, parts: Iterable[str], least: int) -> str | None:
    """The sentence on which of the parts (by field) say less than `least` characters; None where none
    does. Blanks, and the marks of lists and quotes, say nothing."""
    short = [HEADINGS[name] for name in parts if len(_said(getattr(handoff, name))) < least]
    if not short:
        return None
    return (
        f"the handoff says too little under {' and '.join(short)}: at least {least} characters each, so that"
        " the next tier needn't ask the client again"
    )


def _said(text: str) -> str:
    return "".join(line.strip(" \t-*>") for line in text.splitlines())


def render(handoff: Handoff) -> str:
    """The file form: five headings with their text, which `parse` reads again."""
    parts = (f"## {title}\n\n{_safe(getattr(handoff, name))}".rstrip() for name, title in HEADINGS.items())
    return "\n\n".join(parts) + "\n"


def parse(text: str) -> Handoff | HandoffError:
    """Read an edited file: the headings in any order and case, missing ones empty."""
    parts: dict[str, list[str]] = {}
    current: str | None = None
    for line in text.replace("\r\n", "\n").split("\n"):
        name = _field(line)
        if name in parts:
            return HandoffError(f'the heading "{HEADINGS[name]}" is there twice; keep one of them')
        if name is not None:
            current, parts[name] = name, []
        elif current is not None:
            parts[current].append(line)
        elif line.strip():
            return HandoffError(
                f'the text before the first heading belongs nowhere; start with "## {HEADINGS["what"]}"'
            )
    if not any("".join(lines).strip() for lines in parts.values()):
        return HandoffError(f"the handoff says nothing; it has the headings {', '.join(HEADINGS.values())}")
    return Handoff(**{name: _text(parts.get(name, [])) for name in HEADINGS})


def _what(detail: TicketDetail) -> Iterator[str]:
    ticket = detail.ticket
    yield f"{ticket.summary} ({ticket.ref}, P{ticket.priority}, {ticket.status})"
    # Some PSAs keep the request as the first note and have no description.
    first = next((note.body for note in detail.notes if note.kind == "customer"), "")
    words = (detail.description or first).strip()
    if words:
        yield ""
        yield from _shortened(words).splitlines()


def _tried(detail: TicketDetail) -> Iterator[str]:
    kinds = ("internal", "co-managed", "resolution")
    notes = [note for note in detail.notes if note.kind in kinds and not _bookkeeping(note)]
    if len(notes) > _TRIED_LIMIT:
        yield f"(the last {_TRIED_LIMIT} of {len(notes)} notes)"
    yield from (_tried_line(note) for note in notes[-_TRIED_LIMIT:])


def _bookkeeping(note: Note) -> bool:
    """Earlier handoffs and calls tried nothing; they are on the ticket's path."""
    return is_route_note(note.body) or verified_by(note.body) is not None


def _tried_line(note: Note) -> str:
    first, *rest = _shortened(note.body.strip()).splitlines() or [""]
    spent = f", {note.minutes} min" if note.minutes else ""
    return "\n".join([f"- {_at(note.at)} {note.author}{spent}: {first}", *(f"  {line}" for line in rest)])


def _context(detail: TicketDetail, open_at_client: int | None) -> Iterator[str]:
    ticket = detail.ticket
    site = f", site {ticket.site}" if ticket.site else ""
    yield f"Client: {ticket.client or 'not known'}{site}"
    contact = ticket.contact
    if contact:
        reach = [*contact.phones, *([contact.email] if contact.email else [])]
        yield f"Contact: {contact.name}, {', '.join(reach) or 'no phone or mail known'}"
    else:
        yield "Contact: none on the ticket"
    yield f"Agreement: {ticket.agreement or 'not known'}"
    if open_at_client is not None:
        yield f"Other open tickets of this client: {open_at_client}"


def _check(detail: DeviceDetail, now: datetime) -> Iterator[str]:
    device = detail.device
    yield f"- {device.name}: {_state(device, now)} (as of {_at(device.observed_at)})"
    # The load of a device that is offline is an old reading, and would mislead.
    if device.online is not False and device.cpu_percent is not None and device.memory_percent is not None:
        yield f"- CPU {device.cpu_percent:.0f} %, memory {device.memory_percent:.0f} %"
    yield from (_disk_line(disk) for disk in device.disks if _worth_a_look(disk))
    if device.needs_reboot:
        yield "- a reboot is pending"
    if device.alerts_open:
        yield f"- {device.alerts_open} alerts of the RMM are open"
    if device.flags:
        yield f"- flags: {', '.join(device.flags)}"


def _state(device: Device, now: datetime) -> str:
    if device.online is None:
        return "the RMM doesn't say whether it is online"
    if device.online:
        return f"online, user logged on: {device.user}" if device.user else "online"
    seen = f", last seen {age((now - device.last_seen).total_seconds())} ago" if device.last_seen else ""
    return f"OFFLINE{seen}"


def _worth_a_look(disk: Disk) -> bool:
    low = disk.total_bytes and disk.free_bytes is not None and disk.free_bytes < disk.total_bytes * LOW_DISK
    return bool(low) or disk.health in ("warning", "failed")


def _disk_line(disk: Disk) -> str:
    name = disk.name.removesuffix(":")
    if not disk.total_bytes or disk.free_bytes is None:
        return f"- disk {name}: {disk.health}"
    free = 100 * disk.free_bytes / disk.total_bytes
    return f"- disk {name}: {free:.0f} % free of {disk.total_bytes / 1e9:.0f} GB, health {disk.health}"


def _at(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%MZ")


def _shortened(text: str) -> str:
    return text if len(text) <= _QUOTE_LIMIT else text[:_QUOTE_LIMIT].rstrip() + " [...]"


def _field(line: str) -> str | None:
    heading = _HEADING.fullmatch(line)
    return _FIELDS.get(" ".join(heading[1].casefold().split())) if heading else None


def _safe(text: str) -> str:
    """Lines that look like one of our headings (a client may write so) are set in, to stay text."""
    return "\n".join(f"> {line}" if _field(line) else line for line in text.split("\n"))


def _text(lines: list[str]) -> str:
    return "\n".join(lines).strip()
