"""`outbox list | retry | drop`: what waits, failed or is uncertain."""

from __future__ import annotations

import click

from mspterm.cli.output import print_json, print_table, say
from mspterm.cli.perform import exit_status, said
from mspterm.cli.read import json_option
from mspterm.cli.rows import Row, time
from mspterm.cli.session import DONE, run
from mspterm.desk.desk import Desk
from mspterm.desk.perform import Performer
from mspterm.store.intents import Intent


@click.group()
def outbox() -> None:
    """Writes that wait, failed or are uncertain."""


def _row(i: Intent) -> Row:
    return {
        "intent_id": i.intent_id,
        "ref": i.ref,
        "action": i.action,
        "state": i.state,
        "reason": i.reason,
        "created_at": time(i.created_at),
        "attempts": i.attempts,
    }


@outbox.command("list")
@json_option
def list_(as_json: bool) -> None:
    """What is undecided, and what was decided in the last day."""

    async def verb(desk: Desk) -> int:
        # Else what a dead process left would be listed as being sent.
        Performer(desk).recover()
        rows = [_row(i) for i in desk.store.intents.listed(desk.now())]
        if as_json:
            print_json(rows)
        else:
            columns = ("CREATED", "REF", "ACTION", "STATE", "INTENT", "REASON")
            names = ("created_at", "ref", "action", "state", "intent_id", "reason")
            print_table(columns, [[str(r[n] or "-") for n in names] for r in rows])
        return DONE

    run(verb)


@outbox.command()
@click.argument("intent_id")
def retry(intent_id: str) -> None:
    """Send one again, after a person looked: what of it has not arrived."""

    async def verb(desk: Desk) -> int:
        outcome = await Performer(desk).retry(intent_id)
        say(f"{outcome.ref} {said(outcome)}", err=True)
        return exit_status([outcome.state])

    run(verb)


@outbox.command()
@click.argument("intent_id")
@click.option("--arrived", is_flag=True, help="You saw it at the server: an uncertain one becomes confirmed.")
def drop(intent_id: str, arrived: bool) -> None:
    """Give one up, so that it is never sent; or settle that it arrived."""

    async def verb(desk: Desk) -> int:
        await Performer(desk).drop(intent_id, arrived=arrived)
        say(f"{intent_id} {'confirmed' if arrived else 'cancelled'}", err=True)
        return DONE

    run(verb)
