"""In what steps a disruptive plan goes over several devices: one alone, then five, then the rest."""

from __future__ import annotations

from mspterm.domain.action import Plan, Write
from mspterm.domain.reasons import Failure, Reason
from mspterm.domain.spec import Risk

# What goes wrong is seen on one device, then on six, before it is everywhere (security.md 2.4).
_SECOND = 5
FEW = 5
"""Devices for which a typed phrase that names their number stands for the look, where nobody can look."""


def batches(plan: Plan) -> tuple[tuple[Write, ...], ...]:
    """The plan's writes in its steps; a routine plan has one."""
    writes = plan.writes
    if plan.risk is Risk.ROUTINE:
        return (writes,)
    steps = (writes[:1], writes[1 : 1 + _SECOND], writes[1 + _SECOND :])
    return tuple(step for step in steps if step)


def unwatched(plan: Plan) -> Failure | None:
    """Why a plan is not begun where nobody can look between its batches."""
    count = len(plan.writes)
    if plan.risk is Risk.ROUTINE or count <= FEW:
        return None
    return Failure(
        Reason.REFUSED,
        f"{count} devices go one, then five, then the rest, with a look between, and there is no terminal to look"
        f" at; add --no-look to go on while all is done, or choose {FEW} at most",
    )


def stopped(plan: Plan, done: int) -> Failure:
    """Why the rest is not begun: who looked at what came of the first `done` writes did not go on."""
    names = ", ".join(target.name for target in plan.targets[:done])
    return Failure(Reason.REFUSED, f"not begun: it was stopped after a look at {names}")
