"""Mail in tickets made readable: HTML to text, and the quoted replies and signatures folded away."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_SKIPPED = frozenset({"script", "style", "head", "title", "template", "noscript"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_PARAGRAPHS = _HEADINGS | {"p"}
_SECTIONS = frozenset(
    {"address", "article", "aside", "div", "footer", "form", "header", "main", "nav", "section"}
)
_LISTS = frozenset({"dd", "dl", "dt", "li", "ol", "ul"})
_TABLES = frozenset({"table", "tbody", "tfoot", "thead", "tr"})
_BLOCKS = _PARAGRAPHS | _SECTIONS | _LISTS | _TABLES | {"blockquote", "center", "hr", "pre"}
_CELLS = frozenset({"td", "th"})
MAX_QUOTE_DEPTH = 20
LONGEST = 400
"""Characters of a line that are looked at for a mail program's phrases."""

SIGNATURE_LINES = 20


_DECLARATION = re.compile(r"<!--.*?(?:-->|\Z)|<[!?][^>]*(?:>|\Z)", re.DOTALL)
_UNCLOSED = re.compile(r"<(?=[^<>]*(?:<|\Z))")


def html_to_text(html: str) -> str:
    """The text of an HTML mail, by lines: quotes behind `> `, list items behind `- `, links as
    `text (address)` where the two differ. Takes any input in time that grows with its length, and
    gives text that is still the vendor's: it goes through `clean` like all the rest.
    """
    # html.parser raises on broken declarations, and takes quadratic time over unclosed comments and
    # tags. The tag in a declaration's place keeps what stood around it from joining into another.
    html = _UNCLOSED.sub("&lt;", _DECLARATION.sub("<wbr>", html))
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text()


