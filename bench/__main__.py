"""`python -m bench [NAME...]`: the budgets of DESIGN 6 against their floors; never fails on a time.

Without names those of some minutes. `demo` (DESIGN 6 whole on the demo MSP, up to 50,000 tickets) and
`peers` (start-up beside posting and harlequin, installed for it) take a quarter of an hour and are asked
for by name, as is `idle` (calls in an idle hour).
"""

from __future__ import annotations

import subprocess
import sys

NAMES = ("startup", "wire", "keys", "poll", "memory", "dues")


def main() -> None:
    for name in sys.argv[1:] or NAMES:
        print(f"== {name}", flush=True)
        done = subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False)
        if done.returncode:
            print(f"{name} was not measured (exit status {done.returncode})")


if __name__ == "__main__":
    main()
