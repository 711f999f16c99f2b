"""`mspterm --help` against `import click`, and the first queue against a bare Textual app.

`python -m bench.startup [RUNS]`
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from bench.filled import fill
from bench.measure import COMPILED, ROOT, against, in_pairs, interleaved, leave, open_app, queue_cost


def command(*arguments: str) -> float:
    started = time.monotonic()
    run = [sys.executable, *arguments]
    subprocess.run(run, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **COMPILED})
    return time.monotonic() - started


def opened(module: str, *arguments: str, env: Mapping[str, str] | None = None) -> tuple[float, float]:
    with open_app(module, *arguments, env=env) as terminal:
        cost = queue_cost(terminal)
        terminal.settle()
        leave(terminal)
    return cost


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    ours, floor = interleaved(
        runs * 2, lambda: command("-m", "mspterm", "--help"), lambda: command("-c", "import click")
    )
    against("mspterm --help against `import click`", ours, floor, "2x")
    for count in (10_000, 50_000):
        with tempfile.TemporaryDirectory() as folder:
            env = fill(Path(folder), count)
            pairs = [
                (opened("mspterm", env=env), opened("bench.floor_app", "bare", str(count)))
                for _ in range(runs + 1)
            ]
        # The first pair may have had to write bytecode.
        in_pairs(f"first queue, {count:,} stored tickets", *zip(*pairs[1:], strict=True))


if __name__ == "__main__":
    main()
