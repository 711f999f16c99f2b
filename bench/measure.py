"""What the benches share: apps in a pty, medians, and lines that give each figure beside its floor."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

from tests.terminal.pty_harness import Terminal, environment

ROOT = Path(__file__).resolve().parents[1]
SIZE = (200, 50)
DOWN, UP = "\x1b[B", "\x1b[A"
_FIRST = b"VPN drops"


def open_app(module: str, *arguments: str, env: Mapping[str, str] | None = None) -> Terminal:
    """`python -m module arguments` in a truecolor terminal of 200x50."""
    argv = [sys.executable, "-m", module, *arguments]
    return Terminal(argv, size=SIZE, env=environment(**(env or {})), cwd=str(ROOT))


def first_queue(terminal: Terminal) -> float:
    """Seconds from the start until the first rows have been sent."""
    terminal.wait_for(lambda: _FIRST in terminal.sent)
    return terminal.last_byte - terminal.started


def leave(terminal: Terminal) -> None:
    terminal.send("q")
    terminal.wait_end()


def key_to_last_byte(terminal: Terminal, key: str, quiet: float = 0.08) -> float:
    """Seconds from sending `key` to the last byte that it brought."""
    sent = time.monotonic()
    terminal.send(key)
    terminal.settle(quiet)
    return max(0.0, terminal.last_byte - sent)


def interleaved(runs: int, *measures: Callable[[], float]) -> list[float]:
    """The median of each measure, taken in turns so that a busy machine disturbs all alike."""
    taken: list[list[float]] = [[] for _ in measures]
    for _ in range(runs):
        for values, measure in zip(taken, measures, strict=True):
            values.append(measure())
    return [median(values) for values in taken]


def against(what: str, ours: float, floor: float, budget: str) -> None:
    print(f"{what}: {ours * 1000:.0f} ms, floor {floor * 1000:.0f} ms, {ours / floor:.2f}x (budget {budget})")


def size_line(what: str, size: float, budget: int) -> None:
    print(f"{what}: {size:.0f} bytes (budget {budget})")


def percentile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]
