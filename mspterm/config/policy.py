"""The host's policy: `[guard]` as root sets it for everyone, in a file that only root can write."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import replace
from os import stat_result
from pathlib import Path
from typing import Any

from mspterm.config.model import Guard
from mspterm.config.reader import ConfigError, Reader, Setting, read_text
from mspterm.config.table import TABLES

_GUARD = next(table for table in TABLES if table.name == "guard")
_ONLY_ITS_WORD: Mapping[str, Any] = {"break_glass": False, "approvers": {}}
"""What lifts the caps is the policy's to give, where there is one: else a user could lift them alone."""
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH

Ruled = tuple[Guard, tuple[str, ...], tuple[Setting, ...]]
"""The guard as it stands, what of the policy doesn't count, and where its values come from."""


def ruled(guard: Guard, file: Path, *, root: int = 0) -> Ruled:
    """The user's guard with the policy's word laid over it.

    A file that others than root (its uid) could write is left out and told. One of root's that can't
    be read whole leaves its limits unknown: the guard then holds the doubt.
    """
    # No uid and no mode there that could prove root's hand.
    if os.name == "nt":
        return guard, (), ()
    try:
        # The folder too: who can write it can put another file in the policy's place.
        loose = next((where for where in (file, file.parent) if not _only(root, where.stat())), None)
        if loose is not None:
            sentence = f"{file} is ignored: {loose} must belong to root, and no one else may write it."
            return guard, (sentence,), ()
        # Between the look and the reading nobody but root can have changed it.
        reader = Reader(file, read_text(file, must_exist=True) or "")
        values = _values(reader)
    except FileNotFoundError:
        return guard, (), ()
    except (ConfigError, OSError) as error:
        return replace(guard, doubt=str(error)), (str(error),), ()
    failures = tuple(map(str, reader.problems))
    settings = tuple(replace(s, file=file) for s in reader.settings if s.line is not None)
    # Flags add up: a user may ask for more care, not for less on a device that the policy names.
    flags = {**guard.flags, **values.pop("flags", {})}
    values = {**_ONLY_ITS_WORD, **values}
    return replace(guard, **values, flags=flags, doubt="; ".join(failures) or None), failures, settings


def _values(reader: Reader) -> dict[str, Any]:
    document = reader.document()
    for name in document.keys() - {_GUARD.name}:
        reader.problem((name,), "The policy holds only [guard].")
    said = document.get(_GUARD.name, {})
    read: Mapping[str, Any] = reader.table(_GUARD, said)
    # Without the defaults, which would overrule limits that the user has set lower.
    return {key: value for key, value in read.items() if key in said}


def _only(root: int, info: stat_result) -> bool:
    return info.st_uid == root and not info.st_mode & _OTHERS_WRITE
