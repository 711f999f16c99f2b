"""What is decided about a terminal before Textual is imported."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

import pytest

from mspterm.console.terminal import Terminal, prepare, survey
from mspterm.domain.reasons import Failed

XTERM = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


def look(
    env: Mapping[str, str] = {},
    *,
    size: tuple[int, int] = (80, 24),
    ttys: bool = True,
    mouse: bool = False,
) -> Terminal:
    return survey({**XTERM, **env}, ttys=ttys, size=size, mouse=mouse)


@pytest.mark.parametrize(
    ("env", "theme", "fixed"),
    [
        ({}, "dark", False),
        ({"COLORFGBG": "0;15"}, "light", False),
        ({"COLORFGBG": "15;0"}, "dark", False),
        ({"NO_COLOR": "1"}, "ansi16", True),
        ({"NO_COLOR": ""}, "dark", False),
        ({"TERM": "linux", "COLORTERM": ""}, "ansi16", True),
        ({"TERM": "vt100", "COLORTERM": ""}, "ansi16", True),
        ({"TERM": "screen", "COLORTERM": "truecolor"}, "dark", False),
    ],
)
def test_the_theme_follows_what_the_terminal_shows(env: dict[str, str], theme: str, fixed: bool) -> None:
    here = look(env)
    assert (here.theme, here.theme_fixed) == (theme, fixed)


def test_the_mouse_is_off_unless_asked_for() -> None:
    assert not look().mouse
    assert look(mouse=True).mouse


@pytest.mark.parametrize(
    ("env", "size", "ttys"),
    [({}, (80, 24), False), ({"TERM": "dumb"}, (80, 24), True), ({}, (39, 24), True), ({}, (80, 7), True)],
)
def test_what_is_no_terminal_is_refused_with_the_command_to_use(
    env: dict[str, str], size: tuple[int, int], ttys: bool
) -> None:
    with pytest.raises(Failed, match="`mspterm tickets`"):
        look(env, size=size, ttys=ttys)


def test_preparing_respects_what_the_user_set_and_drops_an_empty_no_color() -> None:
    environ = {"TEXTUAL_ANIMATIONS": "full", "NO_COLOR": ""}
    prepare(environ)
    assert environ == {"TEXTUAL_ANIMATIONS": "full", "TEXTUAL_SMOOTH_SCROLL": "0"}


def test_deciding_imports_no_textual() -> None:
    code = "import sys, mspterm.console.terminal; print('textual' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
