"""What the benches share: apps in a pty, medians, and lines that give each figure beside its floor."""

from __future__ import annotations

import sys
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from tests.terminal.pty_harness import Terminal, environment

ROOT = Path(__file__).resolve().parents[1]
SIZE = (200, 50)
COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}
"""An installed package has its bytecode, whatever this environment says of a checkout; a first start
writes it."""
DOWN, UP = "\x1b[B", "\x1b[A"
_FIRST = b"VPN drops"


class Wire(Terminal):
    """A terminal behind `ssh -C`: each read is compressed and flushed as one packet would be."""

    def __init__(self, argv: Sequence[str], **more: Any) -> None:
        self.compressed = 0
        self._stream = zlib.compressobj(6)
        super().__init__(argv, **more)

    def __enter__(self) -> Wire:
        super().__enter__()
        return self

    def read(self, seconds: float) -> bool:
        before = len(self.sent)
        came = super().read(seconds)
        if len(self.sent) > before:
            packed = self._stream.compress(bytes(self.sent[before:])) + self._stream.flush(zlib.Z_SYNC_FLUSH)
            self.compressed += len(packed)
        return came


def open_app(
    module: str, *arguments: str, env: Mapping[str, str] | None = None, size: tuple[int, int] = SIZE
) -> Wire:
    """`python -m module arguments` in a truecolor terminal, of 200x50 unless said otherwise."""
    argv = [sys.executable, "-m", module, *arguments]
    return Wire(argv, size=size, env=environment(**COMPILED, **(env or {})), cwd=str(ROOT))


def first_queue(terminal: Terminal, marker: bytes = _FIRST, timeout: float = 20.0) -> float:
    """Seconds from the start until the first rows have been sent; `marker` is in one of them."""
    terminal.wait_for(lambda: marker in terminal.sent, timeout)
    return terminal.last_byte - terminal.started


def used(terminal: Terminal) -> float:
    """Seconds of the processor so far, which other work on the machine disturbs less than the clock's;
    0 where there is no /proc."""
    try:
        return int(Path(f"/proc/{terminal.pid}/schedstat").read_text().split()[0]) / 1e9
    except OSError:
        return 0.0


def queue_cost(terminal: Terminal, marker: bytes = _FIRST) -> tuple[float, float]:
    """Seconds until the first queue, and seconds of the processor until then."""
    seconds = first_queue(terminal, marker)
    return seconds, used(terminal)


def in_pairs(what: str, ours: Sequence[tuple[float, float]], floor: Sequence[tuple[float, float]]) -> None:
    """First queues that were measured in turns, each beside its floor."""
    for unit, column in (("", 0), (" of the processor", 1)):
        here, there = [pair[column] for pair in ours], [pair[column] for pair in floor]
        if not all(there):
            return
        low, middle, high = quantiles([a / b for a, b in zip(here, there, strict=True)], n=4)
        print(
            f"{what}: {median(here) * 1000:.0f} ms{unit}, floor {median(there) * 1000:.0f} ms; pair by pair "
            f"{middle:.2f}x (quartiles {low:.2f} to {high:.2f}, budget 1.25x)"
        )


def leave(terminal: Terminal) -> None:
    terminal.send("q")
    terminal.wait_end()


def key_to_last_byte(terminal: Terminal, key: str, quiet: float = 0.08) -> float:
    """Seconds from sending `key` to the last byte that it brought."""
    sent = time.monotonic()
    terminal.send(key)
    terminal.settle(quiet)
    return max(0.0, terminal.last_byte - sent)


def key_to_answer(terminal: Terminal, key: str, gap: float = 0.012, rest: float = 0.07) -> float:
    """As `key_to_last_byte` where clocks tick by themselves: until the burst of bytes that follows the
    key ends, and then a rest in which others may come uncounted."""
    sent = time.monotonic()
    terminal.send(key)
    terminal.read(2.0)
    terminal.settle(gap)
    answered = terminal.last_byte - sent
    terminal.settle(rest)
    return answered


def interleaved(runs: int, *measures: Callable[[], float]) -> list[float]:
    """The median of each measure, taken in turns so that a busy machine disturbs all alike."""
    taken: list[list[float]] = [[] for _ in measures]
    for _ in range(runs):
        for values, measure in zip(taken, measures, strict=True):
            values.append(measure())
    return [median(values) for values in taken]


def against(what: str, ours: float, floor: float, budget: str) -> None:
    print(f"{what}: {ours * 1000:.0f} ms, floor {floor * 1000:.0f} ms, {ours / floor:.2f}x (budget {budget})")


def size_line(what: str, size: float, budget: int, packed: float | None = None) -> None:
    """`packed`: what goes over the wire of `ssh -C`."""
    zlib_ = "" if packed is None else f", {packed:.0f} with zlib"
    print(f"{what}: {size:.0f} bytes{zlib_} (budget {budget})")


def percentile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]
