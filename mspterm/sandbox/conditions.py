"""ConnectWise's `conditions`: read into a tree, tried on rows. What it can't read it refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>"(?:[^"\\]|\\.)*") | (?P<date>\[[0-9][^\]]*\]) | (?P<number>-?\d+(?:\.\d+)?(?![\w/]))
    | (?P<op><=|>=|!=|=|<|>) | (?P<mark>[(),]) | (?P<word>[A-Za-z_][\w]*(?:/[A-Za-z_]\w*)*)
    )""",
    re.VERBOSE,
)
_WORD_OPS = ("contains", "like", "in")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
}

Get = Callable[[str], Any]
"""Gives a row's value for a field with its path, such as `board/name`; None where it has none."""


class BadConditions(Exception):
    """The text can't be read; `str()` says where."""


@dataclass(frozen=True, slots=True)
class Compare:
    field: str
    op: str
    value: Any
    negated: bool = False

    def holds(self, get: Get) -> bool:
        have = get(self.field)
        if self.value is None:
            return (have is None) == (self.op == "=")
        # As in SQL, a row without a value satisfies neither a comparison nor its opposite.
        return have is not None and self._matches(_folded(have)) != self.negated

    def _matches(self, have: Any) -> bool:
        if self.op == "in":
            return have in self.value
        if self.op == "contains":
            return str(self.value) in str(have)
        if self.op == "like":
            return bool(re.fullmatch(self.value, str(have), re.DOTALL))
        if type(have) is not type(self.value) and not _numbers(have, self.value):
            return False
        return _COMPARE[self.op](have, self.value)


@dataclass(frozen=True, slots=True)
class Both:
    parts: tuple[Node, ...]

    def holds(self, get: Get) -> bool:
        return all(part.holds(get) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Either:
    parts: tuple[Node, ...]

    def holds(self, get: Get) -> bool:
        return any(part.holds(get) for part in self.parts)


Node = Compare | Both | Either
EVERYTHING = Both(())


def parse(text: str) -> Node:
    """The tree of a condition text. Raises BadConditions."""
    if not text.strip():
        return EVERYTHING
    reader = _Reader(_tokens(text))
    node = reader.either()
    if reader.rest:
        raise BadConditions(f"Unexpected '{reader.rest[0][1]}'")
    return node


def fields_of(node: Node) -> set[str]:
    """Every field that the tree asks for."""
    if isinstance(node, Compare):
        return {node.field}
    return set().union(*(fields_of(part) for part in node.parts))


def required(node: Node) -> list[Compare]:
    """The comparisons that every row must satisfy."""
    if isinstance(node, Compare):
        return [node]
    # Under OR no comparison is one that every row must satisfy.
    return [found for part in node.parts for found in required(part)] if isinstance(node, Both) else []


def _numbers(*values: Any) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _folded(value: Any) -> Any:
    """SQL Server's default collation doesn't tell capitals apart."""
    return value.casefold() if isinstance(value, str) else value


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise BadConditions(f"Unexpected '{text[at:].strip()[:20]}'")
        found.append((str(match.lastgroup), match[match.lastgroup or 0]))
        at = match.end()
    return found


class _Reader:
    def __init__(self, rest: list[tuple[str, str]]) -> None:
        self.rest = rest

    def either(self) -> Node:
        parts = [self._both()]
        while self._took("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _both(self) -> Node:
        parts = [self._one()]
        while self._took("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def _one(self) -> Node:
        if self._took("("):
            node = self.either()
            self._need(")")
            return node
        kind, field = self._next()
        if kind != "word":
            raise BadConditions(f"'{field}' is not a field")
        negated = self._took("not")
        kind, op = self._next()
        op = op.lower()
        # `not` goes with words only: the opposite of = is written !=.
        if op not in (_WORD_OPS if negated or kind == "word" else _COMPARE):
            raise BadConditions(f"'{op}' is not an operator")
        return Compare(field, op, self._list() if op == "in" else self._operand(op), negated)

    def _operand(self, op: str) -> Any:
        value = self._value()
        if op != "like":
            return value
        # Split first and escaped then, so that a dot in a name stands for itself.
        return ".*".join(re.escape(part) for part in re.split(r"[*%]", str(value)))

    def _list(self) -> tuple[Any, ...]:
        self._need("(")
        values = [self._value()]
        while self._took(","):
            values.append(self._value())
        self._need(")")
        return tuple(values)

    def _value(self) -> Any:
        kind, text = self._next()
        if kind == "string":
            # A literal [ is written [[] (psa-apis 1.3).
            return re.sub(r"\\(.)", r"\1", text[1:-1]).replace("[[]", "[").casefold()
        if kind == "date":
            return _instant(text[1:-1]).casefold()
        if kind == "number":
            return float(text) if "." in text else int(text)
        word = text.lower()
        if kind != "word" or word not in ("true", "false", "null"):
            raise BadConditions(f"'{text}' is not a value")
        return None if word == "null" else word == "true"

    def _next(self) -> tuple[str, str]:
        if not self.rest:
            raise BadConditions("The condition ends too early")
        return self.rest.pop(0)

    def _took(self, word: str) -> bool:
        if self.rest and self.rest[0][0] in ("word", "mark") and self.rest[0][1].lower() == word:
            self.rest.pop(0)
            return True
        return False

    def _need(self, mark: str) -> None:
        if not self._took(mark):
            raise BadConditions(f"'{mark}' is missing")


def _instant(text: str) -> str:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadConditions(f"'[{text}]' is not a date") from None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    # The form that rows have: as text it sorts as time does, and is compared so.
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
