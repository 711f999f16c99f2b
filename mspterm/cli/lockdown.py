"""`lockdown on | off`: every write of every console of this user on this host."""

from __future__ import annotations

import click

from mspterm.cli.session import DONE, FAILED, complain, options
from mspterm.config.paths import LOCKDOWN_OF_ALL, private_dir, state_dir


@click.command()
@click.argument("what", type=click.Choice(["on", "off"]))
def lockdown(what: str) -> None:
    """Stop every write of this user on this host, or permit them again."""
    # Neither config nor store is opened: this must work where those don't.
    file = private_dir(state_dir(options().state_dir)) / "lockdown"
    if what == "on":
        file.touch(mode=0o600)
        click.echo(f"Lockdown is on ({file}): nothing writes until `mspterm lockdown off`.")
        raise SystemExit(DONE)
    file.unlink(missing_ok=True)
    if LOCKDOWN_OF_ALL.exists():
        complain(f"Lockdown is still on for all users: root has set {LOCKDOWN_OF_ALL}.")
        raise SystemExit(FAILED)
    click.echo("Lockdown is off.")
