"""Texts and minutes: a note, or a time entry that holds both in one. Sent once, found again, proven."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mspterm.connectors.connectwise import proof, wire
from mspterm.connectors.connectwise.client import CwClient
from mspterm.connectors.connectwise.conditions import stamp
from mspterm.connectors.connectwise.conversation import minutes_of
from mspterm.connectors.connectwise.detail import Detail
from mspterm.connectors.connectwise.sla import when
from mspterm.connectors.proof import Check
from mspterm.domain.action import Audience, Update
from mspterm.domain.reasons import Failed
from mspterm.net.faults import MaybeSent

CLIENT_READS = frozenset({Audience.PUBLIC, Audience.RESOLUTION})
CLOCK_SLACK = timedelta(seconds=10)
"""ConnectWise's clock may lag ours by as much."""


@dataclass(frozen=True, slots=True)
class Said:
    """A text or entry that was made, by its id."""

    id: int
    timed: bool


class Speech:
    """Writes of one ticket's conversation."""

    def __init__(self, client: CwClient, detail: Detail) -> None:
        self._client, self._detail = client, detail
        self._me = client.connection.me
        self._made: set[Said] = set()
        """What this process has made: the same words again are another text."""

    async def say(self, write: Update, row: wire.Ticket, now: datetime) -> Said:
        """Raises MaybeSent where it can't be found out whether it arrived."""
        body = self._entry(write, row, now) if write.minutes else self._note(write)
        path = "/time/entries" if write.minutes else "/service/tickets/{id}/notes"
        try:
            said = Said(await self._client.make(path, body, id=row.id), bool(write.minutes))
        except MaybeSent as error:
            found = await self._find(write, row, body, now)
            if found is None:
                raise error from None
            said = found
        self._made.add(said)
        return said

    async def checks(self, write: Update, row: wire.Ticket, said: Said | None) -> tuple[Check, ...]:
        """The text and the minutes as they are there now."""
        flags: tuple[bool, ...] = ()
        if said is None:
            text, minutes = None, 0
        elif said.timed:
            entry = await self._client.get("/time/entries/{id}", wire.TimeEntry, kind="action", id=said.id)
            text, minutes, flags = entry.notes, minutes_of(entry), _entry_flags(entry)
        else:
            path = "/service/tickets/{ticket}/notes/{id}"
            note = await self._client.get(path, wire.Note, kind="action", ticket=row.id, id=said.id)
            text, minutes, flags = note.text, 0, _note_flags(note)
        checks = []
        if write.text:
            # The right words with other flags have other readers than was agreed to: not arrived.
            arrived = proof.same_text(write.text, text) and flags == proof.flags_of(write.audience)
            found = f"{write.audience.value} #{said.id if said else ''}" if arrived else "not there as asked"
            checks.append(Check("text", write.audience.value, found, arrived))
        if write.minutes:
            checks.append(Check("minutes", str(write.minutes), str(minutes), minutes == write.minutes))
        return tuple(checks)

    def _note(self, write: Update) -> dict[str, Any]:
        public, internal, resolution = proof.flags_of(write.audience)
        body = {
            "text": write.text,
            "detailDescriptionFlag": public,
            "internalAnalysisFlag": internal,
            "resolutionFlag": resolution,
            # Nothing is mailed without it; whom it mails is the ticket's own automaticEmail flags.
            "processNotifications": mails(write),
        }
        return {**body, "member": {"identifier": self._me}} if self._me else body

    def _entry(self, write: Update, row: wire.Ticket, now: datetime) -> dict[str, Any]:
        public, internal, resolution = proof.flags_of(write.audience) if write.text else (False, False, False)
        mail = mails(write)
        body: dict[str, Any] = {
            "chargeToId": row.id,
            # "ProjectIssue" is a record type and no valid charge-to type.
            "chargeToType": "ServiceTicket"
            if row.record_type in (None, "ServiceTicket")
            else "ProjectTicket",
            "timeStart": stamp(now - timedelta(minutes=write.minutes or 0)),
            "timeEnd": stamp(now),
            "addToDetailDescriptionFlag": public,
            "addToInternalAnalysisFlag": internal,
            "addToResolutionFlag": resolution,
            "emailContactFlag": mail and (write.mail is True or bool(row.automatic_email_contact_flag)),
            "emailResourceFlag": mail and bool(row.automatic_email_resource_flag),
            "emailCcFlag": mail and bool(row.automatic_email_cc_flag),
        }
        if write.text:
            body["notes"] = write.text
        return {**body, "member": {"identifier": self._me}} if self._me else body

    async def _find(
        self, write: Update, row: wire.Ticket, body: dict[str, Any], began: datetime
    ) -> Said | None:
        """One of ours whose answer got lost: same words and author, made since we began."""
        try:
            if write.minutes:
                entries = await self._detail.entries(str(row.id), kind="action")
                ours = [Said(e.id, True) for e in entries if self._is_our_entry(e, write, body)]
            else:
                notes = await self._detail.notes(str(row.id), kind="action")
                ours = [Said(n.id, False) for n in notes if self._is_our_note(n, write, began)]
        except Failed:
            return None
        return max((s for s in ours if s not in self._made), key=lambda said: said.id, default=None)

    def _is_our_entry(self, entry: wire.TimeEntry, write: Update, body: dict[str, Any]) -> bool:
        same = when(entry.time_start) == when(body["timeStart"]) and minutes_of(entry) == write.minutes
        return same and self._is_mine(entry.member) and proof.same_text(write.text or "", entry.notes or "")

    def _is_our_note(self, note: wire.Note, write: Update, began: datetime) -> bool:
        made = when(note.date_created) or when(note.info.last_updated)
        # To the second, as it dates them; with more slack an earlier note of these words would do.
        fresh = made is not None and made >= began.replace(microsecond=0)
        return fresh and self._is_mine(note.member) and proof.same_text(write.text or "", note.text)

    def _is_mine(self, member: wire.Person | None) -> bool:
        # Without `me` nobody can be ruled out: the API doesn't say whose key it is.
        return self._me is None or (member is not None and member.identifier in (self._me, None))


def mails(write: Update) -> bool:
    """Whether a text is mailed: as the technician said, else where the client reads it."""
    return write.mail if write.mail is not None else bool(write.text) and write.audience in CLIENT_READS


def _note_flags(note: wire.Note) -> tuple[bool, ...]:
    flags = (note.detail_description_flag, note.internal_analysis_flag, note.resolution_flag)
    return tuple(map(bool, flags))


def _entry_flags(entry: wire.TimeEntry) -> tuple[bool, ...]:
    flags = (
        entry.add_to_detail_description_flag,
        entry.add_to_internal_analysis_flag,
        entry.add_to_resolution_flag,
    )
    return tuple(map(bool, flags))
