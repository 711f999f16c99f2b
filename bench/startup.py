"""`mspterm --help` against `import click`, and the first queue against a bare Textual app.

`python -m bench.startup [RUNS]`
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from bench.filled import fill
from bench.measure import ROOT, against, first_queue, interleaved, leave, open_app


def command(*arguments: str) -> float:
    started = time.monotonic()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - started


def opened(module: str, *arguments: str, env: Mapping[str, str] | None = None) -> float:
    with open_app(module, *arguments, env=env) as terminal:
        seconds = first_queue(terminal)
        terminal.settle()
        leave(terminal)
    return seconds


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    ours, floor = interleaved(
        runs * 2, lambda: command("-m", "mspterm", "--help"), lambda: command("-c", "import click")
    )
    against("mspterm --help against `import click`", ours, floor, "2x")
    for count in (10_000, 50_000):
        with tempfile.TemporaryDirectory() as folder:
            env = fill(Path(folder), count)
            ours, floor = interleaved(
                runs,
                lambda env=env: opened("mspterm", env=env),  # type: ignore[misc]
                lambda count=count: opened("bench.floor_app", "bare", str(count)),  # type: ignore[misc]
            )
        against(f"first queue, {count:,} stored tickets", ours, floor, "1.25x")


if __name__ == "__main__":
    main()
