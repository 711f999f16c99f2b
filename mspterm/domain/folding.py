"""Text as it is compared: without case and accents."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# Letters that Unicode doesn't decompose, but that people type without their stroke.
_STROKES = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d"})


@lru_cache(maxsize=16_384)
def fold(text: str) -> str:
    """`text` without case and accents: "Müller-ŁÓDŹ" is "muller-lodz"."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text)
    bare = "".join(c for c in parts if not unicodedata.combining(c))
    # Case first: the strokes are listed in lower case only.
    return bare.casefold().translate(_STROKES)
