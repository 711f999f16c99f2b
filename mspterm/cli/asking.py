"""What a person types: secrets and passphrases, never shown, or lines of stdin; nothing from argv."""

from __future__ import annotations

import sys

import click

from mspterm.cli.session import FAILED, USAGE, complain
from mspterm.config.kinds import KINDS, RESERVED
from mspterm.config.model import Config
from mspterm.domain.reasons import Failed
from mspterm.domain.secret import Secret
from mspterm.secrets.age_file import AgeStore
from mspterm.secrets.answer import State
from mspterm.secrets.chain import Credentials

stdin_option = click.option("--stdin", "from_stdin", is_flag=True, help="Read FIELD=VALUE lines from stdin.")


def fields_of(config: Config, connection: str) -> tuple[str, ...]:
    """The secret fields of a connection or of the journal; ends the process where there is neither."""
    if connection == RESERVED:
        return ("key",)
    if connection not in config.connections:
        known = ", ".join((*config.connections, RESERVED))
        complain(f"There is no connection {connection}; there are: {known}.")
        raise SystemExit(FAILED)
    return KINDS[config.connections[connection].kind].secrets


def secrets_typed(fields: tuple[str, ...], *, from_stdin: bool) -> dict[str, Secret]:
    """The fields that were given. Ends the process with a usage error where none was."""
    return _from_stdin(fields) if from_stdin else _prompted(fields)


def _from_stdin(fields: tuple[str, ...]) -> dict[str, Secret]:
    values: dict[str, Secret] = {}
    # Only the line's end is taken off, and only the first = parts it: a secret may hold anything.
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
    need_terminal("use --stdin with one FIELD=VALUE a line")
    values = {field: value for field in fields if (value := hidden(field)) is not None}
    if not values:
        complain("Nothing was entered, nothing is stored.")
        raise SystemExit(USAGE)
    return values


def hidden(what: str) -> Secret | None:
    """One hidden prompt; None where only Enter was pressed."""
    # On stderr: stdout may be a pipe, and the prompt must be seen.
    typed = click.prompt(what, hide_input=True, default="", show_default=False, err=True)
    return Secret(typed) if typed else None


def need_terminal(otherwise: str) -> None:
    """Ends the process where nobody can be asked."""
    if not sys.stdin.isatty():
        complain(f"There is no terminal to ask on: {otherwise}.")
        raise SystemExit(USAGE)


def passphrase(*, from_stdin: bool) -> Secret:
    """The age file's passphrase: a line of stdin, or a hidden prompt."""
    if from_stdin:
        found: Secret | None = Secret(sys.stdin.readline().rstrip("\r\n"))
    else:
        need_terminal("use --stdin with the passphrase on one line")
        found = hidden("Passphrase of the age file")
    if found is None or not found.reveal():
        complain("No passphrase was entered.")
        raise SystemExit(USAGE)
    return found


def new_passphrase(*, from_stdin: bool) -> Secret:
    """One that is not empty, typed twice at a terminal."""
    first = passphrase(from_stdin=from_stdin)
    if not from_stdin and hidden("The same again") != first:
        complain("The two differ: nothing is changed.")
        raise SystemExit(USAGE)
    return first


def open_age(credentials: Credentials) -> None:
    """Where the age file is the backend and locked, and there is somebody to ask: asks. Raises Failed."""
    try:
        store = credentials.stores.chosen
    except Failed:
        return  # said by the call that follows, with its connection
    if isinstance(store, AgeStore) and store.state is State.LOCKED and sys.stdin.isatty():
        click.echo(store.unlock(passphrase(from_stdin=False)), err=True)
