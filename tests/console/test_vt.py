"""What a hostile device writes becomes cells, and nothing else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mspterm.console.vt import APPLICATION_KEYS, BRACKETED_PASTE, Vt

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def drawn(data: bytes, size: tuple[int, int] = (40, 4)) -> list[str]:
    vt = Vt(*size)
    vt.feed(data)
    return vt.text()


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"a\x1b]52;c;Y3VybA==\x07b", "ab"),
        (b"a\x1b]2;title\x1b\\b", "ab"),
        (b"a\x1bPtmux;\x1b\\b", "ab"),
        (b"a\x1b_apc\x1b\\b", "ab"),
        (b"a\x1b[>4;2mb", "ab"),
        (b"a\x1b[?2026$pb", "ab"),
        (b"a\x1b[<u\x1b[=1ub", "ab"),
        (b"a\x1b[38:2::1:2:3mb", "ab"),
        (b"a\x1b[6n\x1b[c\x1b[>cb", "ab"),
        (b"a\x1b[?5mb", "ab"),
        (b"a\x1b#8\x1b%Gb", "ab"),
        ("a\x9b2Jb\x9d0;x\x9cc".encode(), "a2Jb0;xc"),
        ("a\u202eb\u200dc\u200bd".encode(), "abcd"),
        (b"a\xff\xfeb", "a\ufffd\ufffdb"),
        ("日本x".encode(), "日本x"),
        (b"one\r\x1b[Ktwo\x1b[2Dx", "txo"),
    ],
)
def test_only_text_is_drawn(data: bytes, line: str) -> None:
    assert drawn(data)[0] == line
    bytewise = Vt(40, 4)
    for at in range(len(data)):
        bytewise.feed(data[at : at + 1])
    assert bytewise.text()[0] == line


def test_an_endless_string_is_dropped_and_takes_no_memory() -> None:
    vt = Vt(40, 4)
    vt.feed(b"a\x1b]0;")
    for _ in range(100):
        vt.feed(b"x" * 1000)
    assert len(vt._held) < 5_000
    vt.feed(b"\x07b")
    assert vt.text()[0] == "ab"


def test_numbers_beyond_all_bounds_cost_nothing() -> None:
    assert drawn(b"\x1b[999999999999@\x1b[99999999L\x1b[99999999;99999999Hx")[3].endswith("x")


def test_rows_that_changed_are_told() -> None:
    vt = Vt(40, 10)
    vt.feed(b"")
    assert vt.feed(b"hello") == {0}
    assert vt.feed(b"\x1b[5;1Hx") == {0, 4}


def test_colours_and_the_cursor_are_styles() -> None:
    vt = Vt(20, 2)
    vt.feed(b"\x1b[1;31mred\x1b[0;93my\x1b[38;5;208mo\x1b[0m.")
    found = [(s.text, str(s.style)) for s in vt.row(0, cursor=True)]
    assert found[:3] == [("red", "bold red"), ("y", "bright_yellow"), ("o", "#ff8700")]
    assert (found[4][0], "reverse" in found[4][1]) == (" ", True)
    vt.feed(b"\x1b[?25l")
    assert not any("reverse" in str(s.style) for s in vt.row(0, cursor=True))


def test_modes_that_keys_and_pastes_depend_on() -> None:
    vt = Vt(20, 2)
    vt.feed(b"\x1b[?1h\x1b[?2004h")
    assert vt.has(APPLICATION_KEYS)
    assert vt.has(BRACKETED_PASTE)


def test_what_has_scrolled_away_can_be_paged_to() -> None:
    vt = Vt(20, 4)
    vt.feed(b"".join(b"line %d\r\n" % n for n in range(20)))
    assert "line 19" in vt.text()
    vt.page(-1)
    assert "line 15" in vt.text()
    vt.page(1)
    assert "line 19" in vt.text()


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(st.binary(), st.text().map(str.encode), st.sampled_from([b"\x1b[", b"\x1b]", b"\x1bP"]))
    )
)
def test_whatever_comes_only_plain_cells_go_out(chunks: list[bytes]) -> None:
    vt = Vt(30, 5)
    for chunk in chunks:
        vt.feed(chunk)
    for y in range(5):
        for segment in vt.row(y, cursor=True):
            assert not _UNSAFE.search(segment.text)
            assert segment.style is None or segment.style.link is None


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_text_after_anything_that_has_ended_is_drawn(data: bytes) -> None:
    vt = Vt(30, 5)
    vt.feed(data + b"\xff\x18\x1b\\\x07\x1bc")
    vt.feed(b"\x1b[1;1Hhello")
    assert vt.text()[0].startswith("hello")
