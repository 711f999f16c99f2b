"""From a plan to an exit status: the same guard and the same door as the console."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

import click

from mspterm.cli.output import print_json, say
from mspterm.cli.rows import result_row
from mspterm.cli.session import DONE, FAILED, PARTLY, UNCERTAIN
from mspterm.desk.desk import Desk
from mspterm.desk.perform import Performer
from mspterm.desk.planner import Planner
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Ask, Consent, Emergency, Outcome, Plan, Refuse, Result, State, Verdict
from mspterm.domain.guard import unconfirmed
from mspterm.domain.reasons import Failure, Reason, failed

confirm_option = click.option("--confirm", help="The typed confirmation, as the plan shows it.")
emergency_option = click.option("--emergency", help="Why this can't wait for the end of a change freeze.")
approver_option = click.option("--approver", help="Who at the client approved that.")
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
    emergency: str | None = None,
    approver: str | None = None,
) -> int:
    """Plans, asks where it must and can, performs, prints; returns the exit status."""
    claimed = emergency_of(emergency, approver)
    plan = replace(await Planner(desk).plan(action, refs, wanted), emergency=claimed)
    performer = Performer(desk)
    verdict = await performer.judge(plan, Consent(confirm, plan.hash))
    if dry_run:
        print_plan(plan, verdict, as_json)
        return DONE
    results = await performer.perform(plan, Consent(confirmed(plan, verdict, confirm), plan.hash))
    _print_results(results, as_json)
    return exit_status([r.outcome.state for r in results])


def emergency_of(reason: str | None, approver: str | None) -> Emergency | None:
    """What `--emergency` and `--approver` say. Raises Failed where one of them is missing or empty."""
    if reason is None and approver is None:
        return None
    why, who = " ".join((reason or "").split()), " ".join((approver or "").split())
    if not why or not who:
        raise failed(Reason.REFUSED, "An emergency needs both --emergency REASON and --approver WHO.")
    return Emergency(why, who)


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
            say(result.outcome.output.rstrip("\n"), err=as_json)
    if as_json:
        print_json([result_row(r) for r in results])
        return
    for result in results:
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
    if State.UNCERTAIN in states:
        return UNCERTAIN
    good = [s in (State.DONE, State.QUEUED) for s in states]
    return DONE if all(good) else PARTLY if any(good) else FAILED
