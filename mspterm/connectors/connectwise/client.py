"""The calls to ConnectWise that everything else is made of."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx
import msgspec

from mspterm.config.model import Connection
from mspterm.connectors.connectwise import wire
from mspterm.connectors.connectwise.site import Codebase, api_origin, site_origin
from mspterm.domain.reasons import Failed, Failure, Reason, failed
from mspterm.domain.secret import Secret
from mspterm.domain.text import clean
from mspterm.net.faults import Answered, MaybeSent
from mspterm.net.http import NO_HEADERS, Answer, Http, Query
from mspterm.net.pacer import CallClass, Pacer

PAGE_SIZE = 1000
"""The most that ConnectWise gives at once; it gives 25 where none is asked."""
# By id, so that nothing which comes, leaves or changes meanwhile shifts the pages.
FORWARD_ONLY = {"pagination-type": "forward-only"}

# Named, as whole rows are huge (the guide asks for it); older servers leave out the *GoalUTC ones.
TICKET_FIELDS = (
    "id,summary,recordType,board/id,board/name,status/id,status/name,company/id,company/name,site/name,siteName,"
    "contact/id,contact/name,contactName,contactPhoneNumber,contactPhoneExtension,contactEmailAddress,type/name,"
    "subType/name,item/name,team/name,owner/id,owner/identifier,owner/name,priority/name,source/name,agreement/name,"
    "requiredDate,closedDate,closedFlag,customerUpdatedFlag,automaticEmailContactFlag,automaticEmailResourceFlag,"
    "automaticEmailCcFlag,parentTicketId,hasChildTicket,actualHours,slaStatus,dateResponded,dateResplan,dateResolved,"
    "respondByGoalUTC,resplanGoalUTC,resolutionGoalUTC,_info/lastUpdated,_info/dateEntered"
)
_LINK = re.compile(r"<([^>]*)>\s*;[^,<]*\brel=\"?next\"?", re.IGNORECASE)
_WAIT = re.compile(r"in (\d{1,5}) seconds")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of any list; records stay raw so that one odd one does not cost the page."""

    rows: list[msgspec.Raw]
    date: datetime | None


