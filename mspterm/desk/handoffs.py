"""A handoff from a file, or drafted from what the desk knows: the store, the journal, the client's facts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from mspterm.desk.desk import Desk, split_ref
from mspterm.desk.journal.files import Files
from mspterm.domain.device import DeviceDetail
from mspterm.domain.evidence import (
    LOOK_BACK,
    Done,
    Evidence,
    clock_lines,
    done_lines,
    notice_lines,
    ticket_lines,
)
from mspterm.domain.handoff import Handoff, draft, parse, render
from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.domain.text import SafeText, clean
from mspterm.domain.ticket import Ticket, TicketDetail

_ON_DEVICES = ("run", "reboot", "ssh", "terminal")
"""Actions that tell what was tried; texts stand in the conversation already."""

# A dialog opens on this: years of journal are not read for it, nor a page of commands handed on.
_MOST_RECORDS, _MOST_DONE = 5000, 12


def from_text(text: str) -> str:
    """The five parts in their usual form. Raises Failed saying which are missing."""
    found = parse(text)
    if isinstance(found, Handoff):
        return render(found)
    raise failed(Reason.REFUSED, f"The handoff can't be used: {found.sentence}.")


async def drafted(desk: Desk, ref: str) -> str:
    """What happens, was tried, is suspected, the client's context and what to check first: the device
    as its RMM says now, or as last known where that is away."""
    return _rendered(desk, ref, await _device_now(desk, ref))


def drafted_from_store(desk: Desk, ref: str) -> str:
    """The same by what is known already, for a dialog that opens at once."""
    device = next(iter(_devices(desk, ref)), None)
    return _rendered(desk, ref, device)


def evidence_of(desk: Desk, ticket: Ticket) -> Evidence:
    """What the desk knows beside the ticket's own conversation."""
    store, now = desk.store, desk.now()
    devices, contact = list(_devices(desk, ticket.ref)), ticket.contact
    of_contact = store.tickets.recent("contact", contact.name, but=ticket.ref, limit=20) if contact else []
    of_device = [
        line
        for known in devices
        for line in ticket_lines(
            f"Last 14 days of {known.device.name}:",
            store.tickets.of_device(known.device.ref, but=ticket.ref, limit=20),
            now,
        )
    ]
    return Evidence(
        clocks=clock_lines(ticket, now),
        done=done_lines(reversed(list(_done(desk, ticket, [known.device.ref for known in devices], now)))),
        notices=notice_lines(desk.clockwork.facts(ticket), ticket.service_line),
        of_contact=ticket_lines(f"Last 14 days of {contact.name}:", of_contact, now) if contact else (),
        of_device=tuple(of_device),
        open_at_client=store.tickets.count_others(ticket.client, but=ticket.ref) if ticket.client else None,
    )


def _rendered(desk: Desk, ref: str, device: DeviceDetail | None) -> str:
    known = desk.store.tickets.get(ref)
    assert known is not None
    detail = desk.store.tickets.detail(ref) or TicketDetail(known, SafeText(""))
    return render(draft(detail, device, desk.now(), evidence_of(desk, known)))


def _devices(desk: Desk, ref: str) -> Iterator[DeviceDetail]:
    for device_ref in desk.store.tickets.device_refs(ref).get(ref, ()):
        device = desk.store.devices.get(device_ref)
        if device is not None:
            yield DeviceDetail(device)


async def _device_now(desk: Desk, ref: str) -> DeviceDetail | None:
    known = next(iter(_devices(desk, ref)), None)
    if known is None:
        return None
    try:
        connector = await desk.connector(known.device.connection)
        return await connector.device(split_ref(known.device.ref)[1])
    except Failed:
        return known


def _done(desk: Desk, ticket: Ticket, devices: Sequence[str], now: datetime) -> Iterator[Done]:
    """What was done on the ticket's devices, or for it, by this host's journal: the latest first."""
    wanted, since, found = {ticket.ref, *devices}, now - LOOK_BACK, 0
    for _, raw in islice(Files(desk.state_dir / "journal").backwards(), _MOST_RECORDS):
        try:
            record = json.loads(raw)
            done = _done_by(desk, record)
            tells = record["action"] in _ON_DEVICES and record["state"] != "intent"
            about = wanted & set(record["refs"])
        except (ValueError, KeyError, TypeError, IndexError):
            continue  # `audit verify` tells of a record that can't be read
        # From the latest backwards, so what follows is older still.
        if done.at < since or found == _MOST_DONE:
            return
        if tells and about:
            found += 1
            yield done


def _done_by(desk: Desk, record: Mapping[str, Any]) -> Done:
    ref = record["refs"][0] if record["refs"] else ""
    device = desk.store.devices.get(ref)
    # The journal is a file that somebody may have written into: hostile text like a vendor's.
    who = clean(record["technician"] or record["identity"] or "?")
    at = datetime.fromisoformat(record["at"])
    return Done(at, who, record["action"], device.name if device else clean(ref), clean(record["state"]))
