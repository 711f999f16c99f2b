"""Bytes at 200x50 in truecolor: a changed row, a moved cursor, an idle minute with 40 clocks.

`python -m bench.wire`: the queue alone with its clock moved by hand, then the whole console, where a
minute is a minute.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import median

from bench.filled import fill
from bench.measure import DOWN, first_queue, leave, open_app, size_line
from mspterm.domain.text import SafeText
from mspterm.store.store import Store
from tests.terminal.pty_harness import Terminal


def alone() -> None:
    with open_app("bench.floor_app", "queue", "10000") as terminal:
        first_queue(terminal)
        terminal.settle()
        size_line("queue alone, row changed", median(terminal.cost("1") for _ in range(5)), 1024)
        size_line("queue alone, cursor moved", median(terminal.cost(DOWN) for _ in range(9)), 1536)
        size_line("queue alone, idle minute", sum(terminal.cost("s", 0.1) for _ in range(60)), 6144)
        leave(terminal)


def whole() -> None:
    with tempfile.TemporaryDirectory() as folder:
        env = fill(Path(folder), 10_000)
        with open_app("mspterm", env=env) as terminal:
            first_queue(terminal)
            terminal.settle()
            # Within the first: the key's own answer. Within the second: the preview that follows at rest.
            size_line("console, cursor moved", median(terminal.cost(DOWN, 0.1) for _ in range(9)), 1536)
            terminal.settle(1.0)
            moved = median(terminal.cost(DOWN, 0.6) for _ in range(9))
            size_line("console, cursor moved and at rest", moved, 1536)
            size_line("console, row changed", row_changed(Path(env["MSPTERM_STATE_DIR"]), terminal), 1024)
            size_line("console, idle minute, its server down", idle(terminal, 60.0), 6144)
            leave(terminal)


def row_changed(state: Path, terminal: Terminal) -> int:
    """Change one ticket that is on screen in the store, as the polling process would."""
    store = Store(state)
    ticket = store.tickets.get("rt:30")
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
