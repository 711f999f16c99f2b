"""mspterm's verbs as a stranger runs them: a process each, in a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Ended:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Cli:
    """Runs verbs with nothing of this machine's environment but `secrets`."""

    home: Path
    secrets: Mapping[str, str] = field(default_factory=dict)

    def __call__(
        self, *argv: str, env: Mapping[str, str] | None = None, stdin: str = "", wrap: str = ""
    ) -> Ended:
        """`env` in place of the secrets; `wrap` is a command that starts it."""
        clean = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8"}
        clean |= {
            "MSPTERM_CONFIG": str(self.home / "config.toml"),
            "MSPTERM_STATE_DIR": str(self.home / "state"),
        }
        done = subprocess.run(
            [*wrap.split(), sys.executable, "-m", "mspterm", *argv],
            env=clean | dict(self.secrets if env is None else env),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=90,
        )
        return Ended(done.returncode, done.stdout, done.stderr)
