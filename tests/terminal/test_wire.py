"""What goes over the wire, in a pty: DESIGN 6's byte budgets, no colour under NO_COLOR, no mouse, and
no sequence that a text brought."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal.pty_harness import Terminal, environment

ROOT = Path(__file__).resolve().parents[2]
_SGR = re.compile(rb"\x1b\[([0-9;]*)m")


def open_queue(count: int = 200, size: tuple[int, int] = (200, 50), **env: str) -> Terminal:
    terminal = Terminal(
        [sys.executable, "-m", "bench.floor_app", "queue", str(count)],
        size=size,
        env=environment(**env),
        cwd=str(ROOT),
    )
    terminal.wait_for("VPN drops")
    terminal.settle()
    return terminal


@pytest.fixture(scope="module")
def queue() -> Iterator[Terminal]:
    with open_queue() as terminal:
        yield terminal


def test_a_changed_row_costs_a_kilobyte_at_most(queue: Terminal) -> None:
    assert 0 < queue.cost("1") <= 1024
    assert "v2 (#21)" in queue.text()


def test_a_moved_cursor_costs_a_kilobyte_and_a_half_at_most(queue: Terminal) -> None:
    assert 0 < queue.cost("\x1b[B") <= 1536


def test_holding_down_past_the_edge_costs_a_few_kilobytes_a_press(queue: Terminal) -> None:
    queue.cost("\x1b[H")
    before = len(queue.sent)
    for _ in range(60):
        queue.send("\x1b[B")
        queue.read(0.2)
    queue.settle()
    assert len(queue.sent) - before <= 60 * 3 * 1024
    queue.cost("\x1b[H")


@pytest.mark.slow
def test_a_minute_of_forty_clocks_costs_six_kilobytes_at_most(queue: Terminal) -> None:
    total = sum(queue.cost("s", quiet=0.1) for _ in range(60))
    assert 0 < total <= 6 * 1024


def test_standing_still_costs_nothing(queue: Terminal) -> None:
    assert queue.settle(quiet=1.0) == 0


def test_the_mouse_is_never_asked_for(queue: Terminal) -> None:
    assert not re.search(rb"\x1b\[\?(1000|1002|1003|1006|1015|1016)h", bytes(queue.sent))


def _codes(terminal: Terminal) -> set[int]:
    return {int(code) for found in _SGR.findall(bytes(terminal.sent)) for code in found.split(b";") if code}


def test_an_empty_no_color_is_no_wish() -> None:
    with open_queue(NO_COLOR="") as terminal:
        assert 38 in _codes(terminal)


def test_hostile_text_in_a_raw_widget_brings_no_sequence_of_its_own() -> None:
    with open_queue() as terminal:
        terminal.cost("h")
        terminal.wait_for("gpj.exe")
        sent = bytes(terminal.sent)
        for sequence in (b"\x1b]52", b"\x1b]0;pwned", b"\x1b]8", "\x9b".encode(), "\u202e".encode()):
            assert sequence not in sent
        assert "[/b][@click=app.quit]x[/]" in terminal.text()
        assert not terminal.ended()
