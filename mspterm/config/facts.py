"""Client facts: `[clients.NAME]` of the config file, overruled by the shared `clients_dir`.

The directory holds NAME.toml with the keys of `[clients.NAME]`, and calendars.toml with those of
`[calendars.NAME]` that its clients need. What it says stands: neither a key nor a client's name can be
taken from it by a user's file. What of it can't be read is told and doubted, and stops nobody's console.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as column
from pathlib import Path
from typing import Any

from mspterm.config.model import Client
from mspterm.config.reader import ConfigError, Reader, Setting, read_text
from mspterm.config.table import TABLES
from mspterm.domain.folding import fold

CALENDARS = "calendars"
_TABLES = {table.name: table for table in TABLES}


@dataclass
class Facts:
    """Clients and calendars as they stand, what couldn't be read, and where the directory's come from."""

    clients: dict[str, Client] = column(default_factory=dict)
    calendars: dict[str, Any] = column(default_factory=dict)
    failures: tuple[str, ...] = ()
    settings: list[Setting] = column(default_factory=list)


def read_facts(
    own: Mapping[str, Mapping[str, Any]], calendars: Mapping[str, Any], directory: Path | None
) -> Facts:
    """The facts of both, the directory's before the file's own."""
    facts = Facts({name: Client(name, **held) for name, held in own.items()}, dict(calendars))
    if directory is None:
        return facts
    try:
        # By name: where two claim a name, the same one must win on every host.
        files = sorted(file for file in directory.iterdir() if file.suffix == ".toml")
    except OSError as error:
        return _unreadable(facts, f"{directory}: the client facts can't be read: {error.strerror}.")
    shared = _Directory(facts)
    for file in files:
        shared.read(file)
    return replace(facts, clients=shared.clients(), failures=tuple(shared.failures))


def _unreadable(facts: Facts, sentence: str) -> Facts:
    # All of them: whom the directory would have spoken of is just what can't be known.
    doubted = {name: replace(client, doubt=sentence) for name, client in facts.clients.items()}
    return replace(facts, clients=doubted, failures=(sentence,))


class _Directory:
    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._theirs: dict[str, Client] = {}
        self.failures: list[str] = []

    def read(self, file: Path) -> None:
        name = file.stem
        try:
            reader = Reader(file, read_text(file, must_exist=True) or "")
            document = reader.document()
        except ConfigError as error:
            # Doubted and not left out: its freezes may be among what can't be read.
            self.failures.append(str(error))
            self._doubt(name, str(error))
            return
        if name == CALENDARS:
            self._facts.calendars.update(reader.table(_TABLES[CALENDARS], document))
        else:
            self._client(name, document, reader)
        self.failures += [str(problem) for problem in reader.problems]
        self._facts.settings += [replace(s, file=file) for s in reader.settings if s.line is not None]

    def clients(self) -> dict[str, Client]:
        """All clients, the directory's last: of two that claim a name the later has it."""
        # By folded names: another spelling must not take a client from the directory.
        taken = {_key(name) for client in self._theirs.values() for name in (client.name, *client.match)}
        own = (c for name, c in self._facts.clients.items() if name not in self._theirs)
        free = (replace(c, match=tuple(_free(c.match, taken))) for c in own if _key(c.name) not in taken)
        return {c.name: c for c in (*free, *self._theirs.values())}

    def _client(self, name: str, document: Mapping[str, Any], reader: Reader) -> None:
        values = reader.values((), document, _TABLES["clients"].keys)
        # Without the defaults: what the directory leaves out must not overrule the user's own.
        said = {key: value for key, value in values.items() if key in document}
        base = self._facts.clients.get(name) or Client(name)
        doubt = "; ".join(map(str, reader.problems)) or None
        self._theirs[name] = replace(base, **said, from_dir=frozenset(said), doubt=doubt)

    def _doubt(self, name: str, sentence: str) -> None:
        base = self._facts.clients.get(name) or Client(name)
        self._theirs[name] = replace(base, doubt=sentence)


def _free(match: tuple[str, ...], taken: set[str]) -> Iterator[str]:
    """The aliases that the directory hasn't given to a client of its own, also not for one connection."""
    return (a for a in match if not {_key(a), _key(a.partition(":")[2])} & taken)


def _key(name: str) -> str:
    return " ".join(fold(name).split())
