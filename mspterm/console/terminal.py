"""What this terminal can do, decided before Textual is imported: theme, colour, mouse, or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass

from mspterm.domain.reasons import Failed, Reason, failed

LEAST_SIZE = (40, 8)
# Terminals that show 16 colours at most; Textual quantises to them but our own palette reads better.
_SIXTEEN = ("linux", "screen", "ansi", "xterm", "rxvt", "cygwin", "xterm-16color")
# Terminals whose terminfo has no colour at all.
_MONOCHROME = ("vt100", "vt102", "vt220", "vt320", "vt420")


@dataclass(frozen=True, slots=True)
class Terminal:
    """`theme` is what to use when the config names none; `theme_fixed` that nothing else is readable."""

    theme: str
    theme_fixed: bool
    no_color: bool
    mouse: bool


def survey(environ: Mapping[str, str], *, ttys: bool, size: tuple[int, int], mouse: bool = False) -> Terminal:
    """Look at the environment, whether stdin, stdout and stderr are terminals, and columns and rows.

    The mouse is off unless asked for: reporting it takes the terminal's own selection and paste away.
    Raises Failed where a console can't be shown, with the command to use instead.
    """
    # First: of what is no terminal neither TERM nor a size means anything.
    if not ttys:
        raise _unfit("The console needs a terminal, and input or output is redirected")
    if environ.get("TERM", "dumb") in ("dumb", "unknown", "") and not _windows(environ):
        raise _unfit(f"The console can't be drawn on TERM={environ.get('TERM') or 'unset'}")
    if size[0] < LEAST_SIZE[0] or size[1] < LEAST_SIZE[1]:
        least, here = (f"{columns}x{rows}" for columns, rows in (LEAST_SIZE, size))
        raise _unfit(f"The console needs {least} cells and this terminal has {here}")
    # COLORTERM is what a terminal says of itself; TERM is often only what works everywhere.
    term = "" if environ.get("COLORTERM") else environ.get("TERM", "")
    no_color = bool(environ.get("NO_COLOR")) or term in _MONOCHROME
    sixteen = term in _SIXTEEN
    return Terminal(
        theme="ansi16" if no_color or sixteen else _shade(environ),
        theme_fixed=no_color or sixteen,
        no_color=no_color,
        mouse=mouse,
    )


def survey_here(*, mouse: bool = False) -> Terminal:
    """`survey` of this process's own terminal. Textual reads stdin and draws on stderr."""
    # The process's own, which no wrapper or test has replaced, as Textual takes them.
    streams = (sys.__stdin__, sys.__stdout__, sys.__stderr__)
    ttys = all(stream is not None and stream.isatty() for stream in streams)
    size = os.get_terminal_size(sys.__stderr__.fileno()) if ttys and sys.__stderr__ else (0, 0)
    # A serial line may not know its size; Textual then takes 80x25.
    known = (size[0], size[1]) if size[0] and size[1] else (80, 25)
    return survey(os.environ, ttys=ttys, size=known, mouse=mouse)


def title(environ: Mapping[str, str] = os.environ) -> str:
    """What sets the window's title; empty on the Linux console, which has none."""
    return "" if environ.get("TERM") == "linux" else "\x1b]0;mspterm\x07"


def prepare(environ: MutableMapping[str, str]) -> None:
    """Set what Textual reads from the environment when it is imported: no animation, since each step
    of one is a repaint on the wire."""
    environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    if environ.get("NO_COLOR") == "":
        # Empty means unset (no-color.org); Textual would turn everything grey.
        del environ["NO_COLOR"]


def _shade(environ: Mapping[str, str]) -> str:
    """Light where the terminal says so in COLORFGBG (rxvt, Konsole: `0;15`), else dark."""
    background = environ.get("COLORFGBG", "").rpartition(";")[2]
    return "light" if background in ("7", "15") else "dark"


def _windows(environ: Mapping[str, str]) -> bool:
    return "TERM" not in environ and sys.platform == "win32"


def _unfit(what: str) -> Failed:
    return failed(Reason.REFUSED, f"{what}; use the plain commands, such as `mspterm tickets`.")
