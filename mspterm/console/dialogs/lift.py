"""What lifts a freeze or a cap, asked of the person: an emergency, a second person's file, broken glass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from textual.app import App

from mspterm.config.paths import private_dir
from mspterm.console.dialogs.fields import Offer
from mspterm.console.dialogs.form import Form, FormDialog
from mspterm.desk import plan_file
from mspterm.desk.approving import requester
from mspterm.desk.desk import Desk
from mspterm.domain.action import Emergency, Lift, Plan
from mspterm.domain.approval import Approval
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.spec import Param, Values
from mspterm.domain.text import clean

_EMERGENCY = (
    Param("reason", "Why now", "line", required=True),
    Param("approver", "Approved by", "line", required=True),
)
_SECOND = (Param("file", "Signed file", "line"), Param("glass", "Or break glass", "line"))


@dataclass(frozen=True, slots=True)
class Lifted:
    """The plan with what is claimed for it, and what a second person signed."""

    plan: Plan
    approval: Approval | None = None


async def lift(app: App[Any], desk: Desk, plan: Plan, way: Lift) -> Lifted | None:
    """What the person says; None where they leave off. Call it in a worker.

    Raises Failed where the plan can't be written out or the file given is no signed plan.
    """
    form = _emergency(desk, plan) if way is Lift.EMERGENCY else _second_person(desk, plan)
    said = await app.push_screen_wait(FormDialog(form))
    if said is None:
        return None
    if way is Lift.EMERGENCY:
        return Lifted(replace(plan, emergency=Emergency(_line(said, "reason"), _line(said, "approver"))))
    # Broken glass goes first: the file may stand there as a preset.
    if glass := _line(said, "glass"):
        return Lifted(replace(plan, break_glass=glass))
    return Lifted(plan, plan_file.read_approval(_path(_line(said, "file"))))


def _emergency(desk: Desk, plan: Plan) -> Form:
    intro = ("With the approval of somebody at the client; both are kept in the journal.",)
    return _form(desk, f"{plan.action}: an emergency", _EMERGENCY, intro, {})


def _second_person(desk: Desk, plan: Plan) -> Form:
    file = _written(desk, plan)
    intro = (
        f"A second technician reads and signs it, for 15 minutes: mspterm approve {file}",
        "With nobody awake, break glass: say why. A review of it stays open until somebody closes it.",
    )
    signed = file.with_name(f"{file.name}.approved")
    # The form is opened again after the signing: the file is then filled in.
    offers = {"file": Offer(preset=str(signed) if signed.exists() else "")}
    return _form(desk, f"{plan.action}: above the caps", _SECOND, intro, offers)


def _form(
    desk: Desk, title: str, params: tuple[Param, ...], intro: tuple[str, ...], offers: Mapping[str, Offer]
) -> Form:
    return Form(title, params, offers, desk.now(), desk.state_dir, intro)


def _written(desk: Desk, plan: Plan) -> Path:
    """The plan as a file for the second person, once for each plan. Raises Failed where it can't be."""
    file = private_dir(desk.state_dir / "plans") / f"{plan.hash}.plan"
    # The second person may be reading it, or have signed it: what they signed must stay as it was.
    if not file.exists():
        plan_file.write(file, plan_file.request_of(plan, requester(desk), desk.now()))
    return file


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise failed(Reason.NOT_FOUND, f"{text} names the home of a user that doesn't exist.") from None


def _line(said: Values, name: str) -> str:
    return clean(" ".join(str(said.get(name) or "").split()))
