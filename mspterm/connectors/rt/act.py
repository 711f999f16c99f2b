"""Updates of a ticket: the fewest calls, text before status, each proven by reading it back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec

from mspterm.connectors.proof import Check
from mspterm.connectors.rt import proof, wire
from mspterm.connectors.rt.client import RtClient
from mspterm.connectors.rt.detail import Detail, items
from mspterm.connectors.rt.feed import Feed
from mspterm.connectors.rt.mapping import NOBODY, TenantMap
from mspterm.connectors.rt.owner import First, first_of
from mspterm.connectors.rt.proof import Put
from mspterm.domain.action import Audience, Outcome, State, Update
from mspterm.domain.reasons import Failed, Failure, Reason, failed
from mspterm.domain.text import clean
from mspterm.domain.ticket import Ticket
from mspterm.net.faults import Answered, MaybeSent
from mspterm.net.http import NO_HEADERS

CLIENT_READS = frozenset({Audience.PUBLIC, Audience.RESOLUTION})
RACE_S = 1.0
"""Within this time a PUT that RT let through beside ours is done."""
LOOK_BACK = 30
"""Transactions read to find a text whose answer got lost; one update makes four or five."""


@dataclass(slots=True)
class _Run:
    """How far one update has come. `last` is the last transaction before it."""

    write: Update
    id: str
    changes: tuple[Put, ...]
    last: int = 0
    etag: str = ""
    owner: str = NOBODY
    put_owner: bool = False
    sent: bool = False
    transaction: str | None = None
    said: list[str] = field(default_factory=list)
    failure: Failure | None = None
    maybe: Failure | None = None

    @property
    def speaks(self) -> bool:
        return bool(self.write.text or self.write.minutes)

    @property
    def way(self) -> str:
        return "correspond" if self.write.text and self.write.audience in CLIENT_READS else "comment"


class Updater:
    """Carries out updates of existing tickets."""

    def __init__(
        self,
        client: RtClient,
        mapping: TenantMap,
        detail: Detail,
        feed: Feed,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._client, self._mapping, self._detail, self._feed = client, mapping, detail, feed
        self._sleep = sleep
        self._name = client.name

    async def update(self, write: Update) -> Outcome:
        try:
            run = _Run(write, write.ref.rpartition(":")[2], self._changes(write))
            await self._before(run)
        except Failed as error:
            return Outcome(write.ref, State.FAILED, proof.better(self._name, error))
        try:
            await self._send(run)
        except MaybeSent as error:
            run.maybe = error.failure
        except Failed as error:
            run.failure = proof.better(self._name, error)
        # Nothing left or all was refused: no doubt, and nothing to read back.
        if not run.sent:
            return Outcome(write.ref, State.FAILED, run.failure)
        return await self._prove(run)

    def _changes(self, write: Update) -> tuple[Put, ...]:
        if write.mail is not None:
            sentence = f"RT's scrips decide who gets mail; {self._name} can't be told so for one text."
            raise failed(Reason.REFUSED, sentence, self._name)
        changes = []
        if write.owner is not None:
            changes.append(owner_change(write.owner))
        if write.queue is not None:
            changes.append(queue_change(write.queue))
        if write.priority is not None:
            changes.append(priority_change(self._mapping, write.priority))
        if write.status is not None:
            changes.append(status_change(write.status))
        if write.next_at is not None:
            source = self._mapping.connection.next_from or "Starts"
            named = source[3:] if source.startswith("cf:") else None
            changes.append(proof.date_change(named, write.next_at))
        if not changes and not write.text and not write.minutes:
            raise failed(Reason.REFUSED, f"Nothing was asked for {write.ref}.", self._name)
        return tuple(changes)

    async def _before(self, run: _Run) -> None:
        """What the ticket is like now; nothing is written where somebody else took it meanwhile."""
        row, run.etag = await self._client.head(run.id)
        # Asked for a merged ticket, RT answers with the one it went into, and would write there.
        if str(row.id) != run.id:
            sentence = f"{run.write.ref} was merged into #{clean(str(row.id))}; nothing was written."
            raise failed(Reason.CONFLICT, sentence, self._name)
        # Whatever has a higher number than this transaction came after us; `_seek` and `_first` rely on it.
        digits = run.etag.strip('"')
        run.last = int(digits) if digits.isdigit() else 0
        run.owner = row.owner.login
        expected, wanted = run.write.expected_owner, run.write.owner
        # Held already by whom it should go to is no conflict.
        fine = [owner or NOBODY for owner in (expected, wanted) if owner is not None]
        if expected is not None and run.owner not in fine:
            raise self._taken(run, run.owner, "; nothing was written")

    async def _send(self, run: _Run) -> None:
        """The text with its time and status in one call, then all other fields in one more; a ticket of
        nobody's is taken before anything else, so that who loses it writes nothing."""
        in_put = run.changes
        if run.owner == NOBODY and run.write.owner and run.write.owner == await self._detail.me():
            # RT said 200 and nobody has it (no right to take): no text is sent; `_prove` tells RT's words.
            if not await self._take(run):
                return
            in_put = tuple(change for change in in_put if change.what != "owner")
        if run.speaks:
            await self._say(run)
            # It went along with the text: a cut leaves no status without its text.
            in_put = tuple(change for change in in_put if change.what != "status")
        if in_put:
            await self._put(run, in_put)

    async def _say(self, run: _Run) -> None:
        write = run.write
        # Without Content RT still makes the comment that carries the minutes: it adds them, where a
        # PUT of TimeWorked would set the sum and lose what a colleague logged meanwhile.
        body = {
            "Content": write.text,
            "ContentType": "text/plain" if write.text else None,
            "TimeTaken": write.minutes,
            "Status": write.status,
        }
        kept = {key: value for key, value in body.items() if value}
        try:
            answer = await self._write(run, "POST", f"/ticket/{{id}}/{run.way}", kept)
        except MaybeSent as error:
            run.maybe = error.failure
            # `maybe` stays: the status that was sent along may still turn out to be missing.
            run.transaction = await self._find(run)
            if run.transaction is None:
                raise
            return
        run.transaction = answer.rpartition("/")[2] or None
        if run.transaction is None:
            # RT names what it made; an answer that doesn't is a refusal, or not RT's.
            try:
                run.transaction = await self._seek(run)
            except Failed as error:
                run.maybe = error.failure

    async def _put(self, run: _Run, changes: tuple[Put, ...]) -> None:
        owner = next((change for change in changes if change.what == "owner"), None)
        if owner is not None and run.speaks:
            # Our own text has moved the ETag on; the owner is looked at again with the new one.
            row, run.etag = await self._client.head(run.id)
            if row.owner.login != run.owner:
                raise self._taken(run, row.owner.login, "")
        run.put_owner = owner is not None
        # For an owner only: a colleague's note moves the ETag too, and must not refuse a priority.
        headers = {"If-Match": run.etag} if owner is not None and run.etag else {}
        said = len(run.said)
        await self._write(run, "PUT", "/ticket/{id}", proof.body_of(changes), headers)
        # Said with a 200, as RT refuses; and of this call alone, not of the text before it.
        denied = any("permission denied" in sentence.lower() for sentence in run.said[said:])
        if denied and owner is not None and owner.wanted == await self._detail.me():
            # The right StealTicket suffices for oneself, where ReassignTicket is missing.
            await self._write(run, "PUT", "/ticket/{id}/steal", {})

    def _taken(self, run: _Run, holder: str, end: str) -> Failed:
        who = "Nobody holds" if holder == NOBODY else f"{clean(holder)} holds"
        sentence = f"{who} {run.write.ref} by now, which was not so when this was planned{end}."
        return failed(Reason.CONFLICT, sentence, self._name)

    async def _take(self, run: _Run) -> bool:
        """Whether it is ours. RT looks at the owner under its lock here, and nowhere else: of writers
        that send one If-Match at one instant, each gets 200 and the last one keeps the ticket."""
        await self._write(run, "PUT", "/ticket/{id}/take", {})
        row, run.etag = await self._client.head(run.id)
        if row.owner.login not in (NOBODY, run.write.owner):
            raise self._taken(run, row.owner.login, "; nothing was written")
        return row.owner.login != NOBODY

    async def _write(
        self,
        run: _Run,
        method: str,
        template: str,
        json: Mapping[str, Any],
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> str:
        """One call, and the Location that it answers. `sent` from when RT may have something of it."""
        try:
            answer = await self._client.send(method, template, json, headers=headers, id=run.id)
        except Answered as error:
            # 412: nothing was done, and the ticket as it now is shows why.
            run.sent = run.sent or error.status == 412
            raise
        except MaybeSent:
            run.sent = True
            raise
        run.sent = True
        run.said.extend(proof.sentences(answer.body))
        return answer.headers.get("location", "")

    async def _find(self, run: _Run) -> str | None:
        """A text of ours whose answer got lost: same kind, author and words, after we began."""
        try:
            return await self._seek(run)
        except Failed:
            return None

    async def _seek(self, run: _Run) -> str | None:
        """Raises Failed where RT can't be asked, which is no sign that the text isn't there."""
        me, page = await asyncio.gather(self._detail.me(), self._client.newest(run.id, LOOK_BACK))
        try:
            for raw in page.items:
                entry = wire.item(raw, wire.WireTransaction)
                # `_ours` last: it costs a request for the words.
                if int(entry.id) > run.last and entry.creator.login == me and await self._ours(run, entry):
                    return str(entry.id)
        except (msgspec.MsgspecError, ValueError):
            sentence = f"What RT says happened on {run.write.ref} can't be read; look at it there."
            raise failed(Reason.BAD_DATA, sentence, self._name) from None
        return None

    async def _ours(self, run: _Run, entry: wire.WireTransaction) -> bool:
        if entry.type.lower() != run.way or (entry.time_taken or 0) != (run.write.minutes or 0):
            return False
        return not run.write.text or proof.same_text(run.write.text, await self._words(str(entry.id)))

    async def _words(self, transaction: str) -> str | None:
        parts = await items(self._client.said(transaction), wire.WireAttachment)
        # A text file that came along is a part too; the words are the one without a name.
        return next((part.content for part in parts if not part.filename), None)

    async def _prove(self, run: _Run) -> Outcome:
        try:
            row, told, first = await asyncio.gather(
                self._detail.row(run.id, kind="action"), self._told(run), self._first(run)
            )
        except Failed as error:
            why = run.maybe or run.failure or error.failure
            unread = f"RT answered, and could not be read back: {error.failure.sentence}"
            return Outcome(run.write.ref, State.UNCERTAIN, why, (*map(clean, run.said), unread))
        if first.ours:
            row = await self._hold(run, row)
        checks = (*told, *(change.check(row) for change in run.changes))
        if first.failure is not None:
            run.failure = first.failure
            checks = (*checks, Check("owner", str(run.write.owner), "another's by RT's history", False))
        return self._judge(run, checks, self._feed.map(row))

    async def _first(self, run: _Run) -> First:
        if run.write.owner is None:
            return First()
        me, page = await asyncio.gather(self._detail.me(), self._client.newest(run.id, LOOK_BACK))
        return first_of(page, run.last, me, run.write.ref)

    async def _hold(self, run: _Run, row: wire.WireTicket) -> wire.WireTicket:
        """The ticket after a moment, with the owner set once more where it is ours by the history and
        another's by the field: who came later writes nothing back."""
        owner = next((change for change in run.changes if change.what == "owner"), None)
        if owner is None or not run.put_owner:
            return row
        await self._sleep(RACE_S)
        # What fails in here is judged by the row as it was last read.
        with suppress(Failed, MaybeSent):
            row = await self._detail.row(run.id, kind="action")
            if owner.check(row).ok:
                return row
            # A new one, so that a change after this look refuses ours (412) and isn't overwritten.
            _, etag = await self._client.head(run.id)
            await self._write(run, "PUT", "/ticket/{id}", proof.body_of((owner,)), {"If-Match": etag})
            row = await self._detail.row(run.id, kind="action")
        return row

    def _judge(self, run: _Run, checks: tuple[Check, ...], ticket: Ticket) -> Outcome:
        missing = [check for check in checks if not check.ok]
        lines = tuple(check.line() for check in sorted(checks, key=lambda check: not check.ok))
        if not missing:
            return Outcome(run.write.ref, State.DONE, None, lines, ticket=ticket)
        # A doubt outweighs a refusal: what is uncertain is never sent again by itself.
        if run.maybe is not None:
            return Outcome(run.write.ref, State.UNCERTAIN, run.maybe, lines, ticket=ticket)
        failure = run.failure or proof.refused(self._name, missing, run.said)
        return Outcome(run.write.ref, State.FAILED, failure, lines, ticket=ticket)

    async def _told(self, run: _Run) -> tuple[Check, ...]:
        """The text and the minutes, as the transaction has them."""
        write, number = run.write, run.transaction
        if not run.speaks:
            return ()
        entry = await self._entry(run, number) if number else None
        checks = []
        if write.text:
            arrived = entry is not None and proof.same_text(write.text, await self._words(str(entry.id)))
            kind = entry.type.lower() if entry is not None else ""
            found = f"{kind} #{number}" if arrived else "not there"
            checks.append(Check("text", run.way, found, arrived and kind == run.way))
        if write.minutes:
            spent = entry.time_taken or 0 if entry else 0
            checks.append(Check("minutes", str(write.minutes), str(spent), spent == write.minutes))
        return tuple(checks)

    async def _entry(self, run: _Run, number: str) -> wire.WireTransaction | None:
        page = await self._client.newest(run.id, LOOK_BACK)
        try:
            found = [
                wire.item(raw, wire.WireTransaction) for raw in page.items if wire.item_id(raw) == number
            ]
        except msgspec.MsgspecError:
            return None
        return found[0] if found else None


def owner_change(owner: str) -> Put:
    login = owner or NOBODY
    return Put("owner", {"Owner": login}, login, lambda row: row.owner.login)


def queue_change(queue: str) -> Put:
    return Put("queue", {"Queue": queue}, queue, lambda row: row.queue.name or str(row.queue.id))


def status_change(status: str) -> Put:
    return Put("status", {"Status": status}, status, lambda row: row.status)


def priority_change(mapping: TenantMap, priority: int) -> Put:
    """Raises Failed (refused) where the tenant's RT has no such priority."""
    level = mapping.rt_priority(priority)
    if level is None:
        known = ", ".join(str(ours) for ours in range(1, 6) if mapping.rt_priority(ours) is not None)
        sentence = f"{mapping.connection.name} has no priority {priority}, only {known}; see its priorities."
        raise failed(Reason.REFUSED, sentence, mapping.connection.name)
    # Compared as our 1..5: RT reads back a number or a word, as its configuration says.
    wanted = str(priority)
    return Put("priority", {"Priority": level}, wanted, lambda row: str(mapping.priority(row.priority)))
