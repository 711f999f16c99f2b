"""The verbs that write to tickets: all short forms of one update."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from mspterm.cli.output import say
from mspterm.cli.perform import confirm_option, dry_run_option, perform, plan_hash_option
from mspterm.cli.read import json_option
from mspterm.cli.session import DONE, USAGE, complain, fetch, run
from mspterm.desk.desk import Desk
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Audience
from mspterm.domain.reasons import Failure, Reason, failed

F = TypeVar("F", bound=Callable[..., Any])


def written(verb: F) -> F:
    """The options that every write has."""
    for option in (json_option, dry_run_option, plan_hash_option, confirm_option):
        verb = option(verb)
    return verb


def with_text(verb: F) -> F:
    for option in (
        click.option(
            "--file", type=click.Path(path_type=Path), help="Read the text from a file; - is stdin."
        ),
        click.option("--text", help="The text itself."),
    ):
        verb = option(verb)
    return verb


def _priority(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    digits = value.upper().removeprefix("P")
    if digits not in ("1", "2", "3", "4", "5"):
        raise click.BadParameter(f"{value!r} is not 1 to 5 (or P1 to P5)")
    return int(digits)


def _date(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    if value is None:
        return None
    from mspterm.domain.when import parse_when

    # In the technician's own zone: `tomorrow 9:00` is by the clock on their wall.
    found = parse_when(value, datetime.now().astimezone())
    if isinstance(found, datetime):
        return found
    raise click.BadParameter(found.sentence)


def read_text(
    refs: tuple[str, ...], text: str | None, file: Path | None
) -> tuple[tuple[str, ...], str | None]:
    """The refs without `-`, and the text from `--text`, `--file` or stdin."""
    stdin = "-" in refs or (file is not None and str(file) == "-")
    refs = tuple(r for r in refs if r != "-")
    if sum((text is not None, file is not None and str(file) != "-", stdin)) > 1:
        _usage("give the text once: --text, --file or -.")
    if stdin:
        text = sys.stdin.read()
    elif file is not None:
        text = _from_file(file)
    if text is not None and not text.strip():
        _usage("the text is empty.")
    return refs, None if text is None else text.rstrip("\n")


def _from_file(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        _usage(f"--file {file} can't be read: {error}.")
        raise AssertionError from error


def _usage(sentence: str) -> None:
    complain(sentence)
    raise SystemExit(USAGE)


def _need(refs: tuple[str, ...], what: str = "REF") -> None:
    if not refs:
        _usage(f"{what} is missing; a ref looks like rt:42.")


def write(action: str, refs: tuple[str, ...], wanted: Wanted, **how: Any) -> None:
    """Reads the tickets anew, plans, and performs."""
    _need(refs)

    async def verb(desk: Desk) -> int:
        # Anew even if just polled: a claim goes by who holds it, and the plan shows what it changes.
        for ref in refs:
            failure = await fetch(desk, ref)
            if failure is not None:
                _unless_known(desk, ref, failure)
        return await perform(desk, action, refs, wanted, **how)

    run(verb)


def _unless_known(desk: Desk, ref: str, failure: Failure) -> None:
    """A ticket that can't be read now is written to as last known; one that isn't known is an error."""
    if failure.reason is Reason.NOT_FOUND or desk.store.tickets.get(ref) is None:
        raise failed(failure.reason, failure.sentence, failure.connection)


@click.command()
@click.argument("refs", nargs=-1)
@with_text
@click.option("--audience", type=click.Choice([a.value for a in Audience]), help="Who reads the text.")
@click.option("--mail/--no-mail", default=None, help="Whether the vendor mails the text.")
@click.option("--minutes", type=click.IntRange(1, 24 * 60), help="Minutes worked.")
@click.option("--status", help="The vendor's status.")
@click.option("--owner", help="A technician's name or login, me or nobody.")
@click.option("--priority", callback=_priority, help="1 (highest) to 5.")
@click.option("--queue", help="The vendor's queue.")
@click.option("--next", "next_at", callback=_date, help="Next action: 2026-12-01 09:00, tomorrow 9:00, +2h.")
@written
def update(
    refs: tuple[str, ...], text: str | None, file: Path | None, audience: str | None, mail: bool | None,
    minutes: int | None, status: str | None, owner: str | None, priority: int | None, queue: str | None,
    next_at: datetime | None, **how: Any,
) -> None:  # fmt: skip
    """Text, who reads it, time, status, owner, queue and next date in one go. `-` reads stdin."""
    refs, text = read_text(refs, text, file)
    reader = Audience(audience) if audience else None
    wanted = Wanted(
        text=text, audience=reader, mail=mail, minutes=minutes, status=status, owner=owner,
        priority=priority, queue=queue, next_at=next_at,
    )  # fmt: skip
    write("update", refs, wanted, **how)


@click.command()
@click.argument("refs", nargs=-1)
@written
def claim(refs: tuple[str, ...], **how: Any) -> None:
    """Take tickets: you own them, and their status says that work has begun."""
    write("claim", refs, Wanted(), **how)


@click.command()
@click.argument("refs", nargs=-1)
@with_text
@click.option("--minutes", type=click.IntRange(1, 24 * 60), help="Minutes worked.")
@written
def note(refs: tuple[str, ...], text: str | None, file: Path | None, minutes: int | None, **how: Any) -> None:
    """Write an internal note: technicians only. `-` reads stdin."""
    _write_text("note", refs, text, file, Audience.INTERNAL, minutes, how)


@click.command()
@click.argument("refs", nargs=-1)
@with_text
@click.option("--minutes", type=click.IntRange(1, 24 * 60), help="Minutes worked.")
@written
def reply(
    refs: tuple[str, ...], text: str | None, file: Path | None, minutes: int | None, **how: Any
) -> None:
    """Write to the client. `-` reads stdin."""
    _write_text("reply", refs, text, file, Audience.PUBLIC, minutes, how)


def _write_text(
    action: str, refs: tuple[str, ...], text: str | None, file: Path | None, audience: Audience,
    minutes: int | None, how: dict[str, Any],
) -> None:  # fmt: skip
    refs, text = read_text(refs, text, file)
    if text is None:
        _usage(f"{action}: the text is missing: --text, --file or -.")
    write(action, refs, Wanted(text=text, audience=audience, minutes=minutes), **how)


@click.command()
@click.argument("refs_and_name", nargs=-1)
@written
def status(refs_and_name: tuple[str, ...], **how: Any) -> None:
    """Set the status: REF... NAME."""
    refs, name = _last(refs_and_name, "NAME")
    write("status", refs, Wanted(status=name), **how)


@click.command()
@click.argument("refs_and_who", nargs=-1)
@written
def assign(refs_and_who: tuple[str, ...], **how: Any) -> None:
    """Give tickets to a technician (me, nobody, a name or login): REF... WHO."""
    refs, who = _last(refs_and_who, "WHO")
    write("assign", refs, Wanted(owner=who), **how)


def _last(words: tuple[str, ...], what: str) -> tuple[tuple[str, ...], str]:
    if len(words) < 2:
        _usage(f"REF and {what} are needed.")
    return words[:-1], words[-1]


@click.command("time")
@click.argument("ref")
@click.argument("minutes", type=click.IntRange(1, 24 * 60))
@written
def time_(ref: str, minutes: int, **how: Any) -> None:
    """Book minutes on a ticket."""
    write("time", (ref,), Wanted(minutes=minutes), **how)


@click.command()
@click.argument("ref")
@click.argument("switch", type=click.Choice(["on", "off"]))
@written
def incident(ref: str, switch: str, **how: Any) -> None:
    """A suspected security incident: nothing reboots, runs or opens a session on the ticket's devices."""
    write("incident", (ref,), Wanted(switch=switch), **how)


