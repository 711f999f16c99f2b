"""`audit show | verify`: the journal."""

from __future__ import annotations

import json
from typing import Any

import click

from mspterm.cli.output import print_json, print_table
from mspterm.cli.read import json_option
from mspterm.cli.session import DONE, FAILED, NO_CREDENTIAL, complain, run
from mspterm.desk.desk import Desk

KEYS = (
    "seq", "at", "technician", "identity", "action", "refs", "client", "state", "reason", "intent_id", "plan_hash",
)  # fmt: skip


@click.group()
def audit() -> None:
    """The journal of everything that was done, and refused."""


@audit.command()
@json_option
def show(as_json: bool) -> None:
    """Every record, oldest first."""

    async def verb(desk: Desk) -> int:
        journal = await desk.journal()
        records = [_record(line) for _, _, line in journal.records()]
        rows = [{k: r.get(k) for k in KEYS} for r in records if r is not None]
        if as_json:
            print_json(rows)
        else:
            columns = ("AT", "WHO", "ACTION", "REFS", "STATE", "REASON")
            cells = [
                [
                    r["at"],
                    r["technician"],
                    r["action"],
                    " ".join(r["refs"] or ()),
                    r["state"],
                    r["reason"] or "-",
                ]
                for r in rows
            ]
            print_table(columns, [[str(c) for c in row] for row in cells])
        return DONE

    run(verb)


def _record(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


@audit.command()
def verify() -> None:
    """Walk the chain: 1 a bad record, named; 4 no key to verify with."""

    async def verb(desk: Desk) -> int:
        found = (await desk.journal()).verify()
        if found.needs_key:
            complain("The journal is keyed and no backend has its key: set MSPTERM_SECRET_JOURNAL_KEY.")
            return NO_CREDENTIAL
        if found.bad is not None:
            complain(f"The journal is broken at {found.bad}; {found.checked} records before it are good.")
            return FAILED
        unkeyed = (
            f"; {found.unkeyed} of them unkeyed, so a rewrite could not be seen" if found.unkeyed else ""
        )
        click.echo(f"{found.checked} records, the chain is whole{unkeyed}.")
        return DONE

    run(verb)
