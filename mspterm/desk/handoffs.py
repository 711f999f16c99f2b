"""A handoff from a file, or drafted from what the desk knows."""

from __future__ import annotations

from mspterm.desk.desk import Desk, split_ref
from mspterm.domain.device import DeviceDetail
from mspterm.domain.handoff import Handoff, draft, parse, render
from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.domain.ticket import TicketDetail


def from_text(text: str) -> str:
    """The five parts in their usual form. Raises Failed saying which are missing."""
    found = parse(text)
    if isinstance(found, Handoff):
        return render(found)
    raise failed(Reason.REFUSED, f"The handoff can't be used: {found}")


async def drafted(desk: Desk, ref: str) -> str:
    """What happens, was tried, is suspected, the client's context and what to check first, as known."""
    known = desk.store.tickets.get(ref)
    detail = desk.store.tickets.detail(ref)
    if detail is None:
        assert known is not None
        detail = TicketDetail(known, known.summary)
    return render(draft(detail, await _device(desk, ref), desk.now()))


async def _device(desk: Desk, ref: str) -> DeviceDetail | None:
    for device_ref in desk.store.tickets.device_refs().get(ref, ()):
        device = desk.store.devices.get(device_ref)
        if device is None:
            continue
        try:
            return await (await desk.connector(device.connection)).device(split_ref(device_ref)[1])
        except Failed:
            return DeviceDetail(device)
    return None
