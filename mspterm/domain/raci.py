"""Whose field an action is in, by the RACI rows of a co-managed client: theirs is not touched unasked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from mspterm.domain.action import OpenSession, Plan, Reboot, RunCommand
from mspterm.domain.folding import fold
from mspterm.domain.guard_context import GuardContext, refused
from mspterm.domain.reasons import Failure

US = frozenset({"us", "we", "ours", "msp", "the msp"})
"""Words for ourselves in a row; names of the desk's people are ours too."""

# A kind that isn't here is in nobody's field: a guess would stop work without a row that says so.
_FIELDS: Mapping[str, str] = {
    "network": "network",
    "server": "infrastructure",
    "hypervisor": "infrastructure",
    "workstation": "end-user",
    "mobile": "end-user",
}


def fields_of(device_kind: str, service_line: str | None) -> tuple[str, ...]:
    """The service lines that work on a device is in: the ticket's it is for, then the device's own."""
    found = (service_line, _FIELDS.get(device_kind))
    return tuple(dict.fromkeys(line for line in found if line is not None))


def theirs(raci: Mapping[str, Mapping[str, str]], fields: Iterable[str], ours: Collection[str]) -> str | None:
    """Whom to ask before an action in these service lines; None where they are ours or nobody has said."""
    us = US | {fold(name) for name in ours}
    for line in fields:
        roles = raci.get(line, {})
        who = roles.get("responsible")
        if who is not None and fold(who) not in us:
            # Whose yes counts: the approver's, else theirs who answer for it, else theirs who do it.
            ask = roles.get("approver") or roles.get("accountable") or who
            return f"{who} owns {line} (RACI): ask {ask} first"
    return None


def field_lines(plan: Plan, ctx: GuardContext) -> Iterator[str]:
    """What the person confirms of fields that are the client's, with whose word it goes on all the same."""
    for why in dict.fromkeys(ctx.owned[w.ref] for w in plan.writes if w.ref in ctx.owned):
        yield f"field: {why}; {plan.emergency or 'nobody is said to have agreed'}"


def not_ours(plan: Plan, ctx: GuardContext) -> Failure | None:
    """The guard's rule: an action on a device in the client's own field needs their word."""
    for write in plan.writes:
        why = ctx.owned.get(write.ref) if isinstance(write, RunCommand | Reboot | OpenSession) else None
        if why is not None and plan.emergency is None:
            name = next((t.name for t in plan.targets if t.ref == write.ref), write.ref)
            return refused(
                f"{name}: {why}; with their OK go on as an emergency, with a reason and who gave it"
                " (--emergency REASON --approver WHO)"
            )
    return None
