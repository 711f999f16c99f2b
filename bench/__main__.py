"""`python -m bench`: the budgets of DESIGN 6 against their floors, one line each; some minutes. Never fails."""

from __future__ import annotations

import subprocess
import sys

NAMES = ("startup", "wire", "keys", "poll", "memory")


def main() -> None:
    for name in sys.argv[1:] or NAMES:
        print(f"== {name}", flush=True)
        done = subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False)
        if done.returncode:
            print(f"{name} was not measured (exit status {done.returncode})")


if __name__ == "__main__":
    main()
