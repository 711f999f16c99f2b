"""Reads the config file and checks all of it: every problem is told at once, each with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mspterm.config import paths
from mspterm.config.check import nearest
from mspterm.config.facts import Facts, read_facts
from mspterm.config.keys import Key
from mspterm.config.kinds import KINDS, RESERVED, RESERVED_FIELDS, Kind, secret_variable
from mspterm.config.model import (
    Config,
    Connection,
    Console,
    Escalation,
    Guard,
    Team,
    Technician,
    Vendor,
    View,
)
from mspterm.config.policy import ruled
from mspterm.config.reader import ConfigError, Problem, Reader, Setting, read_text
from mspterm.config.sla_table import ALWAYS, TARGETS
from mspterm.config.ssh_table import problems as ssh_problems
from mspterm.config.table import CONNECTION, TABLES, TOP

__all__ = [
    "ConfigError",
    "Loaded",
    "Problem",
    "Setting",
    "connection_keys",
    "load",
    "load_with_sources",
    "loads",
]

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration with where each of its values comes from."""

    config: Config
    settings: tuple[Setting, ...]


def load(path: Path | None = None) -> Config:
    """The configuration in `path`, else in the file that MSPTERM_CONFIG names, else at the usual place.

    Only the usual place may be empty: that gives a Config without connections whose `source` is
    None. Raises ConfigError with all that is wrong.
    """
    return _read(*_text(path))[0]


def load_with_sources(path: Path | None = None) -> Loaded:
    """As `load`, with where each value comes from."""
    config, reader = _read(*_text(path))
    return Loaded(config, (*reader.settings, *reader.elsewhere))


def loads(file: Path, text: str) -> Config:
    """What `load` would say of `file` if it held `text`. Raises ConfigError."""
    return _read(file.absolute(), text)[0]


def _text(path: Path | None) -> tuple[Path, str | None]:
    file = paths.config_file(path)
    return file.absolute(), read_text(file, must_exist=paths.named_config(path) is not None)


def _read(file: Path, text: str | None) -> tuple[Config, _Config]:
    reader = _Config(file, text or "")
    config = reader.config(source=None if text is None else file)
    if reader.problems:
        # Found table by table; told in the order in which a person goes through the file.
        raise ConfigError(sorted(reader.problems, key=lambda problem: problem.line or 0))
    return config, reader


class _Config(Reader):
    """The reading of the config file itself; `elsewhere` are values that other files give."""

    def __init__(self, file: Path, text: str) -> None:
        super().__init__(file, text)
        self.kinds: dict[str, Kind] = {}
        self.elsewhere: tuple[Setting, ...] = ()

    def config(self, source: Path | None) -> Config:
        document = self.document()
        connections = self._connections(document.pop("connections", {}))
        # Only with all connections read: it is pairs of them that collide.
        self._check_secret_names()
        names = [table.name for table in TABLES]
        tops = {key.name: key for key in TOP}
        for name in document.keys() - {*names, *tops}:
            hint = nearest(name, ["connections", *names, *tops])
            self.problem((name,), f"No such table or key.{hint}")
        top = self.values((), {k: v for k, v in document.items() if k in tops}, TOP)
        tables = {table.name: self.table(table, document.get(table.name, {})) for table in TABLES}
        facts = read_facts(tables["clients"], tables["calendars"], top.get("clients_dir"))
        guard, policy_failures, ruling = ruled(Guard(**tables["guard"]), paths.POLICY_OF_ALL)
        self.elsewhere = (*facts.settings, *ruling)
        # After the facts: the shared directory brings calendars that this file may name.
        self._check_calendars(tables, facts)
        for where, sentence in ssh_problems(tables["ssh"]):
            self.problem(where, sentence)
        return Config(
            source=source,
            connections={c.name: c for c in connections},
            clients=facts.clients,
            views=tuple(_view(name, held) for name, held in tables["views"].items()),
            technician=Technician(**tables["technician"]),
            guard=guard,
            policy_failures=policy_failures,
            console=Console(**tables["console"]),
            keys=tables["keys"],
            journal_head_file=tables["journal"].get("head_file"),
            journal_texts=tables["journal"]["keep_texts"],
            keep_days=tables["store"]["keep_days"],
            clients_dir=top.get("clients_dir"),
            clients_dir_failures=facts.failures,
            escalation=_escalation(tables["escalation"]),
            raw={"calendars": facts.calendars} | {n: tables[n] for n in ("sla", "triage", "storms", "ssh")},
        )

    def _check_calendars(self, tables: Mapping[str, Any], facts: Facts) -> None:
        """Every calendar that is named must be there."""
        for where, name in _named_calendars(tables):
            if name not in facts.calendars and name != ALWAYS:
                from mspterm.config.lines import dotted

                hint = nearest(name, [ALWAYS, *facts.calendars])
                self.problem(
                    where, f'There is no calendar "{name}": set [calendars.{dotted((name,))}].{hint}'
                )

    def _connections(self, value: Any) -> list[Connection]:
        if not self.is_table(("connections",), value):
            return []
        read = (self._connection(name, held) for name, held in value.items())
        return [connection for connection in read if connection]

    def _connection(self, name: str, held: Any) -> Connection | None:
        where = ("connections", name)
        if not self.is_table(where, held):
            return None
        if not _NAME.fullmatch(name):
            self.problem(where, "A connection's name is lower-case letters, digits and _, a letter first.")
        if name == RESERVED:
            self.problem(where, "This name is taken: the journal's key is stored under it. Choose another.")
        kind = self._kind(where, held)
        if not kind:
            return None
        self.kinds[name] = kind
        # Built only where it added no problem: `Connection` would lack what is required.
        before = len(self.problems)
        self._explain_strangers(where, held, kind)
        keys = connection_keys(kind)
        known = {key.name: held[key.name] for key in keys if key.name in held}
        self.note((*where, "kind"), kind.name, said=True)
        values = self.values(where, known, keys)
        if "client_key" in values and "client_cert" not in values:
            self.problem((*where, "client_key"), "A client_key needs its client_cert beside it.")
        if len(self.problems) > before:
            return None
        # `url` stands among a kind's settings for its sample and schemes, and belongs to every connection;
        # Autotask's may be absent, as it finds its zone.
        own = {key.name for key in kind.settings} - {"url"}
        settings = {k: str(v) for k, v in values.items() if k in own}
        common = {k: v for k, v in values.items() if k not in own}
        return Connection(name=name, kind=kind.name, settings=settings, **{"url": ""} | common)

    def _kind(self, where: tuple[str, ...], held: Mapping[str, Any]) -> Kind | None:
        path = (*where, "kind")
        name = held.get("kind")
        if not isinstance(name, str):
            self.problem(path, f"Every connection needs a kind, one of {', '.join(KINDS)}.")
        elif name not in KINDS:
            self.problem(path, f"No such kind.{nearest(name, list(KINDS))} It is one of {', '.join(KINDS)}.")
        return KINDS.get(name) if isinstance(name, str) else None

    def _explain_strangers(self, where: tuple[str, ...], held: Mapping[str, Any], kind: Kind) -> None:
        known = ["kind", *(key.name for key in connection_keys(kind))]
        for name in held:
            if name not in known:
                self.problem((*where, name), _stranger(name, where[-1], kind, known))

    def _check_secret_names(self) -> None:
        """Two secrets must not share one environment variable."""
        # The journal's own first: where a name clashes with one it is the connection that must change.
        owners = {secret_variable(RESERVED, field): (RESERVED, field) for field in RESERVED_FIELDS}
        for name, kind in self.kinds.items():
            for field in kind.secrets:
                variable = secret_variable(name, field)
                other = owners.setdefault(variable, (name, field))
                if other != (name, field):
                    self.problem(
                        ("connections", name),
                        f"Its {field} and {other[0]}'s {other[1]} would both be {variable}. "
                        "Rename one of the two connections.",
                    )


