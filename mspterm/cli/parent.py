"""The verb that makes one parent for the tickets of one cause."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mspterm.cli.write import read_text, with_text, write, written
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Audience


@click.command()
@click.argument("ref")
@click.argument("children", nargs=-1, required=True)
@with_text
@click.option("--contact", help="Who at the client gets the mail: the parent's contact from now on.")
@click.option("--audience", type=click.Choice([a.value for a in Audience]), help="Who reads it: public.")
@click.option("--mail/--no-mail", default=None, help="Whether the vendor mails the text.")
@written
def parent(
    ref: str, children: tuple[str, ...], text: str | None, file: Path | None, contact: str | None,
    audience: str | None, mail: bool | None, **how: Any,
) -> None:  # fmt: skip
    """Make tickets the children of REF. The text goes to REF alone, the children stay silent; `-` reads it
    from stdin. A REF that is closed is opened again. Setting its status to a closed one closes the children
    that no human touched, too."""
    refs, text = read_text((ref, *children), text, file)
    reader = Audience(audience) if audience else None
    wanted = Wanted(parent=ref, text=text, contact=contact, audience=reader, mail=mail)
    write("parent", refs, wanted, **how)


@click.command()
@click.argument("refs", nargs=-1)
@written
def cleared(refs: tuple[str, ...], **how: Any) -> None:
    """The alerts of these tickets have cleared: an internal comment, and an end where no human touched one."""
    write("cleared", refs, Wanted(), **how)
