"""`auth move | unlock | lock | rotate | doctor`: what keeps the credentials, and whether it works."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from functools import wraps
from typing import ParamSpec

import click

from mspterm.cli.asking import fields_of, new_passphrase, open_age, passphrase, secrets_typed, stdin_option
from mspterm.cli.completing import connections
from mspterm.cli.output import print_json
from mspterm.cli.read import json_option
from mspterm.cli.session import FAILED, USAGE, complain, options, read_config
from mspterm.cli.trial import greet, named
from mspterm.config.kinds import KINDS, RESERVED, RESERVED_FIELDS
from mspterm.config.model import Config
from mspterm.config.paths import state_dir
from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.secrets.age_file import AgeStore
from mspterm.secrets.answer import SecretStore, State
from mspterm.secrets.chain import Credentials
from mspterm.secrets.choice import BACKENDS
from mspterm.secrets.command import CommandStore
from mspterm.secrets.moving import move as moved
from mspterm.secrets.probe import Step, advice, probe

P = ParamSpec("P")

passphrase_option = click.option("--stdin", "from_stdin", is_flag=True, help="Passphrase: a line of stdin.")


def refusable(verb: Callable[P, None]) -> Callable[P, None]:
    """A failure's sentence on stderr and exit status 1, in place of a traceback."""

    @wraps(verb)
    def made(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            verb(*args, **kwargs)
        except Failed as error:
            complain(error.failure.sentence)
            raise SystemExit(FAILED) from None

    return made


def backend_line(credentials: Credentials) -> str:
    """Which backend there is, and whether it is open."""
    try:
        store = credentials.stores.chosen
    except Failed as error:
        return f"Backend: none. {error.failure.sentence}"
    if not isinstance(store, AgeStore):
        return f"Backend: {store.title}."
    how = {State.FOUND: "open", State.LOCKED: "locked: `mspterm auth unlock`", State.ABSENT: "not made yet"}
    return f"Backend: {store.title} {store.secrets_file} ({how.get(store.state, 'unusable')})."


@click.command()
@click.option("--to", type=click.Choice(BACKENDS), required=True, help="The backend to move to.")
@click.option("--leave", is_flag=True, help="Choose it, and take nothing along.")
@click.option("--recovery", multiple=True, help="age1... of somebody who may open the age file as well.")
@passphrase_option
@refusable
def move(to: str, leave: bool, recovery: tuple[str, ...], from_stdin: bool) -> None:
    """Move all credentials to another backend: copied, read back, then deleted."""
    config, credentials = read_config(), Credentials()
    stores = credentials.stores
    if recovery and to != "age":
        complain("--recovery is for the age file.")
        raise SystemExit(USAGE)
    if to == "age":
        open_or_make(stores.age, from_stdin=from_stdin)
    else:
        open_age(credentials)
    if recovery:
        stores.age.reseal(recovery)
        stores.choose(stores.choice.backend, recovery)
        click.echo(f"The age file can be opened by {len(recovery)} more.", err=True)
        if stores.choice.backend == to:
            return
    for sentence in moved(stores, _names(config), to, leave=leave):
        click.echo(sentence, err=True)


def open_or_make(store: AgeStore, *, from_stdin: bool) -> None:
    """Makes the age file where there is none, unlocks it where it is locked. Raises Failed."""
    if store.state is State.ABSENT:
        click.echo(store.create(new_passphrase(from_stdin=from_stdin)), err=True)
    elif store.state is State.LOCKED:
        click.echo(store.unlock(passphrase(from_stdin=from_stdin)), err=True)


def _names(config: Config) -> Iterator[tuple[str, str]]:
    for name, connection in config.connections.items():
        yield from ((name, field) for field in KINDS[connection.kind].secrets)
    yield from ((RESERVED, field) for field in RESERVED_FIELDS)


@click.command()
@click.argument("connection", required=False, shell_complete=connections)
@passphrase_option
@refusable
def unlock(connection: str | None, from_stdin: bool) -> None:
    """Open the age file for some hours, or let a command's own agent ask."""
    credentials = Credentials()
    store = credentials.stores.chosen
    if connection is not None:
        _let_ask(credentials, connection)
    elif isinstance(store, AgeStore):
        store.get(RESERVED, "key")
        click.echo(store.unlock(passphrase(from_stdin=from_stdin)), err=True)
    elif isinstance(store, CommandStore):
        complain("Name a CONNECTION: its command is run with this terminal, so that it can ask.")
        raise SystemExit(USAGE)
    else:
        raise failed(Reason.REFUSED, f"The OS keyring is unlocked by its own means. {advice(os.environ)}")


def _let_ask(credentials: Credentials, connection: str) -> None:
    for field in fields_of(read_config(), connection):
        store = credentials.stores.of(connection, field)
        if not isinstance(store, CommandStore):
            continue
        answer = store.unlock(connection, field)
        if answer.secret is None:
            raise failed(Reason.REFUSED, answer.sentence)
        click.echo(answer.sentence, err=True)


@click.command()
@refusable
def lock() -> None:
    """Forget the age file's identity: the next mspterm asks for the passphrase."""
    store = Credentials().stores.age
    click.echo("The age file is locked." if store.lock() else "The age file was locked already.", err=True)


@click.command()
@click.argument("connection", required=False, shell_complete=connections)
@click.option("--identity", is_flag=True, help="The age file's identity and passphrase, not a connection's.")
@stdin_option
@refusable
def rotate(connection: str | None, identity: bool, from_stdin: bool) -> None:
    """Replace a connection's credentials, once the server has accepted the new ones."""
    credentials = Credentials()
    if identity:
        open_age(credentials)
        click.echo(credentials.stores.age.rekey(new_passphrase(from_stdin=from_stdin)), err=True)
    elif connection is None or connection == RESERVED:
        complain("Name a CONNECTION. The journal's key stays: with another its records can't be verified.")
        raise SystemExit(USAGE)
    else:
        _rotate(credentials, connection, from_stdin=from_stdin)


def _rotate(credentials: Credentials, name: str, *, from_stdin: bool) -> None:
    config = read_config()
    fields = fields_of(config, name)
    if not from_stdin:
        open_age(credentials)
    values = secrets_typed(fields, from_stdin=from_stdin)
    connection = config.connections[name]
    try:
        # Before any is stored: one mistyped value must not cost the ones that work.
        identity = greet(connection, values, state_dir(options().state_dir))
    except Failed as error:
        sentence = f"{error.failure.sentence} The stored ones are kept."
        raise failed(error.failure.reason, sentence, name) from None
    click.echo(f"{name}: the new ones act as {named(identity)}.", err=True)
    for field, value in values.items():
        click.echo(credentials.set(name, field, value), err=True)


@click.command()
@click.argument("connection", required=False, shell_complete=connections)
@json_option
@refusable
def doctor(connection: str | None, as_json: bool) -> None:
    """Write, read and delete a probe in the backend; read a connection's credentials; with times."""
    credentials = Credentials()
    store = credentials.stores.chosen
    rows = [(store.name, step) for step in _probed(store)]
    if connection is not None:
        rows += list(_looks(credentials, connection, fields_of(read_config(), connection)))
    if as_json:
        print_json([_step_row(name, step) for name, step in rows])
    else:
        for name, s in rows:
            click.echo(
                f"{name}: {s.what} {s.ms:.1f} ms, {s.state.value}. {'' if s.good else s.sentence}".rstrip()
            )
    if all(step.good for _, step in rows):
        return
    if store.name == "keyring":
        complain(advice(os.environ))
    raise SystemExit(FAILED)


def _probed(store: SecretStore) -> list[Step]:
    """Of a backend that only reads, no probe can be written: that is no fault."""
    steps = probe(store)
    if steps[0].state is State.READ_ONLY:
        first = steps[0]
        return [Step(first.what, first.ms, first.state, first.sentence, good=True)]
    return steps


def _looks(credentials: Credentials, connection: str, fields: tuple[str, ...]) -> Iterator[tuple[str, Step]]:
    for row_of in fields:
        began = time.perf_counter()
        held = credentials.get(connection, row_of)
        ms = (time.perf_counter() - began) * 1000
        source = getattr(held, "source", "none")
        state = getattr(held, "state", State.FOUND)
        sentence = getattr(held, "sentence", f"{connection}: {row_of} is there.")
        yield source, Step(f"read {row_of}", ms, state, sentence, good=state in (State.FOUND, State.ABSENT))


def _step_row(name: str, step: Step) -> dict[str, object]:
    measured = {"backend": name, "call": step.what, "ms": round(step.ms, 1)}
    return {**measured, "state": step.state.value, "good": step.good, "sentence": step.sentence}


COMMANDS = (move, unlock, lock, rotate, doctor)
