"""`cache purge`: forgets what was last known; what is still to be sent and the journal stay."""

from __future__ import annotations

from pathlib import Path

import click

from mspterm.cli.session import DONE, FAILED, complain, run
from mspterm.desk.desk import Desk
from mspterm.store.forgetting import Forgotten

_LEFT = "Its bytes are not gone from the file yet, as another mspterm is at work: end it, and run this again."


@click.group()
def cache() -> None:
    """The store of what was last known."""


@cache.command()
@click.option("--client", help="Only what is this client's, by any of its names.")
def purge(client: str | None) -> None:
    """Forget tickets, devices and conversations, and texts that were sent. What is still to be sent stays."""

    async def verb(desk: Desk) -> int:
        if client is not None:
            return purge_of(desk, client)
        gone = desk.store.purge()
        click.echo("The store is empty; the next look fills it again.", err=True)
        return _scrubbed(gone)

    run(verb)


def purge_of(desk: Desk, client: str) -> int:
    """Purges one client and says what went; the exit status."""
    done = desk.store.purge_client(lambda name, connection: desk.is_client(client, name, connection))
    drafts = _drop_drafts(desk.state_dir, done.tickets)
    if not (done.tickets or done.devices or done.assets or done.alerts):
        complain(f"Nothing in the store is of a client {client!r}; `mspterm tickets` shows the names.")
        return FAILED
    click.echo(f"Forgotten of {client}: {_counted(done)}, drafts {drafts}.", err=True)
    if done.waiting:
        click.echo(f"Still to be sent, and kept: {done.waiting}; see `mspterm outbox list`.", err=True)
    click.echo("The journal stays. What a server still lists comes back with the next look.", err=True)
    return _scrubbed(not done.left)


def _counted(done: Forgotten) -> str:
    return (
        f"tickets {len(done.tickets)}, conversations {done.bodies}, devices {done.devices}, "
        f"assets {done.assets}, alerts {done.alerts}, sent texts {done.texts}"
    )


def _drop_drafts(state_dir: Path, refs: tuple[str, ...]) -> int:
    """Texts that were begun on one of these tickets, as the console keeps them: CONNECTION_ID.ACTION.txt."""
    files = [f for ref in refs for f in (state_dir / "drafts").glob(f"{ref.replace(':', '_')}.*.txt")]
    for file in files:
        file.unlink(missing_ok=True)
    return len(files)


def _scrubbed(done: bool) -> int:
    if not done:
        complain(_LEFT)
    return DONE if done else FAILED
