"""The Linux kernel's keyring as a cache for a session: in memory only, gone at its time or a reboot.

Readable by every process of the same user (security.md 2.1). Through `keyctl padd`, which takes the
value from stdin: `add` would have it in argv.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from mspterm.domain.secret import Secret

# keyctl answers in 4 ms (security.md 2.1).
LIMIT_S = 3.0
NO_TOOL = "keyctl is not installed (Debian: `apt install keyutils`)"
NOT_KEPT = "this host's kernel keyring keeps nothing (a container, perhaps)"
_OURS = "0x3f3f0000"
"""All for the key's holder and for this user, so that sessions without a link to @u read it too."""


class KernelKeyring:
    """Keys of this user, by name. Nothing raises: a cache that fails is an empty one."""

    def __init__(self, tool: str | None = None) -> None:
        self._tool = tool or (shutil.which("keyctl") if sys.platform == "linux" else None)

    def keep(self, name: str, secret: Secret, seconds: int) -> str | None:
        """Keeps the secret for that long, in place of an earlier one; why not, where it can't."""
        if self._tool is None:
            return NO_TOOL if sys.platform == "linux" else "only Linux has a kernel keyring"
        key = self._call("padd", "user", name, "@u", given=secret.reveal().encode())
        if key is None:
            return NOT_KEPT
        number = key.decode().strip()
        self._call("setperm", number, _OURS)
        # Read back, as a container may take keys and keep none. One without a time limit would stay until
        # the next boot: rather none at all.
        if self._call("timeout", number, str(seconds)) is None or self.fetch(name) != secret:
            self.drop(name)
            return NOT_KEPT
        return None

    def fetch(self, name: str) -> Secret | None:
        number = self._number(name)
        held = self._call("pipe", number) if number else None
        return Secret(held.decode()) if held else None

    def drop(self, name: str) -> bool:
        """Whether there was one."""
        number = self._number(name)
        return number is not None and self._call("unlink", number, "@u") is not None

    def _number(self, name: str) -> str | None:
        found = self._call("search", "@u", "user", name)
        return found.decode().strip() if found else None

    def _call(self, *argv: str, given: bytes = b"") -> bytes | None:
        """What keyctl prints, None where it fails."""
        if self._tool is None:
            return None
        # An environment made for it: the own one may hold MSPTERM_SECRET_... of other connections.
        env = {"PATH": os.environ.get("PATH", ""), "LANG": "C"}
        try:
            done = subprocess.run(
                [self._tool, *argv], input=given, env=env, capture_output=True, timeout=LIMIT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout if done.returncode == 0 else None