@dataclass(slots=True)
class _Link:
    address: str
    text: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._line: list[str] = []
        self._quotes = 0
        self._skipped = 0
        self._preformatted = 0
        self._link: _Link | None = None

    def text(self) -> str:
        """All that was read, with at most one empty line in a row."""
        self._end_link()
        self._break()
        kept: list[str] = []
        for line in self._lines:
            if line.strip("> ") or (kept and kept[-1].strip("> ")):
                kept.append(line)
        return "\n".join(kept).strip("\n")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SKIPPED:
            self._skipped += 1
        elif tag == "body":
            # A mail that never closes its head still shows its body.
            self._skipped = 0
        elif tag == "br":
            self._break(always=True)
        elif tag in _BLOCKS:
            self._break(gap=tag in _PARAGRAPHS)
            self._quotes += tag == "blockquote"
            self._preformatted += tag == "pre"
            if tag == "li":
                self._line.append("- ")
        elif tag in _CELLS and self._line:
            self._line.append("  ")
        elif tag == "a":
            self._end_link()
            self._link = _Link(dict(attrs).get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SKIPPED:
            # Mail has end tags without a start: below 0 the next real one would count for nothing.
            self._skipped = max(0, self._skipped - 1)
        elif tag in _BLOCKS:
            self._break(gap=tag in _PARAGRAPHS)
            self._quotes = max(0, self._quotes - (tag == "blockquote"))
            self._preformatted = max(0, self._preformatted - (tag == "pre"))
        elif tag == "a":
            self._end_link()

    def handle_data(self, data: str) -> None:
        if self._skipped:
            return
        if self._preformatted:
            first, *rest = data.split("\n")
            self._line.append(first)
            for line in rest:
                self._break(always=True)
                self._line.append(line)
        else:
            self._line.append(re.sub(r"\s+", " ", data))
        if self._link:
            self._link.text.append(data)

    def _end_link(self) -> None:
        link, self._link = self._link, None
        # Other schemes (javascript, file, data) are nothing that a person should open.
        if link is None or not link.address.startswith(("http:", "https:", "mailto:")):
            return
        shown = "".join(link.text).strip()
        if shown.rstrip("/") not in (link.address.rstrip("/"), link.address.removeprefix("mailto:")):
            self._line.append(f" ({link.address})" if shown else link.address)

    def _break(self, *, always: bool = False, gap: bool = False) -> None:
        text = "".join(self._line)
        text = text.rstrip() if self._preformatted else re.sub(r" {3,}", "  ", text).strip()
        self._line = []
        # Capped, or nested quotes would make text that grows with the square of the input.
        prefix = "> " * min(self._quotes, MAX_QUOTE_DEPTH)
        if text or always:
            self._lines.append((prefix + text).rstrip())
        if gap:
            self._lines.append(prefix.rstrip())


@dataclass(frozen=True, slots=True)
class Folded:
    """A body in three parts: what is new, what it quotes, and the signature or disclaimer."""

    shown: str
    quoted: str | None = None
    signature: str | None = None


# Bounded repeats over lines cut to LONGEST: no mail can make these backtrack for long.
_REPLY = re.compile(
    r"(?:On\b.{4,200}\bwrote|Am\b.{4,200}\bschrieb\b.{0,120}|Le\b.{4,200}\ba écrit"
    r"|El\b.{4,200}\bescribió)[ \xa0]?:\s*$"
)
_REPLY_START = re.compile(r"(?:On|Am|Le|El) [^\d]{0,60}\d")
_ORIGINAL = re.compile(
    r"-{2,} ?(?:Original Message|Forwarded message|Ursprüngliche Nachricht|Message d'origine"
    r"|Message transféré|Mensaje original|Mensaje reenviado) ?-{2,}\s*$",
    re.IGNORECASE,
)
_OUTLOOK_FROM = re.compile(r"\*?(?:From|Von|De|Desde) ?:\*? ?\S")
_OUTLOOK_NEXT = re.compile(
    r"\*?(?:Sent|Date|To|Cc|Subject|Gesendet|Datum|An|Betreff|Envoyé|À|Objet|Enviado(?: el)?|Fecha"
    r"|Para|Asunto) ?:"
)
_SIGNATURE = re.compile(
    r"(?:-- ?|_{10,}|Sent from my .{1,60}|Get Outlook for .{1,60}|Von meinem .{1,40} gesendet"
    r"|Envoyé de mon .{1,60}|Enviado desde mi .{1,60})\s*$"
)


def fold(body: str) -> Folded:
    """Cuts the quoted replies and the signature off a body.

    All of it is shown where nothing else would be left, and quotes stay where answers stand between
    them.
    """
    lines = body.split("\n")
    end, attributions = _scan(lines)
    marks = [at in attributions or line.startswith(">") for at, line in enumerate(lines[:end])]
    if _runs(lines, marks) > 1:
        marks = [False] * end
    kept = [line for line, quoted in zip(lines, marks, strict=False) if not quoted]
    quoted = [line for line, cut in zip(lines, marks, strict=False) if cut] + lines[end:]
    start = _signature_start(kept)
    shown, signature = kept[:start], kept[start:]
    if not _joined(shown):
        shown, signature = kept, []
    if not _joined(shown):
        return Folded(body.strip("\n"))
    return Folded(_joined(shown) or "", _joined(quoted), _joined(signature))


def _scan(lines: list[str]) -> tuple[int, set[int]]:
    """Where a quoted mail begins that runs to the end, and the lines above that only announce marked
    quotes."""
    attributions: set[int] = set()
    for at, line in enumerate(lines):
        following = lines[at + 1] if at + 1 < len(lines) else ""
        if _ORIGINAL.match(line[:LONGEST]):
            return at, attributions
        # "From:" alone may be the writer's own; a second header below makes it a mail's head.
        if _OUTLOOK_FROM.match(line) and _OUTLOOK_NEXT.match(following):
            return (at - 1 if at and _is_rule(lines[at - 1]) else at), attributions
        taken = _attribution(line[:LONGEST], following[:LONGEST])
        if taken and not _marked_next(lines, at + taken):
            return at, attributions
        attributions |= set(range(at, at + taken))
    return len(lines), attributions


def _attribution(line: str, following: str) -> int:
    """How many lines say who wrote what comes next: 0, 1, or 2 where a mail program wrapped it."""
    # Without a date near its start, "On ... wrote:" may be a plain sentence.
    if not _REPLY_START.match(line):
        return 0
    if _REPLY.match(line):
        return 1
    return 2 if _REPLY.match(f"{line} {following}") else 0


def _marked_next(lines: list[str], at: int) -> bool:
    """Whether a quote marked by > follows, at most one empty line further."""
    return any(line.startswith(">") for line in lines[at : at + 2])


def _runs(lines: list[str], marks: list[bool]) -> int:
    """How many quotes there are with text between them."""
    said = [quoted for line, quoted in zip(lines, marks, strict=False) if line.strip()]
    return sum(quoted and not before for before, quoted in zip([False, *said], said, strict=False))


def _signature_start(lines: list[str]) -> int:
    """The first line of the signature; a longer rest than that is no signature but the text itself."""
    first = max(0, len(lines) - SIGNATURE_LINES)
    return next((at for at in range(first, len(lines)) if _SIGNATURE.match(lines[at][:LONGEST])), len(lines))


def _is_rule(line: str) -> bool:
    return len(line) >= 5 and not line.strip("_- ")


def _joined(lines: list[str]) -> str | None:
    return "\n".join(lines).strip("\n ") or None
