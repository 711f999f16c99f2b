"""`cache purge`: forgets what was last known; the outbox and the journal stay."""

from __future__ import annotations

import click

from mspterm.cli.session import DONE, run
from mspterm.desk.desk import Desk


@click.group()
def cache() -> None:
    """The store of what was last known."""


@cache.command()
def purge() -> None:
    """Forget tickets, devices and conversations. What is still to be sent stays."""

    async def verb(desk: Desk) -> int:
        desk.store.purge()
        click.echo("The store is empty; the next look fills it again.", err=True)
        return DONE

    run(verb)
