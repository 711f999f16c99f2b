"""A state directory as a busy desk leaves it, and a configuration whose servers don't answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.made_up import CLIENTS, TEXTS
from mspterm.domain.device import Device
from mspterm.domain.row import ClockState, StatusClass
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Clock, Sla, Ticket
from mspterm.store.store import Store

# The discard port of loopback: refused at once, so that nothing but the stored is shown.
_CONFIG = """\
[connections.rt]
kind = "rt"
url = "http://127.0.0.1:9"
"""


def fill(folder: Path, tickets: int, devices: int = 0) -> dict[str, str]:
    """Fill `folder/state`; the environment with which mspterm shows it."""
    state, config = folder / "state", folder / "config.toml"
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    config.write_text(_CONFIG)
    now = datetime.now(UTC).replace(microsecond=0)
    store = Store(state)
    store.tickets.upsert(_ticket(number, now) for number in range(1, tickets + 1))
    if devices:
        store.devices.upsert(_device(number, now) for number in range(devices))
    store.close()
    return {
        "MSPTERM_CONFIG": str(config),
        "MSPTERM_STATE_DIR": str(state),
        "MSPTERM_SECRET_RT_TOKEN": "made-up",
    }


def _ticket(number: int, now: datetime) -> Ticket:
    # On whole minutes, as people and PSAs set them.
    due = now.replace(second=0) + timedelta(hours=2, minutes=number)
    return Ticket(
        ref=f"rt:{number}",
        connection="rt",
        id=str(number),
        number=str(number),
        summary=SafeText(f"{TEXTS[number % len(TEXTS)]} (#{number})"),
        status=SafeText("open"),
        status_class=StatusClass.NEW if number % 5 == 0 else StatusClass.OPEN,
        created_at=now - timedelta(days=1, seconds=number),
        updated_at=now - timedelta(hours=2, seconds=number),
        observed_at=now,
        client=SafeText(CLIENTS[number % len(CLIENTS)]),
        priority=1 + number % 4,
        queue=SafeText("Service Desk"),
        tier="L1",
        assignee=SafeText("Ines Duarte") if number % 3 else None,
        assignee_id="ines" if number % 3 else None,
        sla=Sla(resolution=Clock(ClockState.RUNNING, due, "psa")),
    )


def _device(number: int, now: datetime) -> Device:
    name = SafeText(f"HVD-WS{number:05}")
    return Device(
        ref=f"mesh:{number}",
        connection="mesh",
        id=str(number),
        name=name,
        observed_at=now,
        client=SafeText(CLIENTS[number % len(CLIENTS)]),
        kind="workstation",
        os=SafeText("Windows 11 Pro"),
        online=number % 9 != 0,
        ips=(f"10.1.{number // 250 % 250}.{number % 250}",),
    )
