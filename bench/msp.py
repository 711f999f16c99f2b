"""The demo MSP of a size for the benches: its servers in a process, and a console that has synced with them."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.measure import SIZE, Wire, open_app
from mspterm.store.store import Store

PSA, RMM = "psa", "rmm"
NUMBER = re.compile(r"\b[34]\d{4}\b|\b\d{5,6}\b")


@dataclass(eq=False)
class Msp:
    """`started`: when the sandbox was, by the monotonic clock; `ready_s`: until its line `ready`."""

    tickets: int
    devices: int
    url: str
    state: Path
    env: Mapping[str, str]
    started: float
    ready_s: float
    marker: bytes = field(default=b"")

    def open(self, size: tuple[int, int] = SIZE, **more: str) -> Wire:
        return open_app("mspterm", env={**self.env, **more}, size=size)

    def filled(self, terminal: Wire, timeout: float = 600.0) -> tuple[float, float]:
        """Seconds until the first tickets were on screen, and until all was there once; the console
        stays open."""
        seen = terminal.wait_for(lambda: NUMBER.search(terminal.text()) is not None, timeout)
        while not self._whole():
            terminal.read(0.2)
            if time.monotonic() - terminal.started > timeout:
                raise TimeoutError(f"not filled within {timeout} s:\n{terminal.text()}")
        return seen, time.monotonic() - terminal.started

    def _whole(self) -> bool:
        store = Store(self.state)
        try:
            return all(store.connections.get(name).full_at is not None for name in (PSA, RMM))
        finally:
            store.close()

    def endpoints(self, method: str = "GET") -> dict[str, dict[str, Any]]:
        """What the sandbox counts, by vendor and endpoint; DELETE starts the count anew."""
        asked = urllib.request.Request(f"{self.url}/sandbox/calls", method=method)
        with urllib.request.urlopen(asked) as answer:
            found: dict[str, Any] = json.loads(answer.read() or b"{}")
        return {name: of for name, of in found.items() if isinstance(of, dict)}

    def calls(self) -> dict[str, tuple[int, int]]:
        """Calls and bytes by vendor."""
        return {
            name: (sum(one["calls"] for one in of.values()), sum(one["bytes"] for one in of.values()))
            for name, of in self.endpoints().items()
        }


def numbers(terminal: Wire) -> list[str]:
    """The tickets on screen, from the top."""
    return [found[0] for line in terminal.lines() if (found := NUMBER.search(line))]


@contextlib.contextmanager
def msp(folder: Path, tickets: int, devices: int) -> Iterator[Msp]:
    """The sandbox, still, with an empty state directory beside it."""
    config, state = folder / "config.toml", folder / "state"
    folder.mkdir(parents=True)
    size = ["--tickets", str(tickets), "--devices", str(devices)]
    command = [sys.executable, "-m", "mspterm", "sandbox", "--config-out", str(config), "--still"]
    started = time.monotonic()
    child = subprocess.Popen([*command, "--seed", "7", *size], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        ready = time.monotonic() - started
        secrets = dict(re.findall(r"export (\w+)=(\S+)", Path(f"{config}.env").read_text()))
        env = {"MSPTERM_CONFIG": str(config), "MSPTERM_STATE_DIR": str(state), **secrets}
        [url, _] = re.findall(r'url = "([^"]+)"', config.read_text())
        yield Msp(tickets, devices, url, state, env, started, ready)
    finally:
        child.terminate()
        child.wait(10)
