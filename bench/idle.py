"""Calls to the vendors in an idle hour, counted by the sandbox itself.

`python -m bench.idle [SECONDS] [TICKETS] [DEVICES]`: the console stands in a pty on the still sandbox for that long
(300 s, or one whole reconcile interval); what it asked is scaled to an hour.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.terminal.pty_harness import Terminal, environment


def calls(url: str, method: str = "GET") -> Any:
    """The sandbox's own count; DELETE starts it anew."""
    with urllib.request.urlopen(urllib.request.Request(f"{url}/sandbox/calls", method=method)) as answer:
        return json.loads(answer.read() or b"null")


def main() -> None:
    given = [int(word) for word in sys.argv[1:]]
    seconds, tickets, devices = (*given, *(300, 60, 40)[len(given) :])
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.toml"
        size = ["--tickets", str(tickets), "--devices", str(devices)]
        argv = [
            sys.executable,
            "-m",
            "mspterm",
            "sandbox",
            "--config-out",
            str(config),
            "--seed",
            "7",
            "--still",
            *size,
        ]
        child = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        try:
            assert child.stdout is not None
            child.stdout.readline()
            _measure(Path(folder), config, seconds, tickets)
        finally:
            child.terminate()
            child.wait(10)


def _measure(folder: Path, config: Path, seconds: int, tickets: int) -> None:
    secrets = dict(re.findall(r"export (\w+)=(\S+)", Path(f"{config}.env").read_text()))
    more = {"MSPTERM_CONFIG": str(config), "MSPTERM_STATE_DIR": str(folder / "state"), **secrets}
    urls = re.findall(r'url = "([^"]+)"', config.read_text())
    with Terminal([sys.executable, "-m", "mspterm"], size=(120, 40), env=environment(**more)) as terminal:
        terminal.wait_for("rmm now", 180)
        terminal.wait_for("psa now", 180)
        terminal.settle(2.0, 120)
        calls(urls[0], "DELETE")
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            terminal.read(min(1.0, left))
        for vendor, endpoints in calls(urls[0]).items():
            if not isinstance(endpoints, dict):
                continue
            counted = {name: entry["calls"] for name, entry in endpoints.items()}
            total = sum(counted.values())
            hour = total * 3600 / seconds
            print(f"{tickets} tickets, {vendor}: {total} calls in {seconds} s idle, {hour:.0f} an hour")
            for endpoint, count in sorted(counted.items(), key=lambda e: -e[1]):
                print(f"  {count:5d} {endpoint}")
        terminal.send("q")
        terminal.wait_end(10)


if __name__ == "__main__":
    os.environ.pop("NO_COLOR", None)
    main()
