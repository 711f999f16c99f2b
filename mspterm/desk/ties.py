"""The ties of alerts to their tickets, kept for all of this user's processes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from mspterm.desk.clockwork import Clockwork
from mspterm.desk.desk import Desk
from mspterm.domain.device import Alert, Device
from mspterm.domain.storms import Sign, quieted, sign_reader
from mspterm.domain.ticket import Ticket
from mspterm.domain.ties import Tie, opened
from mspterm.store.store import Store

_KEY = "alerts:ties"
TELLING = ("cleared", "on clear")
"""The actions that tell a ticket of its cleared alert."""
KEPT = timedelta(days=1)
"""How long a ticket says that its alert has cleared."""


def ties(store: Store) -> Mapping[str, Tie]:
    """By the alert's ref."""
    return {row[0]: _tie(row) for row in json.loads(store.database.get(_KEY) or "[]")}


def of_tickets(store: Store) -> Mapping[str, Sequence[Tie]]:
    """By the ticket's ref, the oldest first."""
    found: dict[str, list[Tie]] = {}
    for tie in sorted(ties(store).values(), key=lambda t: t.raised_at):
        found.setdefault(tie.ticket, []).append(tie)
    return found


def keep(store: Store, found: Mapping[str, Tie]) -> None:
    """In place of all there are: call inside the `write()` in which they were read."""
    rows = [
        [t.alert, t.ticket, t.message, t.raised_at.isoformat(), _text(t.cleared_at), t.told, t.quiet]
        for t in found.values()
    ]
    text = json.dumps(rows)
    # Each write of the store wakes every console on the host, and most polls change no tie.
    if text != store.database.get(_KEY):
        store.database.put(_KEY, text)


def renew(store: Store, clockwork: Clockwork, connection: str, now: datetime) -> Mapping[str, Tie]:
    """All ties, those of one RMM connection brought in step with its alerts as they were just read."""
    # In one transaction: what another process keeps between a look and the writing would be lost.
    with store.database.write():
        found = _renewed(store, clockwork, connection, now)
        keep(store, found)
    return found


def _renewed(store: Store, clockwork: Clockwork, connection: str, now: datetime) -> Mapping[str, Tie]:
    on = {a.ref: a for a in store.devices.alerts() if a.connection == connection and a.cleared_at is None}
    known = dict(ties(store))
    found = {ref: t for ref, t in known.items() if not _of(ref, connection)}
    for ref, tie in known.items():
        if _of(ref, connection) and ref not in on and now - (tie.cleared_at or now) < KEPT:
            found[ref] = _gone(store, tie, now)
    read = _Reader(store, clockwork)
    # Most alerts are of devices without a ticket: those cost nothing.
    with_ticket = {device for devices in store.tickets.device_refs().values() for device in devices}
    for ref, alert in on.items():
        before, device = known.get(ref), alert.device_ref
        # Once tied it stays so: the nearest ticket may be another by now.
        ticket = before.ticket if before else read.ticket_of(alert) if device in with_ticket else None
        if ticket is not None:
            quiet = quieted(store.devices.get(alert.device_ref or ""), now)
            found[ref] = Tie(ref, ticket, alert.message, alert.raised_at, None, False, quiet)
    return found


def open_alerts(desk: Desk) -> list[Alert]:
    """The alerts that are on, each with the ticket that it opened."""
    store = desk.store
    alerts = [a for a in store.devices.alerts() if a.cleared_at is None]
    for name in desk.serving("rmm"):
        renew(store, desk.clockwork, name, desk.now())
    tied = ties(store)
    return [replace(a, ticket_ref=tied[a.ref].ticket) if a.ref in tied else a for a in alerts]


def severity(desk: Desk, alert: Alert) -> str:
    """How grave it is, and whether it counts: its device may be in maintenance."""
    quiet = quieted(desk.store.devices.get(alert.device_ref or ""), desk.now())
    return f"{alert.severity} (quiet)" if quiet else alert.severity


def _gone(store: Store, tie: Tie, now: datetime) -> Tie:
    """The tie of an alert that isn't on; told once a write of ours about it has arrived."""
    at = tie.cleared_at or now
    sent = store.intents.confirmed_since(tie.ticket, at)
    told = tie.told or any(i.action in TELLING for i in sent)
    return replace(tie, cleared_at=at, told=told, quiet=None)


class _Reader:
    """Alerts and the tickets of their devices, as signs of a cause."""

    def __init__(self, store: Store, clockwork: Clockwork) -> None:
        self._store, self._devices = store, dict[str, Device]()
        of_ticket, of_alert = sign_reader(self._devices, clockwork.storms, clockwork.carriers())
        self._of_ticket: Callable[[Ticket, Sequence[str]], Sign] = of_ticket
        self._of_alert: Callable[[Alert], Sign] = of_alert

    def ticket_of(self, alert: Alert) -> str | None:
        device = self._store.devices.get(alert.device_ref or "")
        if device is None:
            return None
        # The readers hold this very mapping: it is filled with the few that are asked, not all 20,000.
        self._devices[device.ref] = device
        refs = self._store.devices.tickets_of(device.ref)
        tickets = [t for t in map(self._store.tickets.get, refs) if t is not None]
        return opened(self._of_alert(alert), (self._of_ticket(t, (device.ref,)) for t in tickets))


def _of(alert: str, connection: str) -> bool:
    return alert.startswith(f"{connection}:")


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _tie(row: Sequence[object]) -> Tie:
    alert, ticket, message, raised, cleared, told, quiet = row
    return Tie(
        str(alert),
        str(ticket),
        str(message),
        datetime.fromisoformat(str(raised)),
        None if cleared is None else datetime.fromisoformat(str(cleared)),
        bool(told),
        None if quiet is None else str(quiet),
    )
