"""`python -m mspterm.sandbox`: what `mspterm sandbox` and `mspterm demo` start."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mspterm.sandbox.app import Options
from mspterm.sandbox.run import ignore_interrupts, serve
from mspterm.sandbox.scenario import BadScenario


def main() -> int:
    """Serves until ended: 128 and the number of the signal that ended it; 2 where the options can't be
    used, 1 where a file can't be written."""
    parser, usual = argparse.ArgumentParser(prog="mspterm sandbox"), Options()
    parser.add_argument("--config-out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--speed", type=float, default=usual.speed)
    parser.add_argument("--still", action="store_true")
    parser.add_argument("--tickets", type=int, default=usual.tickets)
    parser.add_argument("--devices", type=int, default=usual.devices)
    parser.add_argument("--scenario", type=Path)
    parser.add_argument("--tied", action="store_true")
    parser.add_argument("--scratch", type=Path)
    asked = parser.parse_args()
    options = Options(asked.seed, asked.speed, asked.still, asked.tickets, asked.devices, asked.scenario)
    if asked.tied:
        ignore_interrupts()
    try:
        return serve(options, asked.config_out, tied=asked.tied, scratch=asked.scratch)
    except BadScenario as error:
        sys.stderr.write(f"mspterm: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"mspterm: {error}\n")
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
