"""Resident memory of the console with 10,000 tickets and 20,000 devices, beside a bare Textual app.

`python -m bench.memory` (reads /proc, so Linux only)
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.filled import fill
from bench.measure import DOWN, first_queue, leave, open_app
from bench.wire import idle
from tests.terminal.pty_harness import Terminal


def resident(terminal: Terminal) -> float:
    """RSS in MB, a few keys and two seconds after the first frame."""
    first_queue(terminal)
    terminal.cost(DOWN * 30)
    idle(terminal, 2.0)
    status = Path(f"/proc/{terminal.pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    leave(terminal)
    return int(line.split()[1]) / 1024


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        env = fill(Path(folder), 10_000, devices=20_000)
        with open_app("mspterm", env=env) as console:
            ours = resident(console)
    with open_app("bench.floor_app", "bare", "10000") as bare:
        floor = resident(bare)
    print(f"10,000 tickets and 20,000 devices: {ours:.0f} MB, bare Textual {floor:.0f} MB (budget 150 MB)")


if __name__ == "__main__":
    main()
