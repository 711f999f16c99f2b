"""The credential chain: the environment, a field's own command, then the backend that was chosen."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from secrets import token_hex

from mspterm.config.kinds import KINDS, RESERVED, secret_variable
from mspterm.config.model import Connection
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.secret import Secret
from mspterm.secrets.answer import Answer, SecretStore, State
from mspterm.secrets.aside import aside
from mspterm.secrets.rotation import Keeper, alone, alone_for_long
from mspterm.secrets.seen import see
from mspterm.secrets.stores import Stores

_KEY = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class Found:
    """A secret and where it came from: "env", "keyring", "age" or "command"."""

    secret: Secret
    source: str


@dataclass(frozen=True, slots=True)
class Missing:
    """No secret; the sentence says why and what to do."""

    sentence: str
    state: State


@dataclass(frozen=True, slots=True)
class Status:
    """One row of `auth status`. `where`: env, keyring, age, command or none. `needed`: without it, and without
    what could stand in for it, the connection can't be used."""

    connection: str
    field: str
    where: str
    state: State
    sentence: str
    needed: bool


class Credentials:
    """Looks secrets up, and stores them in the backend. Every call takes seconds at the most;
    the `a...` forms leave the event loop free meanwhile. `keyring` stands in for what auth.toml says."""

    def __init__(self, env: Mapping[str, str] | None = None, keyring: SecretStore | None = None) -> None:
        self._env = os.environ if env is None else env
        self._given = keyring
        self._opened: Stores | None = None

    @property
    def stores(self) -> Stores:
        """The backends, as auth.toml says when it is first needed."""
        if self._opened is None:
            self._opened = Stores(self._env, self._given)
        return self._opened

    def get(self, connection: str, field: str) -> Found | Missing:
        """One secret of a connection."""
        variable = secret_variable(connection, field)
        # Before any backend: a locked or hung keyring must not keep a token back that is given here.
        if value := self._env.get(variable, "").strip():
            return _checked(Found(Secret(value), "env"), f"{connection}: {variable}")
        store = self.stores.of(connection, field)
        answer = store.get(connection, field)
        if answer.secret:
            return _checked(Found(answer.secret, store.name), f"{connection}: {field} in {store.title}")
        sentence = answer.sentence
        if answer.state is State.ABSENT:
            sentence = f"{connection}: no {field} is stored: {_store(connection, field)}."
        return Missing(sentence, answer.state)

    async def aget(self, connection: str, field: str) -> Found | Missing:
        return await aside(lambda: self.get(connection, field))

    def secrets_of(self, connection: Connection) -> dict[str, Secret] | Missing:
        """Every secret that the connection has, or why these don't suffice for its kind."""
        kind = KINDS[connection.kind]
        looked = {field: self.get(connection.name, field) for field in kind.secrets}
        found = {field: held.secret for field, held in looked.items() if isinstance(held, Found)}
        missing = kind.missing(set(found))
        if not missing:
            return found
        why = [held for field in missing if isinstance(held := looked[field], Missing)]
        # A keyring that can't be read is the reason, wherever it is one of several.
        return min(why, key=lambda held: held.state is State.ABSENT)

    async def asecrets_of(self, connection: Connection) -> dict[str, Secret] | Missing:
        return await aside(lambda: self.secrets_of(connection))

    def set(self, connection: str, field: str, secret: Secret) -> str:
        """Stores a secret in the backend; the sentence says where it is, and what overrides it.

        Raises Failed where the backend can't store.
        """
        # Seen before it is stored: a crash inside the backend's library must not print it.
        answer = self.stores.of(connection, field).set(connection, field, see(secret))
        if answer.state is not State.STORED:
            raise failed(Reason.REFUSED, answer.sentence, connection)
        variable = secret_variable(connection, field)
        return answer.sentence + (f" {variable} is set and wins over it." if self._env.get(variable) else "")

    def delete(self, connection: str, field: str) -> str:
        """Deletes a secret from the backend; the sentence says what became of it.

        Raises Failed where the backend can't be reached.
        """
        answer = self.stores.of(connection, field).delete(connection, field)
        if not answer.reachable:
            raise failed(Reason.REFUSED, answer.sentence, connection)
        variable = secret_variable(connection, field)
        return answer.sentence + (f" {variable} is still set." if self._env.get(variable) else "")

    def rotate(self, connection: str, field: str, old: Secret | None, new: Secret) -> str:
        """Stores what the server gave in place of `old`; a sentence.

        Raises Failed (conflict) where another process has put a newer one there, whose word stands,
        and (refused) where the environment gives the field: the next start would use its old one.
        """
        if self._env.get(secret_variable(connection, field)):
            sentence = f"{connection}: {secret_variable(connection, field)} can't be renewed: the new"
            raise failed(
                Reason.REFUSED, f"{sentence} {field} lasts while this process does. {_login(connection)}"
            )
        with alone(connection, field, self._env):
            held = self.stores.of(connection, field).get(connection, field).secret
            # `new` is there already where the call is made a second time.
            if held is not None and held not in (old, new):
                sentence = f"{connection}: another mspterm has renewed the {field}: its newer one is kept."
                raise failed(Reason.CONFLICT, sentence, connection)
            return self.set(connection, field, new)

    def keeper(self, connection: str, secrets: Mapping[str, Secret]) -> Keeper:
        """What a connector renews its tokens through; `secrets` are those it was built with."""
        return Keeper(self, connection, secrets)

    @asynccontextmanager
    async def renewing(self, connection: str, field: str) -> AsyncIterator[Secret | None]:
        """Alone among this user's processes while a token is renewed, with the newest that is stored.

        None where the environment gives the field or the backend can't tell: the caller's own counts.
        Raises Failed (offline) where another process renews for longer than RENEW_S.
        """
        # Read only with the lock held: who waited for it must see what the one before has stored.
        async with alone_for_long(connection, field, self._env):
            held = await self.aget(connection, field)
            yield held.secret if isinstance(held, Found) and held.source != "env" else None

    def status(self, connections: Iterable[Connection]) -> list[Status]:
        """A row for every secret field of the connections, in their order; never a value."""
        return [row for connection in connections for row in self._rows(connection)]

    async def astatus(self, connections: Iterable[Connection]) -> list[Status]:
        return await aside(lambda: self.status(connections))

    def _rows(self, connection: Connection) -> list[Status]:
        kind, name = KINDS[connection.kind], connection.name
        looked = {field: self.get(name, field) for field in kind.secrets}
        missing = kind.missing({field for field, held in looked.items() if isinstance(held, Found)})
        rows = []
        for field, held in looked.items():
            if isinstance(held, Found):
                title = self.stores.of(name, field).title if held.source != "env" else ""
                where = f"in {title or secret_variable(name, field)}"
                rows.append(
                    Status(name, field, held.source, State.FOUND, f"{name}: {field} is {where}.", False)
                )
            else:
                rows.append(Status(name, field, "none", held.state, held.sentence, field in missing))
        return rows

    def journal_key(self, create: bool = False) -> Secret | None:
        """The key that the journal is chained with, 64 hex digits; None where there is none.

        `create` makes one where the backend has none and can store it; hold the journal's lock, as
        two that create at once would each chain with their own. Raises Failed where the key that
        is there is not one.
        """
        held = self.get(RESERVED, "key")
        if isinstance(held, Found):
            if not _KEY.fullmatch(held.secret.reveal()):
                kept = secret_variable(RESERVED, "key") if held.source == "env" else "The stored journal:key"
                raise failed(Reason.REFUSED, f"{kept} is no journal key: it must be 64 hex digits.")
            return held.secret
        # Only a backend that says there is none: a key made while it is locked would replace the one in use.
        if not create or held.state is not State.ABSENT:
            return None
        store = self.stores.of(RESERVED, "key")
        if store.set(RESERVED, "key", Secret(token_hex(32))).state is not State.STORED:
            return None
        # Read back, as a keyring that forgets would leave a journal that nobody can verify.
        return store.get(RESERVED, "key").secret

    async def ajournal_key(self, create: bool = False) -> Secret | None:
        return await aside(lambda: self.journal_key(create))

    def journal_head(self) -> Answer:
        """The journal's head as last kept: in `.secret` where FOUND. ABSENT: none was kept yet."""
        return self.stores.of(RESERVED, "head").get(RESERVED, "head")

    async def ajournal_head(self) -> Answer:
        return await aside(self.journal_head)

    def keep_journal_head(self, head: str) -> Answer:
        """Keeps the journal's head in the backend: STORED, or why not."""
        return self.stores.of(RESERVED, "head").set(RESERVED, "head", Secret(head))

    async def akeep_journal_head(self, head: str) -> Answer:
        return await aside(lambda: self.keep_journal_head(head))


def _checked(found: Found, what: str) -> Found | Missing:
    # A client library would repeat such a value in its complaint about the header.
    if see(found.secret).reveal().isprintable():
        return found
    return Missing(f"{what} holds control characters: store it again without them.", State.FAILED)


def _login(connection: str) -> str:
    return f"`mspterm auth login {connection}` stores one that can be; then unset the variable."


def _store(connection: str, field: str) -> str:
    return f"`mspterm auth login {connection}` stores it, or set {secret_variable(connection, field)}"
