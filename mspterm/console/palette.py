"""Pick one of many by typing a part of its name: the command palette, and a ticket's devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from mspterm.console.commands import COMMANDS, KeyMap, Where, shown
from mspterm.console.key_bar import Unavailable
from mspterm.console.quiet import QuietModal
from mspterm.desk.actions import ACTIONS
from mspterm.domain.folding import fold


@dataclass(frozen=True, slots=True)
class Choice:
    """`value` is given back; `note` stands behind the title; `barred` says why it can't be chosen."""

    value: str
    title: str
    note: str = ""
    barred: str | None = None

    @property
    def text(self) -> str:
        return f"{self.title}  {self.barred or self.note}"


class Palette(QuietModal[str | None]):
    """All words typed must be in a choice; Enter takes the first, arrows choose another."""

    DEFAULT_CSS = """
    Palette { align: center top; }
    Palette > Vertical { width: 90%; max-width: 90; height: auto; max-height: 90%; margin-top: 2;
                         background: $surface; border: round $primary; }
    Palette Input { height: 1; border: none; padding: 0 1; }
    Palette OptionList { height: auto; max-height: 16; border: none; background: $surface;
                         text-wrap: nowrap; text-overflow: ellipsis; }
    Palette:ansi OptionList > .option-list--option-highlighted {
        background: ansi_blue; color: ansi_white; text-style: bold underline;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Back", show=False, id="dialog.cancel"),
        # With priority: the focus stays in the input, so that letters go on narrowing.
        Binding("down", "move('cursor_down')", "Next", show=False, priority=True, id="field.next"),
        Binding("up", "move('cursor_up')", "Previous", show=False, priority=True, id="field.previous"),
    ]

    def __init__(self, title: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._title = title
        self._choices = choices

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Input(placeholder=self._title, compact=True)
            # Device names are the RMM's: a bracket in one is no markup.
            yield OptionList(markup=False, compact=True)

    def on_mount(self) -> None:
        self._fill("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._fill(event.value)

    def _fill(self, text: str) -> None:
        words = fold(text).split()
        found = [c for c in self._choices if all(w in fold(c.text) for w in words)]
        found.sort(key=lambda c: not fold(c.title).startswith(fold(text)))
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(
            [Option(Content(c.text), id=c.value, disabled=c.barred is not None) for c in found]
        )
        # The first that can be chosen, so that Enter right behind the words never takes a barred one.
        options.action_first()

    def action_move(self, way: str) -> None:
        getattr(self.query_one(OptionList), f"action_{way}")()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        options = self.query_one(OptionList)
        if options.highlighted is not None:
            self.dismiss(options.get_option_at_index(options.highlighted).id)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)


def commands(keys: KeyMap, unavailable: Unavailable) -> list[Choice]:
    """Every action and command; the list's own motions need no palette."""
    choices = [
        Choice(f"app.act('{s.name}')", s.title, _note(keys, s.name, s.help), unavailable(s)) for s in ACTIONS
    ]
    # Not those of panes: they act on what is in the pane, which the palette covers.
    named = (c for c in COMMANDS if c.where in (Where.QUEUE, Where.ANYWHERE))
    return choices + [Choice(c.does, c.title, _note(keys, c.name, c.help)) for c in named]


def _note(keys: KeyMap, name: str, text: str) -> str:
    return f"({' '.join(shown(k) for k in keys[name])})  {text}"
