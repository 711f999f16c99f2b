"""What a key of the config file is; tables of these make the check, the example and the schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any


class Type(Enum):
    """The types a value can have; `check` converts each and `schema` describes it."""

    TEXT = auto()
    FLAG = auto()
    COUNT = auto()
    SECONDS = auto()
    CHOICE = auto()
    URL = auto()
    PROXY = auto()
    PATH = auto()
    NAMES = auto()
    TEXT_MAP = auto()
    CHOICE_MAP = auto()
    COUNT_MAP = auto()
    CHOICES_MAP = auto()
    ZONE = auto()
    WEEK = auto()
    DATES = auto()
    DAYS = auto()
    DATE = auto()
    PERIODS = auto()
    CHOICES = auto()
    COUNTS = auto()
    SPAN = auto()
    SPAN_MAP = auto()
    GOAL_MAP = auto()
    TEXT_MAPS = auto()
    KEY_MAP = auto()


@dataclass(frozen=True, slots=True)
class Names:
    """What names in a map may be: a pattern, and in words what it asks for."""

    pattern: str
    says: str


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its name, type, default, and one comment line for the example.

    `choices` are the permitted values, or of a URL its schemes; `low` and `high` bound numbers.
    `sample` is what the example shows where there is no default. `serves` limits a connection's key
    to kinds that serve "psa" or "rmm". `names` limits the names in a map.
    """

    name: str
    type: Type
    comment: str
    default: Any = None
    sample: Any = None
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    required: bool = False
    serves: str | None = None
    names: Names | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the file: `[name]`, or where `many` `[name.ANY]`.

    `entries` types the values of a table whose keys the user names. `tables` stand inside this one; `named`
    limits what ANY may be; `more` are further samples, by name, of some of the keys.
    """

    name: str
    comment: str
    keys: tuple[Key, ...] = ()
    many: bool = False
    sample_name: str = ""
    entries: Key | None = None
    tables: tuple[Table, ...] = ()
    named: tuple[str, ...] = ()
    more: tuple[tuple[str, Mapping[str, Any]], ...] = ()
