"""One row of a form each: a label, an input, and what may be put in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.events import DescendantBlur, DescendantFocus
from textual.message import Message
from textual.widgets import Input, Static

from mspterm.console.commands import key_of
from mspterm.domain.when import WhenError, parse_minutes, parse_when


class Wrong(Exception):
    """What is in a field can't be sent."""


@dataclass(frozen=True, slots=True)
class Option:
    """One choice: `value` is what is sent, `label` what a person reads and types."""

    value: str
    label: str


def options(values: Sequence[str]) -> tuple[Option, ...]:
    return tuple(Option(v, v) for v in values)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a field offers: `now` is the present value in words, `preset` what stands in it at first.
    `free`: words that are no option are allowed. `unable`: why it can't be used at all."""

    options: tuple[Option, ...] = ()
    now: str | None = None
    preset: str = ""
    free: bool = False
    unable: str | None = None


class Field(Horizontal):
    """A labelled input of one row. `read` gives its value, None where it is empty, or raises Wrong."""

    DEFAULT_CSS = """
    Field { height: auto; width: 100%; }
    Field .label { width: 17; color: $role-muted; }
    Field Input { width: 24; height: 1; background: $panel; }
    Field Input:focus { background: $role-cursor-background; color: $role-cursor; }
    Field:ansi Input { text-style: underline; }
    Field:ansi Input:focus { text-style: bold underline; }
    Field.-wide Input { width: 1fr; }
    Field.-wide .beside { display: none; }
    Field .unable { width: 1fr; color: $role-muted; height: auto; }
    Field .beside { width: 1fr; margin-left: 1; color: $role-muted; height: 1;
                    text-wrap: nowrap; text-overflow: ellipsis; }
    """

    class Changed(Message):
        """What is in the field is another now."""

        def __init__(self, name: str) -> None:
            self.name = name
            super().__init__()

    def __init__(self, name: str, label: str, offer: Offer, *, required: bool = False) -> None:
        super().__init__(id=f"field-{name}")
        self.param = name
        self.label = label
        self.offer = offer
        self.required = required
        self._last = offer.preset

    def compose(self) -> ComposeResult:
        yield Static(Content(f"{self.label}{' *' if self.required else ''}"), classes="label")
        if self.offer.unable is not None:
            yield Static(Content(f"not here: {self.offer.unable}"), classes="unable")
            return
        entry = Input(self.offer.preset, compact=True, select_on_focus=True)
        # A blinking cursor is two repaints a second on the wire, for nothing.
        entry.cursor_blink = False
        yield entry
        yield Static(Content(self.beside()), classes="beside")

    def offers(self, offer: Offer) -> None:
        """What may be put in it is known better now. Only a field with choices has use for that."""

    @property
    def usable(self) -> bool:
        return self.offer.unable is None

    @property
    def text(self) -> str:
        # Asked for before the form stands, too: the preset is what the input will hold.
        return self.query_one(Input).value.strip() if self.usable and self.is_mounted else self.offer.preset

    def beside(self) -> str:
        """What stands right of the input while it isn't being filled in."""
        return f"now: {self.offer.now}" if self.offer.now else ""

    def say_beside(self, content: Content) -> None:
        # Of fixed size: laying out the screen anew would send all of it.
        self.query_one(".beside", Static).update(content, layout=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._say_changed(event.value)

    def _say_changed(self, value: str) -> None:
        # An input tells of its first value too, which nobody typed.
        if value != self._last:
            self._last = value
            self.post_message(self.Changed(self.param))

    def read(self) -> object:
        text = self.text
        if not text:
            if self.required:
                raise Wrong(f"{self.label} is needed.")
            return None
        return self.parse(text)

    def parse(self, text: str) -> object:
        return text


class MinutesField(Field):
    """Minutes worked."""

    def beside(self) -> str:
        return "minutes, or 1h30"

    def parse(self, text: str) -> object:
        found = parse_minutes(text)
        if isinstance(found, WhenError):
            raise Wrong(found.sentence)
        return found


class DateField(Field):
    """An instant; what was understood stands beside it at once."""

    def __init__(self, name: str, label: str, offer: Offer, now: datetime, *, required: bool = False) -> None:
        super().__init__(name, label, offer, required=required)
        self._now = now

    def beside(self) -> str:
        if not self.text:
            return f"{super().beside()}{'; ' if self.offer.now else ''}tomorrow 9:00, fri, +2h"
        try:
            at = self.parse(self.text)
        except Wrong as error:
            return str(error)
        assert isinstance(at, datetime)
        return f"{at.astimezone():%a %d %b %Y %H:%M} here"

    def on_input_changed(self, event: Input.Changed) -> None:
        self.say_beside(Content(self.beside()))

    def parse(self, text: str) -> object:
        found = parse_when(text, self._now)
        if isinstance(found, WhenError):
            raise Wrong(found.sentence)
        return found


@dataclass(slots=True)
class _Picking:
    """Where the arrows are in the matches of what was typed."""

    typed: str = ""
    at: int | None = None
    matches: tuple[Option, ...] = field(default=())


class PickField(Field):
    """One of several: typing filters, the arrows choose, what will be sent is marked with `>`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "pick(1)", "Next choice", show=False, id="field.next"),
        Binding("up", "pick(-1)", "Previous choice", show=False, id="field.previous"),
    ]

    def __init__(self, name: str, label: str, offer: Offer, *, required: bool = False) -> None:
        super().__init__(name, label, offer, required=required)
        self._picking = _Picking(offer.preset, None, self._matching(offer.preset))

    def offers(self, offer: Offer) -> None:
        """The server has answered: these are the choices."""
        self.offer = offer
        # The server may answer before the form has its inputs, or when they are gone again.
        if not self.usable or not self.is_mounted or not self.query(Input):
            return
        self._picking.matches = self._matching(self._picking.typed)
        self._show()

    def _matching(self, typed: str) -> tuple[Option, ...]:
        """Options that hold every word, those that begin with what was typed first."""
        folded = typed.casefold().strip()
        words = folded.split()
        found = [o for o in self.offer.options if all(w in o.label.casefold() for w in words)]
        return tuple(sorted(found, key=lambda o: not o.label.casefold().startswith(folded)))

    def _chosen(self) -> Option | None:
        text = self.text.casefold()
        if not text:
            return None
        # Exact before the best match: "new" must not become "new, waiting".
        exact = [o for o in self.offer.options if text in (o.label.casefold(), o.value.casefold())]
        # Where words of one's own are allowed, a part of an option is no choice of that option.
        if exact or self.offer.free:
            return exact[0] if exact else None
        matches = self._matching(text)
        return matches[0] if matches else None

    def action_pick(self, step: int) -> None:
        picking = self._picking
        if not picking.matches:
            return
        # The first Down takes the first match, the first Up the last.
        start = -1 if picking.at is None and step > 0 else picking.at or 0
        picking.at = (start + step) % len(picking.matches)
        entry = self.query_one(Input)
        # As if typed it would narrow the matches to this one, and the arrows could go no further.
        with entry.prevent(Input.Changed):
            entry.value = picking.matches[picking.at].label
        entry.cursor_position = len(entry.value)
        self._show()
        self._say_changed(entry.value)

    def on_input_changed(self, event: Input.Changed) -> None:
        typed = event.value.strip()
        self._picking = _Picking(typed, None, self._matching(typed))
        self._show()

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        self._show()

    def on_descendant_blur(self, event: DescendantBlur) -> None:
        """Left: what will be sent stands there in full."""
        chosen = self._chosen()
        entry = self.query_one(Input)
        if chosen is not None and entry.value != chosen.label:
            with entry.prevent(Input.Changed):
                entry.value = chosen.label
        # Coming back, the arrows start from all options again.
        self._picking = _Picking(self.text, None, self._matching(""))
        self.say_beside(Content(self.beside()))

    def beside(self) -> str:
        try:
            self.read()
        except Wrong as error:
            return str(error) if self.text else super().beside()
        return super().beside()

    def _show(self) -> None:
        """The choices on one line: narrow enough for a phone call, no box that hides the form."""
        if self.query_one(Input).has_focus:
            self.say_beside(self._choices())

    def _choices(self) -> Content:
        chosen, matches = self._chosen(), self._picking.matches
        if not matches:
            nothing = (
                "as typed" if self.offer.free else f"none like this; there are {len(self.offer.options)}"
            )
            return Content(nothing if self.offer.options else "no choices are known; type it in full")
        at = next((i for i, o in enumerate(matches) if o == chosen), 0)
        # Three before the chosen one stay in sight, the rest is counted.
        first = max(0, at - 2)
        shown = [f">{o.label}" if o == chosen else o.label for o in matches[first : first + 8]]
        more = len(matches) - first - len(shown)
        typed = f"as typed, or {key_of(self.app, 'next_choice')}: " if chosen is None and self.text else ""
        before = "… " if first else typed
        return Content(before + "  ".join(shown) + (f"  +{more}" if more > 0 else ""))

    def parse(self, text: str) -> object:
        chosen = self._chosen()
        if chosen is not None:
            return chosen.value
        # With no choices known the server judges; that it is away must not stop a write that can wait.
        if self.offer.free or not self.offer.options:
            return text
        raise Wrong(
            f"{self.label}: nothing is called {text}; {key_of(self.app, 'next_choice')} shows what there is."
        )
