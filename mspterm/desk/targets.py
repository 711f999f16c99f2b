"""A plan's targets as they are known now, by which the guard sees that one is another by then."""

from __future__ import annotations

from collections.abc import Mapping

from mspterm.desk.desk import Desk
from mspterm.domain.action import Plan, Target
from mspterm.domain.planning import device_target


def as_known(desk: Desk, plan: Plan) -> Mapping[str, Target]:
    """Those that are known at all, by ref."""
    found = (_known(desk, target.ref) for target in plan.targets)
    return {target.ref: target for target in found if target is not None}


def _known(desk: Desk, ref: str) -> Target | None:
    device = desk.store.devices.get(ref)
    if device is not None:
        return device_target(device, device.client or desk.store.devices.client_names().get(ref))
    row = desk.store.tickets.row(ref)
    return None if row is None else Target(ref, f"#{row.number} {row.summary}", row.client)
