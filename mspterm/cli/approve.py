"""`approve`: the second person's side of a plan above the caps."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import click

from mspterm.cli.output import print_json, say
from mspterm.cli.read import json_option
from mspterm.cli.session import DONE, FAILED, USAGE, complain, run
from mspterm.config.kinds import APPROVAL_FIELD, RESERVED
from mspterm.desk import approving, plan_file
from mspterm.desk.desk import Desk
from mspterm.desk.journal import Entry
from mspterm.domain.approval import Request, phrase, shown, targets
from mspterm.domain.text import clean
from mspterm.secrets.chain import Found

LONGEST = 1_000_000


@click.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--init", is_flag=True, help="Make your signing key; print the line that makes you an approver."
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Default: FILE.approved.")
@click.option("--confirm", help="The typed confirmation, as it is shown.")
@json_option
def approve(file: Path | None, init: bool, out: Path | None, confirm: str | None, as_json: bool) -> None:
    """Read a colleague's plan above the caps in full, and sign it: it holds for 15 minutes, once."""
    if (file is None) != init:
        complain("approve: FILE, a plan that `--plan-out` wrote, or --init.")
        raise SystemExit(USAGE)

    async def verb(desk: Desk) -> int:
        if file is None:
            return _init(desk)
        return await _approve(desk, file, out or file.with_name(f"{file.name}.approved"), confirm, as_json)

    run(verb)


def _init(desk: Desk) -> int:
    held = desk.credentials.get(RESERVED, APPROVAL_FIELD)
    secret = held.secret if isinstance(held, Found) else approving.new_key()
    if not isinstance(held, Found):
        say(desk.credentials.set(RESERVED, APPROVAL_FIELD, secret), err=True)
    say("In the policy of the host (/etc/mspterm/policy.toml), else in each colleague's config:", err=True)
    say(f'[guard.approvers]\n"{approving.requester(desk)}" = "{approving.public_key(secret)}"')
    return DONE


async def _approve(desk: Desk, file: Path, out: Path, confirm: str | None, as_json: bool) -> int:
    secret, request = approving.own_key(desk.credentials), plan_file.read_request(file)
    wanted, by, asker = clean(phrase(request)), approving.requester(desk), clean(request.requester)
    for line in (*shown(request), *_known_otherwise(desk, request)):
        # A line feed in a command is shown, not obeyed, and nothing of it is cut.
        say(clean(line, limit=LONGEST), err=True)
    # Also refused where it is used, by key too; here only so that nobody signs for nothing.
    if by.casefold() == request.requester.casefold():
        complain("refused: this plan is your own; a second person is needed.")
        return FAILED
    if confirm is None and sys.stdin.isatty():
        confirm = click.prompt(f"Type {wanted} to sign it", err=True, default="", show_default=False)
    if " ".join((confirm or "").split()) != wanted:
        await _record(desk, request, "refused", "not confirmed")
        complain(f"refused: signing needs a typed confirmation; add --confirm '{wanted}'")
        return FAILED
    signed = approving.sign(request, by, desk.now(), secret)
    # On record before it is anybody's to use.
    await _record(desk, request, "signed", f"for {asker} ({request.id})")
    plan_file.write(out, signed)
    if as_json:
        print_json({"file": str(out), "by": by, "plan_hash": _hash(request), "requester": asker})
    else:
        say(f"{out}: signed; {asker} adds --approval {out} within 15 minutes.")
    return DONE


def _known_otherwise(desk: Desk, request: Request) -> list[str]:
    """What this console calls otherwise than who asks does: a name can't be trusted that is only told."""
    found = []
    for target in targets(request):
        device = desk.store.devices.get(target.ref)
        if device is not None and device.name != target.name:
            found.append(f"LOOK: {target.ref} is known here as {device.name}, not as {target.name}")
    return found


async def _record(desk: Desk, request: Request, state: str, reason: str) -> None:
    refs = tuple(target.ref for target in targets(request))
    clients = ", ".join(sorted({t.client for t in targets(request) if t.client})) or None
    entry = Entry("approve", refs, clients, state, clean(reason), None, _hash(request), None)
    (await desk.journal()).append(entry, desk.now())


def _hash(request: Request) -> str:
    # As `Plan.hash` has it, so that the two desks' records name one plan.
    return hashlib.sha256(request.plan.encode()).hexdigest()[:16]
