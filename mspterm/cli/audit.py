"""`audit show | verify | export`: the journal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from mspterm.cli.evidence import as_csv, as_json
from mspterm.cli.output import print_json, print_table
from mspterm.cli.read import json_option
from mspterm.cli.reviews import open_reviews, review, said_of
from mspterm.cli.session import DONE, FAILED, NO_CREDENTIAL, complain, run
from mspterm.desk.desk import Desk
from mspterm.desk.journal import Journal, Verification
from mspterm.domain.text import clean
from mspterm.secrets.aside import aside

# What programs may count on: keys of `audit show` stay, and their order.
KEYS = (
    "seq", "at", "technician", "identity", "action", "refs", "client", "state", "reason", "intent_id", "plan_hash",
)  # fmt: skip
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Which:
    """The records that are asked for; None asks for all of it."""

    client: str | None = None
    ref: str | None = None
    action: str | None = None
    state: str | None = None
    technician: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def has(self, record: Record) -> bool:
        named = (
            (self.client, record["client"]),
            (self.action, record["action"]),
            (self.state, record["state"]),
            (self.technician, record["technician"]),
        )
        if any(wanted and wanted.casefold() != str(found).casefold() for wanted, found in named):
            return False
        if self.ref is not None and self.ref not in record["refs"]:
            return False
        at = datetime.fromisoformat(record["at"])
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


ALL = Which()


def _instant(value: str | None, *, ends: bool = False) -> datetime | None:
    """A date or an instant of ISO 8601, UTC where no zone is said; a date that `ends` counts to its end."""
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no date such as 2026-11-24 or 2026-11-24T02:10Z.") from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return at + timedelta(days=1) if ends and len(value) <= len("2026-11-24") else at


def which_options(verb: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option(
            "--until",
            callback=lambda _c, _p, v: _instant(v, ends=True),
            help="To this date (included) or before this time, UTC.",
        ),
        click.option(
            "--since", callback=lambda _c, _p, v: _instant(v), help="From this date or time on, UTC."
        ),
        click.option("--technician", help="Only this technician's."),
        click.option("--state", help="Only this state: intent, done, refused, uncertain..."),
        click.option("--action", help="Only this action: note, reboot..."),
        click.option("--ref", help="Only what acted on this ticket or device."),
        click.option("--client", help="Only this client's."),
    ):
        verb = option(verb)
    return verb


@click.group()
def audit() -> None:
    """The journal of everything that was done, and refused."""


audit.add_command(review)


@audit.command()
@which_options
@json_option
def show(as_json: bool, **which: Any) -> None:
    """What was done, oldest first."""

    async def verb(desk: Desk) -> int:
        journal = await desk.journal()
        rows = [{k: r[k] for k in KEYS} for r in records_of(journal, Which(**which))]
        if as_json:
            print_json(rows)
        else:
            print_table(("AT", "WHO", "ACTION", "REFS", "STATE", "REASON"), [_cells(row) for row in rows])
        for sentence in said_of(open_reviews(records_of(journal))):
            complain(sentence)
        return DONE

    run(verb)


def _cells(row: Record) -> list[str]:
    found = (row["at"], row["technician"], row["action"], " ".join(row["refs"]), row["state"], row["reason"])
    # A journal that somebody wrote into is hostile text too.
    return [clean(str(cell or "-")) for cell in found]


def records_of(journal: Journal, which: Which = ALL) -> Iterator[Record]:
    """The records that are of actions; checkpoints seal the chain and say nothing more."""
    for _, _, raw in journal.records():
        try:
            found = json.loads(raw)
            wanted = found["action"] != "checkpoint" and which.has(found) and {*KEYS} <= found.keys()
        except (ValueError, KeyError, TypeError):
            # `verify` names a bad record; a list shows the ones that can be read.
            continue
        if wanted:
            yield found


@audit.command()
def verify() -> None:
    """Walk the chain: 1 a bad record, named; 4 no key to verify with."""

    async def verb(desk: Desk) -> int:
        status, sentence = await _verified(await desk.journal())
        click.echo(sentence) if status == DONE else complain(sentence)
        return status

    run(verb)


@audit.command()
@which_options
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
@click.option("--json", "as_json_", is_flag=True, help="The same as --format json.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Into this file, made new.")
def export(form: str, as_json_: bool, out: Path | None, **which: Any) -> None:
    """Compliance evidence: records by client and period, and on stderr whether the chain is whole."""

    async def verb(desk: Desk) -> int:
        journal = await desk.journal()
        records = list(records_of(journal, Which(**which)))
        text = as_json(records) if as_json_ or form == "json" else as_csv(records)
        if out is None:
            click.echo(text, nl=False)
        else:
            try:
                # Never over an older export; the CSV has its own line ends.
                with out.open("x", encoding="utf-8", newline="") as file:
                    file.write(text)
            except OSError as error:
                complain(f"{out} can't be written: {error}.")
                return FAILED
        status, sentence = await _verified(journal)
        complain(sentence)
        return status

    run(verb)


async def _verified(journal: Journal) -> tuple[int, str]:
    # Heads before the walk: a record that is written meanwhile would look like a tail that was cut.
    kept, why = await aside(journal.kept)
    found = await aside(lambda: journal.verify(kept))
    if found.needs_key:
        sentence = "The journal is keyed and no backend has its key: set MSPTERM_SECRET_JOURNAL_KEY."
        return NO_CREDENTIAL, sentence
    if found.bad is not None:
        return FAILED, f"The journal is broken at {found.bad}; {found.checked} records before it are good."
    return DONE, " ".join((f"{found.checked} records, the chain is whole.", *_remarks(found, why)))


def _remarks(found: Verification, why: list[str]) -> Iterator[str]:
    """What else is to be said of a chain that is whole."""
    if found.unkeyed:
        yield f"{found.unkeyed} of them are unkeyed: where nothing keyed follows, a rewrite can't be seen."
    if found.repaired:
        yield f"{found.repaired} torn lines were moved aside, each on record (audit show --state repaired)."
    if found.steps_back:
        yield f"The clock stepped back {found.steps_back} times; the order is the sequence's."
    if not found.checked:
        return
    newest = max(found.kept, key=lambda k: k.head.seq, default=None)
    if newest is None:
        yield "A cut tail can't be seen: no head can be read back from outside."
        yield why[0] if why else "Set head_file in [journal] where no keyring can keep one."
    elif newest.head.seq < found.checked:
        yield f"Kept in {newest.where} is record {newest.head.seq}: a cut after that can't be seen."
    else:
        yield f"Its end is the one kept in {newest.where}."
