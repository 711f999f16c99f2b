"""Start-up to the first full frame beside two Textual applications of others: posting and harlequin.

`python -m bench.peers [RUNS]`: each is installed from the package index into a throw-away environment of
its own; one that can't be is told as not available. A start that ends before its frame is counted apart.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.filled import fill
from bench.measure import COMPILED, ROOT, SIZE, leave
from tests.terminal.pty_harness import Silent, Terminal, environment

# What is installed, and what is on the first full frame as one run of text.
_PEERS = {
    "posting": (("posting",), b"Response"),
    # Where the newest tree-sitter ends posting by a signal, this one lets it start.
    "posting with tree-sitter before 0.25": (("posting", "tree-sitter<0.25"), b"Response"),
    "harlequin": (("harlequin",), b"Run Query"),
}
_INSTALL_S, _FRAME_S = 600, 60.0


@dataclass
class App:
    """`ours`: it leaves by `q`; the others are ended."""

    argv: list[str]
    env: Mapping[str, str]
    marker: bytes
    ours: bool = False
    seconds: list[float] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def start(self) -> None:
        with Terminal(
            self.argv, size=SIZE, env=environment(**COMPILED, **self.env), cwd=str(ROOT)
        ) as terminal:
            try:
                terminal.wait_for(lambda: self.marker in terminal.sent, _FRAME_S)
            except Silent:
                self.ended.append(_last_words(terminal))
                return
            # The frame's own last byte; what is drawn later is another frame.
            terminal.settle(0.012)
            self.seconds.append(terminal.last_byte - terminal.started)
            if self.ours:
                leave(terminal)


def _last_words(terminal: Terminal) -> str:
    status = terminal.wait_end()
    lines = [line.strip() for line in terminal.lines() if line.strip()]
    return f"exit status {status}, {lines[-1] if lines else 'without a word'}"


def installed(folder: Path, name: str, packages: tuple[str, ...], marker: bytes) -> App | None:
    """None where the package index can't be reached or has no such package."""
    program = packages[0]
    place, home = folder / name, folder / f"{name}-home"
    home.mkdir()
    own = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "XDG_DATA_HOME": str(home / "data")}
    try:
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True, capture_output=True)
        pip = [str(place / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *packages]
        subprocess.run(pip, check=True, capture_output=True, timeout=_INSTALL_S)
        listed = [str(place / "bin" / "pip"), "list", "--disable-pip-version-check"]
        versions = subprocess.run(listed, check=True, capture_output=True, text=True).stdout
    except (subprocess.SubprocessError, OSError) as error:
        print(f"{name}: not available here ({type(error).__name__})")
        return None
    shown = (program, "textual", "tree-sitter")
    print(*(" ".join(line.split()) for line in versions.splitlines() if line.split()[0] in shown))
    return App([str(place / "bin" / program)], own, marker)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        env = fill(folder / "mspterm", 10_000)
        ours = App([sys.executable, "-m", "mspterm"], env, b"VPN drops", ours=True)
        apps = {"mspterm, 10,000 stored tickets": ours}
        for name, (packages, marker) in _PEERS.items():
            if "posting" in apps and packages[0] == "posting" and not apps["posting"].ended:
                continue
            if found := installed(folder, name, packages, marker):
                apps[name] = found
                # The first start fills caches, and writes what a program writes once.
                found.start()
                found.seconds.clear()
        ours.start()
        ours.seconds.clear()
        for _ in range(runs):
            for app in apps.values():
                app.start()
    told(apps, ours)


def told(apps: Mapping[str, App], ours: App) -> None:
    for name, app in apps.items():
        line = f"{name}: {len(app.seconds)} starts"
        if app.seconds:
            taken = median(app.seconds)
            line += f", first full frame after {taken * 1000:.0f} ms ({min(app.seconds) * 1000:.0f} to "
            line += f"{max(app.seconds) * 1000:.0f}), {taken / median(ours.seconds):.2f}x ours"
        print(line)
        if app.ended:
            print(f"  {len(app.ended)} ended before a frame: {app.ended[-1]}")


if __name__ == "__main__":
    main()
