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
from mspterm.domain.ticket import Ticket


@click.group()
def sla() -> None:
    """SLA clocks: evaluated and explained."""


@sla.command("eval")
def eval_() -> None:
    """Evaluate SLA cases: JSON Lines on stdin, `{"id", "result"}` or `{"id", "error"}` a line."""
    from mspterm.domain.cases import evaluate_line

    # Not click.echo, which flushes each line: thousands of cases come in one go.
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
    lines = [*desk.clockwork.explained(ticket, now), *([note] if note else [])]
    if as_json:
        clocks = {name: clock_row(c, now, desk.clockwork.remaining_s) for name, c in ticket.sla.named()}
        print_json({"ref": ticket.ref, "sla": clocks, "lines": lines})
        return
    status = f"P{ticket.priority}, {ticket.status}, created {ticket.created_at:%F %T} UTC"
    say("\n".join((f"{ticket.ref} {ticket.summary}: {status}", *lines)))
