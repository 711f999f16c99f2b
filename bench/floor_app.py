"""Apps to measure, and to break, in a pty: `python -m bench.floor_app queue|bare COUNT`.

`queue` is our list with made-up rows on the console's base; keys stand for events (see BINDINGS).
`bare` is the floor: the same kinds of widgets in plain Textual, a Line-API list over prepared text.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.events import Key
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from bench.made_up import row, rows
from mspterm.console import terminal as terminals
from mspterm.console.base_app import ConsoleApp
from mspterm.console.crash import CrashReporter
from mspterm.console.lifeline import leave, run
from mspterm.console.queue_list import QueueList
from mspterm.domain.secret import Secret

START = 1_790_000_000.0
TOKEN = Secret("tok-" + "51c4a7e0")
HOSTILE = "\x1b]52;c;ZXZpbA==\x07\x1b]0;pwned\x07\x9b31m\u202egpj.exe\u200b[/b][@click=app.quit]x[/]"


class QueueApp(ConsoleApp):
    """The queue alone, on a clock that only its keys move."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("1", "change_row", "One row changes"),
        ("s", "second", "A second passes"),
        ("q", "leave", "Quit"),
        ("c", "crash", "An exception with a token in a local"),
        ("b", "block", "The loop is stuck in C"),
        ("e", "endless", "The loop is stuck in Python"),
        ("d", "dead_lookup", "An executor's thread hangs"),
        ("v", "visit", "Another program gets the terminal"),
        ("h", "hostile", "Hostile text in a raw widget"),
    ]

    def __init__(self, count: int) -> None:
        folder = Path(os.environ.get("MSPTERM_STATE_DIR") or tempfile.gettempdir())
        crashes = CrashReporter(folder, lambda: (TOKEN,), lambda: datetime.now(UTC))
        super().__init__(terminals.survey_here(), crashes)
        self.now = START
        self.count = count

    def compose(self) -> ComposeResult:
        yield Static("mspterm", markup=False)
        yield QueueList(lambda: self.now)
        yield Static("q quit", markup=False, id="foot")

    def on_mount(self) -> None:
        queue = self.query_one(QueueList)
        queue.set_rows(rows(self.count, START))
        queue.focus()

    def action_change_row(self) -> None:
        queue = self.query_one(QueueList)
        changed = list(queue.rows)
        old = changed[20]
        changed[20] = row(int(old.number), START, revision=old.revision + 1)
        queue.apply(changed)

    def action_second(self) -> None:
        self.now += 1
        self.query_one(QueueList).tick()

    def action_leave(self) -> None:
        self.exit()

    def action_crash(self) -> None:
        token = TOKEN.reveal()
        raise RuntimeError(f"refused with {token}")

    def action_block(self) -> None:
        """A call in C that lets other threads run and heeds no signal, as a hung name lookup."""
        self._stuck()
        hashlib.pbkdf2_hmac("sha256", b"", b"", 500_000_000)

    def _stuck(self) -> None:
        """For who watches: from here on the loop turns no more."""
        (Path(os.environ["MSPTERM_STATE_DIR"]) / "stuck").touch()

    def action_endless(self) -> None:
        self._stuck()
        while True:
            pass

    def action_dead_lookup(self) -> None:
        asyncio.get_running_loop().run_in_executor(None, time.sleep, 600)
        self._stuck()

    def action_visit(self) -> None:
        with self.suspend():
            subprocess.run(["sh", "-c", "trap '' INT; echo VISITING; read answer"], check=False)

    def action_hostile(self) -> None:
        style = Style(link="https://evil.example/", meta={"@click": "app.quit"})
        self.query_one("#foot", Static).update(Text(HOSTILE, style))


_TEXT, _CURSOR = Style.parse("#dcdcdc on #16181d"), Style.parse("#ffffff on #2f5d86")


class BareList(Widget, can_focus=True):
    """The least that a Line-API list can be: a cursor over prepared text."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.lines = [f"{n:>8} P{n % 4 + 1} {n:<6} open  client  VPN drops every hour" for n in range(count)]
        self.at = self.top = 0

    def on_key(self, event: Key) -> None:
        step = {"down": 1, "up": -1}.get(event.key, 0)
        old, self.at = self.at, max(0, min(len(self.lines) - 1, self.at + step))
        if not self.top <= self.at < self.top + self.size.height:
            self.top = max(0, self.at - self.size.height // 2)
            self.refresh()
            return
        for index in (old, self.at):
            self.refresh(Region(0, index - self.top, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        index = self.top + y
        text = self.lines[index] if index < len(self.lines) else ""
        return Strip([Segment(text.ljust(self.size.width), _CURSOR if index == self.at else _TEXT)])


class BareApp(App[int]):
    """The same kinds of widgets, and nothing of ours."""

    BINDINGS: ClassVar[list[BindingType]] = [("q", "quit", "Quit")]
    CSS = "BareList { width: 2fr; height: 1fr; } #preview { width: 1fr; } Horizontal { height: 1fr; }"

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def compose(self) -> ComposeResult:
        yield Static("mspterm", markup=False)
        yield Static("a filter and an order", markup=False)
        with Horizontal():
            yield BareList(self.count)
            yield Static("a ticket's preview", markup=False, id="preview")
        yield Static("each connection's state", markup=False)
        yield Static("q quit", markup=False)

    def on_mount(self) -> None:
        self.query_one(BareList).focus()


if __name__ == "__main__":
    kind, count = sys.argv[1], int(sys.argv[2])
    terminals.prepare(os.environ)
    if kind == "queue":
        app = QueueApp(count)
        leave(run(app, app.lifeline))
    BareApp(count).run(mouse=False)
