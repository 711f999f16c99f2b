"""The real console and the real verbs as processes of their own, on servers of the test's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.terminal.pty_harness import Terminal, environment

RT = """
[connections.rt]
kind = "rt"
url = "{url}"
client_from = "cf:Client"
claim_status = {{ "*" = "open" }}
"""
MESH = """
[connections.mesh]
kind = "meshcentral"
url = "{url}"
username = "ines"
"""
SECRETS = {
    "MSPTERM_SECRET_RT_TOKEN": "1-28-cafe0badbeef",
    "MSPTERM_SECRET_MESH_PASSWORD": "s3cret-CANARY",
    "MSPTERM_SECRET_JOURNAL_KEY": "cafe0bad" * 8,
}


@dataclass(frozen=True, slots=True)
class Home:
    """A technician's home with a config; `secrets` come from the environment."""

    path: Path
    secrets: Mapping[str, str] = field(default_factory=lambda: SECRETS, repr=False)

    def write(self, config: str) -> Home:
        (self.path / "config.toml").write_text(config)
        return self

    @property
    def state(self) -> Path:
        return self.path / "state"

    def env(self, **changes: str) -> dict[str, str]:
        places = {
            "HOME": self.path,
            "MSPTERM_CONFIG": self.path / "config.toml",
            "MSPTERM_STATE_DIR": self.state,
        }
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("XDG", "DBUS", "MSPTERM"))}
        named = {name: str(place) for name, place in places.items()}
        return {**environment(), **named, **self.secrets, "PATH": clean["PATH"], **changes}

    def console(
        self, size: tuple[int, int] = (120, 40), *, ignore: Sequence[signal.Signals] = (), **env: str
    ) -> Terminal:
        """The console in a pty of this size; nothing has been waited for."""
        return Terminal([sys.executable, "-m", "mspterm"], size=size, env=self.env(**env), ignore=ignore)

    def run(self, *argv: str) -> subprocess.CompletedProcess[bytes]:
        """One verb, with its raw output."""
        command = [sys.executable, "-m", "mspterm", *argv]
        return subprocess.run(
            command, env=self.env(), stdin=subprocess.DEVNULL, capture_output=True, timeout=60
        )


def place_of(terminal: Terminal, text: str) -> tuple[int, int]:
    """Column and row, from 1, of the first cell of `text` on the screen."""
    screen = terminal.screen()
    for row in range(screen.lines):
        cells = [screen.buffer[row][column].data for column in range(screen.columns)]
        line = "".join(cell or "\0" for cell in cells)
        if text in line:
            return line.index(text) + 1, row + 1
    raise AssertionError(f"{text!r} is not on the screen:\n{terminal.text()}")


def click(terminal: Terminal, text: str) -> None:
    """A press and release of the left button on `text`, as a terminal in SGR mode reports it."""
    column, row = place_of(terminal, text)
    terminal.send(f"\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m")
