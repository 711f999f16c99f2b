"""Whether a request is one that an API description knows: method, path, query, and names in its body."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

CONNECTWISE = "connectwise-psa-2022.1.trimmed.reconstructed.openapi.json"
NINJAONE = "ninjaone-console.json"
# Current servers send and take them; the 2022.1 description doesn't have them (psa-apis.md 1.5).
NEWER_FIELDS = frozenset({"respondByGoalUTC", "resplanGoalUTC", "resolutionGoalUTC"})


class Spec:
    """One description. `problems` is empty for a request that it knows."""

    def __init__(self, document: dict[str, Any], prefix: str = "") -> None:
        self._document, self._prefix = document, re.compile(prefix)
        by_literals = sorted(document["paths"], key=lambda template: template.count("{"))
        self._templates = [(re.compile(_pattern(t)), document["paths"][t]) for t in by_literals]

    def problems(self, request: httpx.Request) -> list[str]:
        path = self._prefix.sub("", request.url.path, count=1)
        operation = self._operation(request.method.lower(), path)
        if operation is None:
            return [f"{request.method} {path} is not in the description"]
        known = {p["name"] for p in operation.get("parameters", []) if p["in"] == "query"}
        found = [f"{path}: unknown parameter {name}" for name in request.url.params if name not in known]
        found += self._fields(operation, request.url.params.get("fields", ""))
        return found + self._body(operation, request.content)

    def _operation(self, method: str, path: str) -> Any:
        matching = (operations for pattern, operations in self._templates if pattern.fullmatch(path))
        return next((operations[method] for operations in matching if method in operations), None)

    def _fields(self, operation: Any, fields: str) -> list[str]:
        if not fields:
            return []
        answer = next(iter(operation["responses"].values()))["content"]
        schema = self._resolve(next(iter(answer.values()))["schema"])
        schema = self._resolve(schema.get("items", schema))
        return [
            f"unknown field {f}"
            for f in filter(None, fields.split(","))
            if not self._has(schema, f.split("/"))
        ]

    def _has(self, schema: Any, names: list[str]) -> bool:
        if names[0] in NEWER_FIELDS:
            return True
        inner = schema.get("properties", {}).get(names[0])
        if inner is None:
            return False
        inner = self._resolve(inner)
        return len(names) == 1 or "properties" not in inner or self._has(inner, names[1:])

    def _body(self, operation: Any, content: bytes) -> list[str]:
        wanted = operation.get("requestBody", {}).get("content", {})
        if not content:
            return []
        if not wanted:
            return ["a body where none is described"]
        return list(
            self._values(json.loads(content), self._resolve(next(iter(wanted.values()))["schema"]), "body")
        )

    def _values(self, value: Any, schema: Any, where: str) -> list[str]:
        found: list[str] = []
        if isinstance(value, list):
            for one in value:
                found += self._values(one, self._resolve(schema.get("items", {})), where)
        elif isinstance(value, dict) and "properties" in schema:
            found += [f"{where}.{n} is missing" for n in schema.get("required", []) if n not in value]
            for name, inner in value.items():
                known = schema["properties"].get(name)
                if known is None:
                    found.append(f"{where}.{name} is unknown")
                else:
                    found += self._values(inner, self._resolve(known), f"{where}.{name}")
        elif "enum" in schema and value not in schema["enum"]:
            found.append(f"{where}: {value} is none of {schema['enum']}")
        return found

    def _resolve(self, schema: Any) -> Any:
        while "$ref" in schema:
            schema = self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema

    def ticket_has(self, path: str) -> bool:
        """Whether a PATCH's path is a whole property of a ticket."""
        return path in self._document["components"]["schemas"]["Ticket"]["properties"]


def spec_of(shared: Path, name: str, prefix: str = "") -> Spec:
    """A description beside the project; the test is skipped by name where it is missing."""
    found = shared / "specs" / name
    if not found.exists():
        pytest.skip(f"../shared/specs/{name} is not here")
    return Spec(json.loads(found.read_text()), prefix)


def _pattern(template: str) -> str:
    return re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))
