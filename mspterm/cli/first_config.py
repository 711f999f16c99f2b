"""A config file in the making: what was there, what is added, and how it is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mspterm.cli.trial import is_somebody
from mspterm.config.example import HINT, SCHEMA_FILE, connection_block, table_block
from mspterm.config.kinds import KINDS, Kind
from mspterm.config.load import loads
from mspterm.config.model import Config, Connection
from mspterm.config.paths import private_dir
from mspterm.config.reader import Problem, read_text
from mspterm.config.salvage import salvage
from mspterm.config.schema import schema
from mspterm.config.table import TABLES
from mspterm.connectors.registry import manifest
from mspterm.domain.people import Identity
from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.secrets.private import replace_whole

_HEAD = f"""{HINT}\
# Written by `mspterm init`. Lines like #KEY = ... are settings left out: take the # away.
# `mspterm config check` says whether it is right; config.example.toml has every table.
# No secret belongs here: `mspterm auth status` says where each one is.
"""


@dataclass
class Draft:
    """`old` is the file's text as it was, None where there was none; `text` what is good of it."""

    file: Path
    old: str | None
    text: str
    config: Config
    problems: tuple[Problem, ...] = ()
    blocks: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    technician: str | None = None

    @property
    def copy(self) -> Path:
        """Where a broken file's copy goes: a name that is not taken."""
        tried = (self.file.with_name(f"{self.file.name}.broken{n or ''}") for n in range(1000))
        return next(path for path in tried if not path.exists())

    def connection(self, kind: Kind, name: str, values: Mapping[str, Any]) -> Connection:
        """The connection as the config would have it."""
        block = connection_block(kind, name, values, whole=False)
        return loads(self.file, block).connections[name]

    def add(self, kind: Kind, name: str, values: Mapping[str, Any], identity: Identity | None) -> None:
        """The first one of the file shows every key."""
        whole = not self.names
        self.blocks.append(connection_block(kind, name, values, whole=whole))
        self.names.add(name)
        if identity is not None and identity.kind == "personal" and is_somebody(identity):
            self.technician = self.technician or identity.technician.name

    def introduce(self, name: str) -> None:
        """The [technician] table, where the file has none of its own to hold the name."""
        # TOML refuses a table that stands twice, and with it the whole file.
        if name and "[technician]" not in self.text:
            table = next(table for table in TABLES if table.name == "technician")
            self.blocks.append(table_block(table, {"name": name}))

    def write(self) -> None:
        """Writes the file, its schema, and a copy of what was broken. Raises Failed."""
        parts = [self.text.rstrip("\n") + "\n" if self.text.strip() else _HEAD, *self.blocks]
        whole = "\n".join(parts)
        # Before a byte is written: it raises where what we made would not load.
        loads(self.file, whole)
        # A link to a file kept elsewhere stays one.
        place = self.file.resolve()
        try:
            private_dir(place.parent)
            # The copy before the file: once that is replaced, what was broken is nowhere else.
            if self.problems and self.old is not None:
                replace_whole(self.copy, self.old.encode())
            replace_whole(place, whole.encode())
            replace_whole(place.parent / SCHEMA_FILE, json.dumps(schema(), indent=1).encode() + b"\n")
        except OSError as error:
            raise failed(Reason.REFUSED, f"{place} can't be written ({error.strerror}).") from None


def read_draft(file: Path) -> Draft:
    """Raises ConfigError where the file can't be read at all."""
    old = read_text(file, must_exist=False)
    text, problems = salvage(file, old or "")
    config = loads(file, text)
    return Draft(file, old, text, config, problems, names=set(config.connections))


def kinds_here() -> list[Kind]:
    """The kinds that this version has a connector for."""
    return [kind for kind in KINDS.values() if _is_here(kind)]


def _is_here(kind: Kind) -> bool:
    try:
        manifest(Connection("x", kind.name, ""))
    except Failed:
        return False
    return True
