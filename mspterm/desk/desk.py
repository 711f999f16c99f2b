"""The desk: configuration, store, credentials and connectors of one process, wired together."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from mspterm.config.locked import locked
from mspterm.config.model import Config, Connection
from mspterm.config.paths import LOCKDOWN_OF_ALL, private_dir
from mspterm.connectors.base import Connector, Manifest
from mspterm.connectors.registry import build, manifest
from mspterm.desk.budget import SharedPacer, tenant
from mspterm.desk.clockwork import Clockwork
from mspterm.desk.journal import Journal, Outside
from mspterm.desk.presence import Presence
from mspterm.domain.budget import Limit
from mspterm.domain.circumstances import Entry
from mspterm.domain.match import ADevice, AnAsset, alias_map, canonical_client
from mspterm.domain.reasons import Failed, Failure, Reason, failed
from mspterm.domain.secret import Secret
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Ticket, TicketDetail
from mspterm.secrets.aside import aside
from mspterm.secrets.chain import Credentials, Missing
from mspterm.store.store import Store

HEAD_LIMIT_S = 1.0
"""How long the end of a plain verb waits for the keyring to take the journal's head."""


class NoCredential(Failed):
    """No backend has a credential for this connection: nothing was asked of the server."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class Desk:
    """Everything the front ends act through. Nothing is opened before it is needed.

    `connectors` are already made ones by connection name; the others are made at first use. Where the
    front end `must_enter`, disruptive work is only in the client of `entry`.
    """

    def __init__(
        self,
        config: Config,
        state_dir: Path,
        *,
        credentials: Credentials | None = None,
        now: Callable[[], datetime] = utc_now,
        read_only: bool = False,
        store: Store | None = None,
        connectors: Mapping[str, Connector] | None = None,
    ) -> None:
        self.config = config
        self.state_dir = state_dir
        self.now = now
        self.read_only = read_only
        self.store = store or Store(state_dir)
        self.credentials = credentials or Credentials()
        self.pacer = SharedPacer(self.store, now, self._budget_of)
        self.clockwork = Clockwork(config)
        # Made once: it is asked for each row that is stored, and for each that is matched.
        self._aliases = alias_map(config.clients)
        self._connectors: dict[str, Connector] = dict(connectors or {})
        self._journal: Journal | None = None
        self.presence = Presence(state_dir / "alive")
        self.must_enter = False
        self.entry: Entry | None = None

    @property
    def connections(self) -> Mapping[str, Connection]:
        """The enabled connections, by name."""
        return {n: c for n, c in self.config.connections.items() if c.enabled}

    def serving(self, what: str) -> list[str]:
        """Names of the enabled connections that serve "psa" or "rmm"."""
        return [n for n in self.connections if self._serves(n) == what]

    def _serves(self, name: str) -> str | None:
        try:
            return self.manifest(name).serves
        except Failed:
            # A kind that has no connector here serves nothing, and hides no other; its own calls say why.
            return None

    def connection(self, name: str) -> Connection:
        found = self.connections.get(name)
        if found is None:
            known = ", ".join(self.connections) or "none"
            raise failed(Reason.NOT_FOUND, f"There is no connection {name}; configured: {known}.")
        return found

    def manifest(self, name: str) -> Manifest:
        return manifest(self.connection(name))

    def _budget_of(self, name: str) -> tuple[str, Limit | None]:
        connection = self.config.connections[name]
        return tenant(connection), manifest(connection).limit

    async def connector(self, name: str) -> Connector:
        """The connection's connector, its credentials looked up at first use.

        Raises NoCredential where no backend has one, Failed where the connection isn't there.
        """
        found = self._connectors.get(name)
        if found is None:
            connection = self.connection(name)
            secrets = await self._secrets(connection)
            if name in self._connectors:  # another task was quicker while we waited for the keyring
                return self._connectors[name]
            keeper = self.credentials.keeper(name, secrets)
            found = build(connection, secrets, pacer=self.pacer, now=self.now, keeper=keeper)
            self._connectors[name] = found
        return found

    async def _secrets(self, connection: Connection) -> dict[str, Secret]:
        found = await self.credentials.asecrets_of(connection)
        if isinstance(found, Missing):
            raise NoCredential(Failure(Reason.AUTH, found.sentence, connection.name))
        return found

    async def forget(self, name: str) -> None:
        """Drops a connector, so that the next use looks its credentials up anew (after a 401)."""
        # Out of the table before it closes, which takes a while: no other task must be given it by then.
        old = self._connectors.pop(name, None)
        if old is not None:
            with contextlib.suppress(Failed, OSError):
                await old.aclose()

    async def journal(self) -> Journal:
        """The journal with its key from the credential chain; unkeyed where there is none."""
        if self._journal is None:
            folder = self.state_dir / "journal"
            # Looked up without the lock first: only making a key takes it, and two processes of one user may.
            key = await self.credentials.ajournal_key() or await aside(lambda: self._new_key(folder))
            config = self.config
            outside = Outside(folder, self.credentials, config.journal_head_file)
            self._journal = Journal(folder, key, config.technician.name, outside, texts=config.journal_texts)
        return self._journal

    def seal_when_due(self) -> None:
        """The journal's checkpoint, where one is due and can be written."""
        if self._journal is not None:
            with contextlib.suppress(Failed):
                self._journal.seal_when_due(self.now())

    def _new_key(self, folder: Path) -> Secret | None:
        """Makes and keeps a key where the keyring can; one process at a time, or two would differ."""
        try:
            private_dir(folder)
            with locked(folder / "lock"):
                return self.credentials.journal_key(create=True)
        except OSError:
            return None

    def canonical(self, client: str | None, connection: str) -> str | None:
        """The name that `[clients]` gives this client, else the connection's own."""
        # What the config doesn't name comes back folded, to compare by: shown is the vendor's own spelling.
        known = canonical_client(client, connection, self._aliases)
        return known if known in self.config.clients else client

    def finished(
        self, ticket: Ticket, known: Ticket | None = None, detail: TicketDetail | None = None
    ) -> Ticket:
        """A ticket as it is stored: the client's one name, then clocks, scope and triage."""
        client = self.canonical(ticket.client, ticket.connection)
        named = replace(ticket, client=None if client is None else SafeText(client))
        return self.clockwork.clocked(named, known, detail)

    def keeps_bodies(self, ticket: Ticket) -> bool:
        """Whether its description and notes may be on this disk."""
        client = self.config.clients.get(self.canonical(ticket.client, ticket.connection) or "")
        return client is None or client.bodies == "keep"

    @property
    def bodiless(self) -> list[str]:
        """Clients whose conversations are not stored."""
        return [name for name, client in self.config.clients.items() if client.bodies != "keep"]

    def is_client(self, asked: str, name: str | None, connection: str) -> bool:
        """Whether a connection's name of a client means the one that a person asked for."""
        wanted = canonical_client(asked, connection, self._aliases)
        return wanted is not None and canonical_client(name, connection, self._aliases) == wanted

    def client_key(self, thing: AnAsset | ADevice) -> str | None:
        """The name to compare clients by, when assets and devices are matched."""
        return canonical_client(thing.client, thing.connection, self._aliases)

    @property
    def lockdown(self) -> Path | None:
        """The file that stops every write now, where there is one."""
        # Looked for at each question and never kept: it must stop a console that is open, between two writes.
        files = (LOCKDOWN_OF_ALL, self.state_dir / "lockdown")
        return next((f for f in files if f.exists()), None)

    async def aclose(self) -> None:
        for name in list(self._connectors):
            await self.forget(name)
        await self._end_journal()
        # Late: from here on others take this process for dead, and what it was sending for left half-way.
        self.presence.close()
        self.store.close()

    def seal(self) -> None:
        """The journal's last checkpoint of this process: a local write, nothing is waited for."""
        if self._journal is not None:
            with contextlib.suppress(Failed):
                self._journal.seal(self.now())

    async def _end_journal(self) -> None:
        journal = self._journal
        if journal is None:
            return
        self.seal()
        await aside(lambda: journal.settle(HEAD_LIMIT_S))


def split_ref(ref: str) -> tuple[str, str]:
    """`CONNECTION:ID` in its two halves. Raises Failed where it isn't one."""
    connection, colon, id_ = ref.partition(":")
    if not colon or not connection or not id_:
        sentence = f"{ref!r} is not a ref; one looks like rt:42 (CONNECTION:ID)."
        raise failed(Reason.NOT_FOUND, sentence)
    return connection, id_
