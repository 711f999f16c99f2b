"""Help, made from the command and action tables: every key, the filter language, the marks."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from mspterm.console.commands import KeyMap, sections
from mspterm.console.line_view import BLANK, Span, TextLine, line, wrap

KEY_WIDTH = 14
MARKS = (
    ("!", "past its due time"), ("~", "due within half an hour"), ("*", "marked"), ("<", "the client has replied"),
    ("+", "changed since you looked"), ("^", "a write of yours is on its way, or waits in the outbox"),
    ("e", "an escalation is proposed: W says why, e takes it up"),
)  # fmt: skip
FILTER = (
    ("words", "anywhere in the row; all words must be there"),
    ("client:oak", "client, contact, device, queue, tier, type, ref, status: holds the text"),
    ("p:1,2", "priority 1 or 2"),
    ("owner:me", "mine; owner:none nobody's; owner:tom somebody's"),
    ("on:customer", "what a waiting ticket waits for"),
    ("is:new", "is: new, mine, unassigned, breached, replied, waiting, pending, fire, escalate"),
    ("due:<1h", "due within the hour; age:>2d older than two days; updated:<30m"),
    ("!status:open", "! negates any of these"),
    ('"a:b c"', "quotes keep spaces, commas and colons"),
)


def help_lines(keys: KeyMap, why_not: Sequence[tuple[str, str]], width: int) -> list[TextLine]:
    """All of the help. `why_not`: action titles that can't be done here, each with its reason."""
    lines: list[TextLine] = []
    for title, rows in sections(keys):
        lines += _part(title, [(k, text) for k, _, text in rows], width)
    if why_not:
        lines += _part("Not possible here", why_not, width)
    lines += _part("The filter", FILTER, width)
    lines += _part("Marks in the list", MARKS, width)
    lines += [
        BLANK,
        line(" Keys can be changed in the config's [keys]; the names are in docs/keys.md.", "muted"),
    ]
    return lines


def _part(title: str, rows: Sequence[tuple[str, str]], width: int) -> list[TextLine]:
    lines = [BLANK, line(f" {title}", "p2")]
    for key, text in rows:
        first, *rest = wrap(text, width - KEY_WIDTH - 3)
        lines.append(TextLine((Span(f"  {_padded(key)} ", "link"), Span(first))))
        lines += [line(" " * (KEY_WIDTH + 3) + row) for row in rest]
    return lines


def _padded(key: str) -> str:
    # By cells: a key may be remapped to a character that is two wide.
    return key + " " * max(0, KEY_WIDTH - cell_len(key))
