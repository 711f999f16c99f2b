"""The filter language: `client:oak p:1 owner:me !status:waiting words`, parsed and applied."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from mspterm.domain.fields import BadValue, FilterContext, Table, Test, Turn, nearest_of
from mspterm.domain.row import TicketRow
from mspterm.domain.tables import ALERTS, DEVICES, TICKETS
from mspterm.domain.terms import Term, scan

if TYPE_CHECKING:
    from mspterm.domain.device import Alert, Device

__all__ = ["Filter", "FilterContext", "FilterError", "parse", "parse_alerts", "parse_devices"]

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class FilterError:
    """Why a text is no filter (yet): a value, never raised. `position` is where in the text;
    `nearest` what may have been meant."""

    sentence: str
    position: int
    nearest: str | None = None


@dataclass(frozen=True, slots=True)
class Filter(Generic[R]):
    """Conditions that all must hold; equal when they say the same. `str` gives the text again."""

    terms: tuple[Term, ...]
    tests: tuple[Test[R], ...] = field(compare=False, repr=False)
    turns: tuple[Turn[R], ...] = field(default=(), compare=False, repr=False)

    def matches(self, row: R, ctx: FilterContext) -> bool:
        for test in self.tests:  # noqa: SIM110 - a third faster than all() over a generator
            if not test(row, ctx):
                return False
        return True

    def select(self, rows: Iterable[R], ctx: FilterContext) -> list[R]:
        """The rows that match, in their order; the quickest way over many."""
        left = list(rows)
        for test in self.tests:
            left = [row for row in left if test(row, ctx)]
        return left

    def turns_after(self, row: R, now: float) -> list[float]:
        """The instants (epoch seconds) after `now` at which time alone may change whether `row` matches."""
        return [at for turn in self.turns if (at := turn(row)) is not None and at > now]

    def __and__(self, other: Filter[R]) -> Filter[R]:
        """Both must hold."""
        return Filter(self.terms + other.terms, self.tests + other.tests, self.turns + other.turns)

    def __str__(self) -> str:
        return " ".join(str(term) for term in self.terms)

    def describe(self) -> str:
        """In words, for a title or an empty list: `client oak, not status waiting, "disk"`."""
        return ", ".join(_described(term) for term in self.terms) or "everything"


def parse(text: str) -> Filter[TicketRow] | FilterError:
    """The filter over tickets that `text` says; a field without a value yet matches all."""
    return _parse(text, TICKETS)


def parse_devices(text: str) -> Filter[Device] | FilterError:
    """The filter over devices: `client: name: kind: os: online:yes user: site: ip: flag:` and words."""
    return _parse(text, DEVICES)


def parse_alerts(text: str) -> Filter[Alert] | FilterError:
    """The filter over alerts: `severity: client: device: message: is:open age:` and words."""
    return _parse(text, ALERTS)


def _parse(text: str, table: Table[R]) -> Filter[R] | FilterError:
    terms: list[Term] = []
    tests: list[Test[R]] = []
    turns: list[Turn[R]] = []
    for scanned, position in scan(text):
        term = Term(table.aliases.get(scanned.field, scanned.field), scanned.values, scanned.negated)
        if term.field and term.field not in table.fields:
            return _unknown(term.field, position, table)
        try:
            test = _test(term, table)
        except BadValue as bad:
            return FilterError(f"{term.field}: {bad}.", position, bad.nearest)
        if test is not None:
            terms.append(term)
            tests.append(test)
            turns += table.turns[term.field](term.values) if term.field in table.turns else ()
    return Filter(tuple(terms), tuple(tests), tuple(turns))


def _test(term: Term, table: Table[R]) -> Test[R] | None:
    if not term.values:
        return None
    test = table.fields[term.field](term.values) if term.field else table.words(term.values)
    if test is None or not term.negated:
        return test
    plain = test
    return lambda row, ctx: not plain(row, ctx)


def _unknown(name: str, position: int, table: Table[R]) -> FilterError:
    nearest = nearest_of(name, table.fields)
    hint = f"; did you mean {nearest}:" if nearest else f"; the fields are {', '.join(sorted(table.fields))}"
    return FilterError(
        f'There is no field {name}:{hint}? To search for the text, put it in "quotes".', position, nearest
    )


def _described(term: Term) -> str:
    said = " or ".join(term.values)
    text = f"{term.field} {said}" if term.field else f'"{said}"'
    return f"not {text}" if term.negated else text
