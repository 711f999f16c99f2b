"""Work on somebody's account is done for a verified caller only: whoever can talk a desk into a reset
needs no other way in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache

from mspterm.domain.action import Audience, Plan, RunCommand, Update
from mspterm.domain.folding import fold
from mspterm.domain.guard_context import GuardContext, refused
from mspterm.domain.incident import verified_by
from mspterm.domain.reasons import Failure
from mspterm.domain.ticket import Note, Ticket

HOLDS = timedelta(hours=24)
"""A verified caller may be somebody else the next day."""

_SHORT = 5

ANYWAY = "not verified"
"""What is typed to write to a client whose caller nobody has verified."""


def account_word(ticket: Ticket, words: Iterable[str]) -> str | None:
    """The word by which the ticket is account work: in its summary, category or type."""
    texts = (ticket.summary, ticket.category or "", ticket.type)
    return next((word for word in words if any(_begins(word).search(fold(text)) for text in texts)), None)


def command_word(command: RunCommand, words: Iterable[str]) -> str | None:
    """The word by which a command or script is account work; names of commands run words together."""
    text = fold(f"{command.command} {command.script or ''}")
    return next((word for word in words if _within(word).search(text)), None)


def verified_at(notes: Iterable[Note], ticket: Ticket, now: datetime) -> datetime | None:
    """When the ticket's contact was verified, by the last note on it, where that still holds."""
    # As `desk.incidents` writes it into the note where the ticket has no contact.
    caller = fold(ticket.contact.name if ticket.contact else "the caller")
    # Not a co-managed note: the client's own IT can write those.
    said = [(n.at, found) for n in notes if n.kind == "internal" and (found := verified_by(n.body))]
    # The latest one alone counts, so that a failed check takes back an earlier passed one.
    at, (who, passed) = max(said, default=(now, ("", False)))
    return at if passed and fold(who) == caller and now - at <= HOLDS else None


def unverified(plan: Plan, ctx: GuardContext) -> Failure | None:
    """The guard's rule: no command for it, no resolution and no closing. `ctx.unverified` holds why, by
    ref; `ctx.closing` the refs that the plan would resolve or close."""
    for write in plan.writes:
        why = ctx.unverified.get(write.ref)
        ends = isinstance(write, Update) and (
            write.ref in ctx.closing or (write.text is not None and write.audience is Audience.RESOLUTION)
        )
        if why is not None and (isinstance(write, RunCommand) or ends):
            return refused(why)
    return None


def replies_unverified(plan: Plan, ctx: GuardContext) -> Iterator[str]:
    """What is at stake where the client is only written to: the first answer must be able to go out."""
    for write in plan.writes:
        public = isinstance(write, Update) and write.text is not None and write.audience is Audience.PUBLIC
        if public and write.ref in ctx.unverified:
            yield f"{ctx.unverified[write.ref]}; send no password and no code in this text"


@lru_cache(maxsize=64)
def _within(word: str) -> re.Pattern[str]:
    """A short word counts alone only: `2fa` is within many a script's id."""
    inner = re.escape(fold(word))
    return re.compile(rf"\b{inner}\b" if len(word) < _SHORT else inner)


@lru_cache(maxsize=64)
def _begins(word: str) -> re.Pattern[str]:
    # Open at its end: a word of the config finds its plurals and compounds as well.
    return re.compile(rf"(?<!\w){re.escape(fold(word))}")
