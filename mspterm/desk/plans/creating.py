"""The plan of a new ticket."""

from __future__ import annotations

from collections.abc import Sequence

from mspterm.desk.choosing import one_of
from mspterm.desk.directory import Directory
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import NewTicket, Plan
from mspterm.domain.planning import plan_new
from mspterm.domain.reasons import Reason, failed


async def plan_new_ticket(book: Directory, refs: Sequence[str], wanted: Wanted) -> Plan:
    name = wanted.connection or _only_psa(book)
    book.must(name, "new")
    choices = await book.choices(name)
    if not wanted.client or not wanted.summary:
        raise failed(Reason.REFUSED, "new: a client and a summary are needed (--client C --summary S).")
    connection = book.desk.connection(name)
    # The first that the config names is where new ones go; a PSA's own list may begin with anything.
    queue = wanted.queue or next(iter(connection.queues or connection.tiers), None)
    if queue is None and len(choices.queues) == 1:
        queue = choices.queues[0]
    if queue is None:
        raise failed(Reason.REFUSED, f"new: {name} needs a queue, one of: {', '.join(choices.queues)}.")
    queue = one_of(queue, choices.queues, "queue", name)
    client = one_of(_vendors(book, wanted.client, choices.clients), choices.clients, "client", name)
    owner = (await book.owner(name, wanted.owner))[0] if wanted.owner else None
    new = NewTicket(
        name, client, wanted.summary, wanted.text or "", wanted.contact,
        _device_of(book, name, wanted.device), queue, wanted.priority, wanted.type, wanted.parent, owner,
    )  # fmt: skip
    return plan_new(new, meets=book.desk.manifest(name).meets.get("new"))


def _vendors(book: Directory, wanted: str, known: Sequence[str]) -> str:
    """The connection's own name for a client that was given by the config's name."""
    folded = wanted.casefold()
    found = next((c for n, c in book.desk.config.clients.items() if n.casefold() == folded), None)
    names = () if found is None else tuple(m.rpartition(":")[2].casefold() for m in found.match)
    return next((k for k in known if k.casefold() in names), wanted)


def _device_of(book: Directory, name: str, device: str | None) -> str | None:
    """The PSA's asset for a device given by ref or name; the vendor links assets, not devices."""
    if device is None:
        return None
    store = book.desk.store
    # From the surest to the least: by name alone the client next door may have one too.
    found = [a for a in store.devices.assets() if a.connection == name and device in (a.ref, a.id)]
    found = found or [a for a in store.devices.assets_of(device) if a.connection == name]
    wanted = device.casefold()
    found = found or [
        a for a in store.devices.assets() if a.connection == name and a.name.casefold() == wanted
    ]
    # Never a guess between two: a ticket on the wrong machine sends the next technician there.
    if len(found) != 1:
        what = "no asset" if not found else f"{len(found)} assets"
        raise failed(Reason.NOT_FOUND, f"{name} knows {what} called {device}.")
    return found[0].ref


def _only_psa(book: Directory) -> str:
    names = book.desk.serving("psa")
    if len(names) != 1:
        which = ", ".join(names) or "none is configured"
        raise failed(Reason.REFUSED, f"new: say which connection (--connection N): {which}.")
    return names[0]
