"""The circumstances of a plan, from the config's client facts and the client that was entered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from mspterm.config.model import Client
from mspterm.desk.desk import Desk, split_ref
from mspterm.domain.action import Plan
from mspterm.domain.circumstances import Circumstances, Entry, freeze_on, window_now


def circumstances(desk: Desk, plan: Plan) -> Circumstances:
    now = desk.now()
    clients = {t.ref: desk.canonical(t.client, split_ref(t.ref)[0]) for t in plan.targets}
    facts = [f for name in set(clients.values()) if name and (f := desk.config.clients.get(name))]
    hours = desk.clockwork.hours
    return Circumstances(
        clients,
        desk.must_enter,
        desk.entry,
        now,
        {f.name: why for f in facts if (why := _freeze(f, now))},
        {f.name: window_now(f.windows, hours.get(f.windows), now) for f in facts if f.windows},
    )


def enter(desk: Desk, client: str | None) -> Entry:
    """Enters a client, in place of the one before, for the time that `[guard]` gives."""
    until = desk.now() + timedelta(minutes=desk.config.guard.enter_minutes)
    desk.entry = Entry(client, until)
    return desk.entry


def _freeze(client: Client, now: datetime) -> str | None:
    # What can't be read may hold a freeze, so doubt stops the same work as one.
    if client.doubt:
        return f"whether it is in a change freeze can't be read ({client.doubt})"
    # A freeze is written in the client's own days: by UTC it would begin and end at the wrong hour.
    zone = ZoneInfo(client.zone) if client.zone else UTC
    return freeze_on(now.astimezone(zone).date(), client.freezes)
