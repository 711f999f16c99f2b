"""The filter language's grammar: text to terms and back, knowing nothing of rows.

`client:oak p:1,2 !status:waiting words "two words"`: terms separated by spaces, all must hold; `!`
negates; a comma is "or" within a field; quotes keep spaces, commas and colons, `\\"` in them is a quote.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FIELD = re.compile(r"([A-Za-z][A-Za-z_]*):")


@dataclass(frozen=True, slots=True)
class Term:
    """One condition; `field` is "" for a word to search for."""

    field: str
    values: tuple[str, ...]
    negated: bool = False

    def __str__(self) -> str:
        bang = "!" if self.negated else ""
        if not self.field:
            return bang + _quoted(self.values[0], _needs_quotes_as_word(self.values[0]))
        return f"{bang}{self.field}:" + ",".join(_quoted(v, "," in v) for v in self.values)


def scan(text: str) -> Iterator[tuple[Term, int]]:
    """The terms of `text`, each with its position. What is not finished yet is left out."""
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        start, negated = at, text[at] == "!"
        at += negated
        named = _FIELD.match(text, at)
        at = named.end() if named else at
        values, at = _values(text, at, split=named is not None)
        if values or named:
            yield Term(named[1].lower() if named else "", values, negated), start


def _values(text: str, at: int, *, split: bool) -> tuple[tuple[str, ...], int]:
    done: list[str] = []
    part: list[str] = []
    quoted = False
    while at < len(text) and (quoted or not text[at].isspace()):
        char = text[at]
        # Any other backslash is itself: DOMAIN\user is typed as it is.
        if quoted and char == "\\" and text[at + 1 : at + 2] in ('"', "\\"):
            at += 1
            part.append(text[at])
        elif char == '"':
            quoted = not quoted
        # In a word that is searched for, a comma is part of it.
        elif char == "," and split and not quoted:
            done.append("".join(part))
            part.clear()
        else:
            part.append(char)
        at += 1
    done.append("".join(part))
    return tuple(value for value in done if value), at


def _needs_quotes_as_word(value: str) -> bool:
    # Bare, it would be read again as a negation or a field.
    return value.startswith("!") or _FIELD.match(value) is not None


def _quoted(value: str, needed: bool) -> str:
    if needed or '"' in value or any(c.isspace() for c in value):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return value
