"""The last gate before the terminal: no control character, link or click action of a text gets out.

Textual sanitises nothing by itself (reference/security.md 2.2). `domain.text.clean` has made vendor
text safe long before; this holds for whatever slipped past it, in any widget.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

# Categories Cc, Cf, Cs, Zl and Zp, without the two joiners: `clean` leaves those only inside emoji,
# Indic and Arabic words, where they belong.
_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)


class OutputGate(LineFilter):
    """Deletes forbidden characters, links and click actions; with `no_color` every colour too.

    Textual's own filter for NO_COLOR sends greys in 24 bits (reference/terminal.md 3d.2).
    """

    def __init__(self, *, no_color: bool = False) -> None:
        super().__init__()
        self._no_color = no_color

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            Segment(_printable(text), style and _plain(style, self._no_color), control)
            for text, style, control in segments
        ]


def _printable(text: str) -> str:
    # Nearly every segment of a frame: no regular expression is run for those.
    if text.isascii() and text.isprintable():
        return text
    # The line was measured with them, so what took a cell (a soft hyphen) leaves a blank.
    return _FORBIDDEN.sub(lambda found: " " * cell_len(found[0]), text)


@lru_cache(4096)
def _plain(style: Style, no_color: bool) -> Style:
    """`style` without its link and its actions (`@click` and the like), which Textual obeys."""
    meta = {key: value for key, value in style.meta.items() if not key.startswith("@")}
    if style.link is None and len(meta) == len(style.meta) and not no_color:
        return style
    bare = Style(
        color=None if no_color else style.color,
        bgcolor=None if no_color else style.bgcolor,
        meta=meta or None,
    )
    return _attributes_only(style) + bare


def _attributes_only(style: Style) -> Style:
    # The link goes here, and the actions with the meta, which `without_color` leaves out.
    return style.without_color.update_link(None)
