"""The calls to RT's REST 2.0 that reads are made of, each named for what it answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx
import msgspec

from mspterm.config.model import Connection
from mspterm.connectors.rt import wire
from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.domain.secret import Secret
from mspterm.net.http import NO_HEADERS, Answer, Http, Query
from mspterm.net.pacer import CallClass, Pacer

API = "/REST/2.0"
PER_PAGE = 100
"""RT clamps more to 100 without saying so."""
# How long a login counts, and how soon it is tried again where RT gave no session for it.
SESSION_LIFE = timedelta(hours=6)
SESSION_RETRY = timedelta(hours=1)
# The lightest page of the web interface (12 ms); with a token it logs in and sets the cookie.
OWNERS_PAGE = "/Helpers/Autocomplete/Owners"
# Unasked, a row is id, type and address only; names inside a field have to be asked for apart.
TICKET_FIELDS: Query = {
    "fields": "Subject,Status,Priority,Owner,Queue,Requestor,LastUpdatedBy,Created,LastUpdated,Due,Starts,"
    "Told,Resolved,TimeWorked,CustomFields,_hyperlinks",
    "fields[Owner]": "Name,RealName",
    "fields[Queue]": "Name",
    "fields[Requestor]": "Name,RealName,EmailAddress",
    "fields[LastUpdatedBy]": "Name",
}
TRANSACTION_FIELDS: Query = {
    "fields": "Type,Creator,Created,Field,OldValue,NewValue,TimeTaken",
    "fields[Creator]": "Name,RealName",
}
# Chosen by RT, not here: the Content of a photo beside the words would be megabytes.
BODY_FIELDS: Query = {
    "fields": "ContentType,Filename,TransactionId,Content",
    "query": '[{"field":"ContentType","operator":"LIKE","value":"text/"}]',
}

T = TypeVar("T")


class RtClient:
    """RT as calls. One login by token, then its session: a token costs RT 0.3 s of bcrypt a call."""

    def __init__(
        self,
        connection: Connection,
        secrets: Mapping[str, Secret],
        *,
        pacer: Pacer,
        now: Callable[[], datetime],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if "token" not in secrets:
            sentence = f"No token for {connection.name}; set one with `mspterm auth login {connection.name}`."
            raise failed(Reason.AUTH, sentence, connection.name)
        self.name = connection.name
        # The web pages (owners, a ticket's address) are not under the API that people paste.
        self.base_url = connection.url.rstrip("/").removesuffix(API)
        self._token, self._now = secrets["token"], now
        self._session_until: datetime | None = None
        self._logging_in = asyncio.Lock()
        self.http = Http(
            connection,
            base_url=self.base_url,
            pacer=pacer,
            headers=self._credential,
            now=now,
            transport=transport,
        )

    @property
    def user_id(self) -> str | None:
        """The number of the token's user: RT's tokens begin with it (1-USER-SECRET)."""
        match = re.fullmatch(r"\d+-(\d+)-\w+", self._token.reveal())
        return match[1] if match else None

    async def version(self) -> str:
        return (await self._get("/rt", into=wire.WireVersion, kind="interactive")).version

    async def user(self, login: str) -> wire.WireUser:
        """A user by login or number. Failed (permission or not found) where we may not see it."""
        return await self._get("/user/{login}", into=wire.WireUser, kind="interactive", login=login)

    async def tickets(
        self, query: str, *, kind: CallClass = "poll", fields: Query | None = None
    ) -> wire.Page:
        """One page of tickets by TicketSQL, lowest id first, with all that the mapping wants.

        Each costs RT some 14 ms, custom fields and links most of it; with `DATES` alone 0.7 ms.
        """
        wanted = TICKET_FIELDS if fields is None else fields
        # By id: the feed goes on behind the last one, as page numbers shift when a ticket leaves.
        asked = {"query": query, "orderby": "id", "order": "ASC", "per_page": PER_PAGE, **wanted}
        return await self._get("/tickets", into=wire.Page, kind=kind, query=asked)

    async def head(self, id: str) -> tuple[wire.WireTicket, str]:
        """A ticket without expanded names, and its ETag: the number of its last transaction."""
        answer = await self._answer("/ticket/{id}", kind="action", id=id)
        row = self.http.decode(answer, wire.WireTicket, strict=False)
        return row, answer.headers.get("etag", "")

    async def users_named(self, name: str) -> wire.Page:
        """Users whose real name holds `name`."""
        words = msgspec.json.encode([{"field": "RealName", "operator": "LIKE", "value": name}]).decode()
        query: Query = {"query": words, "fields": "Name,RealName,EmailAddress"}
        return await self._get("/users", into=wire.Page, kind="action", query=query)

    def history(self, id: str) -> AsyncIterator[wire.Page]:
        return self._pages("/ticket/{id}/history", TRANSACTION_FIELDS, "interactive", id=id)

    async def newest(self, id: str, count: int) -> wire.Page:
        """The last transactions of a ticket, newest first."""
        query: Query = {**TRANSACTION_FIELDS, "orderby": "id", "order": "DESC", "per_page": count}
        return await self._get("/ticket/{id}/history", into=wire.Page, kind="action", query=query, id=id)

    def attachments(self, id: str) -> AsyncIterator[wire.Page]:
        """Every part of every message, without contents: a photo would come as 20 MB of text here.

        `Parent` is not asked: RT 5.0.3 answers 500 where a part has one.
        """
        query = {"fields": "ContentType,Filename,TransactionId,Headers"}
        return self._pages("/ticket/{id}/attachments", query, "interactive", id=id)

    def bodies(self, id: str, *, kind: CallClass = "interactive") -> AsyncIterator[wire.Page]:
        """The text parts of a ticket with their contents."""
        return self._pages("/ticket/{id}/attachments", BODY_FIELDS, kind, id=id)

    def said(self, transaction: str) -> AsyncIterator[wire.Page]:
        """The text parts of one transaction with their contents."""
        return self._pages("/transaction/{id}/attachments", BODY_FIELDS, "action", id=transaction)

    def assets(self) -> AsyncIterator[wire.Page]:
        query = {"query": "id > 0", "fields": "Name,Description,CustomFields,_hyperlinks"}
        return self._pages("/assets", query, "poll")

    def queues(self) -> AsyncIterator[wire.Page]:
        return self._pages("/queues/all", {"fields": "Name"}, "interactive")

    async def owners(self, limit: str) -> list[wire.WireOwner]:
        """Who may own a ticket of `limit` (RT::Queue-3): REST 2.0 has no list of them, RT's own
        owner field does; it wants the session."""
        await self._login()
        query: Query = {"term": "%", "return": "Name", "limit": limit, "max": 500}
        # RT takes a page with arguments and no Referer for forged.
        referer = {"Referer": f"{self.base_url}/"}
        answer = await self.http.get(OWNERS_PAGE, kind="interactive", query=query, headers=referer)
        return self.http.decode(answer, list[wire.WireOwner])

    async def send(self, method: str, template: str, json: Any, **params: Any) -> Answer:
        """One write; see `Http.send`."""
        await self._login()
        return await self.http.send(method, API + template, json=json, **params)

    async def aclose(self) -> None:
        # The cookie goes with the client; the next use has to log in.
        self._session_until = None
        await self.http.aclose()

    async def _pages(
        self, template: str, query: Query, kind: CallClass, **params: str
    ) -> AsyncIterator[wire.Page]:
        """Pages of a list whose total is null: on until a short one."""
        number, count = 0, PER_PAGE
        while count >= PER_PAGE:
            number += 1
            asked = {"orderby": "id", "order": "ASC", **query, "per_page": PER_PAGE, "page": number}
            page = await self._get(template, into=wire.Page, kind=kind, query=asked, **params)
            # RT gives no total here: a last page that is just full costs one empty page more.
            count = len(page.items)
            yield page

    async def _get(
        self,
        template: str,
        *,
        into: type[T],
        kind: CallClass,
        query: Query | None = None,
        **params: str,
    ) -> T:
        return self.http.decode(await self._answer(template, kind=kind, query=query, **params), into)

    async def _answer(
        self, template: str, *, kind: CallClass, query: Query | None = None, **params: str
    ) -> Answer:
        await self._login()
        answer = await self.http.get(API + template, kind=kind, query=query, headers=NO_HEADERS, **params)
        if answer.body.lstrip()[:1] == b"<":
            # With a session that is no good RT shows its login page; without one it says 401.
            self.http.forget_cookies()
            answer = await self.http.get(API + template, kind=kind, query=query, headers=NO_HEADERS, **params)
        return answer

    async def _login(self) -> None:
        """Opens RT's session with the token, once; every later request is answered by its cookie.

        A refusal is no failure: the token goes with each request, and where it is no good, the
        request itself will say so.
        """
        # Held over the request: callers that come together would each pay the token's bcrypt.
        async with self._logging_in:
            if self._session_until is not None and self._now() < self._session_until:
                return
            life = SESSION_LIFE
            try:
                await self.http.get(OWNERS_PAGE, kind="poll")
            except Failed as error:
                # Told at once: the caller's own request would only wait for the same dead server again.
                if error.failure.reason in (Reason.OFFLINE, Reason.RATE_LIMIT):
                    raise
                life = SESSION_RETRY
            self._session_until = self._now() + life

    def _credential(self) -> Mapping[str, str]:
        return {"Authorization": f"token {self._token.reveal()}"}
