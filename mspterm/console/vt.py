"""A device's terminal output as a grid of cells: nothing of it reaches our own terminal as it came.

pyte draws what it is given. Before that, what it prints as text or answers is taken out: strings (titles,
clipboard, DCS), private and unknown sequences, queries, 8-bit controls and characters without a width.
"""

from __future__ import annotations

import codecs
import contextlib
import re
from collections.abc import Iterable
from typing import Any

import pyte
from pyte.modes import DECTCEM
from rich.segment import Segment
from rich.style import Style

# pyte keeps a dict for each line and an object for each cell: more would be tens of megabytes.
KEPT_LINES = 2_000
APPLICATION_KEYS, BRACKETED_PASTE = 1 << 5, 2004 << 5
"""As pyte numbers private modes."""
# An endless string takes no memory: beyond this only its beginning is held, as a mark to drop by.
_LONGEST_SEQUENCE = 4_096
# Finals that pyte draws by. Not c and n: it would answer, and answers are typed into a shell.
_DRAWN = frozenset("@ABCDEFGHJKLMPXadefghlmr`'")
_SEQUENCE = re.compile(
    r"\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x9c|\x1b\\?)"
    r"|\x1b\[(?P<params>[0-?]*)(?P<between>[ -/]*)(?P<final>[@-~]|(?=[\x00-\x1f\x7f-\U0010ffff]))"
    r"|\x1b(?P<charset>[()][0AB])|\x1b[ -/]+[0-~]?|\x1b(?P<two>[0-~])"
)
_UNENDED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b\x9c]*\x1b?|[ -/]*)?\Z")
# C1 controls, and what has no width: pyte drops all of a run that stands behind one of these.
_UNDRAWN = re.compile(
    "[\x00\x7f-\x9f\xad\u0600-\u0605\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
# pyte calls the third colour as the Linux console does.
_COLOURS = {"brown": "yellow", "brightbrown": "bright_yellow"}


class Vt:
    """One screen with its history."""

    def __init__(self, columns: int, rows: int) -> None:
        self._screen = pyte.HistoryScreen(columns, rows, history=KEPT_LINES, ratio=0.5)
        self._stream = pyte.Stream(self._screen)
        # Incremental: a character may be cut between two messages of the RMM.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""

    def feed(self, data: bytes) -> set[int]:
        """Draws it; the rows that changed."""
        text = self._held + self._decoder.decode(data)
        cut = _UNENDED.search(text)
        end = cut.start() if cut else len(text)
        # A string without an end is dropped, as is what comes of it: its terminator is not drawn.
        self._held = text[end:] if len(text) - end <= _LONGEST_SEQUENCE else text[end : end + 2]
        # A row that the cursor only leaves isn't dirty to pyte, and would keep its cursor on screen.
        before = self._screen.cursor.y
        for part in _parts(_UNDRAWN.sub("", _SEQUENCE.sub(_drawable, text[:end]))):
            # Its arguments are the device's: what pyte can't take is left out and not our end.
            with contextlib.suppress(Exception):
                self._stream.feed(part)
        return self._taken() | {before, self._screen.cursor.y}

    def resize(self, columns: int, rows: int) -> None:
        self._screen.resize(rows, columns)

    def page(self, step: int) -> set[int]:
        """Half a screen back (-1) or forth (1) in what has scrolled away."""
        (self._screen.prev_page if step < 0 else self._screen.next_page)()
        return self._taken()

    def _taken(self) -> set[int]:
        found = set(self._screen.dirty)
        self._screen.dirty.clear()
        return found

    def has(self, mode: int) -> bool:
        return mode in self._screen.mode

    def text(self) -> list[str]:
        return [line.rstrip() for line in self._screen.display]

    def row(self, y: int, *, cursor: bool) -> list[Segment]:
        """The cells of one row as runs of one style, the cursor's in reverse."""
        line, at = self._screen.buffer[y], self._screen.cursor
        here = at.x if cursor and at.y == y and DECTCEM in self._screen.mode else -1
        runs: list[Segment] = []
        for x in range(self._screen.columns):
            char = line[x]
            style = _style(char) + Style(reverse=not char.reverse) if x == here else _style(char)
            if runs and runs[-1].style == style:
                runs[-1] = Segment(runs[-1].text + char.data, style)
            else:
                runs.append(Segment(char.data, style))
        return runs


def _drawable(found: re.Match[str]) -> str:
    """A sequence that pyte draws by, else nothing."""
    if found["charset"] or (found["two"] or "") in ("7", "8", "D", "E", "H", "M", "c"):
        return found[0]
    params, final = found["params"], found["final"]
    if params is None or found["between"] or not final or final not in _DRAWN:
        return ""
    private = params.startswith("?")
    if not re.fullmatch(r"\??[0-9;]*", params) or (private and final not in "hlJK"):
        return ""
    return found[0]


def _parts(text: str) -> Iterable[str]:
    """Sequences by themselves, so that one that fails takes no text along."""
    return (part for part in re.split(r"(\x1b\[[0-9;?]*[^0-9;?]|\x1b[()].|\x1b.)", text) if part)


def _style(char: Any) -> Style:
    return Style(
        color=_colour(char.fg),
        bgcolor=_colour(char.bg),
        bold=char.bold or None,
        italic=char.italics or None,
        underline=char.underscore or None,
        strike=char.strikethrough or None,
        reverse=char.reverse or None,
    )


def _colour(name: str) -> str | None:
    if name == "default":
        return None
    if name in _COLOURS:
        return _COLOURS[name]
    if name.startswith("bright"):
        return f"bright_{name.removeprefix('bright')}"
    return f"#{name}" if re.fullmatch(r"[0-9a-fA-F]{6}", name) else name
