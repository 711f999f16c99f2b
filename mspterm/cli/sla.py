"""`sla eval`: cases on stdin; `sla explain REF`: where a ticket's clocks come from."""

from __future__ import annotations

import sys

import click

from mspterm.cli.output import print_json, say
from mspterm.cli.read import json_option
from mspterm.cli.rows import clock_row
from mspterm.cli.session import DONE, PARTLY, complain, fetch, run
from mspterm.desk.desk import Desk
from mspterm.domain.reasons import Failed
from mspterm.domain.ticket import Clock, Ticket


@click.group()
def sla() -> None:
    """SLA clocks: evaluated and explained."""


@sla.command("eval")
def eval_() -> None:
    """Evaluate SLA cases: JSON Lines on stdin, `{"id", "result"}` or `{"id", "error"}` a line."""
    from mspterm.domain.cases import evaluate_line

    out = sys.stdout
    for line in sys.stdin:
        if line.strip():
            out.write(evaluate_line(line) + "\n")
    out.flush()


@sla.command()
@click.argument("ref")
@json_option
def explain(ref: str, as_json: bool) -> None:
    """Why this due time, step by step."""

    async def verb(desk: Desk) -> int:
        failure = await fetch(desk, ref)
        found = desk.store.tickets.get(ref)
        if failure is not None:
            if found is None:
                raise Failed(failure)
            complain(f"{found.connection}: {failure}")
        assert found is not None
        _print(desk, found, as_json)
        return PARTLY if failure else DONE

    run(verb)


def _print(desk: Desk, ticket: Ticket, as_json: bool) -> None:
    now = desk.now()
    note = desk.manifest(ticket.connection).meets.get("due")
    if as_json:
        clocks = {name: clock_row(clock, now) for name, clock in ticket.sla.named()}
        print_json({"ref": ticket.ref, "sla": clocks, "note": note})
        return
    say(f"{ticket.ref} {ticket.summary}: P{ticket.priority}, {ticket.status} since {ticket.created_at:%F %T} UTC")
    for name, clock in ticket.sla.named():
        say(f"{name:<10} {_told(desk, ticket, clock)}")
    if note:
        say(note)


def _told(desk: Desk, ticket: Ticket, clock: Clock) -> str:
    if clock.due is None:
        return f"no clock: {ticket.connection} gives no due time for it"
    now = desk.now()
    left = (clock.due - now).total_seconds() / 60
    ahead = f"{left:.0f} min left" if left >= 0 else f"{-left:.0f} min past due"
    return f"due {clock.due:%F %T} UTC by {clock.source}, {clock.state_at(now).value}, {ahead} (24x7 minutes)"
