"""The two sequences of the console's own beside its title: the clipboard at a key, and a notification."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping

from mspterm.domain.reasons import Reason, failed

LONGEST = 74_994
"""Characters of base64; xterm drops a longer string whole (reference/terminal.md 1b, k9s)."""
_SCREEN_PIECE = 252
"""What GNU screen passes on in one piece is at most 256 characters, its marks included."""
_PRINTS_IT = ("linux", "vt", "ansi", "cygwin")
"""Terminals, by the beginning of TERM, that may show an unknown OSC as text."""


def osc52(text: str, env: Mapping[str, str] = os.environ) -> str:
    """The sequence that sets the clipboard. Raises Failed where the text is too long for it."""
    coded = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    if len(coded) > LONGEST:
        kept = LONGEST * 3 // 4 // 1000
        raise failed(
            Reason.REFUSED, f"The text is too long for a terminal's clipboard, which takes {kept} KB."
        )
    return _through(f"\x1b]52;c;{coded}\x07", env)


def osc9(text: str, env: Mapping[str, str] = os.environ) -> str:
    """The sequence that shows a notification; empty on a terminal that would print it."""
    if env.get("TERM", "").startswith(_PRINTS_IT):
        return ""
    return _through(f"\x1b]9;{text}\x07", env)


def _through(sequence: str, env: Mapping[str, str]) -> str:
    """In the envelope that GNU screen passes on. tmux has none that works as it comes."""
    if not env.get("STY"):
        return sequence
    pieces = (sequence[at : at + _SCREEN_PIECE] for at in range(0, len(sequence), _SCREEN_PIECE))
    return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
