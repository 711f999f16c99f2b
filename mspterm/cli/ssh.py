"""`ssh`: a shell on a device, by the system's ssh."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click

from mspterm.cli.act import see
from mspterm.cli.lifts import Lifts, lifted
from mspterm.cli.output import say
from mspterm.cli.perform import confirm_option, confirmed, dry_run_option, print_plan, said
from mspterm.cli.session import DONE, FAILED, fetch, run
from mspterm.desk.desk import Desk
from mspterm.desk.perform import Performer
from mspterm.desk.planner import Planner
from mspterm.desk.ssh import Here, Ssh, resolve
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Consent, State
from mspterm.domain.reasons import Reason, failed


@click.command()
@click.argument("device")
@click.option("--ticket", help="The ticket that the session is for.")
@click.option("--fingerprint", help="The host key's fingerprint, where it is used for the first time.")
@confirm_option
@dry_run_option
@lifted
def ssh(
    device: str, ticket: str | None, fingerprint: str | None, confirm: str | None, dry_run: bool, **lifts: Any
) -> None:
    """Open a shell on a device, through its client's jump host."""

    async def verb(desk: Desk) -> int:
        await see(desk, (device,))
        if ticket is not None:
            failure = await fetch(desk, ticket)
            if failure is not None and desk.store.tickets.get(ticket) is None:
                raise failed(failure.reason, failure.sentence, failure.connection)
        lifting = Lifts(**lifts)
        return await _open(desk, device, Wanted(attach=ticket), fingerprint, confirm, dry_run, lifting)

    run(verb)


async def _open(
    desk: Desk, name: str, wanted: Wanted, fingerprint: str | None, confirm: str | None, dry_run: bool,
    lifting: Lifts,
) -> int:  # fmt: skip
    planner, performer = Planner(desk), Performer(desk)
    device, client = planner.device(name)
    plan = lifting.claimed(await planner.plan("ssh", (device.ref,), wanted))
    consent = Consent(confirm, plan.hash, approval=lifting.signed())
    verdict = await performer.judge(plan, consent)
    if lifting.write_out(desk, plan) or dry_run:
        print_plan(plan, verdict, as_json=False)
        return DONE
    consent = replace(consent, phrase=confirmed(plan, verdict, confirm))
    front = Here(lambda lines, question: _typed(lines, question, fingerprint))
    ended = await Ssh(desk, performer).open(resolve(desk, device, client), plan, consent, front)
    outcome = ended.result.outcome
    length = f", {ended.seconds:.0f} s" if outcome.state is State.DONE else ""
    say(f"{outcome.ref} ssh {said(outcome)}{length}", err=True)
    return DONE if outcome.state is State.DONE else FAILED


def _typed(lines: Sequence[str], question: str, fingerprint: str | None) -> str:
    """What was given or is typed now. Raises Failed without a terminal, naming the option to give."""
    if fingerprint is not None:
        return fingerprint
    if not sys.stdin.isatty():
        raise failed(Reason.REFUSED, f"{' '.join(lines[:2])}; compare it, and add --fingerprint 'SHA256:...'")
    for line in lines:
        say(line, err=True)
    typed: str = click.prompt(question, err=True, default="", show_default=False)
    return typed