@click.command()
@click.argument("ref")
@click.option("--method", required=True, help="How: call back, code, in person, manager.")
@click.option("--number", help="The number on file that was used; the contact's where not given.")
@click.option("--result", required=True, type=click.Choice(["passed", "failed"]))
@written
def verify(ref: str, method: str, number: str | None, result: str, **how: Any) -> None:
    """Record on the ticket how the caller was verified, before work on an account."""
    write("verify", (ref,), Wanted(method=method, number=number, result=result), **how)


@click.command()
@click.argument("ref")
@click.argument("whom")
@click.argument("result", type=click.Choice(["reached", "voicemail", "busy", "no answer"]))
@click.option("--number", help="The number called; the one on file where not given.")
@click.option("--text", help="What was said.")
@written
def call(ref: str, whom: str, result: str, number: str | None, text: str | None, **how: Any) -> None:
    """Record on the ticket whom you called and what came of it: REF WHOM RESULT."""
    write("call", (ref,), Wanted(whom=whom, result=result, number=number, text=text), **how)


@click.command()
@click.argument("ref")
@click.option("--to", required=True, help="tier:N, queue:NAME or vendor:NAME.")
@click.option(
    "--handoff", type=click.Path(path_type=Path), help="The handoff's text; - is stdin. Default: drafted."
)
@click.option(
    "--release", is_flag=True, help="Nobody owns it afterwards; without it, you hold it until they claim."
)
@click.option("--case", help="The vendor's case number.")
@click.option("--reason", help="Why, in a line; needed where it goes to a lower tier.")
@click.option("--draft", is_flag=True, help="Only print the handoff as drafted, to edit and give back.")
@written
def escalate(
    ref: str, to: str, handoff: Path | None, release: bool, case: str | None, reason: str | None, draft: bool,
    **how: Any,
) -> None:  # fmt: skip
    """Move a ticket to another tier, queue or vendor, with a handoff of five parts as an internal note."""
    _, text = read_text((ref,), None, handoff)

    async def verb(desk: Desk) -> int:
        from mspterm.desk.handoffs import drafted, from_text

        failure = await fetch(desk, ref)
        if failure is not None:
            _unless_known(desk, ref, failure)
        told = from_text(text) if text is not None else await drafted(desk, ref)
        if draft:
            say(told.rstrip())
            return DONE
        wanted = Wanted(to=to, text=told, release=release, number=case, reason=reason)
        return await perform(desk, "escalate", (ref,), wanted, **how)

    run(verb)


