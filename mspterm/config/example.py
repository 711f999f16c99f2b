"""Renders config.example.toml from the table of keys: `python -m mspterm.config.example`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mspterm.config.keys import Key, Table
from mspterm.config.kinds import KINDS, Kind, secret_variable
from mspterm.config.lines import dotted
from mspterm.config.load import connection_keys
from mspterm.config.table import TABLES, TOP

SCHEMA_FILE = "config.schema.json"
HINT = f"""\
#:schema ./{SCHEMA_FILE}
# `mspterm config schema > {SCHEMA_FILE}`, beside this file, lets an editor (taplo) check it as you type.
"""
_HEAD = f"""{HINT}\
# Every key of mspterm's config file. Lines like #KEY = ... are settings left out: take the # away.
# `mspterm config path` says where the file belongs, `mspterm config check` whether it is right.
# No secret belongs here: `mspterm auth login CONNECTION`, or the variables named below.
"""
_NAMES = {"connectwise": "acme", "rt": "desk", "meshcentral": "mesh"}


def render() -> str:
    """The example file: every key with one comment line, each connection off until it is yours."""
    blocks = [_HEAD, "\n".join(line for key in TOP for line in _lines(key))]
    # Request Tracker shows the keys that all connections share; the others only what is their own.
    kinds = sorted(KINDS.values(), key=lambda kind: kind.name != "rt")
    blocks += ["\n".join(_connection(kind, whole=kind.name == "rt")) for kind in kinds]
    blocks += ["\n".join(_table(table)) for table in TABLES]
    return "\n\n".join(block.rstrip("\n") for block in blocks) + "\n"


def connection_block(kind: Kind, name: str, values: Mapping[str, Any], *, whole: bool) -> str:
    """A connection with these values and every other key left out, each with its comment.

    `whole` shows what all connections share as well; else only what is this kind's own.
    """
    shown = connection_keys(kind) if whole else kind.settings
    more = tuple(key for key in connection_keys(kind) if key.name in values and key not in shown)
    rows = [f"# {kind.title}", f"[connections.{name}]", f'kind = "{kind.name}"']
    return "\n".join([*rows, *_given((*shown, *more), values)]) + "\n"


def table_block(table: Table, values: Mapping[str, Any]) -> str:
    """A table with these values and every other key left out, each with its comment."""
    return "\n".join([f"# {table.comment}", f"[{table.name}]", *_given(table.keys, values)]) + "\n"


def _given(keys: tuple[Key, ...], values: Mapping[str, Any]) -> Iterator[str]:
    for key in keys:
        comment, line = _lines(key, values.get(key.name))
        yield comment
        yield f"{'' if key.name in values else '#'}{line.removeprefix('#')}"


def _connection(kind: Kind, *, whole: bool) -> Iterator[str]:
    name = _NAMES.get(kind.name, kind.name)
    variables = [secret_variable(name, field) for field in kind.secrets]
    how = " or ".join(" and ".join(fields) for fields in kind.needs)
    yield f"# {kind.title}. Secrets: {how} ({', '.join(variables)})"
    yield f"[connections.{name}]"
    yield "# Its connector"
    yield f'kind = "{kind.name}"'
    for key in connection_keys(kind) if whole else kind.settings:
        # Off: the example loads as it stands, and must not ask servers that are nobody's.
        yield from _lines(key, value=False if key.name == "enabled" else None)
    if not whole:
        yield "# false leaves the connection out without deleting it"
        yield "enabled = false"


def _table(table: Table, within: str = "") -> Iterator[str]:
    path = f"{within}{table.name}"
    yield f"# {table.comment}"
    # A named table is a sample: taken over as it stands it would be a client or a view that isn't.
    yield f"#[{path}.{table.sample_name}]" if table.many else f"[{path}]"
    for key in (table.entries,) if table.entries else table.keys:
        yield from _lines(key, sample=table.many)
    for name, values in table.more:
        yield f"#[{path}.{name}]"
        yield from (f"#{key} = {toml(value)}" for key, value in values.items())
    for inner in table.tables:
        yield from _table(inner, f"{path}.")


def _lines(key: Key, value: Any = None, *, sample: bool = False) -> Iterator[str]:
    """A comment and the setting, behind a # where it is a sample and not the default."""
    yield f"# {key.comment}"
    if value is None:
        value = key.sample if key.sample is not None else key.default
    active = not sample and (key.required or key.sample is None)
    yield f"{'' if active else '#'}{key.name} = {toml(value)}"


def toml(value: Any) -> str:
    """A value as TOML writes it in one line."""
    if isinstance(value, Mapping):
        return (
            "{ " + ", ".join(f"{dotted((k,))} = {toml(v)}" for k, v in value.items()) + " }"
            if value
            else "{}"
        )
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, bool | int | float):
        return str(value).lower()
    # A basic string of TOML takes every escape that JSON writes.
    return json.dumps(str(value), ensure_ascii=False)


if __name__ == "__main__":
    print(render(), end="")  # noqa: T201 - what this module is run for
