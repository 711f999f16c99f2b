"""Key to last byte with 10,000 tickets, against the same key in a bare Line-API list.

`python -m bench.keys [KEYS]`: both apps are open and take turns; from one second after the first frame.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median

from bench.filled import fill
from bench.measure import DOWN, UP, first_queue, key_to_last_byte, leave, open_app, percentile


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    keys = [DOWN if n % 40 < 30 else UP for n in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        env = fill(Path(folder), 10_000)
        apps = {
            "console": open_app("mspterm", env=env),
            "queue alone": open_app("bench.floor_app", "queue", "10000"),
            "bare list": open_app("bench.floor_app", "bare", "10000"),
        }
        taken: dict[str, list[float]] = {name: [] for name in apps}
        for terminal in apps.values():
            first_queue(terminal)
            terminal.settle(1.0)
        for key in keys:
            for name, terminal in apps.items():
                taken[name].append(key_to_last_byte(terminal, key))
        for terminal in apps.values():
            leave(terminal)
            terminal.hang_up()
    floor = percentile(taken["bare list"], 0.99)
    for name, values in taken.items():
        p50, p99 = median(values) * 1000, percentile(values, 0.99) * 1000
        print(f"key to last byte, {name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms, {p99 / floor / 1000:.2f}x")
    print("budget: p99 at most 2x the bare list's, or 16 ms")


if __name__ == "__main__":
    main()
