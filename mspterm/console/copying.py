"""The copy key: what can be copied of what is shown, to the clipboard or as plain text to select."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from textual.screen import Screen

from mspterm.console.clipboard import copy
from mspterm.console.line_view import LineView
from mspterm.console.main_screen import MainScreen
from mspterm.console.palette import Choice, Palette
from mspterm.console.remote import lent
from mspterm.console.targets import shown_refs
from mspterm.domain.device import Asset, Device
from mspterm.domain.reasons import Failed
from mspterm.domain.ticket import Ticket, TicketDetail
from mspterm.store.store import Store

if TYPE_CHECKING:
    from mspterm.console.app import MsptermApp

_BACK = "[Enter goes back to mspterm]"
_PLAIN = "plain"
_SHOWN = 40


class Part(NamedTuple):
    """Something to copy, under its title."""

    title: str
    text: str


def parts(store: Store, refs: Sequence[str]) -> list[Part]:
    """What there is to copy of these tickets, or of the one device, what is wanted most first."""
    tickets = [ticket for ref in refs if (ticket := store.tickets.get(ref)) is not None]
    if len(tickets) > 1:
        found = [
            Part(f"{len(tickets)} tickets with addresses", "\n".join(map(_headline, tickets))),
            Part("References", " ".join(t.ref for t in tickets)),
        ]
    elif tickets:
        found = [*_of_ticket(tickets[0], store.tickets.detail(tickets[0].ref))]
    else:
        devices = (store.devices.get(ref) or store.devices.asset(ref) for ref in refs)
        found = [part for device in devices if device is not None for part in _of_device(device)]
    # Empty ones go: the first choice is taken by Enter, and it must hold something.
    return [part for part in found if part.text]


def _headline(ticket: Ticket) -> str:
    return f"#{ticket.number} {ticket.summary}" + (f"\n{ticket.url}" if ticket.url else "")


def _of_ticket(ticket: Ticket, detail: TicketDetail | None) -> Iterable[Part]:
    yield Part("Number, summary, address", _headline(ticket))
    yield Part("Address", ticket.url or "")
    yield Part("Reference", ticket.ref)
    yield Part("Summary", ticket.summary)
    yield Part("Client", ticket.client or "")
    if ticket.contact is not None:
        yield Part("Contact", " ".join((ticket.contact.name, *ticket.contact.phones)))
    if detail is not None:
        yield Part("Description", detail.description)
        spoken = [note for note in detail.notes if note.kind != "system"]
        if spoken:
            yield Part(f"Last note, by {spoken[-1].author}", spoken[-1].body)


def _of_device(device: Device | Asset) -> Iterable[Part]:
    yield Part("Name", device.name)
    if isinstance(device, Device):
        yield Part("Addresses", " ".join(device.ips))
        yield Part("User", device.user or "")
        yield Part("Serial number", device.serial or "")
    yield Part("Reference", device.ref)


def text_of(screen: Screen[Any]) -> str:
    """The lines of the screen's text, without what surrounds it."""
    rows = [
        "".join(s.text for s in line.spans).rstrip() for v in screen.query(LineView) for line in v.prepared
    ]
    return "\n".join(rows).strip("\n")


async def choose(app: MsptermApp) -> None:
    """Ask what is to be copied, and copy it; a text that is too long is shown instead."""
    screen = app.screen
    found = parts(app.session.store, shown_refs(screen))
    whole = text_of(screen) or "\n\n".join(part.text for part in found)
    choices = [Choice(str(n), part.title, _glance(part.text)) for n, part in enumerate(found)]
    if not isinstance(screen, MainScreen):
        found.append(Part("All of this text", whole))
        choices.append(Choice(str(len(choices)), found[-1].title, f"{len(whole.splitlines())} lines"))
    choices.append(Choice(_PLAIN, "Show it plain", "without borders, to select with the mouse"))
    chosen = await app.push_screen_wait(Palette("Copy", choices))
    if chosen == _PLAIN:
        await show_plain(app, whole)
    elif chosen is not None:
        await _copied(app, found[int(chosen)])


async def _copied(app: MsptermApp, part: Part) -> None:
    try:
        where = await copy(part.text, app.write_sequence)
    except Failed as error:
        app.tell(f"{error.failure.sentence} It is shown instead.", "warning")
        await show_plain(app, part.text)
        return
    app.tell(f"{part.title}: sent to {where}.")


def _glance(text: str) -> str:
    first = " ".join(text.split())
    return first if len(first) <= _SHOWN else f"{first[: _SHOWN - 1]}…"


async def show_plain(app: MsptermApp, text: str, ask: Callable[[str], object] | None = None) -> None:
    """The text in the terminal as it is without the console: it wraps long lines itself, so that an
    address is selected in one piece. The console is back after Enter; it goes on meanwhile."""
    with lent(app):
        # In a thread, as feeds, clocks and the outbox go on while somebody selects.
        await asyncio.to_thread(ask or _ask, f"\n{text}\n\n{_BACK} ")


def _ask(prompt: str) -> None:
    sys.stdout.write(prompt)
    sys.stdout.flush()
    sys.stdin.readline()
