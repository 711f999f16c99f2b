"""Makes the pictures of the documentation: the real console on the still sandbox, drawn as SVG.

    python docs/screens.py            all of them
    python docs/screens.py device     those whose name holds the word

Nothing is posed but the keys pressed; the same seed gives the same tickets.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from textual.pilot import Pilot

from mspterm.config.load import load
from mspterm.console.app import MsptermApp
from mspterm.console.crash import CrashReporter
from mspterm.console.session import Session
from mspterm.console.terminal import survey
from mspterm.store.store import Store

HERE = Path(__file__).parent
WIDE, SMALL = (120, 40), (80, 24)
# Name, size, keys; a word in brackets waits until it is on screen.
SCREENS: tuple[tuple[str, tuple[int, int], str], ...] = (
    ("queue", WIDE, "[psa now] down down down"),
    ("ticket", WIDE, "[psa now] / H V D - D C 0 1 enter [HVD-DC01] enter [opened]"),
    ("device", WIDE, "[psa now] / H V D - D C 0 1 enter [HVD-DC01] enter [opened] d [Disks]"),
    ("screens/01-queue", SMALL, "[psa now]"),
    ("screens/02-filter", SMALL, "[psa now] / c l i e n t : o a k space p : 1 , 2"),
    ("screens/03-ticket", SMALL, "[psa now] / H V D - D C 0 1 enter [HVD-DC01] enter [opened]"),
    (
        "screens/04-claim",
        SMALL,
        "[psa now] / H V D - D C 0 1 enter [HVD-DC01] enter [opened] c [this will happen]",
    ),
    ("screens/05-reply", SMALL, "[psa now] / H V D - D C 0 1 enter [HVD-DC01] enter [opened] r [Send]"),
    ("screens/06-device", SMALL, "[psa now] / H V D - D C 0 1 enter [HVD-DC01] enter [opened] d [Disks]"),
    ("screens/07-run", SMALL, "[psa now] / H V D - D C 0 1 enter [HVD-DC01] enter [opened] x [Send]"),
    ("screens/08-escalate", SMALL, "[psa now] / H V D - D C 0 1 enter [HVD-DC01] enter [opened] e [Send]"),
    ("screens/09-help", SMALL, "[psa now] ?"),
    ("screens/10-next", SMALL, "[psa now] g [this will happen]"),
    ("screens/11-client", SMALL, "[psa now] i [notes]"),
)
STORM = ("screens/12-storm", SMALL, "[psa now] [+30]")
OUTAGE = 'background = false\n[[event]]\nat = 3\nkind = "outage"\nclient = "KSL"\n'


@contextmanager
def sandbox(folder: Path, *life: str) -> Iterator[Path]:
    """A sandbox MSP; its config, with its secrets in this process's environment."""
    config = folder / "config.toml"
    argv = [sys.executable, "-m", "mspterm", "sandbox", "--config-out", str(config), "--seed", "7", *life]
    child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        if not child.stdout.readline().startswith("ready"):
            raise SystemExit("the sandbox did not start")
        pairs = re.findall(r"export (\w+)=(\S+)", Path(f"{config}.env").read_text())
        os.environ.update({name: value.strip("'\"") for name, value in pairs})
        yield config
    finally:
        child.terminate()
        child.wait(10)


def text_of(app: MsptermApp) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def press(app: MsptermApp, pilot: Pilot[int], keys: str) -> None:
    for word in re.findall(r"\[[^\]]+\]|\S+", keys):
        if not word.startswith("["):
            await pilot.press(
                {",": "comma", ":": "colon", "-": "minus", "?": "question_mark", "/": "slash"}.get(word, word)
            )
            continue
        for _ in range(1600):
            if word[1:-1] in text_of(app):
                break
            await pilot.pause(0.05)
        else:
            raise SystemExit(f"{word} never came:\n{text_of(app)}")


async def draw(config: Path, state: Path, name: str, size: tuple[int, int], keys: str) -> None:
    settings = load(config)
    store = Store(state)
    session = Session(settings, state, store, read_only=False, clock=time.time)
    here = survey({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, ttys=True, size=size)
    app = MsptermApp(session, here, CrashReporter(state, lambda: (), lambda: datetime.now(UTC)))
    async with app.run_test(size=size, notifications=True) as pilot:
        await press(app, pilot, keys)
        await pilot.pause(0.6)
        path = HERE / f"{name}.svg"
        svg = app.export_screenshot(title="mspterm")
        path.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n", encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(HERE.parent)}\n")


def main() -> None:
    wanted = sys.argv[1:]
    if not wanted or any(word in STORM[0] for word in wanted):
        with tempfile.TemporaryDirectory() as folder:
            scenario = Path(folder) / "outage.toml"
            scenario.write_text(OUTAGE)
            with sandbox(Path(folder), "--scenario", str(scenario), "--speed", "10") as config:
                asyncio.run(draw(config, Path(folder) / "state", *STORM))
    with tempfile.TemporaryDirectory() as folder, sandbox(Path(folder), "--still") as config:
        for number, (name, size, keys) in enumerate(SCREENS):
            if not wanted or any(word in name for word in wanted):
                asyncio.run(draw(config, Path(folder) / f"state{number}", name, size, keys))


if __name__ == "__main__":
    main()
