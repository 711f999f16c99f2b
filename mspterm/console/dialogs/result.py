"""What became of a write: one line each, and a command's output to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual.app import App, ComposeResult
from textual.widget import Widget

from mspterm.console.commands import key_of
from mspterm.console.dialogs.frame import Dialog, T
from mspterm.console.line_view import LineView, TextLine, line, wrap
from mspterm.domain.action import Plan, Result, State
from mspterm.domain.text import clean

_ROLES = {State.DONE: "ok", State.QUEUED: "warning", State.PLANNED: "muted"}


def sentence_of(result: Result, name: str | None = None) -> str:
    """`rt:42 claim: done`, with the reason where it isn't, for a notification; `name` for a device."""
    outcome = result.outcome
    what = name or outcome.created_ref or outcome.ref
    why = f". {outcome.failure.sentence}" if outcome.failure else ""
    return f"{what} {result.action}: {outcome.state.value}{why}"


async def show_results(app: App[Any], plan: Plan, results: Sequence[Result]) -> None:
    """What came of the plan, to read and close. Call it in a worker."""
    await app.push_screen_wait(ResultDialog(plan, results))


async def look_between(app: App[Any], plan: Plan, results: Sequence[Result], left: int) -> bool:
    """What came of a batch, to look at; whether the next one may begin. Call it in a worker."""
    wanted: bool | None = await app.push_screen_wait(LookDialog(plan, results, left))
    return bool(wanted)


class ResultsDialog(Dialog[T]):
    """One line a result, with what proves it, and the output below."""

    DEFAULT_CSS = "ResultsDialog #result { height: auto; min-height: 3; max-height: 1fr; }"

    def __init__(self, title: str, plan: Plan, results: Sequence[Result]) -> None:
        super().__init__(title)
        self._results = results
        self._names = {target.ref: target.name for target in plan.targets}

    def start(self) -> Widget:
        return self.query_one("#result")

    def compose_body(self) -> ComposeResult:
        yield LineView(id="result")

    def on_line_view_resized(self, event: LineView.Resized) -> None:
        view = self.query_one(LineView)
        lines = [row for result in self._results for row in self._of(result, view.size.width)]
        # By hand: a view of lines has no height of its own, and the buttons must stay on screen.
        view.styles.height = max(3, min(len(lines), self.app.size.height - 6))
        view.set_lines(lines)

    def _of(self, result: Result, width: int) -> list[TextLine]:
        name = self._names.get(result.outcome.ref) or result.outcome.ref
        return result_lines(result, width, name)

    def hint(self) -> str:
        return f"{key_of(self.app, 'text_down')} and {key_of(self.app, 'text_up')} scroll"


class ResultDialog(ResultsDialog[None]):
    """What came of the whole plan."""

    SEND, CANCEL = "", "Close"

    def __init__(self, plan: Plan, results: Sequence[Result]) -> None:
        super().__init__(f"{plan.action}: what became of it", plan, results)

    def action_send(self) -> None:
        self.dismiss(None)


class LookDialog(ResultsDialog[bool]):
    """What came of a batch, before the next one: Enter alone doesn't go on."""

    SEND, CANCEL = "Go on", "Stop here"

    def __init__(self, plan: Plan, results: Sequence[Result], left: int) -> None:
        super().__init__(f"{plan.action}: look at this before the next of {left} left", plan, results)

    def action_send(self) -> None:
        self.dismiss(True)


def result_lines(result: Result, width: int, name: str) -> list[TextLine]:
    """A result in full at this width. The output was cleaned by the connector; once more costs nothing."""
    outcome = result.outcome
    role = _ROLES.get(outcome.state, "failed")
    rows = [line(row, role) for row in wrap(f"{name}: {result.action} {outcome.state.value}", width)]
    said = [*outcome.detail, *([outcome.failure.sentence] if outcome.failure else [])]
    rows += [line(row, "muted") for sentence in said for row in wrap(sentence, width, "  ")]
    if outcome.output is not None:
        # More than `clean` leaves by itself: the output is what the command was run for.
        output = clean(outcome.output, multiline=True, limit=200_000)
        rows += [line(row) for row in wrap(output or "(no output)", width)]
    return rows
