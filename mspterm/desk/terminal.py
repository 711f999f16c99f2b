"""The terminal that an RMM gives of its devices: which it is, and what is confirmed before it opens."""

from __future__ import annotations

from mspterm.connectors.base import HasTerminal
from mspterm.desk.desk import Desk
from mspterm.domain.action import OpenSession, Plan
from mspterm.domain.device import Device
from mspterm.domain.planning import device_target
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.spec import Risk

_AS = {"system": "as system", "user": "as the user logged on"}


def plan_terminal(
    desk: Desk, device: Device, client: str | None, ticket: str | None, *, shell: str, run_as: str
) -> Plan:
    """Raises Failed where its RMM has no terminal; the sentence then says where the device's page is."""
    # By the manifest, which needs no credential: a plan only shows what would be done.
    able = desk.manifest(device.connection).able("terminal")
    if not able.possible:
        page = f" Its own page is {device.url}" if device.url else ""
        raise failed(Reason.REFUSED, f"{device.connection}: {able.reason}.{page}", device.connection)
    where = f"{device.connection}'s terminal"
    write = OpenSession(device.ref, "terminal", where, ticket, shell, run_as)
    lines = [f"{device.name} ({client or 'no client'}): {where}, shell {shell}, {_AS[run_as]}"]
    if ticket:
        lines.append(f"  for {ticket}")
    return Plan("terminal", Risk.DISRUPTIVE, (write,), (device_target(device, client),), tuple(lines))


async def with_terminal(desk: Desk, name: str) -> HasTerminal:
    """The connection's connector. Raises Failed where it has no terminal."""
    connector = await desk.connector(name)
    if not isinstance(connector, HasTerminal):
        raise failed(Reason.REFUSED, f"{name} has no terminal for its devices.", name)
    return connector
