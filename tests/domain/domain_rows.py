"""Tickets, rows and devices to test with, told by what matters in a test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from mspterm.domain.device import Asset, Device
from mspterm.domain.order import row_of
from mspterm.domain.row import ClockState, StatusClass, TicketRow
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Clock, Sla, Ticket

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def clock(hours: float | None, state: ClockState = ClockState.RUNNING) -> Clock:
    """A clock due in `hours` from NOW."""
    due = None if hours is None else NOW + timedelta(hours=hours)
    return Clock(state=state, due=due, source="psa")


def ticket(
    ident: str = "1", *, connection: str = "rt", resolution: Clock | None = None, **more: Any
) -> Ticket:
    """A ticket of `connection`, created two hours ago, open, P3, without a clock unless given."""
    values: dict[str, Any] = {
        "number": ident,
        "summary": SafeText(f"Ticket {ident}"),
        "status": SafeText("open"),
        "status_class": StatusClass.OPEN,
        "created_at": NOW - timedelta(hours=2),
        "updated_at": NOW - timedelta(hours=1),
        "observed_at": NOW,
        "priority": 3,
    }
    if resolution is not None:
        values["sla"] = Sla(resolution=resolution)
    return Ticket(ref=f"{connection}:{ident}", connection=connection, id=ident, **(values | more))


def row(
    ident: str = "1", *, device: str | None = None, pending: int = 0, revision: int = 1, **more: Any
) -> TicketRow:
    names = [device] if device else []
    return row_of(ticket(ident, **more), device_names=names, pending=pending, revision=revision)


def device(ident: str = "d1", name: str = "HVD-DC01", *, connection: str = "mesh", **more: Any) -> Device:
    more.setdefault("observed_at", NOW)
    return Device(ref=f"{connection}:{ident}", connection=connection, id=ident, name=SafeText(name), **more)


def asset(ident: str = "a1", name: str = "HVD-DC01", *, connection: str = "rt", **more: Any) -> Asset:
    return Asset(ref=f"{connection}:{ident}", connection=connection, id=ident, name=SafeText(name), **more)
