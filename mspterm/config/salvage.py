"""What can be kept of a config file that doesn't load: the rest is commented out, each part with why."""

from __future__ import annotations

import tomllib
from pathlib import Path

from mspterm.config.load import loads
from mspterm.config.reader import ConfigError, Problem


def salvage(file: Path, text: str) -> tuple[str, tuple[Problem, ...]]:
    """A text that loads, and what was wrong with `text`; unchanged where nothing was."""
    found = problems = _problems(file, text)
    lines = text.split("\n")
    # One at a time and read anew: taking a part out can mend the others, or move their lines.
    while problems:
        lines = _without(lines, problems[0])
        problems = _problems(file, "\n".join(lines))
    return "\n".join(lines), found


def _problems(file: Path, text: str) -> tuple[Problem, ...]:
    try:
        loads(file, text)
    except ConfigError as error:
        return error.problems
    return ()


def _without(lines: list[str], problem: Problem) -> list[str]:
    """The lines with at least one fewer that counts, so that this comes to an end."""
    at = min(problem.line or len(lines), len(lines)) - 1
    # An unclosed list or text is found only at the end of what it swallowed.
    while at > 0 and not _counts(lines[at]):
        at -= 1
    # Broken TOML has a place and no key: it loses a line at a time.
    end = at + (1 if problem.key is None else _length(lines[at:]))
    reason = f"# Taken out by `mspterm init`: {problem.key or 'TOML'}: {problem.sentence}"
    return [*lines[:at], reason, *(f"# {line}" for line in lines[at:end]), *lines[end:]]


def _length(lines: list[str]) -> int:
    """How many lines a key's value takes, or a table down to the next one."""
    if lines[0].lstrip().startswith("["):
        rest = (n for n, line in enumerate(lines[1:], 1) if line.lstrip().startswith("["))
        return next(rest, len(lines))
    # Grown until it parses by itself, as lists and texts may go over several lines.
    for length in range(1, len(lines)):
        try:
            tomllib.loads("\n".join(lines[:length]))
        except tomllib.TOMLDecodeError:
            continue
        return length
    return len(lines)


def _counts(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")
