"""What a filter's fields are made of: values turned into tests, a table of them for a kind of row."""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from mspterm.domain.folding import fold

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class FilterContext:
    """What a filter needs beside the row. `now` is in epoch seconds, as the rows' times are.

    `me`: my ids by connection. New is what has a revision above `seen[ref]`, else above
    `seen_revision`; None: nothing is new. `device_names` by ref, for alerts.
    """

    now: float
    me: Mapping[str, frozenset[str]] = field(default_factory=dict)
    seen_revision: int | None = None
    seen: Mapping[str, int] = field(default_factory=dict)
    device_names: Mapping[str, str] = field(default_factory=dict)


class BadValue(Exception):
    """A value that the field doesn't know; `nearest` is one that it does."""

    def __init__(self, sentence: str, nearest: str | None = None) -> None:
        super().__init__(sentence)
        self.nearest = nearest


Test = Callable[[R, FilterContext], bool]
Maker = Callable[[Sequence[str]], Test[R] | None]
"""Makes a test of a field's values; None where they don't say anything yet (`age:>`)."""
Turn = Callable[[R], float | None]
"""The instant (epoch seconds) at which time alone may turn a row's test; None: never."""
Turns = Callable[[Sequence[str]], Sequence[Turn[R]]]


@dataclass(frozen=True, slots=True)
class Table(Generic[R]):
    """The language over one kind of row: its fields, their other names, what words search, and for the
    fields whose tests look at the time, when they turn."""

    fields: Mapping[str, Maker[R]]
    aliases: Mapping[str, str]
    haystack: Callable[[R], str]
    turns: Mapping[str, Turns[R]] = field(default_factory=dict)

    def words(self, values: Sequence[str]) -> Test[R]:
        """The test for a word: anywhere in the row's text."""
        wanted, haystack = fold(values[0]), self.haystack
        return lambda row, ctx: wanted in haystack(row)


def nearest_of(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, or the one that it begins."""
    names = sorted(known)
    begun = [name for name in names if name.startswith(word)]
    close = begun or difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    return close[0] if close else None


def contains(*gets: Callable[[R], str | None]) -> Maker[R]:
    """A field that holds any of the values, in any of these columns."""

    def make(values: Sequence[str]) -> Test[R]:
        wanted = tuple(fold(value) for value in values)
        if len(gets) == 1 and len(wanted) == 1:
            get, only = gets[0], wanted[0]
            return lambda row, ctx: only in fold(get(row) or "")
        return lambda row, ctx: any(w in fold(get(row) or "") for get in gets for w in wanted)

    return make


def one_of(flags: Mapping[str, Test[R]]) -> Maker[R]:
    """A field whose values are names of tests: `is:mine`."""

    def make(values: Sequence[str]) -> Test[R]:
        tests = [flags[known_value(value.lower(), flags)] for value in values]
        return tests[0] if len(tests) == 1 else lambda row, ctx: any(t(row, ctx) for t in tests)

    return make


def known_value(value: str, known: Iterable[str]) -> str:
    """`value`, where it is one of `known`. Raises BadValue."""
    names = sorted(known)
    if value in names:
        return value
    raise BadValue(f'"{value}" is not one of {", ".join(names)}', nearest_of(value, names))


_SPAN = re.compile(r"(<=?|>=?)?(-?\d+(?:\.\d+)?)?([smhdw]?)", re.IGNORECASE)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "": 3600}
_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def span(measure: Callable[[R, FilterContext], float | None], usual: str) -> Maker[R]:
    """A field that compares a number of seconds: `>2d`, `<30m`; `usual` where no sign is given,
    hours where no unit is."""

    def make(values: Sequence[str]) -> Test[R] | None:
        bounds = [bound for value in values if (bound := _bound(value, usual)) is not None]
        if not bounds:
            return None

        def test(row: R, ctx: FilterContext) -> bool:
            seconds = measure(row, ctx)
            return seconds is not None and any(compare(seconds, limit) for compare, limit in bounds)

        return test

    return make


_JUST_AFTER_S = 0.001
"""`age:>2d` does not hold at its instant yet, `age:>=2d` does."""


def turning(instant: Callable[[R, float], float | None]) -> Turns[R]:
    """When a `span` field turns: `instant` of a row and of the seconds that it is compared with."""

    def at(limit: float) -> Turn[R]:
        def turn(row: R) -> float | None:
            found = instant(row, limit)
            return None if found is None else found + _JUST_AFTER_S

        return turn

    def turns(values: Sequence[str]) -> Sequence[Turn[R]]:
        return [at(bound[1]) for value in values if (bound := _bound(value, "<")) is not None]

    return turns


def _bound(value: str, usual: str) -> tuple[Callable[[float, float], bool], float] | None:
    found = _SPAN.fullmatch(value)
    if found is None:
        raise BadValue(f'"{value}" is not a time: write <30m, >2h or >1d')
    sign, number, unit = found.groups()
    if number is None:
        return None
    return _COMPARE[sign or usual], float(number) * _UNITS[unit.lower()]
