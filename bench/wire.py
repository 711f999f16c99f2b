"""Bytes on the wire: a changed row, a moved cursor, an idle minute with 40 clocks.

`python -m bench.wire`: the queue alone at 200x50 in truecolor with its clock moved by hand, then the whole
console, where a minute is a minute: at two sizes, in truecolor and in 16 colours, under tmux, and through
a zlib stream as `ssh -C` has it.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from statistics import median

from bench.filled import fill
from bench.measure import COMPILED, DOWN, ROOT, SIZE, UP, Wire, first_queue, leave, open_app, size_line
from mspterm.domain.text import SafeText
from mspterm.store.store import Store
from tests.terminal.pty_harness import Terminal, environment

_SIZES = (SIZE, (80, 24))
_COLOURS: dict[str, dict[str, str]] = {
    "truecolor": {},
    "16 colours": {"TERM": "xterm-16color", "COLORTERM": ""},
}
# Without its status line, whose clock is tmux's and not ours; colours as the terminal outside has them.
_TMUX = """\
set -g status off
set -s escape-time 0
set -as terminal-features ",xterm-256color:RGB"
"""


def alone() -> None:
    with open_app("bench.floor_app", "queue", "10000") as terminal:
        first_queue(terminal)
        terminal.settle()
        size_line("queue alone, row changed", median(terminal.cost("1") for _ in range(5)), 1024)
        size_line("queue alone, cursor moved", median(terminal.cost(DOWN) for _ in range(9)), 1536)
        size_line("queue alone, idle minute", sum(terminal.cost("s", 0.1) for _ in range(60)), 6144)
        leave(terminal)


@dataclass(frozen=True)
class Line:
    """One way to be reached: a size, the colours, and whether tmux stands between."""

    size: tuple[int, int]
    colours: str
    tmux: bool

    def __str__(self) -> str:
        return f"{self.size[0]}x{self.size[1]} {self.colours}{', tmux' if self.tmux else ''}"

    def open(self, folder: Path, env: Mapping[str, str]) -> Wire:
        own = {**env, **_COLOURS[self.colours]}
        if not self.tmux:
            return open_app("mspterm", env=own, size=self.size)
        console = [sys.executable, "-m", "mspterm"]
        command = [*self._tmux(folder), "new-session", shlex.join(console)]
        return Wire(command, size=self.size, env=environment(**COMPILED, **own), cwd=str(ROOT))

    def _tmux(self, folder: Path) -> list[str]:
        """A server of its own for each, since the first client's environment is every window's."""
        settings = folder / "tmux.conf"
        settings.write_text(_TMUX)
        name = f"mspterm-bench-{os.getpid()}-{self.size[0]}-{self.colours.split()[0]}"
        return ["tmux", "-L", name, "-f", str(settings)]

    def end(self, folder: Path) -> None:
        if self.tmux:
            subprocess.run([*self._tmux(folder), "kill-server"], check=False, capture_output=True)


def whole() -> None:
    """The whole console over every line at once; bytes don't depend on how busy the machine is."""
    between = (False, True) if shutil.which("tmux") else (False,)
    lines = [Line(size, colours, tmux) for tmux in between for size in _SIZES for colours in _COLOURS]
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as ends:
        folder = Path(scratch)
        env = fill(folder, 10_000)
        terminals: dict[Line, Wire] = {}
        for line in lines:
            ends.callback(line.end, folder)
            terminals[line] = ends.enter_context(line.open(folder, env))
        first: dict[Line, tuple[float, float]] = {}
        for line, terminal in terminals.items():
            first_queue(terminal, timeout=60)
            terminal.settle(1.0)
            first[line] = (len(terminal.sent), terminal.compressed)
        told("first screen", first, None)
        # Within the first: the key's own answer. Within the second: the preview that follows at rest.
        told("cursor moved", {line: moved(of, 0.1) for line, of in terminals.items()}, 1536)
        told("cursor moved and at rest", {line: moved(of, 0.6) for line, of in terminals.items()}, 1536)
        told("row changed", rows_changed(Path(env["MSPTERM_STATE_DIR"]), terminals), 1024)
        told("idle minute, its server down", minute(terminals), 6144)
        for terminal in terminals.values():
            leave(terminal)


def told(what: str, costs: Mapping[Line, tuple[float, float]], budget: int | None) -> None:
    print(f"{what}, bytes and with zlib" + (f" (budget {budget} at 200x50 truecolor)" if budget else ""))
    for line, (plain, packed) in costs.items():
        print(f"  {line!s:28} {plain:7.0f} {packed:6.0f}")


def moved(terminal: Wire, quiet: float) -> tuple[float, float]:
    """The median of nine steps down, none of which scrolls at 24 rows."""
    terminal.settle(1.0)
    costs = []
    for number in range(9):
        packed = terminal.compressed
        costs.append((terminal.cost(DOWN if number < 5 else UP, quiet), terminal.compressed - packed))
    plain, packed_ = (median(column) for column in zip(*costs, strict=True))
    return plain, packed_


def rows_changed(state: Path, terminals: Mapping[Line, Wire]) -> dict[Line, tuple[float, float]]:
    """One ticket that is on every screen changes in the store, away from the full minute at which all
    these clocks step."""
    while not 3 < time.time() % 60 < 40:
        minute(terminals, 1.0)
    before = {line: (len(of.sent), of.compressed) for line, of in terminals.items()}
    row_changed(state, next(iter(terminals.values())), "rt:3")
    for line, terminal in terminals.items():
        terminal.wait_for(lambda of=terminal, at=before[line][0]: b"CHANGED" in of.sent[at:])  # type: ignore[misc]
        terminal.settle()
    return since(before, terminals)


def minute(terminals: Mapping[Line, Wire], seconds: float = 60.0) -> dict[Line, tuple[float, float]]:
    """What all draw by themselves, read in turns."""
    before = {line: (len(of.sent), of.compressed) for line, of in terminals.items()}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for terminal in terminals.values():
            terminal.read(0.02)
    return since(before, terminals)


def since(
    before: Mapping[Line, tuple[int, int]], terminals: Mapping[Line, Wire]
) -> dict[Line, tuple[float, float]]:
    return {
        line: (len(of.sent) - before[line][0], of.compressed - before[line][1])
        for line, of in terminals.items()
    }


def row_changed(state: Path, terminal: Terminal, ref: str = "rt:30") -> int:
    """Change one ticket that is on screen in the store, as the polling process would."""
    store = Store(state)
    ticket = store.tickets.get(ref)
    assert ticket is not None
    later = timedelta(seconds=1)
    changed = replace(
        ticket,
        summary=SafeText("CHANGED by another process"),
        updated_at=ticket.updated_at + later,
        observed_at=ticket.observed_at + later,
    )
    before = len(terminal.sent)
    store.tickets.upsert([changed])
    store.close()
    terminal.wait_for(lambda: b"CHANGED" in terminal.sent[before:])
    terminal.settle()
    return len(terminal.sent) - before


def idle(terminal: Terminal, seconds: float) -> int:
    before, until = len(terminal.sent), time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        terminal.read(left)
    return len(terminal.sent) - before


if __name__ == "__main__":
    alone()
    whole()
