"""The output gate: nothing of category Cc, Cf, Cs, Zl or Zp, no link and no click action gets out."""

from __future__ import annotations

import sys
import unicodedata

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from mspterm.console.line_filter import OutputGate

BLACK = Color(0, 0, 0)
_JOINERS = "\u200c\u200d"


def through(text: str, style: Style | None = None, *, no_color: bool = False) -> Segment:
    [segment] = OutputGate(no_color=no_color).apply([Segment(text, style)], BLACK)
    return segment


def test_no_forbidden_character_gets_through_and_widths_stay() -> None:
    for point in range(sys.maxunicode + 1):
        character = chr(point)
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and character not in _JOINERS:
            passed = through(f"a{character}b").text
            assert character not in passed, hex(point)
            assert cell_len(passed) == cell_len(f"a{character}b"), hex(point)


def test_what_is_allowed_stays() -> None:
    for text in ("plain", "日本語", "👩\u200d🚒", "क्\u200dष", "é", "", "[/b]"):
        assert through(text).text == text


def test_a_link_and_a_click_action_are_dropped_and_the_rest_of_the_style_kept() -> None:
    style = Style(
        color="red", bold=True, link="https://evil.example/", meta={"@click": "app.quit", "option": 3}
    )
    passed = through("x", style).style
    assert passed is not None
    assert passed.link is None
    assert passed.meta == {"option": 3}
    assert passed.bold
    assert passed.color == style.color


def test_an_innocent_style_is_passed_as_it_is() -> None:
    style = Style(color="red", meta={"row": 1})
    assert through("x", style).style is style


def test_no_color_keeps_attributes_only() -> None:
    style = Style.parse("bold reverse red on blue") + Style(meta={"row": 1})
    passed = through("x", style, no_color=True).style
    assert passed is not None
    assert passed.color is None
    assert passed.bgcolor is None
    assert passed.bold
    assert passed.reverse
    assert passed.meta == {"row": 1}
