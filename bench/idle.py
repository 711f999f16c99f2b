"""Calls to the vendors in an idle hour, counted by the sandbox itself.

`python -m bench.idle [SECONDS] [TICKETS] [DEVICES]`: the console stands in a pty on the still sandbox for that long
(300 s, or one whole reconcile interval); what it asked is scaled to an hour.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bench.measure import leave
from bench.msp import Msp, msp
from bench.wire import idle

_SETTLING_S = 40.0


def main() -> None:
    given = [int(word) for word in sys.argv[1:]]
    seconds, tickets, devices = (*given, *(300, 60, 40)[len(given) :])
    with tempfile.TemporaryDirectory() as folder, msp(Path(folder) / "msp", tickets, devices) as on:
        _measure(on, seconds)


def _measure(on: Msp, seconds: int) -> None:
    with on.open() as terminal:
        on.filled(terminal)
        # The look after the first still asks for the devices of the newest tickets.
        idle(terminal, _SETTLING_S)
        on.endpoints("DELETE")
        idle(terminal, seconds)
        for vendor, endpoints in on.endpoints().items():
            counted = {name: entry["calls"] for name, entry in endpoints.items()}
            total = sum(counted.values())
            hour = total * 3600 / seconds
            print(f"{on.tickets} tickets, {vendor}: {total} calls in {seconds} s idle, {hour:.0f} an hour")
            for endpoint, count in sorted(counted.items(), key=lambda entry: -entry[1]):
                print(f"  {count:5d} {endpoint}")
        leave(terminal)


if __name__ == "__main__":
    main()
