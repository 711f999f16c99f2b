"""Vendor text made safe to show: the one function that every string from an API passes.

Textual writes ESC, C1 controls, bidi and zero-width characters raw to the terminal, and a ticket's
title could set the clipboard that way (security.md 2.2). What `clean` returns can be shown as it is.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NewType

SafeText = NewType("SafeText", str)
"""Text that went through `clean`. Only mapping code at a connector's boundary makes it."""

MARKS_IN_A_ROW = 8
"""Longest run of combining marks that is kept; no writing system stacks more."""

_SEQUENCE = re.compile(
    r"(?:\x1b\]|\x9d)(?:[^\n]*?(?:\x07|\x1b\\|\x9c)|[^\n]*)"  # OSC, ended by BEL or ST
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])(?:[^\n]*?(?:\x1b\\|\x9c)|[^\n]*)"  # DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*(?:[@-~]|[^\n]*)"  # CSI
    r"|\x1b[ -/]+(?:[0-~]|[^\n]*)"  # nF
    r"|\x1b[0-~]"  # two bytes
)
# A cheap first look: every combining mark lies beyond this, so shorter runs hold no stack of them.
_MAYBE_MARKS = re.compile(rf"[^\x00-\u02ff]{{{MARKS_IN_A_ROW + 1},}}")
_ZWNJ, _ZWJ, _EMOJI_STYLE = "\u200c", "\u200d", "\ufe0f"
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Unassigned in our tables, but invisible to a terminal whose tables are newer.
_UNASSIGNED_IGNORABLE = ((0x2060, 0x206F), (0xFFF0, 0xFFFB), (0xE0000, 0xE0FFF))
# Blocks whose words or emoji need joiners; coarse, as `_joins` asks for letters and marks besides.
_ARABIC = ((0x0600, 0x06FF), (0x0750, 0x077F), (0x0870, 0x08FF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFC))
_INDIC = ((0x0900, 0x0DFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0xA8E0, 0xA8FF))
_EMOJI = ((0x2190, 0x21FF), (0x2300, 0x23FF), (0x2600, 0x27BF), (0x2B00, 0x2BFF), (0x1F000, 0x1FAFF))

Ranges = tuple[tuple[int, int], ...]


def clean(value: str, *, multiline: bool = False, limit: int = 20_000) -> SafeText:
    """The text with nothing left in it that a terminal obeys or that hides from the reader.

    Whole escape sequences are removed first, 7-bit and 8-bit, an unterminated one up to the end of
    its line. What control characters are left, tab included, become visible (`␉`, `<U+0085>`), and
    so do bidi controls, zero-width characters, surrogates and line separators (`<U+202E>`); joiners
    stay inside emoji, Indic and Arabic words. Every kind of line end becomes a line feed, which
    `multiline` keeps and a single line shows as `␊`. The result is NFC, at most `limit` characters
    (not bytes or columns; at least 1) with `…` where it was cut, and `clean` leaves it as it is.
    """
    # Most texts end here; the whole way takes some 20 us a string (security.md 2.2).
    if len(value) <= limit and value.isascii() and _printable(value, multiline):
        return SafeText(value)
    text = value
    if not _printable(text, multiline):
        # Before sequences, which end at \n at the latest.
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        # Before single characters: with ESC made visible, what it introduced would stay as text.
        text = _SEQUENCE.sub("", text)
    # Joiners are judged by their neighbours, so these must be in their final order by then.
    text = unicodedata.normalize("NFC", text)
    text = _MAYBE_MARKS.sub(_cap_marks, text)
    if not _printable(text, multiline):
        text = ("\n" if multiline else "␊").join(_visible_line(line) for line in text.split("\n"))
        # The ">" that closes a tag composes with a solidus overlay after it.
        text = unicodedata.normalize("NFC", text)
    return SafeText(text if len(text) <= limit else _cut(text, limit))


def _printable(value: str, multiline: bool) -> bool:
    return value.isprintable() or (multiline and value.replace("\n", "").isprintable())


def _visible_line(line: str) -> str:
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else _visible(line, i) for i, c in enumerate(line))


def _visible(line: str, at: int) -> str:
    char = line[at]
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if char in (_ZWNJ, _ZWJ) and _joins(line, at):
        return char
    category = unicodedata.category(char)
    if category in _UNSAFE or (category == "Cn" and _within(code, _UNASSIGNED_IGNORABLE)):
        return f"<U+{code:04X}>"
    return char


def _joins(line: str, at: int) -> bool:
    """Whether the joiner at `at` stands inside one word of a script that needs it, or one emoji."""
    before, after = line[max(0, at - 2) : at], line[at + 1 : at + 2]
    if not before or not after:
        return False
    if _in_word(before[-1], _ARABIC):
        return _in_word(after, _ARABIC)
    if _in_word(before[-1], _INDIC):
        return _in_word(after, _INDIC)
    base = before[:1] if before[-1] == _EMOJI_STYLE else before[-1]
    return line[at] == _ZWJ and _within(ord(base), _EMOJI) and _within(ord(after), _EMOJI)


def _in_word(char: str, script: Ranges) -> bool:
    return _within(ord(char), script) and unicodedata.category(char)[0] in "LM"


def _within(code: int, ranges: Ranges) -> bool:
    return any(first <= code <= last for first, last in ranges)


def _is_mark(char: str) -> bool:
    return unicodedata.category(char)[0] == "M"


def _cap_marks(match: re.Match[str]) -> str:
    """Cuts each run of combining marks that is too long, and shows `…` where it did."""
    kept: list[str] = []
    run = 0
    for char in match.group():
        run = run + 1 if _is_mark(char) else 0
        if run <= MARKS_IN_A_ROW:
            kept.append(char)
        elif run == MARKS_IN_A_ROW + 1:
            kept.append("…")
    return "".join(kept)


def _cut(text: str, limit: int) -> str:
    """The start of `text`, ended before a letter whose marks would be lost and without a joiner."""
    end = limit - 1
    while end > 0 and _is_mark(text[end]):
        end -= 1
    return text[:end].rstrip(_ZWNJ + _ZWJ) + "…"
