"""Vendor text: what goes, what is made visible, what stays."""

from __future__ import annotations

import random
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mspterm.domain.text import MARKS_IN_A_ROW, clean

ESC = "\x1b"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
HEART_ON_FIRE = "\u2764\ufe0f\u200d\U0001f525"
WORKER = "\U0001f477\U0001f3fd\u200d\u2640\ufe0f"
PERSIAN = "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
HINDI = "\u0915\u094d\u200d\u0937"

PIECES = (
    [chr(n) for n in range(0xA0)]
    + [chr(n) for n in (0x061C, *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070))]
    + [
        "\ufeff",
        "\ufff9",
        "\ufffb",
        "\U000e0001",
        "\U000e0041",
        "\U000e007f",
        "\U000e0002",
        "\ud800",
        "\udfff",
    ]
    + [f"{ESC}[", f"{ESC}]52;c;ZXZpbA==", f"{ESC}]0;t\x07", f"{ESC}Ptmux;{ESC}{ESC}]52;c;x\x07{ESC}\\"]
    + [
        f"{ESC}_Gi=1",
        f"{ESC}^pm",
        f"{ESC}Xsos",
        f"{ESC}\\",
        f"{ESC}(",
        f"{ESC}c",
        "\x9b31m",
        "\x9d2;t\x9c",
        "\r\n",
    ]
    + [
        "[/b]",
        "[@click=app.pwn]x[/]",
        "1;31m",
        "a",
        "Z",
        " ",
        "é",
        "e\u0301",
        "\u0301" * 3,
        "\u0338",
        ">",
        "中",
    ]
    + [
        FAMILY,
        HEART_ON_FIRE,
        WORKER,
        PERSIAN,
        HINDI,
        "\u0646",
        "\u0915",
        "\u064b\u0301",
        "\u1100",
        "\u1161",
        "\u2126",
    ]
    + ["\ue000", "\u0378", "\ufe0f", "\U0001f600", "…"]
)


def problem(text: str, *, multiline: bool) -> str | None:
    """The first thing in `text` that must not be there, described."""
    for at, char in enumerate(text):
        category = unicodedata.category(char)
        if char in "\u200c\u200d":
            around = text[max(0, at - 2) : at] + text[at + 1 : at + 2]
            if not 2 <= len(around) <= 3 or around.isascii() or not _joinable(text[at - 1], text[at + 1]):
                return f"joiner at {at}"
        elif category in ("Cf", "Cs", "Zl", "Zp") or (category == "Cc" and not (multiline and char == "\n")):
            return f"{char!a} at {at}"
    return None if unicodedata.is_normalized("NFC", text) else "not NFC"


def _joinable(before: str, after: str) -> bool:
    def group(char: str) -> str:
        name = unicodedata.name(char, "")
        if name.startswith("ARABIC"):
            return "arabic"
        if name.startswith("DEVANAGARI"):
            return "indic"
        return "emoji" if unicodedata.category(char) in ("So", "Sk") or char == "\ufe0f" else ""

    return group(before) == group(after) != ""


def test_200_000_hostile_strings_leave_nothing_a_terminal_obeys() -> None:
    rng = random.Random(2026)
    for number in range(200_000):
        hostile = "".join(rng.choices(PIECES, k=rng.randint(1, 12)))
        multiline = number % 2 == 0
        safe = clean(hostile, multiline=multiline)
        if not safe.isprintable() or number % 50 == 0:
            assert problem(safe, multiline=multiline) is None, ascii(hostile)
        if number % 4 == 0:
            assert clean(safe, multiline=multiline) == safe, ascii(hostile)


hostile_text = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=30).map("".join)


@settings(max_examples=400)
@given(hostile_text, st.booleans(), st.integers(1, 60))
def test_any_text_is_safe_within_its_limit_and_cleaning_it_again_changes_nothing(
    text: str, multiline: bool, limit: int
) -> None:
    safe = clean(text, multiline=multiline, limit=limit)
    assert problem(safe, multiline=multiline) is None
    assert len(safe) <= limit
    assert clean(safe, multiline=multiline, limit=limit) == safe


