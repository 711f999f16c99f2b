"""Reads one TOML file against the table of keys, and keeps the place of all that is wrong with it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as column
from pathlib import Path
from typing import Any

from mspterm.config.check import Wrong, convert, nearest
from mspterm.config.keys import Key, Table
from mspterm.config.lines import dotted, key_lines, line_of

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
    """An effective value and the line that gives it, None where it is the default; `file` where that
    is another than the config's own."""

    key: str
    value: Any
    line: int | None
    file: Path | None = None


def read_text(file: Path, *, must_exist: bool) -> str | None:
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


def parse(file: Path, text: str) -> dict[str, Any]:
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
class Reader:
    """One reading of a file: collects problems and settings as it converts."""

    file: Path
    text: str
    problems: list[Problem] = column(default_factory=list)
    settings: list[Setting] = column(default_factory=list)
    lines: dict[tuple[str, ...], int] = column(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The file as TOML. Raises ConfigError where it isn't."""
        found = parse(self.file, self.text)
        self.lines = key_lines(self.text)
        return found

    def problem(self, where: tuple[str, ...], sentence: str) -> None:
        self.problems.append(Problem(self.file, line_of(where, self.lines), dotted(where) or None, sentence))

    def is_table(self, where: tuple[str, ...], value: Any) -> bool:
        if not isinstance(value, dict):
            self.problem(where, f"Must be a table, as [{dotted(where)}].")
        return isinstance(value, dict)

    def table(self, table: Table, value: Any, within: tuple[str, ...] = ()) -> dict[str, Any]:
        """A table's converted values, with the tables inside it."""
        where = (*within, table.name)
        if not self.is_table(where, value):
            return {}
        if table.entries:
            entries = tuple(_renamed(table.entries, name) for name in value)
            return self.values(where, value, entries)
        if not table.many:
            return self._with_inner(where, value, table)
        return {
            name: self._with_inner((*where, name), held, table)
            for name, held in value.items()
            if self.is_table((*where, name), held) and self._is_named(where, name, table)
        }

    def _with_inner(self, where: tuple[str, ...], value: Mapping[str, Any], table: Table) -> dict[str, Any]:
        inner = {t.name: t for t in table.tables}
        own = {name: held for name, held in value.items() if name not in inner}
        found = self.values(where, own, table.keys)
        return found | {name: self.table(t, value.get(name, {}), where) for name, t in inner.items()}

    def _is_named(self, where: tuple[str, ...], name: str, table: Table) -> bool:
        if not table.named or name in table.named:
            return True
        self.problem((*where, name), f"This table is one of {', '.join(table.named)}.")
        return False

    def values(
        self, where: tuple[str, ...], held: Mapping[str, Any], keys: tuple[Key, ...]
    ) -> dict[str, Any]:
        """The converted values of one table, defaults included; keys without either are left out."""
        known = [key.name for key in keys]
        for name in held:
            if name not in known:
                self.problem((*where, name), f"No such key.{nearest(name, known)}")
        values: dict[str, Any] = {}
        for key in keys:
            path = (*where, key.name)
            if key.name not in held:
                if key.required:
                    self.problem(path, f"Missing: {key.comment[0].lower()}{key.comment[1:]}.")
                if key.default is None:
                    continue
                values[key.name] = key.default
            else:
                try:
                    values[key.name] = convert(key, held[key.name], self.file.parent)
                except Wrong as wrong:
                    sentence = str(wrong)
                    self.problem(path, sentence[0].upper() + sentence[1:])
                    continue
            line = line_of(path, self.lines) if key.name in held else None
            self.settings.append(Setting(dotted(path), values[key.name], line))
        return values


def _renamed(key: Key, name: str) -> Key:
    return Key(name, key.type, key.comment)
