"""Tickets and devices for tests of what is stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from mspterm.domain.device import Asset, Device
from mspterm.domain.row import ClockState, StatusClass
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Clock, Sla, Ticket

NOW = datetime(2026, 11, 24, 2, 10, tzinfo=UTC)


def ticket(number: int, **fields: Any) -> Ticket:
    due = fields.pop("due", NOW + timedelta(hours=number))
    defaults: dict[str, Any] = {
        "ref": f"rt:{number}",
        "connection": "rt",
        "id": str(number),
        "number": str(number),
        "summary": SafeText(f"Ticket {number}"),
        "status": SafeText("open"),
        "status_class": StatusClass.OPEN,
        "created_at": NOW - timedelta(hours=1),
        "updated_at": NOW - timedelta(minutes=5),
        "observed_at": NOW,
        "sla": Sla(resolution=Clock(ClockState.RUNNING, due, "psa")),
    }
    return Ticket(**(defaults | fields))


def device(name: str, **fields: Any) -> Device:
    defaults: dict[str, Any] = {
        "ref": f"mesh:{name}",
        "connection": "mesh",
        "id": name,
        "name": SafeText(name),
        "observed_at": NOW,
        "online": True,
    }
    return Device(**(defaults | fields))


def asset(number: int, name: str, **fields: Any) -> Asset:
    defaults: dict[str, Any] = {
        "ref": f"rt:asset:{number}",
        "connection": "rt",
        "id": str(number),
        "name": SafeText(name),
    }
    return Asset(**(defaults | fields))
