"""What a list says while it has no rows: loading, empty, filtered and failed never look alike."""

from __future__ import annotations

from enum import StrEnum
from textwrap import wrap

from rich.segment import Segment
from textual.strip import Strip

from mspterm.console.row_text import Roles


class Nothing(StrEnum):
    """Why there are no rows."""

    LOADING = "loading"
    EMPTY = "empty"
    FILTERED = "filtered"
    FAILED = "failed"


# A mark of its own for each, as a colour alone is lost under NO_COLOR.
_LOOKS = {
    Nothing.LOADING: ("...", "muted"),
    Nothing.EMPTY: ("=", "ok"),
    Nothing.FILTERED: ("/", "warning"),
    Nothing.FAILED: ("!", "failed"),
}


def nothing_line(why: Nothing, sentence: str, y: int, width: int, roles: Roles) -> Strip:
    """Line `y` (from 0) of the message, wrapped, under one blank line."""
    mark, role = _LOOKS[why]
    text = ["", *wrap(f"{mark} {sentence}", max(10, width - 4), subsequent_indent="  ")]
    shown = f"  {text[y]}" if y < len(text) else ""
    return Strip([Segment(shown, roles["text"] + roles[role])]).adjust_cell_length(width, roles["text"])
