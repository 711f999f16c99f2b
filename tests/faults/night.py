"""What became of a night, and of many: as lines of a file, and in one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

KINDS = ("LOST", "DOUBLED", "SILENT", "JOURNAL", "STUCK", "ENDED")
"""What a finding begins with; see docs/faults.md."""


@dataclass(slots=True)
class Night:
    """One schedule: on whose server, how much was asked for, and what is wrong with what became of it.

    `decided` counts what a person decided of uncertain ones, `ends` the outbox's last words.
    """

    seed: int
    on: str
    asked: int = 0
    written: int = 0
    kills: int = 0
    decided: int = 0
    ends: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def append(file: Path, night: Night) -> None:
    with file.open("ab") as lines:
        lines.write(msgspec.json.encode(night) + b"\n")


def read(files: Iterable[Path]) -> list[Night]:
    """The nights of such files; of a seed that is there twice, the last one."""
    found = {}
    for file in files:
        for line in file.read_bytes().splitlines() if file.exists() else ():
            night = msgspec.json.decode(line, type=Night)
            found[night.seed] = night
    return list(found.values())


def summary(nights: Sequence[Night], seconds: float | None = None) -> str:
    """One line, and one more for each finding."""
    where = Counter(n.on for n in nights)
    wrong = [(n.seed, w) for n in nights for w in n.wrong]
    kinds = Counter(w.split(" ")[0].rstrip(":") for _, w in wrong)
    spent = "" if seconds is None else f" in {seconds:.0f} s"
    told = ", ".join(f"{kinds[kind]} {kind.lower()}" for kind in KINDS)
    line = (
        f"{len(nights)} nights ({', '.join(f'{n} on {name}' for name, n in sorted(where.items()))}){spent}:"
        f" {sum(n.asked for n in nights)} writes asked for, {sum(n.written for n in nights)} at the servers,"
        f" {sum(n.kills for n in nights)} kills, {sum(n.decided for n in nights)} uncertain ones decided;"
        f" {told}"
    )
    return "\n".join([line, *(f"seed {seed}: {w}" for seed, w in sorted(wrong))])
