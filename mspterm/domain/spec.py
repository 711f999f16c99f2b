"""Rows of the action table, apart from the writes themselves: light enough for the first frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

Values = Mapping[str, Any]


class Risk(IntEnum):
    """How much a write can break. Disruptive and above need a typed confirmation."""

    ROUTINE = 1
    DISRUPTIVE = 2
    DESTRUCTIVE = 3


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of an action: dialogs and command-line options are made of these.

    `kind`: text, choice, minutes, date, technician, queue, status, priority, device, toggle.
    """

    name: str
    label: str
    kind: str = "text"
    required: bool = False
    choices: tuple[str, ...] = ()
    default: str | None = None


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One row of the action table: footer, help, palette, keys and verbs are made from it.

    `scope`: ticket, device or none. `many`: takes several targets at once. `needs`: the connector
    capability that it asks for.
    """

    name: str
    title: str
    key: str
    scope: str
    risk: Risk
    needs: str
    help: str
    many: bool = False
    params: tuple[Param, ...] = field(default_factory=tuple)
