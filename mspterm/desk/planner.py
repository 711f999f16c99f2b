"""From words typed in a dialog or on a command line to a plan; asks the server before it refuses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from mspterm.desk.directory import Directory
from mspterm.desk.plans.clearing import plan_cleared
from mspterm.desk.plans.creating import plan_new_ticket
from mspterm.desk.plans.escalating import plan_call, plan_escalate
from mspterm.desk.plans.gathering import plan_parent
from mspterm.desk.plans.on_devices import plan_command, plan_restart, plan_ssh_session, plan_terminal_session
from mspterm.desk.plans.updating import plan_claim, plan_fields, plan_record
from mspterm.desk.signing import under_a_name
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Plan

Maker = Callable[[Directory, Sequence[str], Wanted], Awaitable[Plan]]

_MAKERS: Mapping[str, Maker] = {
    "call": plan_call,
    "claim": plan_claim,
    "escalate": plan_escalate,
    "new": plan_new_ticket,
    "parent": plan_parent,
    "cleared": plan_cleared,
    "run": plan_command,
    "reboot": plan_restart,
    "ssh": plan_ssh_session,
    "terminal": plan_terminal_session,
}


class Planner(Directory):
    """Makes plans, each by its action's maker."""

    async def plan(self, action: str, refs: Sequence[str], wanted: Wanted) -> Plan:
        """The plan for one action of the table. Raises Failed with what is missing or unknown."""
        if action in ("incident", "verify"):
            return plan_record(self, action, refs, wanted)
        maker = _MAKERS.get(action)
        made = await (maker(self, refs, wanted) if maker else plan_fields(self, action, refs, wanted))
        return await under_a_name(self.desk, made)
