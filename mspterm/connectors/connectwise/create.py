"""New tickets, created in one call and proven by reading them back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mspterm.connectors.connectwise import proof, wire
from mspterm.connectors.connectwise.catalog import Catalog
from mspterm.connectors.connectwise.changes import Changer
from mspterm.connectors.connectwise.client import CwClient
from mspterm.connectors.connectwise.conditions import instant, quoted
from mspterm.connectors.connectwise.detail import Detail
from mspterm.connectors.connectwise.feed import Feed
from mspterm.connectors.connectwise.sla import when
from mspterm.connectors.connectwise.speech import CLOCK_SLACK
from mspterm.connectors.proof import Check
from mspterm.domain.action import NewTicket, Outcome, State
from mspterm.domain.reasons import Failed, Failure, Reason, failed
from mspterm.domain.text import clean
from mspterm.net.faults import MaybeSent

# The API's own limit for a summary.
SUMMARY_LIMIT = 100
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A new ticket as ConnectWise is told of it; `asset` and `parent` are tied to it afterwards."""

    write: NewTicket
    body: dict[str, Any]
    company: int
    asset: int | None
    parent: int | None


class Creator:
    """Creates tickets."""

    def __init__(
        self, client: CwClient, changer: Changer, catalog: Catalog, detail: Detail, feed: Feed
    ) -> None:
        self._client, self._changer, self._catalog = client, changer, catalog
        self._detail, self._feed, self._name = detail, feed, client.name

    async def create(self, write: NewTicket) -> Outcome:
        # By the server's clock, as it is compared with the server's dates.
        began = self._client.http.server_now()
        try:
            draft = await self._draft(write)
            number = await self._post(draft, began)
        except MaybeSent as error:
            return Outcome(write.ref, State.UNCERTAIN, error.failure)
        except Failed as error:
            return Outcome(write.ref, State.FAILED, error.failure)
        return await self._prove(draft, number, await self._tie(draft, number))

    async def _draft(self, write: NewTicket) -> _Draft:
        if len(write.summary) > SUMMARY_LIMIT:
            sentence = (
                f"{self._name} takes {SUMMARY_LIMIT} characters of summary, this has {len(write.summary)}."
            )
            raise failed(Reason.REFUSED, sentence, self._name)
        company = await self._company(write.client)
        body: dict[str, Any] = {"summary": write.summary, "company": {"id": company}}
        if write.queue:
            body["board"] = {"id": (await self._catalog.board(write.queue)).id}
        if write.text:
            body["initialDescription"] = write.text
        if write.contact:
            body["contact"] = {"id": await self.contact(write.contact, company)}
        if write.priority is not None:
            body["priority"] = {"id": (await self._changer.priority(write.priority)).id}
        if write.owner:
            body["owner"] = {"identifier": write.owner}
        asset = self._number(write.device, ":asset:") if write.device else None
        parent = self._number(write.parent, ":") if write.parent else None
        return _Draft(write, body, company, asset, parent)

    def _number(self, ref: str, after: str) -> int:
        number = ref.removeprefix(f"{self._name}{after}")
        if not (number.isascii() and number.isdigit()):
            sentence = f"{clean(ref)} is nothing of {self._name}, so the ticket can't be tied to it."
            raise failed(Reason.REFUSED, sentence, self._name)
        return int(number)

    async def _company(self, client: str) -> int:
        wanted = client.casefold()
        known = await self._catalog.companies()
        names = [c.id for c in known if (c.name or "").casefold() == wanted]
        found = names or [c.id for c in known if (c.identifier or "").casefold() == wanted]
        if len(found) != 1:
            what = "no company" if not found else f"{len(found)} companies"
            raise failed(Reason.NOT_FOUND, f"{self._name} has {what} called {clean(client)}.", self._name)
        return found[0]

    async def contact(self, contact: str, company: int) -> int:
        """A contact of the company by mail address or by whole name."""
        query = {
            "conditions": f"company/id={company} and inactiveFlag=False",
            "fields": "id,firstName,lastName",
        }
        if "@" in contact:
            # Arrays are asked by childConditions; within conditions they are an error 400.
            mail = f"communicationItems/value like {quoted(contact)}"
            query["childConditions"] = f'{mail} AND communicationItems/communicationType="Email"'
        found = await self._client.items("/company/contacts", wire.Contact, query, kind="action")
        ours = found if "@" in contact else [c for c in found if c.label.casefold() == contact.casefold()]
        if len(ours) != 1:
            what = "no contact" if not ours else f"{len(ours)} contacts"
            sentence = f"{self._name} has {what} {clean(contact)} at that client; give the mail address."
            raise failed(Reason.REFUSED, sentence, self._name)
        return ours[0].id

    async def _post(self, draft: _Draft, began: datetime) -> int:
        try:
            return await self._client.make("/service/tickets", draft.body)
        except MaybeSent as error:
            found = await self._find(draft, began)
            if found is None:
                raise error from None
            return found

    async def _find(self, draft: _Draft, began: datetime) -> int | None:
        """A ticket of ours whose answer got lost: same company and summary, made since we began."""
        same = f"summary={quoted(draft.write.summary)} and company/id={draft.company}"
        conditions = f"{same} and lastUpdated >= {instant(began - CLOCK_SLACK)}"
        try:
            query = {"conditions": conditions, "fields": "id,_info/dateEntered"}
            found = await self._client.items("/service/tickets", wire.Ticket, query, kind="action")
        except Failed:
            return None
        # An older one of the same summary may have been changed just now.
        ours = [row.id for row in found if (when(row.info.date_entered) or _LONG_AGO) >= began - CLOCK_SLACK]
        # Of two the wrong one might be proven; uncertain is better than falsely done.
        return ours[0] if len(ours) == 1 else None

    async def _tie(self, draft: _Draft, number: int) -> list[str]:
        """The device and the parent, which a new ticket can't be told of; what failed, in sentences."""
        wanted: list[tuple[str, int, dict[str, Any]]] = []
        if draft.asset is not None:
            wanted.append(("/service/tickets/{id}/configurations", number, {"id": draft.asset}))
        if draft.parent is not None:
            wanted.append(
                ("/service/tickets/{id}/attachChildren", draft.parent, {"childTicketIds": [number]})
            )
        wrong = []
        for path, on, body in wanted:
            try:
                await self._client.send("POST", path, body, id=on)
            except Failed as error:
                # The ticket is there: what isn't tied to it must not make it look as if it were not.
                wrong.append(error.failure.sentence)
        return wrong

    async def _prove(self, draft: _Draft, number: int, wrong: list[str]) -> Outcome:
        ref, created = draft.write.ref, self._feed.ref(number)
        try:
            row = await self._client.ticket(str(number), kind="action")
            checks = await self._checks(draft, row)
            ticket = await self._feed.map(row, kind="action")
        except (Failed, ValueError) as error:
            why = Failure(
                Reason.UNKNOWN, f"{self._name} made {created}, and it could not be read back.", self._name
            )
            failure = error.failure if isinstance(error, Failed) else why
            return Outcome(ref, State.UNCERTAIN, failure, (why.sentence,), created_ref=created)
        lines = (*(check.line() for check in checks), *wrong)
        missing = [check for check in checks if not check.ok]
        if not missing:
            return Outcome(ref, State.DONE, None, lines, ticket=ticket, created_ref=created)
        what = " and ".join(check.what for check in missing)
        sentence = (
            f"{self._name} made {created} without the {what} asked for; update it, don't create it again."
        )
        failure = Failure(Reason.REFUSED, sentence, self._name)
        return Outcome(ref, State.FAILED, failure, lines, ticket=ticket, created_ref=created)

    async def _checks(self, draft: _Draft, row: wire.Ticket) -> list[Check]:
        write, body = draft.write, draft.body
        pairs = [("summary", write.summary, row.summary or "")]
        pairs.append(("client", str(draft.company), str(row.company.id if row.company else "")))
        for what, ref in (("board", row.board), ("contact", row.contact)):
            if what in body:
                pairs.append((what, str(body[what]["id"]), str(ref.id if ref else "")))
        if write.priority is not None:
            pairs.append(("priority", str(write.priority), str(self._changer.ours(row))))
        if write.owner:
            pairs.append(("owner", write.owner, proof.owner_of(row)))
        if draft.parent is not None:
            pairs.append(("parent", str(draft.parent), str(row.parent_ticket_id or "")))
        if draft.asset is not None:
            linked = await self._feed.linked(row.id, kind="action") or ()
            # Before the ticket is mapped, which takes its devices from what the feed knows.
            self._feed.learn(row.id, linked=linked, replied=None)
            pairs.append(("device", str(draft.asset), str(draft.asset) if str(draft.asset) in linked else ""))
        checks = [
            Check(what, wanted, found, wanted.casefold() == found.casefold()) for what, wanted, found in pairs
        ]
        if write.text:
            notes = await self._detail.notes(str(row.id), kind="action")
            arrived = any(proof.same_text(write.text, note.text) for note in notes)
            checks.append(
                Check("text", "the description", "the description" if arrived else "not there", arrived)
            )
        return checks
