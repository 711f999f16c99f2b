"""What lifts a freeze or a cap, as options of a verb, and how batches go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from mspterm.cli.output import say
from mspterm.desk.desk import Desk
from mspterm.domain.action import Emergency, Plan
from mspterm.domain.approval import Approval
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.text import clean

F = TypeVar("F", bound=Callable[..., Any])

_A_FILE = click.Path(dir_okay=False, path_type=Path)
_OPTIONS = (
    click.option("--emergency", help="Why this can't wait for the end of a change freeze."),
    click.option("--approver", help="Who at the client approved that."),
    click.option(
        "--plan-out", type=_A_FILE, help="Write the plan there for a second person; change nothing."
    ),
    click.option("--approval", type=_A_FILE, help="The plan as a second person signed it, above the caps."),
    click.option("--break-glass", help="Why it goes above the caps with nobody awake; a review follows."),
)

no_look_option = click.option(
    "--no-look", is_flag=True, help="Without a terminal: go on from batch to batch while all is done."
)


def lifted(verb: F) -> F:
    """The options of disruptive work that lift a freeze or a cap."""
    # click shows first what is applied last.
    for option in reversed(_OPTIONS):
        verb = option(verb)
    return verb


@dataclass(frozen=True, slots=True)
class Lifts:
    """What the options said."""

    emergency: str | None = None
    approver: str | None = None
    plan_out: Path | None = None
    approval: Path | None = None
    break_glass: str | None = None

    def claimed(self, plan: Plan) -> Plan:
        """The plan with what is claimed for it. Raises Failed where a reason or who approved is missing."""
        broken = self.break_glass
        if broken is not None and not _line(broken):
            raise failed(Reason.REFUSED, "--break-glass needs a REASON, which the journal keeps.")
        # A part of the plan: hash and signature cover what is claimed for it, too.
        return replace(
            plan, emergency=self._emergency(), break_glass=None if broken is None else _line(broken)
        )

    def _emergency(self) -> Emergency | None:
        if self.emergency is None and self.approver is None:
            return None
        why, who = _line(self.emergency), _line(self.approver)
        if not why or not who:
            raise failed(Reason.REFUSED, "An emergency needs both --emergency REASON and --approver WHO.")
        return Emergency(why, who)

    def signed(self) -> Approval | None:
        """Raises Failed where the file holds no signed plan."""
        if self.approval is None:
            return None
        from mspterm.desk.plan_file import read_approval

        return read_approval(self.approval)

    def write_out(self, desk: Desk, plan: Plan) -> bool:
        """Whether the plan was only to be written out. Raises Failed where it can't be."""
        file = self.plan_out
        if file is None:
            return False
        from mspterm.desk.approving import requester
        from mspterm.desk.plan_file import request_of, write

        write(file, request_of(plan, requester(desk), desk.now()))
        say(f"{file}: a second technician signs it with `mspterm approve {file}`.", err=True)
        return True


def _line(text: str | None) -> str:
    # One line: a line feed in a reason could pass for a line of ours, in the plan that another signs.
    return clean(" ".join((text or "").split()))
