"""`auth login | logout | status | test`: a value is never printed and never taken from argv."""

from __future__ import annotations

import contextlib

import click

from mspterm.cli import auth_backend
from mspterm.cli.asking import fields_of, open_age, secrets_typed, stdin_option
from mspterm.cli.completing import connections
from mspterm.cli.output import print_json, print_table
from mspterm.cli.read import json_option
from mspterm.cli.session import DONE, FAILED, NO_CREDENTIAL, PARTLY, complain, read_config, run
from mspterm.config.kinds import RESERVED
from mspterm.config.model import Config
from mspterm.desk.desk import Desk, NoCredential
from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.domain.secret import Secret
from mspterm.secrets.answer import State
from mspterm.secrets.chain import Credentials, Found, Missing, Status


@click.group()
def auth() -> None:
    """Credentials: in the backend of auth.toml, or given by the environment."""


for _command in auth_backend.COMMANDS:
    auth.add_command(_command)


@auth.command()
@click.argument("connection", shell_complete=connections)
@click.option("--browser", is_flag=True, help="NinjaOne: log in as yourself, for actions.")
@stdin_option
def login(connection: str, browser: bool, from_stdin: bool) -> None:
    """Store a connection's credentials."""
    config = read_config()
    fields = fields_of(config, connection)
    credentials = Credentials()
    try:
        # stdin holds the values themselves: a passphrase can't be asked for there.
        if not from_stdin:
            open_age(credentials)
        if browser:
            values = _by_browser(config, credentials, connection)
        else:
            values = secrets_typed(fields, from_stdin=from_stdin)
        for field, value in values.items():
            click.echo(credentials.set(connection, field, value), err=True)
        stores = credentials.stores
        if not stores.choice.remembered:
            # Without auth.toml it is the same backend: no reason to fail now that all is stored.
            with contextlib.suppress(Failed):
                stores.choose(stores.choice.backend)
    except Failed as error:
        complain(error.failure.sentence)
        raise SystemExit(FAILED) from None


def _by_browser(config: Config, credentials: Credentials, name: str) -> dict[str, Secret]:
    from mspterm.cli.browser_login import by_browser

    if name == RESERVED:
        raise failed(Reason.REFUSED, "The journal's key is not had by a browser.")
    held = credentials.get(name, "client_secret")
    return by_browser(
        config.connections[name], {"client_secret": held.secret} if isinstance(held, Found) else {}
    )


@auth.command()
@click.argument("connection", shell_complete=connections)
def logout(connection: str) -> None:
    """Delete a connection's credentials from where they are stored."""
    credentials = Credentials()
    try:
        fields = fields_of(read_config(), connection)
        open_age(credentials)
        for field in fields:
            click.echo(credentials.delete(connection, field), err=True)
    except Failed as error:
        complain(error.failure.sentence)
        raise SystemExit(FAILED) from None


@auth.command()
@click.argument("connection", required=False, shell_complete=connections)
@json_option
def status(connection: str | None, as_json: bool) -> None:
    """Where each credential comes from; never a value."""
    config = read_config()
    if connection is not None:
        fields_of(config, connection)
    wanted = [c for n, c in config.connections.items() if connection in (None, n)]
    credentials = Credentials()
    rows = credentials.status(wanted)
    if connection in (None, RESERVED):
        rows.append(_journal_row(credentials))
    if as_json:
        print_json([_status_row(r) for r in rows])
        return
    cells = [[r.connection, r.field, r.where, r.state.value, r.sentence] for r in rows]
    print_table(("CONNECTION", "FIELD", "FROM", "STATE", ""), cells)
    click.echo(auth_backend.backend_line(credentials))


def _journal_row(credentials: Credentials) -> Status:
    held = credentials.get(RESERVED, "key")
    if isinstance(held, Missing):
        return Status(RESERVED, "key", "none", held.state, held.sentence, True)
    sentence = "The journal is chained with a key."
    return Status(RESERVED, "key", held.source, State.FOUND, sentence, False)


def _status_row(r: Status) -> dict[str, object]:
    named = {"connection": r.connection, "field": r.field, "where": r.where}
    return {**named, "state": r.state.value, "sentence": r.sentence, "needed": r.needed}


@auth.command()
@click.argument("connection", required=False, shell_complete=connections)
def test(connection: str | None) -> None:
    """Call each connection and say under whose name it acts."""

    async def verb(desk: Desk) -> int:
        names = [connection] if connection else list(desk.connections)
        states = [await _try(desk, name) for name in names]
        if all(s == NO_CREDENTIAL for s in states) and states:
            return NO_CREDENTIAL
        bad = [s for s in states if s != DONE]
        return DONE if not bad else FAILED if len(bad) == len(states) else PARTLY

    run(verb)


async def _try(desk: Desk, name: str) -> int:
    try:
        identity = await (await desk.connector(name)).whoami()
    except NoCredential as error:
        complain(f"{name}: {error.failure.sentence}")
        return NO_CREDENTIAL
    except Failed as error:
        complain(f"{name}: {error.failure}")
        return FAILED
    who = identity.technician
    click.echo(f"{name}: acts as {who.name} ({who.id}, {identity.kind}); {identity.version or ''}")
    return DONE
