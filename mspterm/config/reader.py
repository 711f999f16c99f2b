"""Reads one TOML file against the table of keys, and keeps the place of all that is wrong with it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mspterm.config.check import Wrong, convert, nearest
from mspterm.config.keys import Key, Table

Where = tuple[str, ...]
"""The names of the tables that lead to a key, and its own."""

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
        # Notepad puts a byte-order mark first, which TOML refuses.
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
        # tomllib tells no line where the text ends too early.
        line = int(place[1]) if place and place[1] else text.count("\n") + 1
        column_ = f" in column {place[2]}" if place and place[2] else ""
        what = _TOML_PLACE.sub("", message)
        raise ConfigError([Problem(file, line, None, f"This is not TOML{column_}: {what}.")]) from None


class Reader:
    """One reading of a file: collects problems and settings as it converts."""

    def __init__(self, file: Path, text: str) -> None:
        self.file, self.text = file, text
        self.problems: list[Problem] = []
        self._noted: list[tuple[Where, Any, bool]] = []

    # In which lines all stands is asked only of a file with a problem, or to show where a value is from:
    # the console, which starts with every file in order, pays for none of it.

    @cached_property
    def lines(self) -> Mapping[Where, int]:
        from mspterm.config.lines import key_lines

        return key_lines(self.text)

    @property
    def settings(self) -> list[Setting]:
        """The values so far, in the order in which they were read."""
        from mspterm.config.lines import dotted, line_of

        return [
            Setting(dotted(where), value, line_of(where, self.lines) if said else None)
            for where, value, said in self._noted
        ]

    def note(self, where: Where, value: Any, *, said: bool) -> None:
        """An effective value; `said` by the file, else the default."""
        self._noted.append((where, value, said))

    def document(self) -> dict[str, Any]:
        """The file as TOML. Raises ConfigError where it isn't."""
        return parse(self.file, self.text)

    def problem(self, where: Where, sentence: str) -> None:
        from mspterm.config.lines import dotted, line_of

        self.problems.append(Problem(self.file, line_of(where, self.lines), dotted(where) or None, sentence))

    def is_table(self, where: Where, value: Any) -> bool:
        if isinstance(value, dict):
            return True
        from mspterm.config.lines import dotted

        self.problem(where, f"Must be a table, as [{dotted(where)}].")
        return False

    def table(self, table: Table, value: Any, within: Where = ()) -> dict[str, Any]:
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

    def _with_inner(self, where: Where, value: Mapping[str, Any], table: Table) -> dict[str, Any]:
        inner = {t.name: t for t in table.tables}
        own = {name: held for name, held in value.items() if name not in inner}
        found = self.values(where, own, table.keys)
        return found | {name: self.table(t, value.get(name, {}), where) for name, t in inner.items()}

    def _is_named(self, where: Where, name: str, table: Table) -> bool:
        if not table.named or name in table.named:
            return True
        self.problem((*where, name), f"This table is one of {', '.join(table.named)}.")
        return False

    def values(self, where: Where, held: Mapping[str, Any], keys: tuple[Key, ...]) -> dict[str, Any]:
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
                # Left out and not None, so that the default of the model's field counts.
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
            self.note(path, values[key.name], said=key.name in held)
        return values


def _renamed(key: Key, name: str) -> Key:
    return Key(name, key.type, key.comment)
