"""In which line of a TOML file each key stands; tomllib keeps no positions."""

from __future__ import annotations

import re
from collections.abc import Mapping

Path = tuple[str, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_PART = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
_DOTTED = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER = re.compile(rf"[ \t]*\[\[?[ \t]*({_DOTTED})[ \t]*\]\]?")
_KEY = re.compile(rf"[ \t]*({_DOTTED})[ \t]*=")
# Three quotes come first, as two of them would match as an empty string. Behind the closing three more
# may stand: a multi-line text can end in one or two quotes of its own.
_STRING = re.compile(
    r"""\"{3}(?:\\.|[^\\])*?\"{3}"*|'{3}.*?'{3}'*|"(?:\\.|[^"\\\n])*"|'[^'\n]*'""", re.DOTALL
)


def key_lines(text: str) -> dict[Path, int]:
    """The line (from 1) of each table and key in `text`, which tomllib has parsed without error.

    Keys inside an inline table or an array have none of their own; `line_of` gives their parent's.
    """
    found: dict[Path, int] = {}
    table: Path = ()
    at, line = 0, 1
    while at < len(text):
        if header := _HEADER.match(text, at):
            path = table = _parts(header.group(1))
            end = _end_of_value(text, header.end())
        elif key := _KEY.match(text, at):
            path = table + _parts(key.group(1))
            end = _end_of_value(text, key.end())
        else:
            path = ()
            end = _end_of_value(text, at)
        for depth in range(1, len(path) + 1):
            # The first line that names it, be it only on the way to a deeper one: [a.b] stands for `a` too.
            found.setdefault(path[:depth], line)
        line += text.count("\n", at, end)
        at = end
    return found


def line_of(path: Path, lines: Mapping[Path, int]) -> int | None:
    """The line of `path`, or of the nearest table around it that is written down."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None


def dotted(path: Path) -> str:
    """The path as TOML writes it, with quotes where a part needs them."""
    return ".".join(part if _BARE.fullmatch(part) else _quoted(part) for part in path)


def _quoted(part: str) -> str:
    import json

    return json.dumps(part, ensure_ascii=False)


def _parts(dotted: str) -> Path:
    return tuple(part[1:-1] if part[0] in "\"'" else part for part in re.findall(_PART, dotted))


def _end_of_value(text: str, at: int) -> int:
    """Just after the line feed that ends the value which starts at `at`."""
    depth = 0
    while at < len(text):
        char = text[at]
        # Whole strings: a bracket or a # inside one means nothing.
        if char in "\"'" and (string := _STRING.match(text, at)):
            at = string.end()
            continue
        if char == "#":
            newline = text.find("\n", at)
            at = len(text) if newline < 0 else newline
            continue
        at += 1
        depth += (char in "[{") - (char in "]}")
        # Inside a list a line feed ends nothing.
        if char == "\n" and depth <= 0:
            return at
    return at
