"""One ticket or one device, asked of its server now and kept as the last that is known of it."""

from __future__ import annotations

import logging
from functools import partial

from mspterm.desk.desk import Desk, split_ref
from mspterm.desk.incidents import seen
from mspterm.domain.device import DeviceDetail
from mspterm.domain.reasons import Failed, Reason
from mspterm.domain.ticket import TicketDetail
from mspterm.store.store import StoreError

log = logging.getLogger(__name__)


async def ticket_now(desk: Desk, ref: str) -> TicketDetail:
    """The ticket with its conversation, its client under the name that `[clients]` gives it.

    Raises Failed with the reason where the server doesn't give it; the store then stays as it is.
    """
    name, id_ = split_ref(ref)
    try:
        found = await (await desk.connector(name)).ticket(id_)
    except Failed as error:
        # No other failure says anything of the ticket: what is known of it stays in the queue.
        if error.failure.reason is Reason.NOT_FOUND:
            desk.store.tickets.gone([ref])
        raise
    kept = desk.keeps_bodies(found.ticket)
    keep = desk.store.tickets.put_detail if kept else desk.store.tickets.hold_detail
    try:
        keep(found, finish=partial(desk.finished, detail=found))
    except StoreError as error:
        # A full disk is no reason not to show what the server says.
        log.error("%s can't be stored: %s", ref, error)
        return found
    seen(desk, found)
    # As it was stored: with clocks, its client's one name and what was known of it before.
    return desk.store.tickets.detail(ref) or found


async def device_now(desk: Desk, ref: str) -> DeviceDetail:
    """The device with all that its RMM gives. Raises Failed as `ticket_now` does."""
    name, id_ = split_ref(ref)
    detail = await (await desk.connector(name)).device(id_)
    desk.store.devices.upsert([detail.device])
    return detail
