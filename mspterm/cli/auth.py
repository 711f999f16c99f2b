"""`auth login | logout | status | test`: a value is never printed and never taken from argv."""

from __future__ import annotations

import sys

import click

from mspterm.cli.output import print_json, print_table
from mspterm.cli.read import json_option
from mspterm.cli.session import DONE, FAILED, NO_CREDENTIAL, PARTLY, USAGE, complain, read_config, run
from mspterm.config.kinds import KINDS
from mspterm.config.model import Config
from mspterm.desk.desk import Desk, NoCredential
from mspterm.domain.reasons import Failed
from mspterm.domain.secret import Secret
from mspterm.secrets.chain import Credentials, Missing, Status
from mspterm.secrets.os_keyring import State

JOURNAL = "journal"


@click.group()
def auth() -> None:
    """Credentials: in the OS keyring, or given by the environment."""


def _fields(config: Config, connection: str) -> tuple[str, ...]:
    if connection == JOURNAL:
        return ("key",)
    if connection not in config.connections:
        known = ", ".join((*config.connections, JOURNAL))
        complain(f"There is no connection {connection}; there are: {known}.")
        raise SystemExit(FAILED)
    return KINDS[config.connections[connection].kind].secrets


@auth.command()
@click.argument("connection")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read FIELD=VALUE lines from stdin.")
def login(connection: str, from_stdin: bool) -> None:
    """Store a connection's credentials in the OS keyring."""
    fields = _fields(read_config(), connection)
    values = _from_stdin(fields) if from_stdin else _prompted(fields)
    credentials = Credentials()
    try:
        for field, value in values.items():
            click.echo(credentials.set(connection, field, value), err=True)
    except Failed as error:
        complain(error.failure.sentence)
        raise SystemExit(FAILED) from None


def _from_stdin(fields: tuple[str, ...]) -> dict[str, Secret]:
    values: dict[str, Secret] = {}
    for number, line in enumerate(sys.stdin, 1):
        field, equals, value = line.rstrip("\r\n").partition("=")
        if not line.strip():
            continue
        if not equals or field.strip() not in fields:
            complain(f"stdin line {number}: FIELD=VALUE is needed, FIELD one of {', '.join(fields)}.")
            raise SystemExit(USAGE)
        values[field.strip()] = Secret(value)
    if not values:
        complain("stdin held no FIELD=VALUE line.")
        raise SystemExit(USAGE)
    return values


def _prompted(fields: tuple[str, ...]) -> dict[str, Secret]:
    if not sys.stdin.isatty():
        complain("There is no terminal to ask on: use --stdin with one FIELD=VALUE a line.")
        raise SystemExit(USAGE)
    typed = {f: click.prompt(f, hide_input=True, default="", show_default=False, err=True) for f in fields}
    values = {f: Secret(v) for f, v in typed.items() if v}
    if not values:
        complain("Nothing was entered, nothing is stored.")
        raise SystemExit(USAGE)
    return values


@auth.command()
@click.argument("connection")
def logout(connection: str) -> None:
    """Delete a connection's credentials from the OS keyring."""
    credentials = Credentials()
    try:
        for field in _fields(read_config(), connection):
            click.echo(credentials.delete(connection, field), err=True)
    except Failed as error:
        complain(error.failure.sentence)
        raise SystemExit(FAILED) from None


@auth.command()
@click.argument("connection", required=False)
@json_option
def status(connection: str | None, as_json: bool) -> None:
    """Where each credential comes from; never a value."""
    config = read_config()
    if connection is not None:
        _fields(config, connection)
    wanted = [c for n, c in config.connections.items() if connection in (None, n)]
    credentials = Credentials()
    rows = credentials.status(wanted)
    if connection in (None, JOURNAL):
        rows.append(_journal_row(credentials))
    if as_json:
        print_json([_status_row(r) for r in rows])
    else:
        cells = [[r.connection, r.field, r.where, r.state.value, r.sentence] for r in rows]
        print_table(("CONNECTION", "FIELD", "FROM", "STATE", ""), cells)


def _journal_row(credentials: Credentials) -> Status:
    held = credentials.get(JOURNAL, "key")
    if isinstance(held, Missing):
        return Status(JOURNAL, "key", "none", held.state, held.sentence, True)
    sentence = "The journal is chained with a key."
    return Status(JOURNAL, "key", held.source, State.FOUND, sentence, False)


def _status_row(r: Status) -> dict[str, object]:
    named = {"connection": r.connection, "field": r.field, "where": r.where}
    return {**named, "state": r.state.value, "sentence": r.sentence, "needed": r.needed}


@auth.command()
@click.argument("connection", required=False)
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
