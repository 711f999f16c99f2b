"""Access tokens: a machine's for reading, a person's for acting."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from mspterm.config.model import Connection
from mspterm.connectors.ninjaone import wire
from mspterm.domain.reasons import Failed, Failure, Reason, failed
from mspterm.domain.secret import Secret
from mspterm.net.faults import Answered
from mspterm.net.http import Http

KeepSecret = Callable[[str, Secret], Awaitable[None]]
"""Stores a secret of this connection under a field's name, in place of the old one."""

Renewing = Callable[[str], contextlib.AbstractAsyncContextManager[Secret | None]]
"""Held while a secret of this connection is renewed, alone among this user's processes; gives the
newest that is stored, None where the caller's own counts."""

TOKEN = "/ws/oauth/token"
EARLY = timedelta(seconds=60)
"""A token is renewed that long before its end, so that none ends on its way."""


@dataclass(frozen=True, slots=True)
class _Kept:
    token: Secret
    until: datetime


class Tokens:
    """One machine token and one person's, each asked for by one caller at a time.

    Refresh tokens rotate: the newest replaces the old one here and, by `keep`, among the credentials.
    """

    def __init__(
        self,
        connection: Connection,
        secrets: Mapping[str, Secret],
        http: Http,
        now: Callable[[], datetime],
        keep: KeepSecret | None,
        renewing: Renewing | None = None,
    ) -> None:
        self._connection, self._name, self._http, self._now = connection, connection.name, http, now
        self._client_secret, self._refresh = secrets.get("client_secret"), secrets.get("refresh_token")
        self._keep, self._renewing = keep, renewing
        self._machine_works = self._client_secret is not None
        self._kept: dict[bool, _Kept] = {}
        self._asking = asyncio.Lock()
        if self._client_secret is None and self._refresh is None:
            sentence = (
                f"No client_secret or refresh_token for {self._name}; run `mspterm auth login {self._name}`."
            )
            raise failed(Reason.AUTH, sentence, self._name)

    @property
    def personal(self) -> bool:
        """Whether there is a person's login, which actions need."""
        return self._refresh is not None

    async def reading(self) -> Secret:
        """The machine's token, else the person's (an application may have only one of the grants)."""
        if self._machine_works:
            try:
                return await self._get(machine=True)
            except Failed as error:
                if self._refresh is None or error.failure.reason is not Reason.AUTH:
                    raise
                # Another type of application refuses this grant for good, so it is asked once.
                self._machine_works = False
        return await self._get(machine=False)

    async def acting(self) -> Secret:
        """The person's token. Raises Failed (permission) without a login, before anything is sent:
        NinjaOne refuses a machine's token with user_context_required, older versions with 500."""
        if self._refresh is None:
            sentence = (
                f"NinjaOne takes actions only under a person's login; run `mspterm auth login {self._name}`."
            )
            raise failed(Reason.PERMISSION, sentence, self._name)
        return await self._get(machine=False)

    def spent(self, token: Secret) -> None:
        """The server refused this one: the next call asks for another."""
        self._kept = {machine: kept for machine, kept in self._kept.items() if kept.token != token}

    async def _get(self, *, machine: bool) -> Secret:
        # Callers that come together refresh once: a token that was used is worth nothing to the second.
        async with self._asking:
            kept = self._kept.get(machine)
            if kept is None or kept.until - EARLY <= self._now():
                self._kept[machine] = kept = await self._renewed(machine)
        return kept.token

    async def _renewed(self, machine: bool) -> _Kept:
        if machine or self._renewing is None or self._refresh is None:
            return await self._ask(machine)
        async with self._renewing("refresh_token") as newest:
            # Another process may have used up ours.
            self._refresh = newest or self._refresh
            return await self._ask(machine)

    async def _ask(self, machine: bool) -> _Kept:
        # From before the question: a token's life counts from when it was made, not read.
        asked = self._now()
        try:
            # As a write, never repeated: the token may have rotated though the answer got lost.
            answer = await self._http.send("POST", TOKEN, form=self._form(machine), kind="interactive")
        except Answered as error:
            raise self._refused(error, machine) from None
        except Failed as error:
            # Whatever became of the token, the action it was for has not been sent.
            raise Failed(error.failure) from None
        found = self._http.decode(answer, wire.Token, strict=False)
        if not machine:
            await self._rotate(found.refresh_token)
        return _Kept(Secret(found.access_token), asked + timedelta(seconds=found.expires_in))

    def _form(self, machine: bool) -> dict[str, str]:
        form = {"client_id": self._connection.settings.get("client_id", "")}
        if self._client_secret is not None:
            form["client_secret"] = self._client_secret.reveal()
        if machine:
            return {**form, "grant_type": "client_credentials", "scope": "monitoring"}
        if self._refresh is None:
            raise self._ended()
        return {**form, "grant_type": "refresh_token", "refresh_token": self._refresh.reveal()}

    async def _rotate(self, new: str | None) -> None:
        if new is None or Secret(new) == self._refresh:
            return
        # Before it is stored: the old one is worth nothing, even where storing fails.
        self._refresh = Secret(new)
        if self._keep is not None:
            # A keyring that is locked now costs a login later, and not the action now.
            with contextlib.suppress(Failed, OSError):
                await self._keep("refresh_token", self._refresh)

    def _refused(self, error: Answered, machine: bool) -> Failed:
        code = _code(error.body)
        # Nothing else ends the login: a server in trouble must not send everybody to log in again.
        if error.status in (400, 401) and code == "invalid_grant" and not machine:
            self._refresh = None
            return self._ended()
        if error.status == 404:
            sentence = (
                f"NinjaOne knows no such application for {self._name} (it answers 404 for a wrong type or redirect): "
                f"check its client_id and that its type permits this login."
            )
            return Failed(Failure(Reason.AUTH, sentence, self._name))
        if error.status in (400, 401, 403):
            sentence = (
                f"NinjaOne refused the application of {self._name}; check its client_id and client_secret."
            )
            return Failed(Failure(Reason.AUTH, sentence, self._name))
        return Failed(replace(error.failure))

    def _ended(self) -> Failed:
        sentence = f"The login at {self._name} has ended or was used elsewhere; run `mspterm auth login {self._name}`."
        return failed(Reason.AUTH, sentence, self._name)


def _code(body: bytes) -> str | None:
    try:
        return wire.item(body, wire.Refusal).error
    except msgspec.MsgspecError:
        return None
