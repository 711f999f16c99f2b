"""`config check | show | path | schema`."""

from __future__ import annotations

import click

from mspterm.cli.output import print_json
from mspterm.cli.read import json_option
from mspterm.cli.session import USAGE, complain, options
from mspterm.config.load import ConfigError, Loaded, load_with_sources
from mspterm.config.paths import config_file


@click.group()
def config() -> None:
    """The configuration."""


def _loaded() -> Loaded:
    try:
        return load_with_sources(options().config)
    except ConfigError as error:
        complain(str(error))
        raise SystemExit(USAGE) from None


@config.command()
def check() -> None:
    """Every problem in the file, with its line."""
    loaded = _loaded()
    found = loaded.config.source
    count = len(loaded.config.connections)
    for failure in (*loaded.config.policy_failures, *loaded.config.clients_dir_failures):
        complain(failure)
    click.echo(f"{found or 'no file'}: good, {count} connection{'' if count == 1 else 's'}.")


@config.command()
@json_option
def show(as_json: bool) -> None:
    """Every effective value, and which line gives it."""
    from mspterm.config.show import rows, text

    loaded = _loaded()
    if as_json:
        print_json(rows(loaded))
    else:
        click.echo(text(loaded))


@config.command()
def path() -> None:
    """Where the file is, or would be."""
    click.echo(str(config_file(options().config)))


@config.command()
def schema() -> None:
    """The JSON schema of the file, for editors."""
    from mspterm.config.schema import schema as make

    print_json(make())