@click.command()
@click.option("--client", required=True, help="The client's name.")
@click.option("--summary", required=True, help="The ticket's title.")
@click.option("--text", help="What happened.")
@click.option("--contact", help="The client's person: a mail address or a name.")
@click.option("--device", help="The device it is about: a ref or a name.")
@click.option("--queue", help="The queue it goes to.")
@click.option("--priority", callback=_priority, help="1 (highest) to 5.")
@click.option("--type", "type_", default="incident", help="incident, request, problem, change or task.")
@click.option("--connection", help="The PSA, where there are several.")
@click.option("--parent", help="The parent ticket's ref.")
@written
def new(
    client: str, summary: str, text: str | None, contact: str | None, device: str | None, queue: str | None,
    priority: int | None, type_: str, connection: str | None, parent: str | None, **how: Any,
) -> None:  # fmt: skip
    """Create a ticket from a call, an alert, a device or what you see."""
    wanted = Wanted(
        text=text, client=client, summary=summary, contact=contact, device=device, queue=queue,
        priority=priority, type=type_, connection=connection, parent=parent,
    )  # fmt: skip

    async def verb(desk: Desk) -> int:
        from mspterm.cli.read import know_devices

        if device is not None:
            await know_devices(desk)
        return await perform(desk, "new", (), wanted, **how)

    run(verb)
