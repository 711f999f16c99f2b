"""The calls to NinjaOne that everything else is made of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import httpx
import msgspec

from mspterm.config.model import Connection
from mspterm.connectors.ninjaone import wire
from mspterm.connectors.ninjaone.tokens import KeepSecret, Renewing, Tokens
from mspterm.domain.reasons import Reason
from mspterm.domain.secret import Secret
from mspterm.domain.text import clean
from mspterm.net.faults import Answered
from mspterm.net.http import Answer, Http, Query
from mspterm.net.pacer import CallClass, Pacer

PAGE_SIZE = 1000
"""Always sent: without it a list is cut short without a word."""

T = TypeVar("T")


def origin(url: str) -> str:
    """The host alone: an address may be given with /v2 or /api/v2, both of which are seen."""
    found = httpx.URL(url)
    return f"{found.scheme}://{found.netloc.decode('ascii')}"


class NinjaClient:
    """NinjaOne as calls: reads under the machine's token, actions under the person's."""

    def __init__(
        self,
        connection: Connection,
        secrets: Mapping[str, Secret],
        *,
        pacer: Pacer,
        now: Callable[[], datetime],
        keep_secret: KeepSecret | None = None,
        renewing: Renewing | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.name, self.base_url = connection.name, origin(connection.url)
        self.http = Http(connection, base_url=self.base_url, pacer=pacer, now=now, transport=transport)
        self.tokens = Tokens(connection, secrets, self.http, now, keep_secret, renewing)

    async def get(
        self,
        template: str,
        into: type[T],
        *,
        kind: CallClass = "interactive",
        query: Query | None = None,
        **params: int,
    ) -> T:
        """One read."""

        async def ask(headers: Mapping[str, str]) -> Answer:
            return await self.http.get(template, kind=kind, query=query, headers=headers, **params)

        answer = await self._with(self.tokens.reading, ask)
        return self.http.decode(answer, into, strict=False)

    async def send(self, method: str, template: str, json: Any = None, **params: Any) -> Answer:
        """One action. A 401 is sent again with a new token: it was refused before anything was done."""

        async def ask(headers: Mapping[str, str]) -> Answer:
            return await self.http.send(method, template, json=json, headers=headers, **params)

        return await self._with(self.tokens.acting, ask)

    async def pages(
        self, template: str, query: Query | None = None, *, kind: CallClass = "poll"
    ) -> AsyncIterator[list[msgspec.Raw]]:
        """A list by `after`, the id of the last row, until a page is short."""
        asked: dict[str, str | int] = {**(query or {}), "pageSize": PAGE_SIZE}
        while True:
            rows = await self.get(template, list[msgspec.Raw], kind=kind, query=asked)
            yield rows
            if len(rows) < PAGE_SIZE:
                return
            last = wire.item_id(rows[-1])
            # A server that ignores `after` would give the same page for ever.
            if last == str(asked.get("after")):
                return
            asked["after"] = last

    async def query(
        self, name: str, into: type[T], *, df: str | None = None, kind: CallClass = "poll"
    ) -> AsyncIterator[list[T]]:
        """A fleet query by its cursor, until no rows come; rows that can't be read are left out."""
        asked: dict[str, str | int] = {"pageSize": PAGE_SIZE, **({"df": df} if df else {})}
        while True:
            page = await self.get(f"/v2/queries/{name}", wire.QueryPage, kind=kind, query=asked)
            # No rows, not few: a query's page may be short before its end.
            if not page.results:
                return
            yield readable(page.results, into)
            if page.cursor is None or not page.cursor.name:
                return
            asked["cursor"] = page.cursor.name

    async def rows(
        self,
        template: str,
        into: type[T],
        *,
        kind: CallClass = "interactive",
        query: Query | None = None,
        **params: int,
    ) -> list[T]:
        """A list that has no pages."""
        return readable(await self.get(template, list[msgspec.Raw], kind=kind, query=query, **params), into)

    async def activities(
        self, newer_than: int | None, *, size: int, kind: CallClass = "poll", device: int | None = None
    ) -> tuple[list[wire.Activity], int]:
        """Activities after an id, newest first, and the last id there is.

        The description has newerThan and olderThan the wrong way round: newerThan gives later ones.
        """
        query: dict[str, str | int] = {"pageSize": size}
        if newer_than is not None:
            query["newerThan"] = newer_than
        path = "/v2/activities" if device is None else "/v2/device/{id}/activities"
        found = await self.get(
            path, wire.Activities, kind=kind, query=query, **({} if device is None else {"id": device})
        )
        read = readable(found.activities, wire.Activity)
        newest = max([a.id for a in read], default=newer_than or 0)
        return read, max(newest, found.last_activity_id or 0)

    async def aclose(self) -> None:
        await self.http.aclose()

    async def _with(
        self, token: Callable[[], Awaitable[Secret]], ask: Callable[[Mapping[str, str]], Awaitable[Answer]]
    ) -> Answer:
        used = await token()
        try:
            return await ask(_bearer(used))
        except Answered as error:
            if error.status != 401:
                raise self._said(error) from None
        # Once only: a new token that is refused too is not a matter of age.
        self.tokens.spent(used)
        try:
            return await ask(_bearer(await token()))
        except Answered as error:
            raise self._said(error) from None

    def _said(self, error: Answered) -> Answered:
        """The failure with what NinjaOne says about it."""
        try:
            said = wire.item(error.body, wire.Refusal)
        except msgspec.MsgspecError:
            return error
        failure = error.failure
        if said.error == "user_context_required":
            sentence = (
                f"NinjaOne does this only under a person's login; run `mspterm auth login {self.name}`."
            )
            failure = replace(failure, reason=Reason.PERMISSION, sentence=sentence)
        elif error.status in (400, 403, 405, 409, 415, 422) and (
            said.error_message or said.error_description
        ):
            words = clean(said.error_message or said.error_description or "", limit=200).rstrip(".")
            reason = failure.reason if error.status in (403, 409) else Reason.REFUSED
            failure = replace(
                failure, reason=reason, sentence=f"NinjaOne refused this for {self.name}: {words}."
            )
        return Answered(failure, error.status, error.body)


def readable(rows: list[msgspec.Raw], into: type[T]) -> list[T]:
    """The rows that can be read; one odd one doesn't hide the others."""
    found = []
    for raw in rows:
        try:
            found.append(wire.item(raw, into))
        except msgspec.MsgspecError:
            continue
    return found


def _bearer(token: Secret) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.reveal()}"}
