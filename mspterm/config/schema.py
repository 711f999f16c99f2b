"""The config file's JSON Schema, for editors that check TOML; made from the table of keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mspterm.config.keys import Key, Table, Type
from mspterm.config.kinds import KINDS, RESERVED, Kind
from mspterm.config.load import connection_keys
from mspterm.config.table import TABLES, TOP, WEEKDAYS

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string", "minLength": 1}
# Patterns repeat those of `check` and `load`, which an editor can't run.
_TIME: Schema = {"type": "string", "pattern": r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$"}
_SPANS: Schema = {"type": "array", "items": {"type": "array", "items": _TIME, "minItems": 2, "maxItems": 2}}


def schema() -> Schema:
    """The whole schema (draft 2020-12)."""
    connections = {
        "type": "object",
        "propertyNames": {"pattern": "^[a-z][a-z0-9_]*$", "not": {"const": RESERVED}},
        "additionalProperties": {"oneOf": [_connection(kind) for kind in KINDS.values()]},
    }
    properties = {key.name: _key(key) for key in TOP} | {"connections": connections}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mspterm config",
        "type": "object",
        "additionalProperties": False,
        "properties": properties | {table.name: _table(table) for table in TABLES},
    }


def _connection(kind: Kind) -> Schema:
    made = _object(connection_keys(kind))
    made["title"] = kind.title
    made["properties"] = {"kind": {"const": kind.name}} | made["properties"]
    made["required"] = ["kind", *made["required"]]
    return made


def _table(table: Table) -> Schema:
    if table.entries:
        return {"type": "object", "description": table.comment, "additionalProperties": _key(table.entries)}
    made = _object(table.keys) | {"description": table.comment}
    made["properties"] |= {inner.name: _table(inner) for inner in table.tables}
    return _any_name(table, made) if table.many else made


def _any_name(table: Table, made: Schema) -> Schema:
    names: Schema = {"propertyNames": {"enum": list(table.named)}} if table.named else {}
    return {"type": "object", "additionalProperties": made, **names}


def _object(keys: Iterable[Key]) -> Schema:
    keys = tuple(keys)
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {key.name: _key(key) for key in keys},
        "required": [key.name for key in keys if key.required],
    }


def _key(key: Key) -> Schema:
    made = {"description": key.comment, **_type(key)}
    if key.default is not None:
        made["default"] = list(key.default) if isinstance(key.default, tuple) else key.default
    return made


def _type(key: Key) -> Schema:
    bounds = {
        name: bound for name, bound in (("minimum", key.low), ("maximum", key.high)) if bound is not None
    }
    choice: Schema = {"enum": list(key.choices)}
    # Anchored: a pattern of JSON Schema searches, where `check` matches the whole name.
    names: Schema = {"propertyNames": {"pattern": f"^(?:{key.names.pattern})$"}} if key.names else {}
    return {
        Type.TEXT: _TEXT,
        Type.FLAG: {"type": "boolean"},
        Type.COUNT: {"type": "integer", **bounds},
        Type.SECONDS: {"type": "number", **bounds},
        Type.CHOICE: choice,
        Type.URL: {"type": "string", "format": "uri"},
        Type.PROXY: {"type": "string", "format": "uri"},
        Type.PATH: _TEXT,
        Type.NAMES: _list(_TEXT),
        Type.TEXT_MAP: _map(_TEXT),
        Type.CHOICE_MAP: _map(choice),
        Type.COUNT_MAP: _map({"type": "integer", **bounds}) | names,
        Type.CHOICES_MAP: _map(_list(choice)) | names,
        Type.ZONE: _TEXT,
        Type.WEEK: {
            "type": "object",
            "additionalProperties": False,
            "properties": dict.fromkeys(WEEKDAYS, _SPANS),
        },
        Type.DATES: _list({"type": "string", "format": "date"}),
        Type.DAYS: _map(_SPANS) | {"propertyNames": {"format": "date"}},
        Type.DATE: {"type": "string", "format": "date"},
        Type.PERIODS: _list(_TEXT),
        Type.CHOICES: _list(choice),
        Type.COUNTS: _list({"type": "integer", **bounds}),
        Type.SPAN: _TEXT,
        Type.SPAN_MAP: _map(_TEXT) | names,
        Type.GOAL_MAP: _map(_TEXT) | names,
        Type.KEY_MAP: _map({"type": "string", "pattern": "^[A-Za-z0-9+/]{43}=$"}),
        Type.TEXT_MAPS: _map(_map(_TEXT) | {"propertyNames": choice}) | names,
    }[key.type]


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def _map(value: Schema) -> Schema:
    return {"type": "object", "additionalProperties": value}
