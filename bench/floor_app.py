"""Apps to measure against, run in a pty: our list with made-up rows, and bare Textual floors.

`python bench/floor_app.py queue|bare|table COUNT` ; `queue` obeys keys that stand for events:
`1` changes one row in the middle of the screen, `m` makes a minute pass, `t` writes a token in a crash.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mspterm.console import terminal as terminals

TERMINAL = terminals.survey_here()
terminals.prepare(os.environ, TERMINAL)

from rich.segment import Segment  # noqa: E402
from textual.app import App, ComposeResult  # noqa: E402
from textual.geometry import Region  # noqa: E402
from textual.strip import Strip  # noqa: E402
from textual.widget import Widget  # noqa: E402
from textual.widgets import Static  # noqa: E402

from bench.made_up import row, rows  # noqa: E402
from mspterm.console.base_app import ConsoleApp  # noqa: E402
from mspterm.console.crash import CrashReporter  # noqa: E402
from mspterm.console.lifeline import leave, run  # noqa: E402
from mspterm.console.queue_list import QueueList  # noqa: E402

START = 1_790_000_000.0


class QueueApp(ConsoleApp):
    """The queue widget alone, with a clock that only the key `m` moves."""

    BINDINGS = [  # noqa: RUF012 - Textual's own form
        ("1", "change_row", ""),
        ("m", "minute", ""),
        ("q", "quit_console", ""),
        ("c", "crash", ""),
        ("b", "block", ""),
        ("e", "endless", ""),
    ]

    def __init__(self, count: int) -> None:
        folder = Path(os.environ.get("MSPTERM_STATE_DIR") or tempfile.gettempdir())
        super().__init__(TERMINAL, CrashReporter(folder, lambda: (), lambda: datetime.now(UTC)))
        self.now = START
        self.count = count

    def compose(self) -> ComposeResult:
        yield Static("mspterm", markup=False)
        yield QueueList(lambda: self.now)
        yield Static("q quit", markup=False)

    def on_mount(self) -> None:
        queue = self.query_one(QueueList)
        queue.set_rows(rows(self.count, START))
        queue.focus()

    def action_change_row(self) -> None:
        queue = self.query_one(QueueList)
        at = min(20, self.count - 1)
        changed = list(queue.rows)
        old = changed[at]
        changed[at] = row(int(old.number), START, revision=old.revision + 1)
        queue.apply(changed)

    def action_minute(self) -> None:
        self.now += 60
        self.query_one(QueueList).tick()

    def action_quit_console(self) -> None:
        self.exit()

    def action_crash(self) -> None:
        token = "tok-" + "51c4a7"
        raise RuntimeError(f"no ticket {len(token)}")

    def action_block(self) -> None:
        """A call in C that lets other threads run and heeds no signal, as a hung name lookup."""
        hashlib.pbkdf2_hmac("sha256", b"", b"", 500_000_000)

    def action_endless(self) -> None:
        while True:
            pass


class BareList(Widget, can_focus=True):
    """The least a Line-API list can be: a cursor over prepared text."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.lines = [
            f"{n:>8} P{n % 4 + 1} {n:<6} open  client  a summary of sixty characters" for n in range(count)
        ]
        self.at = self.top = 0

    def on_key(self, event: Any) -> None:
        step = {"down": 1, "up": -1}.get(event.key, 0)
        new = max(0, min(len(self.lines) - 1, self.at + step))
        old, self.at = self.at, new
        page = self.size.height
        if not self.top <= new < self.top + page:
            self.top = max(0, new - page // 2)
            self.refresh()
        else:
            for index in (old, new):
                self.refresh(Region(0, index - self.top, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        index = self.top + y
        text = self.lines[index] if index < len(self.lines) else ""
        style = self.rich_style + (TEXT_CURSOR if index == self.at else TEXT)
        return Strip([Segment(text.ljust(self.size.width), style)])


from rich.style import Style  # noqa: E402

TEXT, TEXT_CURSOR = Style.parse("#dcdcdc on #16181d"), Style.parse("#ffffff on #2f5d86")


class BareApp(App[int]):
    """The floor: the same kinds of widgets, made-up rows, nothing of ours."""

    BINDINGS = [("q", "quit", "")]  # noqa: RUF012

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def compose(self) -> ComposeResult:
        yield Static("floor", markup=False)
        yield BareList(self.count)
        yield Static("q quit", markup=False)

    def on_mount(self) -> None:
        self.query_one(BareList).focus()


if __name__ == "__main__":
    kind, count = sys.argv[1], int(sys.argv[2])
    if kind == "queue":
        app = QueueApp(count)
        leave(run(app, app.lifeline))
    BareApp(count).run(mouse=False)
