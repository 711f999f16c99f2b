"""auth.toml: which backend keeps the credentials, and the items' names there; never a value.

It stands at the XDG place whatever `--config` says: it names programs that are run as this user,
which a shared config file must not.
"""

from __future__ import annotations

import contextlib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mspterm.config.paths import place
from mspterm.domain.reasons import Reason, failed
from mspterm.secrets.private import check_folder, check_unwritable, replace_whole

BACKENDS = ("keyring", "age", "command")
UNLOCK_H = 8.0
_HEAD = """\
# Where mspterm keeps credentials: names of backends and items, never a value.
# backend: keyring (the OS keyring), age (an encrypted file), command (a password manager's program).
# [items.CONNECTION] FIELD = ["op", "read", "op://Vault/Item/field"] reads one field by a program.
# [command] read = ["pass", "show", "mspterm/{connection}/{field}"] reads all; see docs/credentials.md.
"""


@dataclass(frozen=True, slots=True)
class Commands:
    """Argument lists that read, write (the value on stdin) and delete an item.

    `{connection}` and `{field}` stand for their names. `absent` are the exit statuses by which
    `read` says that there is no such item, where the program can tell that from a failure.
    """

    read: tuple[str, ...]
    write: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()
    absent: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """What auth.toml says; `file` is where it is or would be. `unlock_h` is in hours."""

    file: Path
    backend: str = "keyring"
    remembered: bool = False
    recovery: tuple[str, ...] = ()
    unlock_h: float = UNLOCK_H
    command: Commands | None = None
    items: Mapping[tuple[str, str], Commands] = field(default_factory=dict)


def choice_file(env: Mapping[str, str] = os.environ) -> Path:
    return place("config", env) / "auth.toml"


def read_choice(file: Path) -> Choice:
    """Raises Failed, with what to mend, where the file is wrong or others could have written it."""
    try:
        check_unwritable(file)
        text = file.read_text(encoding="utf-8")
        held = tomllib.loads(text)
    except FileNotFoundError:
        return Choice(file)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not TOML"
        raise failed(Reason.REFUSED, f"{file} can't be used ({why}): mend it or take it away.") from None
    return _choice(file, held)


def remember(file: Path, backend: str, recovery: tuple[str, ...] | None = None) -> None:
    """Sets the backend, and the recovery recipients where given; leaves the rest as it is written.

    Raises Failed where it can't be written, or would not be trusted afterwards.
    """
    check_place(file)
    text = file.read_text(encoding="utf-8") if file.exists() else _HEAD
    text = _set(text, r"\A((?:(?!^\[)[^\n]*\n)*?)", "", f'backend = "{backend}"')
    if recovery is not None:
        listed = ", ".join(f'"{recipient}"' for recipient in recovery)
        text = _set(text, r"(^\[age\][^\n]*\n(?:(?!^\[)[^\n]*\n)*?)", "[age]\n", f"recovery = [{listed}]")
    # The edit goes by patterns, so its result is read as a whole before it takes the file's place.
    _choice(file, tomllib.loads(text))
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_whole(file, text.encode())
    except OSError as error:
        raise failed(Reason.REFUSED, f"{file} can't be written ({error.strerror}).") from None


def check_place(file: Path) -> None:
    """Raises Failed where auth.toml, or its directory, is not for this user alone to write."""
    with contextlib.suppress(FileNotFoundError):
        check_folder(file.parent)
        check_unwritable(file)


def _set(text: str, before: str, header: str, line: str) -> str:
    """`line` in place of its key's line in the table that `before` leads into, else a new one."""
    key = line.partition(" ")[0]
    text = text if text.endswith("\n") or not text else text + "\n"
    there = re.compile(rf"{before}^{key}[ \t]*=[^\n]*\n", re.MULTILINE)
    if there.search(text):
        # A function, since `sub` would take a backslash in the line for a group of the pattern.
        return there.sub(lambda found: f"{found[1]}{line}\n", text, count=1)
    if not header:
        # Behind the header of a table it would be a key of that table.
        table = re.search(r"^\[", text, re.MULTILINE)
        at = table.start() if table else len(text)
        return f"{text[:at]}{line}\n{text[at:]}"
    if header in text:
        return text.replace(header, f"{header}{line}\n", 1)
    return f"{text}\n{header}{line}\n"


def _choice(file: Path, held: Mapping[str, Any]) -> Choice:
    _known(file, "", held, ("backend", "age", "command", "items"))
    backend = held.get("backend", "keyring")
    if backend not in BACKENDS:
        raise _wrong(file, "backend", f"must be one of {', '.join(BACKENDS)}")
    age = _table(file, "age", held.get("age", {}), ("recovery", "unlock_h"))
    hours = age.get("unlock_h", UNLOCK_H)
    # `true` is an int to Python; nan, which TOML has, fails both comparisons.
    if not isinstance(hours, int | float) or isinstance(hours, bool) or not 0 < hours <= 24:
        raise _wrong(file, "age.unlock_h", "must be hours, above 0 and at most 24")
    command = _commands(file, "command", held["command"]) if "command" in held else None
    if backend == "command" and command is None:
        raise _wrong(
            file, "backend", 'needs [command] read = ["pass", "show", "mspterm/{connection}/{field}"]'
        )
    items = {
        (name, fld): _commands(file, f"items.{name}.{fld}", given)
        for name, fields in _table(file, "items", held.get("items", {})).items()
        for fld, given in _table(file, f"items.{name}", fields).items()
    }
    recovery = _argv(file, "age.recovery", age.get("recovery", []))
    return Choice(file, backend, "backend" in held, recovery, float(hours), command, items)


def _commands(file: Path, key: str, value: Any) -> Commands:
    """A list that reads, or a table of read, write, delete and absent."""
    if isinstance(value, list):
        value = {"read": value}
    held = _table(file, key, value, ("read", "write", "delete", "absent"))
    read, write, delete = (
        _argv(file, f"{key}.{name}", held.get(name, [])) for name in ("read", "write", "delete")
    )
    absent = held.get("absent", [])
    if not read:
        raise _wrong(file, key, 'needs its read, as ["op", "read", "op://Vault/Item/field"]')
    if not isinstance(absent, list) or not all(isinstance(status, int) for status in absent):
        raise _wrong(file, f"{key}.absent", "must be a list of exit statuses, as [1]")
    return Commands(read, write, delete, tuple(absent))


def _argv(file: Path, key: str, value: Any) -> tuple[str, ...]:
    # Printable: a NUL in an argument is a ValueError of subprocess, which nobody who runs it expects.
    if not isinstance(value, list) or not all(isinstance(a, str) and a.isprintable() for a in value):
        raise _wrong(file, key, "must be a list of texts: no shell reads it")
    return tuple(value)


def _table(file: Path, key: str, value: Any, known: tuple[str, ...] = ()) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(file, key, "must be a table")
    if known:
        _known(file, key, value, known)
    return value


def _known(file: Path, key: str, held: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in held:
        if name not in known:
            raise _wrong(file, f"{key}.{name}".strip("."), f"is unknown there; known: {', '.join(known)}")


def _wrong(file: Path, key: str, why: str) -> Exception:
    return failed(Reason.REFUSED, f"{file}: {key} {why}.")
