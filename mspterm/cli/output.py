"""What people and programs read on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from mspterm.domain.text import clean


def say(text: str, *, err: bool = False) -> None:
    """A text for people. What a person typed, or a file held, comes out as safe as a vendor's text."""
    # The limit is against accidents only: a conversation or an output is longer than a vendor's field.
    click.echo(clean(text, multiline=True, limit=1_000_000), err=err)


def print_json(value: Any) -> None:
    """Escaped to ASCII, so that no terminal acts on what a vendor wrote."""
    click.echo(json.dumps(value, ensure_ascii=True, indent=1))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table as wide as the terminal, or as wide as it needs to be in a pipe. No colour, no markup."""
    # Here: with --json nothing of rich is needed.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="")
    for column in columns:
        table.add_column(column, overflow="ellipsis", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(clean(cell)) for cell in row))
    # A pipe has no width: rich would take 80, and cut the refs that a script reads.
    width = None if sys.stdout.isatty() else 400
    Console(width=width, highlight=False, markup=False, emoji=False, color_system=None).print(table)
