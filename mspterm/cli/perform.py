"""From a plan to an exit status: the same guard and the same door as the console."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click

from mspterm.cli.lifts import Lifts
from mspterm.cli.output import print_json, say
from mspterm.cli.rows import result_row
from mspterm.cli.session import DONE, FAILED, PARTLY, UNCERTAIN
from mspterm.desk.desk import Desk
from mspterm.desk.perform import Look, Performer
from mspterm.desk.planner import Planner
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Ask, Consent, Outcome, Plan, Refuse, Result, State, Verdict
from mspterm.domain.guard import unconfirmed
from mspterm.domain.reasons import Failure

confirm_option = click.option("--confirm", help="The typed confirmation, as the plan shows it.")
plan_hash_option = click.option("--plan-hash", help="Only this plan: its hash, as --dry-run showed it.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Print the plan, change nothing.")


async def perform(
    desk: Desk,
    action: str,
    refs: Sequence[str],
    wanted: Wanted,
    *,
    as_json: bool,
    dry_run: bool,
    confirm: str | None,
    plan_hash: str | None = None,
    no_look: bool = False,
    **lifts: Any,
) -> int:
    """Plans, asks where it must and can, performs, prints; returns the exit status. `lifts` are what
    `cli.lifts` has options for."""
    lifting = Lifts(**lifts)
    plan = lifting.claimed(await Planner(desk).plan(action, refs, wanted))
    performer = Performer(desk)
    consent = Consent(confirm, plan_hash or plan.hash, approval=lifting.signed())
    verdict = await performer.judge(plan, consent)
    if lifting.write_out(desk, plan) or dry_run:
        print_plan(plan, verdict, as_json)
        return DONE
    consent = replace(consent, phrase=confirmed(plan, verdict, confirm))
    results = await performer.perform(plan, consent, _look(no_look))
    _print_results(results, as_json)
    return exit_status([r.outcome.state for r in results])


def _look(no_look: bool) -> Look | None:
    """Who looks between two batches: the person at the terminal; without one nobody can."""
    if sys.stdin.isatty():
        return _asked
    return _unasked if no_look else None


async def _asked(results: Sequence[Result], left: int) -> bool:
    for result in results:
        _print_one(result)
    try:
        return click.confirm(f"Go on with the next of {left} left?", err=True)
    except click.Abort:
        # Ctrl+C at the question stops the rest; what came of the others must still be printed.
        return False


async def _unasked(results: Sequence[Result], left: int) -> bool:
    return True


def confirmed(plan: Plan, verdict: Verdict, confirm: str | None) -> str | None:
    """What was given, or is typed now where the guard asks and somebody is there."""
    if not isinstance(verdict, Ask) or not sys.stdin.isatty():
        return confirm
    for line in (*plan.lines, *verdict.stake):
        say(line, err=True)
    typed: str = click.prompt(f"Type {verdict.phrase} to confirm", err=True, default="", show_default=False)
    return typed


def _would_say(verdict: Verdict) -> Failure | None:
    if isinstance(verdict, Refuse):
        return verdict.failure
    return unconfirmed(verdict) if isinstance(verdict, Ask) else None


def print_plan(plan: Plan, verdict: Verdict, as_json: bool) -> None:
    failure = _would_say(verdict)
    if as_json:
        planned = (Outcome(w.ref, State.PLANNED, failure) for w in plan.writes)
        print_json([result_row(Result(o, plan.action, plan.hash, None)) for o in planned])
        return
    stake = verdict.stake if isinstance(verdict, Ask) else ()
    for line in (f"plan {plan.hash}: {plan.action}", *plan.lines, *stake):
        say(line)
    if failure is not None:
        say(f"it would be refused as it stands: {failure}")


def _print_results(results: Sequence[Result], as_json: bool) -> None:
    for result in results:
        if result.outcome.output is not None:
            # With --json stdout holds the JSON and nothing else.
            say(result.outcome.output.rstrip("\n"), err=as_json)
    if as_json:
        print_json([result_row(r) for r in results])
        return
    for result in results:
        _print_one(result)


def _print_one(result: Result) -> None:
    outcome = result.outcome
    say(f"{outcome.created_ref or outcome.ref} {result.action} {said(outcome)}", err=True)
    for line in outcome.detail:
        say(f"  {line}", err=True)


def said(outcome: Outcome) -> str:
    """The state and why, without saying "refused" twice."""
    if outcome.failure is None:
        return outcome.state.value
    if outcome.failure.reason.value == outcome.state.value:
        return str(outcome.failure)
    return f"{outcome.state.value}: {outcome.failure}"


def exit_status(states: Sequence[State]) -> int:
    # Above all others: a script that sees it must not repeat the call.
    if State.UNCERTAIN in states:
        return UNCERTAIN
    good = [s in (State.DONE, State.QUEUED) for s in states]
    return DONE if all(good) else PARTLY if any(good) else FAILED
