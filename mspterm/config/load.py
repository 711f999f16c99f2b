"""Reads the config file and checks all of it: every problem is told at once, each with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as column
from pathlib import Path
from typing import Any

from mspterm.config import paths
from mspterm.config.check import Wrong, convert, nearest
from mspterm.config.keys import Key, Table
from mspterm.config.kinds import KINDS, RESERVED, RESERVED_FIELDS, Kind, secret_variable
from mspterm.config.lines import dotted, key_lines, line_of
from mspterm.config.model import Client, Config, Connection, Console, Guard, Technician, View
from mspterm.config.table import CONNECTION, TABLES, TOP

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TOML_PLACE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: where it stands and a sentence that says what to do. `line` from 1."""

    file: Path
    line: int | None
    key: str | None
    sentence: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place}: {self.key}: {self.sentence}" if self.key else f"{place}: {self.sentence}"


class ConfigError(Exception):
    """The file can't be used; `problems` are all there are, and `str()` is one a line."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Setting:
    """An effective value and the line that gives it, None where it is the default."""

    key: str
    value: Any
    line: int | None


@dataclass(frozen=True, slots=True)
class Loaded:
    config: Config
    settings: tuple[Setting, ...]


def load(path: Path | None = None) -> Config:
    """The configuration in `path`, else in the file that MSPTERM_CONFIG names, else at the usual place.

    Only the usual place may be empty: that gives a Config without connections whose `source` is
    None. Raises ConfigError with all that is wrong.
    """
    return load_with_sources(path).config


def load_with_sources(path: Path | None = None) -> Loaded:
    """As `load`, with where each value comes from."""
    file = paths.config_file(path)
    text = _read(file, must_exist=paths.named_config(path) is not None)
    reader = _Reader(file.absolute(), text or "")
    config = reader.config(source=None if text is None else file.absolute())
    if reader.problems:
        raise ConfigError(sorted(reader.problems, key=lambda problem: problem.line or 0))
    return Loaded(config, tuple(reader.settings))


def _read(file: Path, *, must_exist: bool) -> str | None:
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        if not must_exist:
            return None
        raise ConfigError([Problem(file, None, None, "There is no such file.")]) from None
    except UnicodeDecodeError:
        raise ConfigError([Problem(file, None, None, "It is not UTF-8: save it as UTF-8 text.")]) from None
    except OSError as error:
        sentence = f"It can't be read: {error.strerror}."
        raise ConfigError([Problem(file, None, None, sentence)]) from None


def _parse(file: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _TOML_PLACE.search(message)
        line = int(place[1]) if place and place[1] else text.count("\n") + 1
        column_ = f" in column {place[2]}" if place and place[2] else ""
        what = _TOML_PLACE.sub("", message)
        raise ConfigError([Problem(file, line, None, f"This is not TOML{column_}: {what}.")]) from None


@dataclass
class _Reader:
    """One reading of a file: collects problems and settings as it converts."""

    file: Path
    text: str
    problems: list[Problem] = column(default_factory=list)
    settings: list[Setting] = column(default_factory=list)
    lines: dict[tuple[str, ...], int] = column(default_factory=dict)
    kinds: dict[str, Kind] = column(default_factory=dict)

    def config(self, source: Path | None) -> Config:
        document = _parse(self.file, self.text)
        self.lines = key_lines(self.text)
        connections = self._connections(document.pop("connections", {}))
        self._check_secret_names()
        names = [table.name for table in TABLES]
        tops = {key.name: key for key in TOP}
        for name in document.keys() - {*names, *tops}:
            hint = nearest(name, ["connections", *names, *tops])
            self._problem((name,), f"No such table or key.{hint}")
        top = self._values((), {k: v for k, v in document.items() if k in tops}, TOP)
        tables = {table.name: self._table(table, document.get(table.name, {})) for table in TABLES}
        return Config(
            source=source,
            connections={c.name: c for c in connections},
            clients={name: Client(name, **held) for name, held in tables["clients"].items()},
            views=tuple(_view(name, held) for name, held in tables["views"].items()),
            technician=Technician(**tables["technician"]),
            guard=Guard(**tables["guard"]),
            console=Console(**tables["console"]),
            keys=tables["keys"],
            journal_head_file=tables["journal"].get("head_file"),
            clients_dir=top.get("clients_dir"),
            raw={name: tables[name] for name in ("calendars", "sla", "escalation", "ssh")},
        )

    def _problem(self, where: tuple[str, ...], sentence: str) -> None:
        self.problems.append(Problem(self.file, line_of(where, self.lines), dotted(where) or None, sentence))

    def _is_table(self, where: tuple[str, ...], value: Any) -> bool:
        if not isinstance(value, dict):
            self._problem(where, f"Must be a table, as [{dotted(where)}].")
        return isinstance(value, dict)

    def _table(self, table: Table, value: Any) -> dict[str, Any]:
        where = (table.name,)
        if not self._is_table(where, value):
            return {}
        if table.free:
            self.settings += [
                Setting(dotted((*where, k)), v, line_of((*where, k), self.lines)) for k, v in value.items()
            ]
            return dict(value)
        if table.entries:
            entries = tuple(_renamed(table.entries, name) for name in value)
            return self._values(where, value, entries)
        if not table.many:
            return self._values(where, value, table.keys)
        return {
            name: self._values((*where, name), held, table.keys)
            for name, held in value.items()
            if self._is_table((*where, name), held)
        }

    def _values(
        self, where: tuple[str, ...], held: Mapping[str, Any], keys: tuple[Key, ...]
    ) -> dict[str, Any]:
        """The converted values of one table, defaults included; keys without either are left out."""
        known = [key.name for key in keys]
        for name in held:
            if name not in known:
                self._problem((*where, name), f"No such key.{nearest(name, known)}")
        values: dict[str, Any] = {}
        for key in keys:
            path = (*where, key.name)
            if key.name not in held:
                if key.required:
                    self._problem(path, f"Missing: {key.comment[0].lower()}{key.comment[1:]}.")
                if key.default is None:
                    continue
                values[key.name] = key.default
            else:
                try:
                    values[key.name] = convert(key, held[key.name], self.file.parent)
                except Wrong as wrong:
                    sentence = str(wrong)
                    self._problem(path, sentence[0].upper() + sentence[1:])
                    continue
            line = line_of(path, self.lines) if key.name in held else None
            self.settings.append(Setting(dotted(path), values[key.name], line))
        return values

    def _connections(self, value: Any) -> list[Connection]:
        if not self._is_table(("connections",), value):
            return []
        read = (self._connection(name, held) for name, held in value.items())
        return [connection for connection in read if connection]

    def _connection(self, name: str, held: Any) -> Connection | None:
        where = ("connections", name)
        if not self._is_table(where, held):
            return None
        if not _NAME.fullmatch(name):
            self._problem(where, "A connection's name is lower-case letters, digits and _, a letter first.")
        if name == RESERVED:
            self._problem(where, "This name is taken: the journal's key is stored under it. Choose another.")
        kind = self._kind(where, held)
        if not kind:
            return None
        self.kinds[name] = kind
        before = len(self.problems)
        self._explain_strangers(where, held, kind)
        keys = connection_keys(kind)
        known = {key.name: held[key.name] for key in keys if key.name in held}
        self.settings.append(
            Setting(dotted((*where, "kind")), kind.name, line_of((*where, "kind"), self.lines))
        )
        values = self._values(where, known, keys)
        if "client_key" in values and "client_cert" not in values:
            self._problem((*where, "client_key"), "A client_key needs its client_cert beside it.")
        if len(self.problems) > before:
            return None
        own = {key.name for key in kind.settings} - {"url"}
        settings = {k: str(v) for k, v in values.items() if k in own}
        common = {k: v for k, v in values.items() if k not in own}
        return Connection(name=name, kind=kind.name, settings=settings, **{"url": ""} | common)

    def _kind(self, where: tuple[str, ...], held: Mapping[str, Any]) -> Kind | None:
        path = (*where, "kind")
        name = held.get("kind")
        if not isinstance(name, str):
            self._problem(path, f"Every connection needs a kind, one of {', '.join(KINDS)}.")
        elif name not in KINDS:
            self._problem(path, f"No such kind.{nearest(name, list(KINDS))} It is one of {', '.join(KINDS)}.")
        return KINDS.get(name) if isinstance(name, str) else None

    def _explain_strangers(self, where: tuple[str, ...], held: Mapping[str, Any], kind: Kind) -> None:
        known = ["kind", *(key.name for key in connection_keys(kind))]
        for name in held:
            if name not in known:
                self._problem((*where, name), _stranger(name, where[-1], kind, known))

    def _check_secret_names(self) -> None:
        """Two secrets must not share one environment variable."""
        owners = {secret_variable(RESERVED, field): (RESERVED, field) for field in RESERVED_FIELDS}
        for name, kind in self.kinds.items():
            for field in kind.secrets:
                variable = secret_variable(name, field)
                other = owners.setdefault(variable, (name, field))
                if other != (name, field):
                    self._problem(
                        ("connections", name),
                        f"Its {field} and {other[0]}'s {other[1]} would both be {variable}. "
                        "Rename one of the two connections.",
                    )


def connection_keys(kind: Kind) -> tuple[Key, ...]:
    """Every key that a connection of `kind` may have, besides `kind` itself."""
    return kind.settings + tuple(key for key in CONNECTION if key.serves in (None, kind.serves))


def _stranger(name: str, connection: str, kind: Kind, known: list[str]) -> str:
    """Why a key is not one of this kind's."""
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


def _renamed(key: Key, name: str) -> Key:
    return Key(name, key.type, key.comment)


def _view(name: str, held: Mapping[str, Any]) -> View:
    return View(name, held.get("title") or name.replace("_", " ").capitalize(), held.get("filter", ""))