def connection_keys(kind: Kind) -> tuple[Key, ...]:
    """Every key that a connection of `kind` may have, besides `kind` itself."""
    return kind.settings + tuple(key for key in CONNECTION if key.serves in (None, kind.serves))


def _stranger(name: str, connection: str, kind: Kind, known: list[str]) -> str:
    """Why a key is not one of this kind's."""
    # Secrets before all else: who put one here must hear that it leaks, not that the key is misspelt.
    if name in kind.secrets or any(name in other.secrets for other in KINDS.values()):
        store = (
            f"store it with `mspterm auth login {connection}` or set {secret_variable(connection, name)}"
            if name in kind.secrets
            else f"{kind.name} takes {' and '.join(kind.secrets)}"
        )
        return f"A secret has no place in this file (change it, if others could read it): {store}."
    owners = [k.name for k in KINDS.values() if name in {key.name for key in connection_keys(k)}]
    if owners:
        return f"{kind.name} has no such key ({', '.join(owners)} has).{nearest(name, known)}"
    return f"No such key.{nearest(name, known)}"


def _view(name: str, held: Mapping[str, Any]) -> View:
    return View(name, held.get("title") or name.replace("_", " ").capitalize(), held.get("filter", ""))


def _named_calendars(tables: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    single = (("sla", ("calendar", "coverage")), ("clients", ("coverage", "windows")))
    for table, keys in single:
        for name, held in tables[table].items():
            yield from (((table, name, key), held[key]) for key in keys if key in held)
    for name, held in tables["sla"].items():
        goals = ((target, text) for target in TARGETS for text in held.get(target, {}).values())
        named = ((target, text.partition(" on ")[2].strip()) for target, text in goals)
        yield from ((("sla", name, target), calendar) for target, calendar in named if calendar)
    for kind in ("tiers", "vendors"):
        for name, held in tables["escalation"].get(kind, {}).items():
            if "hours" in held:
                yield ("escalation", kind, name, "hours"), held["hours"]


def _escalation(held: Mapping[str, Any]) -> Escalation:
    teams = {tier: Team(**values) for tier, values in held.get("tiers", {}).items()}
    # A vendor without its phone is a problem already, and could not be made.
    known = {name: values for name, values in held.get("vendors", {}).items() if "phone" in values}
    vendors = {name: Vendor(name, **values) for name, values in known.items()}
    return Escalation(**{**held, "tiers": teams, "vendors": vendors})
