"""`init`: the first run. Systems are picked, credentials tried, and the config written with comments."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import click

from mspterm.cli.asking import hidden, need_terminal, open_age
from mspterm.cli.auth_backend import open_or_make, refusable
from mspterm.cli.first_config import Draft, kinds_here, read_draft
from mspterm.cli.session import FAILED, USAGE, complain, options
from mspterm.cli.trial import greet, is_somebody, named
from mspterm.config.check import Wrong, convert
from mspterm.config.keys import Key, Type
from mspterm.config.kinds import RESERVED, Kind, secret_variable
from mspterm.config.load import ConfigError
from mspterm.config.paths import config_file, state_dir
from mspterm.config.table import CONNECTION
from mspterm.domain.people import Identity
from mspterm.domain.reasons import Failed, Failure, Reason
from mspterm.domain.secret import Secret
from mspterm.secrets.chain import Credentials
from mspterm.secrets.probe import advice, probe

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_CREDENTIAL, _ALL, _ME, _KEEP, _SKIP = "credential", "all", "me", "keep", "skip"
_KEY_OF_ME = next(key for key in CONNECTION if key.name == "me")
_WHEN_IT_FAILED = ("me", "ca_bundle")
"""Settings that are asked for only once a server has refused."""


@click.command()
@refusable
def init() -> None:
    """Pick systems, enter credentials, try them, write the config."""
    need_terminal("write the file by hand, as config.example.toml shows, or run this in one")
    file = config_file(options().config)
    draft = _begun(file)
    credentials = Credentials()
    # Before the first secret is typed: it must have a place to go.
    keeps = _choose_backend(credentials)
    for kind in _picked():
        _add(draft, kind, credentials, keeps=keeps)
    if not draft.blocks:
        complain("No connection was added: nothing is written.")
        raise SystemExit(FAILED)
    _introduce(draft)
    if not click.confirm(f"Write {file}?", default=True):
        raise SystemExit(FAILED)
    draft.write()
    click.echo(f"{file} is written. `mspterm doctor` looks over it all, `mspterm` opens the console.")


def _begun(file: Path) -> Draft:
    """What is there already: kept as it is, or what is good of it."""
    try:
        draft = read_draft(file)
    except ConfigError as error:
        complain(str(error))
        raise SystemExit(USAGE) from None
    if draft.problems:
        click.echo("The config file can't be used as it is:")
        for problem in draft.problems:
            click.echo(f"  {problem}")
        click.echo(f"What is good of it can be kept and the rest marked; a copy goes to {draft.copy}.")
        if not click.confirm("Do that?", default=True):
            raise SystemExit(FAILED)
    elif draft.old is not None:
        names = ", ".join(draft.config.connections) or "no connection"
        click.echo(f"{file} is there, with {names}: what you add goes to its end, the rest stays.")
    return draft


def _choose_backend(credentials: Credentials) -> bool:
    """Where credentials will go; False where they stay in the environment."""
    stores = credentials.stores
    if stores.choice.remembered:
        open_age(credentials)
        click.echo(f"Credentials are kept in {stores.chosen.title}.")
        return True
    if all(step.good for step in probe(stores.chosen)):
        click.echo("Credentials are kept in the OS keyring, which works here.")
        stores.choose("keyring")
        return True
    click.echo(f"The OS keyring does not work in this session. {advice(os.environ)}")
    if not click.confirm("Keep credentials in an age file, encrypted under a passphrase?", default=True):
        click.echo("Then they are for the environment to give; the variables are named below.")
        return False
    open_or_make(stores.age, from_stdin=False)
    stores.choose("age")
    return True


def _picked() -> list[Kind]:
    here = kinds_here()
    for number, kind in enumerate(here, 1):
        click.echo(f"  {number:2}  {kind.title}")
    while True:
        asked = "Which do you use? Numbers, with spaces between"
        words = click.prompt(asked, default="", show_default=False).split()
        if words and all(word.isdigit() and 1 <= int(word) <= len(here) for word in words):
            return [here[int(word) - 1] for word in dict.fromkeys(words)]
        click.echo(f"Numbers from 1 to {len(here)}, as 1 3.")


def _add(draft: Draft, kind: Kind, credentials: Credentials, *, keeps: bool) -> None:
    """One connection, until it answers, is kept as it is, or is left out."""
    click.echo(f"\n{kind.title}")
    name = _named_anew(draft, kind)
    values: dict[str, Any] = {}
    secrets: dict[str, Secret] = {}
    identity: Identity | None = None
    way = _ALL
    failed = False
    while way in (_CREDENTIAL, _ALL, _ME):
        if way == _ME:
            values["me"] = _setting(_KEY_OF_ME, None, draft.file.parent)
        if way == _ALL:
            values = _settings(kind, values, draft.file.parent, failed=failed)
        if way != _ME:
            secrets = _secrets(kind, name, secrets)
        try:
            identity = _try(draft, kind, name, values, secrets)
            break
        except Failed as error:
            # It answered, and can't say whose credential it is (ConnectWise never does).
            nobody = error.failure.reason is Reason.UNKNOWN and "me" not in values
            failed, way = True, _ME if nobody else _what_now(error.failure)
    if way != _SKIP:
        draft.add(kind, name, values, identity)
        _keep(credentials, name, secrets, keeps=keeps)


def _what_now(failure: Failure) -> str:
    click.echo(f"It did not work: {failure.sentence}")
    again = f"{_CREDENTIAL}: type that again   {_ALL}: the settings too"
    click.echo(f"  {again}   {_KEEP}: write it as it is   {_SKIP}: leave it out")
    refused = failure.reason in (Reason.AUTH, Reason.PERMISSION)
    # Refused is mostly a mistyped credential; not reached at all, a mistyped address.
    ways = click.Choice((_CREDENTIAL, _ALL, _KEEP, _SKIP))
    return str(click.prompt("What now?", type=ways, default=_CREDENTIAL if refused else _ALL))


def _try(draft: Draft, kind: Kind, name: str, values: dict[str, Any], secrets: dict[str, Secret]) -> Identity:
    connection = draft.connection(kind, name, values)
    identity = greet(connection, secrets, state_dir(options().state_dir))
    hello = f"Hello, {identity.technician.name}. " if is_somebody(identity) else ""
    click.echo(f"{hello}{name} answers: you act there as {named(identity)}, {identity.kind}.")
    return identity


def _named_anew(draft: Draft, kind: Kind) -> str:
    default = kind.name if kind.name not in draft.names else f"{kind.name}_2"
    while True:
        name = str(click.prompt("Its name here, in short", default=default)).strip()
        if not _NAME.fullmatch(name) or name == RESERVED:
            click.echo("Lower-case letters, digits and _, a letter first.")
        elif name in draft.names:
            click.echo(f"There is a connection {name} already.")
        else:
            return name


def _settings(kind: Kind, before: dict[str, Any], base: Path, *, failed: bool) -> dict[str, Any]:
    more = [key for key in CONNECTION if failed and key.name in _WHEN_IT_FAILED]
    answers = {key.name: _setting(key, before.get(key.name), base) for key in (*kind.settings, *more)}
    return {name: value for name, value in answers.items() if value is not None}


def _setting(key: Key, before: Any, base: Path) -> Any:
    """A value that the config would take; None where an optional one is left out."""
    hint = f"{key.comment} ({'such as' if key.required else 'Enter for none, or such as'} {key.sample})"
    while True:
        typed = str(click.prompt(hint, default=before or "", show_default=before is not None)).strip()
        if not typed and not key.required:
            return None
        value: Any = int(typed) if key.type is Type.COUNT and typed.isdigit() else typed
        try:
            convert(key, value, base)
        except Wrong as wrong:
            click.echo(f"It {wrong}" if typed else "It is needed.")
            continue
        return value


def _secrets(kind: Kind, name: str, before: dict[str, Secret]) -> dict[str, Secret]:
    """Of each way to log in the fields that were typed, now or before; one way must be whole."""
    given = {field for field in kind.secrets if os.environ.get(secret_variable(name, field))}
    for field in sorted(given):
        click.echo(f"Its {field} comes from {secret_variable(name, field)}.")
    typed = dict(before)
    while True:
        for field in kind.secrets:
            if field not in given and (value := hidden(f"{field} ({_how(kind, field, typed)})")) is not None:
                typed[field] = value
        missing = kind.missing(given | set(typed))
        if not missing:
            return typed
        click.echo(f"Still needed: {', '.join(missing)}.")


def _how(kind: Kind, field: str, typed: dict[str, Secret]) -> str:
    if field in typed:
        return "not shown; Enter keeps what was typed"
    optional = any(field not in way for way in kind.needs)
    return "not shown; Enter for none" if optional else "not shown"


def _keep(credentials: Credentials, name: str, secrets: dict[str, Secret], *, keeps: bool) -> None:
    for field, secret in secrets.items():
        if keeps:
            click.echo(credentials.set(name, field, secret))
        else:
            click.echo(f"Set {secret_variable(name, field)} before you start mspterm.")


def _introduce(draft: Draft) -> None:
    """The technician's own name, which the journal carries; proposed as a server told it."""
    if draft.config.technician.name:
        return
    name = click.prompt("\nYour name, for the journal", default=draft.technician or "")
    draft.introduce(str(name).strip())
