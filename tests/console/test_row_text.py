"""A row as cells: columns by width, clocks by text and colour, wide characters, no markup."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from bench.made_up import row
from mspterm.console.columns import layout_for
from mspterm.console.row_text import changes_in, clock_cell, fit, line_for, render
from mspterm.console.theme import load_theme
from mspterm.domain.row import ClockState, StatusClass
from mspterm.domain.text import SafeText, clean

NOW = 1_790_000_000.0
ROLES = load_theme("dark").roles


def text(width: int = 120, **changes: object) -> str:
    ticket = replace(row(1, NOW), **changes)  # type: ignore[arg-type]
    return render(ticket, line_for(ticket, NOW), layout_for(width, 1), ROLES).text


@pytest.mark.parametrize("width", [60, 76, 80, 120, 179, 180, 200])
def test_the_summary_gets_what_is_left_and_the_clock_is_leftmost(width: int) -> None:
    layout = layout_for(width)
    columns = layout.columns
    assert columns[0].name == "clock"
    assert layout.needed == width
    assert next(c.width for c in columns if c.name == "summary") >= 20


def test_a_list_too_narrow_for_its_columns_is_cut_not_wrapped() -> None:
    assert cell_len(text(30)) == 30


@pytest.mark.parametrize(
    ("due_in", "state", "shown", "role"),
    [
        (7200, ClockState.RUNNING, "2h00", "ok"),
        (1500, ClockState.RUNNING, "~25m", "warning"),
        (240, ClockState.RUNNING, "~4:00", "warning"),
        (-720, ClockState.RUNNING, "!-12m", "breach"),
        (-720, ClockState.BREACHED, "!-12m", "breach"),
        (7200, ClockState.PAUSED, "paused", "muted"),
        (7200, ClockState.MET, "", "muted"),
    ],
)
def test_a_clock_says_by_text_what_its_colour_says(
    due_in: float, state: ClockState, shown: str, role: str
) -> None:
    assert clock_cell(replace(row(1, NOW, due_in=due_in), due_state=state), NOW) == (shown, role)


def test_a_ticket_without_a_clock_shows_none_and_ticks_by_its_age_alone() -> None:
    ticket = replace(row(1, NOW), due=None, due_state=ClockState.NONE, updated_at=NOW - 90)
    assert clock_cell(ticket, NOW) == ("", "muted")
    assert changes_in(ticket, layout_for(80), NOW) is None
    assert changes_in(ticket, layout_for(120), NOW) == 30


def test_a_clock_turns_to_its_warning_at_the_instant_not_at_the_next_minute() -> None:
    ticket = row(1, NOW, due_in=1800.5)
    assert changes_in(ticket, layout_for(80), NOW) == pytest.approx(0.5)


def test_waiting_says_on_whom() -> None:
    assert "wait cust" in text(status_class=StatusClass.WAITING, waiting_on="customer")
    assert "waiting" in text(status_class=StatusClass.WAITING, waiting_on=None)


def test_marks_stand_for_reply_and_for_a_write_that_waits() -> None:
    assert text(customer_replied_at=NOW, pending=2)[14:18] == " < ^"


def test_nobody_owns_it_is_said() -> None:
    assert " - " in text(assignee=None)


def test_markup_is_shown_as_it_is() -> None:
    assert "srv[/b] [@click=app.quit]x[/]" in text(summary=SafeText("srv[/b] [@click=app.quit]x[/]"))


@pytest.mark.parametrize("role", ["cursor", "cursor-idle"])
def test_the_cursor_line_has_one_background_and_a_breach_stays_bold(role: str) -> None:
    ticket = row(1, NOW, due_in=-60)
    strip = render(ticket, line_for(ticket, NOW, cursor=role), layout_for(120), ROLES)
    assert {segment.style.bgcolor for segment in strip if segment.style} == {ROLES[role].bgcolor}
    first = next(iter(strip)).style
    assert first is not None
    assert first.bold


@given(st.text(), st.integers(1, 40))
def test_a_cell_is_as_wide_as_its_column(value: str, width: int) -> None:
    assert cell_len(fit(clean(value), width)) == width


@pytest.mark.parametrize("value", ["日本語のチケット", "e\u0301te\u0301", "👩‍🚒 fire", "नमस्ते"])
def test_wide_and_combining_characters_line_up(value: str) -> None:
    for width in range(1, 20):
        assert cell_len(fit(value, width)) == width
