"""Asking a person for what an action needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from textual.app import App

from mspterm.console.dialogs.call_form import call_form
from mspterm.console.dialogs.context import AskContext, wanted
from mspterm.console.dialogs.escalate_form import escalate_form
from mspterm.console.dialogs.form import Form, FormDialog
from mspterm.console.dialogs.new_form import new_form
from mspterm.console.dialogs.parent_form import parent_form
from mspterm.console.dialogs.run_form import run_form
from mspterm.console.dialogs.update_form import AUDIENCES, update_form
from mspterm.desk.wanted import Wanted
from mspterm.domain.spec import ActionSpec

__all__ = ["AskContext", "ask", "form_for"]

# A short form of an update needs no entry: its params leave out what it doesn't ask.
_FORMS: Mapping[str, Callable[[ActionSpec, AskContext], Form]] = {
    "call": call_form,
    "escalate": escalate_form,
    "new": new_form,
    "parent": parent_form,
    "run": run_form,
    "terminal": run_form,
}


async def ask(app: App[Any], spec: ActionSpec, context: AskContext) -> Wanted | None:
    """What the person wants done, None where they think better of it. Call it in a worker.

    An action without parameters asks nothing. Raises Failed where a ticket or device isn't known.
    """
    if not spec.params:
        return Wanted()
    values = await app.push_screen_wait(FormDialog(form_for(spec, context)))
    return None if values is None else wanted(values, AUDIENCES.get(spec.name))


def form_for(spec: ActionSpec, context: AskContext) -> Form:
    """The form of an action of the table; those without one of their own are forms of an update."""
    return _FORMS.get(spec.name, update_form)(spec, context)
