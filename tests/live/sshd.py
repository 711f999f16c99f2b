"""sshd on loopback with throw-away keys: one is the device, one the jump host. Needs root and sshd."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or ""
_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {key}
PidFile none
AuthorizedKeysFile {allowed}
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
AllowAgentForwarding yes
AllowTcpForwarding yes
AcceptEnv MSPTERM_*
PrintMotd no
"""


def missing() -> str | None:
    """Why there can be no sshd here."""
    if not SSHD or shutil.which("ssh-keygen") is None:
        return "sshd (openssh-server) is not installed"
    return None if hasattr(os, "getuid") and os.getuid() == 0 else "sshd needs root here"


def make_key(path: Path) -> str:
    """A new key at `path`; its fingerprint."""
    path.unlink(missing_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], input=b"y\n", check=True)
    said = subprocess.run(["ssh-keygen", "-lf", str(path)], capture_output=True, text=True, check=True)
    return said.stdout.split()[1]


@dataclass
class Sshd:
    folder: Path
    port: int
    fingerprint: str
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


@contextlib.contextmanager
def sshd(folder: Path, allowed: Path, port: int | None = None) -> Iterator[Sshd]:
    """One server, listening; a port given is one that another left."""
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    fingerprint = make_key(folder / "host_key")
    port = port or _free_port()
    text = _CONFIG.format(port=port, key=folder / "host_key", allowed=allowed)
    (folder / "sshd_config").write_text(text)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=log)
    try:
        _wait(process, port)
        yield Sshd(folder, port, fingerprint, process)
    finally:
        process.terminate()
        process.wait(10)


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"sshd on port {port} did not come up (status {process.poll()})")