class CwClient:
    """ConnectWise as calls, each authenticated as `company+public:private` with the client id."""

    def __init__(
        self,
        connection: Connection,
        secrets: Mapping[str, Secret],
        *,
        pacer: Pacer,
        now: Callable[[], datetime],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.name, self.connection = connection.name, connection
        self.company, self.site = connection.settings.get("company", ""), site_origin(connection.url)
        missing = {"public_key", "private_key"} - secrets.keys()
        if missing:
            sentence = (
                f"No {' and '.join(sorted(missing))} for {self.name}; run `mspterm auth login {self.name}`."
            )
            raise failed(Reason.AUTH, sentence, self.name)
        self._secrets, self._pacer, self._now = secrets, pacer, now
        self._api = api_origin(connection.url)
        # Without credentials: companyinfo is public and on the web host, which has no use for the key.
        self._login = Http(connection, base_url=self.site, pacer=pacer, now=now, transport=transport)
        self.http = Http(
            connection,
            base_url=self._api,
            pacer=pacer,
            headers=self._credential,
            now=now,
            transport=transport,
        )
        self.codebase = Codebase(self._login, self.company, self.name, now)
        # Custom fields make each row larger, so they are asked for only where a setting reads one.
        extra = any((c or "").startswith("cf:") for c in (connection.next_from, connection.client_from))
        self.ticket_fields = f"{TICKET_FIELDS},customFields" if extra else TICKET_FIELDS

    async def get(
        self,
        template: str,
        into: type[T],
        *,
        kind: CallClass = "interactive",
        query: Query | None = None,
        **params: Any,
    ) -> T:
        """One record, or a short list."""
        return self.http.decode(await self._read(template, kind, query, **params), into, strict=False)

    async def ticket(self, id: str, *, kind: CallClass = "interactive") -> wire.Ticket:
        """A ticket as it is now. Raises Failed (not found) where it isn't one of ours to see."""
        # Before it becomes part of a path: it may have been typed.
        if not (id.isascii() and id.isdigit()):
            raise failed(
                Reason.NOT_FOUND, f"{clean(id)} is no ticket of {self.name}: it numbers them.", self.name
            )
        query = {"fields": self.ticket_fields}
        return await self.get("/service/tickets/{id}", wire.Ticket, kind=kind, query=query, id=id)

    def tickets(self, conditions: str) -> AsyncIterator[Page]:
        """Pages of service tickets by ascending id."""
        return self.pages(
            "/service/tickets", {"conditions": conditions, "fields": self.ticket_fields}, kind="poll"
        )

    async def pages(
        self,
        template: str,
        query: Query | None = None,
        *,
        kind: CallClass = "interactive",
        **params: str | int,
    ) -> AsyncIterator[Page]:
        """Every page of a list. Each asks anew with all of the query: only the place is taken of a link."""
        asked: dict[str, str | int] = {**(query or {}), "pageSize": PAGE_SIZE}
        last = 0
        while True:
            answer = await self._read(template, kind, asked, FORWARD_ONLY, **params)
            rows = self.http.decode(answer, list[msgspec.Raw])
            yield Page(rows, answer.date)
            newest = max((int(found) for found in map(wire.item_id, rows) if found.isdigit()), default=last)
            following = self._following(answer, len(rows), newest)
            if following is None:
                return
            # Ids only rise; a link that leads back would be followed for ever.
            if newest <= last:
                raise self._odd("gives the same page again and again")
            last = newest
            asked = {**asked, **following}

    async def items(self, template: str, into: type[T], query: Query | None = None, **params: Any) -> list[T]:
        """Every record of a list that can be read; one odd entry doesn't hide the others."""
        return [
            row async for page in self.pages(template, query, **params) for row in readable(page.rows, into)
        ]

    async def send(self, method: str, template: str, json: Any, **params: Any) -> Answer:
        """One write; see `Http.send`. An `Answered` says it in ConnectWise's own words."""
        path = await self._path(template)
        try:
            return await self.http.send(method, path, json=json, **params)
        except Answered as error:
            raise self._said(error) from None

    async def make(self, template: str, json: Any, **params: Any) -> int:
        """One POST that makes a record, and the record's id. A good status with an answer that doesn't
        name one (cut off, or somebody else's page) is a MaybeSent: it may well have been made."""
        answer = await self.send("POST", template, json, **params)
        try:
            # Any type with an id does: what was made may be a ticket, a note or a time entry.
            return self.http.decode(answer, wire.Company, strict=False).id
        except Failed as error:
            raise MaybeSent(error.failure) from None

    async def aclose(self) -> None:
        await self._login.aclose()
        await self.http.aclose()

    async def _read(
        self,
        template: str,
        kind: CallClass,
        query: Query | None,
        headers: Mapping[str, str] = NO_HEADERS,
        **params: str | int,
    ) -> Answer:
        try:
            return await self.http.get(
                await self._path(template), kind=kind, query=query, headers=headers, **params
            )
        except Answered as error:
            # Only a read finds a new codebase by asking twice: a write is never sent again.
            if error.status != 404 or not await self.codebase.moved():
                raise self._said(error) from None
        return await self.http.get(
            await self._path(template), kind=kind, query=query, headers=headers, **params
        )

    async def _path(self, template: str) -> str:
        return f"/{await self.codebase.get()}apis/3.0{template}"

    def _following(self, answer: Answer, count: int, newest: int) -> dict[str, str | int] | None:
        """Where the next page begins: as the link says, else after the last id of a full page."""
        link = _LINK.search(answer.headers.get("link", ""))
        if link is None:
            return {"pageId": newest} if count >= PAGE_SIZE else None
        target = httpx.URL(self._api).join(link[1])
        # The next request carries the key, which goes to the configured host and to no other.
        if (target.host, target.port) != (httpx.URL(self._api).host, httpx.URL(self._api).port):
            raise self._odd("names a next page on another host, which is not followed")
        # A link may come without our conditions: followed as it is, it would list all tickets there are.
        place = {key: target.params[key] for key in ("pageId", "page") if key in target.params}
        return dict(place) or None

    def _said(self, error: Answered) -> Answered:
        """The failure with what ConnectWise says about it."""
        try:
            said = wire.item(error.body, wire.Refusal)
        except msgspec.MsgspecError:
            return error
        return Answered(self._failure(error.failure, error.status, said), error.status, error.body)

    def _failure(self, failure: Failure, status: int, said: wire.Refusal) -> Failure:
        # "SSL is required", said over https, means that the web host was asked for the API (the guide).
        if said.code == "Security" and "SSL" in (said.message or ""):
            sentence = f"The url of {self.name} is not its API's; in the cloud that is https://api-... of your region."
            return Failure(Reason.REFUSED, sentence, self.name)
        if status == 429:
            return self._limited(failure, said)
        words = words_of(said)
        if not words or status not in (400, 403, 405, 409, 415):
            return failure
        # Its own words may name a client; they go to the technician who asked, as all tickets do.
        sentence = f"ConnectWise refused this for {self.name}: {words.rstrip('.')}."
        reason = failure.reason if status in (403, 409) else Reason.REFUSED
        return replace(failure, reason=reason, sentence=sentence)

    def _limited(self, failure: Failure, said: wire.Refusal) -> Failure:
        """A 429 names its wait in the header, or only in the text."""
        wait = _WAIT.search(said.message or "")
        if failure.retry_at is not None or wait is None:
            return failure
        until = self._now() + timedelta(seconds=int(wait[1]))
        # `Http` reads the header only, and has told the pacer of no time.
        self._pacer.limited(self.name, until)
        return replace(failure, retry_at=until)

    def _odd(self, what: str) -> Failed:
        return failed(Reason.BAD_DATA, f"ConnectWise {what}; check the url of {self.name}.", self.name)

    def _credential(self) -> Mapping[str, str]:
        public, private = (self._secrets[name].reveal() for name in ("public_key", "private_key"))
        login = b64encode(f"{self.company}+{public}:{private}".encode()).decode("ascii")
        return {
            "Authorization": f"Basic {login}",
            "clientId": self.connection.settings.get("client_id", ""),
            # No version is pinned: with an old one the *GoalUTC fields could stay away.
            "Accept": "application/vnd.connectwise.com+json",
        }


def readable(rows: list[msgspec.Raw], into: type[T]) -> list[T]:
    """The records that can be read."""
    found = []
    for raw in rows:
        try:
            found.append(wire.item(raw, into))
        except msgspec.MsgspecError:
            continue
    return found


def words_of(said: wire.Refusal) -> str:
    """An error's message and those of its fields, on one line."""
    fields = [
        f"{error.field}: {error.message}" if error.field else error.message
        for error in said.errors or []
        if error.message
    ]
    return clean("; ".join(part for part in (said.message, *fields) if part), limit=300)
