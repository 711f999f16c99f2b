"""What a dialog is asked about, and how what is filled in becomes what the planner takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mspterm.console.dialogs.form import Offers
from mspterm.desk.desk import Desk
from mspterm.desk.planner import Planner
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Audience
from mspterm.domain.planning import readers
from mspterm.domain.spec import Values
from mspterm.domain.ticket import Ticket

_SHOWN = 3
# From words of the forms to the planner's, and back where a form is opened again.
_RENAMED = {"next": "next_at"}
_MAIL = {"mail": True, "no mail": False}
RELEASE = "nobody: the next tier takes it"


@dataclass(frozen=True, slots=True)
class AskContext:
    """What an action was called on: `refs` of tickets or devices, `attach` the ticket that a device
    was opened from. `before` is what was filled in already and could not be sent, `problem` why."""

    desk: Desk
    planner: Planner
    refs: tuple[str, ...] = ()
    attach: str | None = None
    before: Wanted | None = None
    problem: str = ""

    @property
    def text(self) -> str:
        """The text that was written already."""
        return (self.before.text or "") if self.before else ""

    @property
    def trouble(self) -> str:
        """What a form that is opened again says at first."""
        return self.problem or ("This text has not been sent yet." if self.text else "")

    def filled(self, offers: Offers) -> Offers:
        """The offers with what was filled in before as their presets."""
        if self.before is None:
            return offers
        shown = {name: _typed(_held(self.before, name)) for name in offers}
        return {n: replace(o, preset=shown[n]) if shown[n] else o for n, o in offers.items()}


def wanted(values: Values, audience: Audience | None = None) -> Wanted:
    """What was filled in, in the planner's terms."""
    # None is "leave it as it is": only what was filled in may reach the plan.
    given: dict[str, Any] = {_RENAMED.get(n, n): v for n, v in values.items() if v is not None}
    given["mail"] = _MAIL.get(str(values.get("mail")))
    chosen = values.get("audience")
    given["audience"] = Audience(str(chosen)) if chosen else audience
    given["release"] = values.get("release") == RELEASE
    # A script has its parameters where a command has its line: one field of the write holds both.
    parameters = given.pop("parameters", "")
    if given.get("script"):
        given["command"] = parameters
    if "priority" in given:
        given["priority"] = int(given["priority"])
    return Wanted(**given)


def _held(before: Wanted, name: str) -> object:
    """What a field held. A script's parameters stand where a command line would."""
    if before.script is not None and name in ("command", "parameters"):
        return before.command if name == "parameters" else None
    return getattr(before, _RENAMED.get(name, name), None)


def _typed(value: object) -> str:
    """A value as a person would type it."""
    if isinstance(value, bool):
        return next(word for word, means in _MAIL.items() if means is value)
    if isinstance(value, datetime):
        return f"{value.astimezone():%Y-%m-%d %H:%M}"
    return "" if value is None else str(value)


def ticket_lines(tickets: Sequence[Ticket]) -> tuple[str, ...]:
    """The tickets by name, a few of them, and how many more."""
    rows = [f"#{t.number} {t.summary}, {t.client or 'no client'}" for t in tickets[:_SHOWN]]
    more = len(tickets) - _SHOWN
    return (*rows, f"and {more} more tickets") if more > 0 else tuple(rows)


def readers_of(tickets: Sequence[Ticket], audience: Audience) -> str:
    """Everybody who will read a text on these tickets."""
    found = list(dict.fromkeys(readers(t, audience) for t in tickets))
    more = len(found) - _SHOWN
    return "; ".join(found[:_SHOWN]) + (f"; and {more} more contacts" if more > 0 else "")
