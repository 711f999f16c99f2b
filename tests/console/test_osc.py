"""Sequences of our own: what a terminal, GNU screen and tmux make of them."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mspterm.console.clipboard import copy
from mspterm.console.osc import LONGEST, osc9, osc52
from mspterm.domain.reasons import Failed

TEXT = "#42 Drucker im Büro 日本\nhttps://rt.example/Ticket/Display.html?id=42"


def taken(sequence: str) -> str:
    """What a terminal puts on its clipboard."""
    found = re.fullmatch("\x1b]52;c;([A-Za-z0-9+/=]*)\x07", sequence)
    assert found
    return base64.b64decode(found[1]).decode()


def test_the_terminal_gets_exactly_the_text() -> None:
    assert taken(osc52(TEXT, {})) == TEXT
    assert "\x07" not in osc52("\x1b]52;c;cHduZWQ=\x07", {})[:-1]


def test_the_longest_text_is_sent_and_a_longer_one_refused() -> None:
    longest = "x" * (LONGEST // 4 * 3)
    assert taken(osc52(longest, {})) == longest
    with pytest.raises(Failed, match="takes 56 KB"):
        osc52(longest + "xxxx", {})


def test_gnu_screen_passes_it_on_in_pieces() -> None:
    sent = osc52(TEXT * 20, {"STY": "1.pts-1"})
    pieces = re.findall(r"\x1bP(.*?)\x1b\\", sent, re.DOTALL)
    assert taken("".join(pieces)) == TEXT * 20
    assert "".join(f"\x1bP{piece}\x1b\\" for piece in pieces) == sent
    assert max(map(len, pieces)) + 4 <= 256


@pytest.mark.parametrize(("term", "sent"), [("xterm-256color", True), ("linux", False), ("vt100", False)])
def test_a_notification_goes_where_it_is_not_printed(term: str, sent: bool) -> None:
    assert osc9("mspterm: 2 on fire", {"TERM": term}) == ("\x1b]9;mspterm: 2 on fire\x07" if sent else "")


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a program inside a tmux of its own."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    socket = tmp_path / "tmux"
    run = ["tmux", "-S", str(socket), "-f", "/dev/null"]
    subprocess.run([*run, "new-session", "-d", "sleep 60"], check=True, env={**os.environ, "TMUX": ""})
    try:
        yield {"TMUX": f"{socket},1,0", "PATH": os.environ["PATH"]}
    finally:
        subprocess.run([*run, "kill-server"], check=True)


async def test_tmux_takes_the_text_and_sends_it_itself(tmux: dict[str, str]) -> None:
    written: list[str] = []
    assert await copy(TEXT, written.append, tmux) == "tmux's buffer and the terminal's clipboard"
    assert written == []
    socket = tmux["TMUX"].partition(",")[0]
    shown = await asyncio.create_subprocess_exec(
        "tmux", "-S", socket, "show-buffer", stdout=asyncio.subprocess.PIPE
    )
    assert (await shown.communicate())[0].decode() == TEXT


async def test_a_tmux_that_is_gone_leaves_it_to_the_terminal(tmp_path: Path) -> None:
    written: list[str] = []
    gone = {"TMUX": f"{tmp_path}/gone,1,0", "PATH": os.environ["PATH"]}
    assert await copy(TEXT, written.append, gone) == "the terminal's clipboard"
    assert [taken(sequence) for sequence in written] == [TEXT]
