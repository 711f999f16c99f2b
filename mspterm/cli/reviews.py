"""`audit review`: who broke glass is looked at by somebody else afterwards, and that is on record too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import click

from mspterm.cli.session import DONE, FAILED, complain, run
from mspterm.desk.desk import Desk
from mspterm.desk.journal import Entry
from mspterm.desk.recording import BREAK_GLASS, OPEN, REVIEW
from mspterm.domain.text import clean

Record = dict[str, Any]


def open_reviews(records: Iterable[Record]) -> list[Record]:
    """The records of broken glass that nobody has reviewed, oldest first."""
    found: dict[str, Record] = {}
    for record in records:
        if (record["action"], record["state"]) == (BREAK_GLASS, OPEN):
            found[str(record["seq"])] = record
        elif record["action"] == REVIEW:
            found.pop(str(record.get("more", {}).get("of")), None)
    return list(found.values())


def said_of(open_: Iterable[Record]) -> Iterator[str]:
    for record in open_:
        what = (
            f"{clean(record['at'])} {clean(record['technician'])} broke glass for {clean(record['reason'])}"
        )
        yield f"review open: {what}; `mspterm audit review {record['seq']} --by WHO` closes it"


@click.command()
@click.argument("seq", type=click.IntRange(1))
@click.option("--by", required=True, help="Who reviewed it: somebody else than who broke the glass.")
@click.option("--note", help="What came of it.")
def review(seq: int, by: str, note: str | None) -> None:
    """Close the review of broken glass: SEQ is its record, as `audit show` names it."""

    async def verb(desk: Desk) -> int:
        # Here: audit imports this module at its top.
        from mspterm.cli.audit import records_of

        journal = await desk.journal()
        found = next((r for r in open_reviews(records_of(journal)) if r["seq"] == seq), None)
        who = clean(" ".join(by.split()))
        if found is None:
            complain(
                f"not found: record {seq} is no open review; `mspterm audit show` lists those there are."
            )
            return FAILED
        # Nobody reviews themselves: else broken glass would be an approval of one's own.
        if not who or who.casefold() == str(found["technician"]).casefold():
            complain("refused: who broke the glass can't review it; --by names somebody else.")
            return FAILED
        closed = Entry(
            REVIEW,
            tuple(found["refs"]),
            found["client"],
            "closed",
            clean(f"reviewed by {who}{f': {note}' if note else ''}"),
            None,
            found["plan_hash"],
            None,
            more={"of": str(seq), "by": who},
        )
        journal.append(closed, desk.now())
        click.echo(f"The review of record {seq} is closed.")
        return DONE

    run(verb)
