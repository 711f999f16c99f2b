"""A long text in the person's own editor."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from textual.app import App

from mspterm.console.editor import edit, editor_command
from mspterm.domain.reasons import Failed
from tests.console.console_desk import secrets as secrets

_SCRIPT = """
import os, stat, sys
path = sys.argv[-1]
before = open(path, encoding="utf-8").read()
mode = stat.S_IMODE(os.stat(path).st_mode)
open(path, "w", encoding="utf-8").write(f"{before.strip()} edited, mode {mode:o}\\n")
sys.exit(int(os.environ.get("EDITOR_ENDS", "0")))
"""


@pytest.fixture
def editor(tmp_path: Path) -> list[str]:
    script = tmp_path / "an editor.py"
    script.write_text(_SCRIPT)
    return [sys.executable, str(script)]


@pytest.mark.usefixtures("secrets")
async def test_gives_back_what_was_edited_and_leaves_no_file(tmp_path: Path, editor: list[str]) -> None:
    """In an environment with secrets: the canary sees to it that the editor's has none."""
    app: App[None] = App()
    async with app.run_test():
        found = edit(app, "Ünïcode text", tmp_path / "state", command=editor)
    assert found == "Ünïcode text edited, mode 600"
    assert list((tmp_path / "state").iterdir()) == []


async def test_an_editor_that_fails_leaves_no_file_and_says_so(
    tmp_path: Path, editor: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR_ENDS", "3")
    app: App[None] = App()
    async with app.run_test():
        with pytest.raises(Failed, match="status 3"):
            edit(app, "text", tmp_path / "state", command=editor)
        with pytest.raises(Failed, match="can't be run"):
            edit(app, "text", tmp_path / "state", command=[str(tmp_path / "not-there")])
    assert list((tmp_path / "state").iterdir()) == []


def test_the_command_is_a_list_of_words_visual_first() -> None:
    assert editor_command({"EDITOR": "nano -w", "VISUAL": "code --wait 'a b'"}) == ["code", "--wait", "a b"]
    assert editor_command({"EDITOR": "nano -w", "VISUAL": " "}) == ["nano", "-w"]


def test_a_variable_that_cannot_be_split_is_named() -> None:
    with pytest.raises(Failed, match="EDITOR"):
        editor_command({"EDITOR": "vim 'oops"})
