"""Help, key bar and docs/keys.md say what the tables say."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.binding import Binding

from mspterm.console import commands
from mspterm.console.help_screen import help_lines
from mspterm.console.queue_list import QueueList
from mspterm.desk.actions import ACTIONS
from tests.console.console_desk import console, filled, screen_text, secrets, session, until

__all__ = ["secrets"]
ROOT = Path(__file__).resolve().parents[2]


def test_docs_keys_is_what_the_tables_give() -> None:
    assert (ROOT / "docs/keys.md").read_text("utf-8") == commands.markdown()


def test_no_two_commands_of_a_screen_share_a_key() -> None:
    keys, problems = commands.key_map({})
    assert not problems
    where = commands.places()
    for name, own in keys.items():
        for other, others in keys.items():
            if name < other and commands._meet(where[name], where[other]):
                assert not set(own) & set(others), (name, other)


def test_list_commands_are_the_lists_own_bindings() -> None:
    bound = {b.id: set(b.key.split(",")) for b in QueueList.BINDINGS if isinstance(b, Binding)}
    listed = {c.id: set(c.keys) for c in commands.COMMANDS if c.where is commands.Where.LIST}
    assert listed == bound


def test_help_names_every_command_action_and_reason() -> None:
    lines = help_lines(commands.default_keys(), [("Reboot", "no RMM is configured")], 80)
    rows = ["".join(span.text for span in line.spans) for line in lines]
    text = "\n".join(rows)
    for title in (*(s.title for s in ACTIONS), *(c.title for c in commands.COMMANDS)):
        assert f"{title}: " in text
    assert "no RMM is configured" in text
    assert all(len(row) <= 80 for row in rows)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ctrl+nope", "ctrl+nope is no key"),
        ("ctrl+c", "ctrl+c is no key"),
        ("5", "5 is no key"),
        ("", "nothing is no key"),
        ("R", "R is refresh's key already; note keeps n."),
    ],
)
def test_key_that_can_not_be_used_is_told(text: str, sentence: str) -> None:
    keys, problems = commands.key_map({"note": text})
    assert keys["note"] == ("n",)
    assert len(problems) == 1
    assert sentence in problems[0]


def test_keys_clash_only_where_both_are_heard() -> None:
    keys, problems = commands.key_map({"leave_terminal": "ctrl+g", "yes": "n", "send": "ctrl+e"})
    assert (keys["leave_terminal"], keys["yes"]) == (("ctrl+g",), ("n",))
    assert problems == ["[keys] send: ctrl+e is editor's key already; send keeps ctrl+g ctrl+s."]
    assert commands.full_name("ctrl+]") == "ctrl+right_square_bracket"


def test_a_pane_leaves_a_key_of_several_to_the_command_that_wants_it() -> None:
    keys, problems = commands.key_map({"note": "f5", "claim": "j", "status": "d"})
    assert (keys["note"], keys["ask"], keys["text_down"]) == (("f5",), ("ctrl+r",), ("down", "j"))
    assert commands.textual_keymap(keys)["ask"] == "ctrl+r"
    assert problems == [
        "[keys] claim: j is down's key already; claim keeps c.",
        "[keys] status: d is device's key already; status keeps s.",
    ]


def test_good_keys_are_taken() -> None:
    keys, problems = commands.key_map({"note": "ctrl+n, f5", "help": "f1", "preview": "?"})
    assert problems == []
    assert keys["note"] == ("ctrl+n", "f5")
    assert commands.textual_keymap(keys)["preview"] == "question_mark"


@pytest.mark.usefixtures("secrets")
async def test_question_mark_opens_the_help(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path), tmp_path)) as (app, pilot):
        await pilot.press("?")
        assert "Claim: Take it: owner, and work begins" in await until(pilot, app, "Claim: Take it")
        await pilot.press("end")
        assert "The filter" not in screen_text(app).splitlines()[0]
        assert "docs/keys.md" in screen_text(app)