@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Cn", "M"]), max_size=80))
def test_text_without_controls_is_kept_but_for_its_normal_form(text: str) -> None:
    assert clean(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("hostile", "safe"),
    [
        (f"host {ESC}]52;c;ZXZpbA=={ESC}\\ 01", "host  01"),
        (f"host {ESC}]52;c;ZXZpbA==\x07 01", "host  01"),
        ("host \x9d52;c;ZXZpbA==\x9c 01", "host  01"),
        (f"{ESC}]8;;https://evil{ESC}\\click{ESC}]8;;{ESC}\\", "click"),
        (f"{ESC}Ptmux;{ESC}{ESC}]52;c;eA==\x07{ESC}\\rest", "rest"),
        ("\x90q\x9crest", "rest"),
        (f"{ESC}_apc{ESC}\\{ESC}^pm{ESC}\\{ESC}Xsos{ESC}\\rest", "rest"),
        ("\x9fapc\x9c\x9epm\x9c\x98sos\x9crest", "rest"),
        (f"{ESC}[1;31mred{ESC}[0m", "red"),
        ("\x9b1;31mred\x9b0m", "red"),
        (f"{ESC}[?2004l{ESC}[>4;2m{ESC}[ q", ""),
        (f"{ESC}(0{ESC}#8{ESC}%Gx", "x"),
        (f"{ESC}c{ESC}7{ESC}=x", "x"),
        (f"a{ESC}", "a␛"),
        (f"a{ESC}é", "a␛é"),
        (f"{ESC}{ESC}[0m[31mx", "␛[31mx"),
    ],
)
def test_escape_sequences_go_whole(hostile: str, safe: str) -> None:
    assert clean(hostile) == safe


@pytest.mark.parametrize(
    "start", [f"{ESC}]0;", "\x9d0;", f"{ESC}P", "\x90", f"{ESC}_", f"{ESC}X", f"{ESC}[1;", "\x9b", f"{ESC}("]
)
def test_an_unterminated_sequence_takes_the_rest_of_its_line_and_no_more(start: str) -> None:
    assert clean(f"a{start}\nb", multiline=True) == "a\nb"
    assert clean(f"a{start}\u00ffrest\r\nb", multiline=True) == "a\nb"


@pytest.mark.parametrize(
    ("hostile", "safe"),
    [
        ("a\tb", "a␉b"),
        ("\x00\x07\x08\x0e\x1a", "␀␇␈␎␚"),
        ("a\x7fb", "a␡b"),
        ("a\x85b\x80", "a<U+0085>b<U+0080>"),
        ("\u202efdp.exe", "<U+202E>fdp.exe"),
        ("a\u200bb\u2060\ufeff", "a<U+200B>b<U+2060><U+FEFF>"),
        ("\u2028\u2029", "<U+2028><U+2029>"),
        ("\U000e0041\U000e0002", "<U+E0041><U+E0002>"),
        ("\ud83d", "<U+D83D>"),
        ("soft\u00adhyphen \u061c", "soft<U+00AD>hyphen <U+061C>"),
        ("\u202e\u0338", "<U+202E\u226f"),
        ("srv[/b] [@click=app.pwn]x[/] C:\\x\\[/]", "srv[/b] [@click=app.pwn]x[/] C:\\x\\[/]"),
        ("\ue000\u0378", "\ue000\u0378"),
    ],
)
def test_what_controls_or_hides_is_made_visible(hostile: str, safe: str) -> None:
    assert clean(hostile) == safe


def test_line_ends_become_line_feeds_which_a_single_line_shows() -> None:
    assert clean("a\r\nb\rc\nd", multiline=True) == "a\nb\nc\nd"
    assert clean("a\r\nb\rc\nd") == "a␊b␊c␊d"
    assert clean("plain\ntext", multiline=True) == "plain\ntext"


@pytest.mark.parametrize("word", [FAMILY, HEART_ON_FIRE, WORKER, PERSIAN, HINDI])
def test_joiners_stay_where_writing_needs_them(word: str) -> None:
    assert clean(f"x {word} y") == f"x {word} y"


@pytest.mark.parametrize(
    "text",
    [
        "pay\u200dpal",
        "\u200d\u0915",
        "\u0915\u200d",
        "\u0646\u200c\u200c\u0646",
        "\U0001f468\u200c\U0001f469",
        "a\ufe0f\u200d\U0001f525",
        "\u0646\u200c\u0915",
        "\u0661\u200c\u0662",
    ],
)
def test_joiners_anywhere_else_are_made_visible(text: str) -> None:
    assert "\u200c" not in clean(text)
    assert "\u200d" not in clean(text)
    assert "<U+200" in clean(text)


def test_stacked_marks_are_cut_to_a_run_that_writing_uses() -> None:
    assert clean("z" + "\u0316" * 40 + "!") == "z" + "\u0316" * MARKS_IN_A_ROW + "…!"


def test_a_cut_is_shown_and_splits_no_letter() -> None:
    assert clean("abcdef", limit=4) == "abc…"
    assert clean("abcd", limit=4) == "abcd"
    assert clean("abz\u0316\u0316", limit=4) == "ab…"
    assert clean(FAMILY, limit=3) == "\U0001f468…"
    assert clean("x" * 30_000) == "x" * 19_999 + "…"


def test_composed_and_decomposed_letters_come_out_alike() -> None:
    assert clean("cafe\u0301") == clean("caf\u00e9") == "caf\u00e9"
