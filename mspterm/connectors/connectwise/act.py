"""Updates of a ticket: text and time in one call, the fields in one PATCH, each proven by reading it back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from mspterm.connectors.connectwise import proof, wire
from mspterm.connectors.connectwise.catalog import Catalog
from mspterm.connectors.connectwise.changes import Changer
from mspterm.connectors.connectwise.client import CwClient
from mspterm.connectors.connectwise.feed import Feed
from mspterm.connectors.connectwise.proof import Op, Patch
from mspterm.connectors.connectwise.speech import Said, Speech
from mspterm.connectors.proof import Check
from mspterm.domain.action import Audience, Outcome, State, Update
from mspterm.domain.reasons import Failed, Failure, Reason, failed
from mspterm.domain.text import clean
from mspterm.domain.ticket import Ticket
from mspterm.net.faults import Answered, MaybeSent

# What a refusal may name, and the list of the board that holds its values.
_DEMANDED = {"type": "types", "subtype": "subtypes", "item": "items"}


@dataclass(slots=True)
class _Run:
    """How far one update has come; `row` is the ticket before it."""

    write: Update
    row: wire.Ticket
    changes: tuple[Patch, ...]
    fields_first: bool = False
    sent: bool = False
    said: Said | None = None
    extra: list[str] = field(default_factory=list)
    failure: Failure | None = None
    maybe: Failure | None = None

    @property
    def speaks(self) -> bool:
        return bool(self.write.text or self.write.minutes)

    @property
    def ops(self) -> list[Op]:
        return [op for change in self.changes for op in change.sent]


class Updater:
    """Carries out updates of existing tickets."""

    def __init__(
        self, client: CwClient, changer: Changer, catalog: Catalog, speech: Speech, feed: Feed
    ) -> None:
        self._client, self._changer, self._catalog = client, changer, catalog
        self._speech, self._feed, self._name = speech, feed, client.name

    async def update(self, write: Update) -> Outcome:
        try:
            run = await self._before(write)
        except Failed as error:
            return Outcome(write.ref, State.FAILED, error.failure)
        try:
            await self._send(run)
        except MaybeSent as error:
            run.sent, run.maybe = True, error.failure
        except Failed as error:
            run.failure = error.failure
        # Nothing left or all was refused: no doubt, and nothing to read back.
        if not run.sent:
            return Outcome(write.ref, State.FAILED, run.failure)
        return await self._prove(run)

    async def _before(self, write: Update) -> _Run:
        """What the ticket is like now, and what must be sent. Nothing is written by then."""
        self._permitted(write)
        row = await self._client.ticket(write.ref.rpartition(":")[2], kind="action")
        holder = proof.owner_of(row)
        if write.expected_owner is not None and holder not in (
            write.expected_owner or proof.NOBODY,
            write.owner or proof.NOBODY,
        ):
            who = "Nobody holds" if holder == proof.NOBODY else f"{clean(holder)} holds"
            sentence = (
                f"{who} {write.ref} by now, which was not so when this was planned; nothing was written."
            )
            raise failed(Reason.CONFLICT, sentence, self._name)
        run = _Run(write, row, await self._changer.changes(write, row))
        # Time alone is bound to the status; a text can always go before it.
        if write.minutes:
            run.fields_first = await self._must_move_first(run)
        return run

    def _permitted(self, write: Update) -> None:
        if write.text and write.audience is Audience.CO_MANAGED:
            sentence = f"ConnectWise has no co-managed note for {self._name}; nothing was sent."
            raise failed(Reason.REFUSED, sentence, self._name)
        if write.mail and write.text and write.audience is Audience.INTERNAL:
            sentence = (
                f"An internal text of {self._name} is not mailed: the contact could be among its readers."
            )
            raise failed(Reason.REFUSED, sentence, self._name)

    async def _must_move_first(self, run: _Run) -> bool:
        """Whether the status has to change before time can be booked: some statuses forbid it."""
        row = run.row
        statuses = (
            await self._catalog.statuses(row.board.id, kind="action") if row.board and row.board.id else {}
        )
        status = statuses.get((row.status and row.status.id) or 0)
        if status is None or not status.time_entry_not_allowed:
            return False
        if run.write.status is None and run.write.queue is None:
            sentence = (
                f"{status.name} takes no time entries at {self._name}; give another status with the minutes."
            )
            raise failed(Reason.REFUSED, clean(sentence), self._name)
        return True

    async def _send(self, run: _Run) -> None:
        if run.fields_first:
            await self._patch(run, run.ops)
        # Before the status, where it may: a cut then leaves no status without its text.
        if run.speaks:
            await self._speak(run)
        if not run.fields_first:
            await self._patch(run, run.ops)

    async def _speak(self, run: _Run) -> None:
        if run.write.mail and run.write.text and not run.row.automatic_email_contact_flag:
            # As a tick in its web page would: the box of the ticket says whether the contact gets mail.
            await self._patch(run, [proof.replace("automaticEmailContactFlag", True)])
            run.extra.append("mail: the ticket's box for the contact was ticked")
        run.said = await self._speech.say(run.write, run.row, self._client.http.server_now())
        run.sent = True

    async def _patch(self, run: _Run, ops: Sequence[Op]) -> None:
        if not ops:
            return
        try:
            await self._client.send("PATCH", "/service/tickets/{id}", list(ops), id=run.row.id)
        except Answered as error:
            raise await self._demanding(run, error) from None
        run.sent = True

    async def _demanding(self, run: _Run, error: Answered) -> Failed:
        """A board that wants a type before a ticket is closed, said with the types it has."""
        fields = _fields(error)
        board = run.row.board.id if run.row.board else None
        if error.status != 400 or board is None or not fields:
            return error
        lists = []
        for name in fields:
            known = await self._catalog.of_board(_DEMANDED[name], board)
            lists.append(f"{name} ({', '.join(n.name for n in known) or 'none known'})")
        sentence = (
            f"{error.failure.sentence} The board wants: {'; '.join(lists)}; set it in ConnectWise first."
        )
        return Failed(replace(error.failure, sentence=clean(sentence, limit=600)))

    async def _prove(self, run: _Run) -> Outcome:
        try:
            row, told = await asyncio.gather(
                self._client.ticket(str(run.row.id), kind="action"),
                self._speech.checks(run.write, run.row, run.said) if run.speaks else _nothing(),
            )
            ticket = await self._feed.map(row, kind="action")
        # ValueError is the mapping's, for a row without the time of its change.
        except (Failed, ValueError) as error:
            unread = str(error) if isinstance(error, ValueError) else error.failure.sentence
            why = run.maybe or run.failure or Failure(Reason.UNKNOWN, unread, self._name)
            return Outcome(run.write.ref, State.UNCERTAIN, why, (f"It could not be read back: {unread}",))
        return self._judge(run, (*told, *(change.check(row) for change in run.changes)), ticket)

    def _judge(self, run: _Run, checks: tuple[Check, ...], ticket: Ticket) -> Outcome:
        missing = [check for check in checks if not check.ok]
        lines = (*(check.line() for check in sorted(checks, key=lambda check: check.ok)), *run.extra)
        if not missing:
            return Outcome(run.write.ref, State.DONE, None, lines, ticket=ticket)
        # A doubt outweighs a refusal: what is uncertain is never sent again by itself.
        if run.maybe is not None:
            return Outcome(run.write.ref, State.UNCERTAIN, run.maybe, lines, ticket=ticket)
        failure = run.failure or proof.not_applied(self._name, missing)
        return Outcome(run.write.ref, State.FAILED, failure, lines, ticket=ticket)


async def _nothing() -> tuple[Check, ...]:
    return ()


def _fields(error: Answered) -> list[str]:
    """Which of type, subtype and item a refusal is about."""
    try:
        said: Any = wire.item(error.body, wire.Refusal)
    except msgspec.MsgspecError:
        return []
    named = [(e.field or "").split("/")[0].split(".")[-1].lower() for e in said.errors or []]
    return [name for name in dict.fromkeys(named) if name in _DEMANDED]
