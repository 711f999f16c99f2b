"""A form made of an action's parameters: one dialog for one unit of work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from mspterm.console.commands import key_of
from mspterm.console.dialogs.fields import DateField, Field, MinutesField, Offer, PickField, Wrong
from mspterm.console.dialogs.frame import Dialog
from mspterm.console.drafts import Drafts
from mspterm.console.editor import edit
from mspterm.domain.action import Audience
from mspterm.domain.planning import PUBLIC
from mspterm.domain.reasons import Failed
from mspterm.domain.spec import Param, Values

Offers = Mapping[str, Offer]

_CHROME, _NOTE = 6, 2
"""Rows of title, readers, problem and buttons; and of the note where there is one."""
KEEP_S = 2.0
"""A text is on disk this long after it was typed: a killed process loses no more."""
_LEAST_TEXT, _MOST_TEXT = 3, 16


@dataclass(frozen=True, slots=True)
class Form:
    """What a form shows and asks. `readers` names who will read a text of an audience, `audience`
    the one of an action that has no choice. `text` stands in the text field at first; `template`:
    it was made by us and isn't worth keeping as it is. `draft`: action and refs under which a text
    is kept that isn't sent. `later` asks the servers for what may be chosen. `check`: a sentence
    about what is wrong with all of it; `follow` is told the parameter that was changed and its value."""

    title: str
    params: tuple[Param, ...]
    offers: Offers
    now: datetime
    state_dir: Path
    intro: tuple[str, ...] = ()
    audience: Audience | None = None
    readers: Callable[[Audience], str] | None = None
    draft: tuple[str, tuple[str, ...]] | None = None
    later: Callable[[], Awaitable[Offers]] | None = None
    text: str = ""
    template: bool = False
    problem: str = ""
    check: Callable[[Values], str | None] = lambda values: None
    follow: Callable[[str, str], Followed | None] | None = None


@dataclass(frozen=True, slots=True)
class Followed:
    """What the choice made in one field means for the others: their offers, and a line to read."""

    offers: Offers
    note: str = ""


class Words(TextArea):
    """The text of an update: Tab leaves it, as in every other field."""

    DEFAULT_CSS = "Words { background: $panel; padding: 0 1; } Words:focus { background: $background; }"


class FormDialog(Dialog[Values]):
    """Ends with what was filled in by parameter name, or None."""

    LETTERS_COUNT = True

    DEFAULT_CSS = """
    FormDialog #form { height: auto; }
    FormDialog .intro { color: $role-muted; height: auto; }
    FormDialog #readers { height: auto; max-height: 2; }
    FormDialog #note { height: auto; max-height: 2; }
    FormDialog #readers.-public { color: $role-warning; text-style: bold; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+e", "editor", "Editor", priority=True, id="dialog.editor"),
    ]

    def __init__(self, form: Form) -> None:
        super().__init__(form.title, form.problem)
        self._form = form
        self._drafts = Drafts(form.state_dir)
        # What was typed last, apart from the widget: at the unmount that is gone already.
        self._written = form.text
        self._sent = False
        self._keeping: Timer | None = None

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(id="form", can_focus=False):
            for row in self._form.intro:
                yield Static(Content(row), classes="intro")
            for param in self._form.params:
                yield self._words(param) if param.kind == "text" else self._field(param)
        if self._form.follow is not None:
            yield Static(id="note", markup=False)
        yield Static(id="readers", markup=False)

    def _words(self, param: Param) -> TextArea:
        placeholder = Content(f"{param.label}{' (needed)' if param.required else ''}")
        area = Words(self._form.text, compact=True, placeholder=placeholder, id=f"field-{param.name}")
        area.cursor_blink = False
        return area

    def _field(self, param: Param) -> Field:
        offer = self._form.offers.get(param.name, Offer())
        if param.kind == "minutes":
            return MinutesField(param.name, param.label, offer, required=param.required)
        if param.kind == "date":
            return DateField(param.name, param.label, offer, self._form.now, required=param.required)
        if param.kind == "line" and not offer.options and not offer.free:
            plain = Field(param.name, param.label, offer, required=param.required)
            plain.add_class("-wide")
            return plain
        return PickField(param.name, param.label, offer, required=param.required)

    def hint(self) -> str:
        texts = any(p.kind == "text" for p in self._form.params)
        return "Tab: next field" + (f", {key_of(self.app, 'editor')}: $EDITOR" if texts else "")

    def on_mount(self) -> None:
        self._size_words(self.app.size.height)
        self._say_readers()
        # What is filled in already has consequences for the others, too.
        for name in (n for n, offer in self._form.offers.items() if offer.preset and self._form.follow):
            self._followed(name)
        if self._form.later is not None:
            self.run_worker(self._ask_choices(), exclusive=True)

    async def _ask_choices(self) -> None:
        assert self._form.later is not None
        self._offer(await self._form.later())

    def _offer(self, offers: Offers) -> None:
        for name, offer in offers.items():
            for found in self.query(f"#field-{name}").results(Field):
                found.offers(offer)

    def start(self) -> Widget:
        usable = (f for f in self._entries() if isinstance(f, TextArea) or f.usable)
        first = next(usable, None)
        return super().start() if first is None else _entry(first)

    def _entries(self) -> list[Field | TextArea]:
        found = (self.query_one(f"#field-{p.name}") for p in self._form.params)
        return [f for f in found if isinstance(f, Field | TextArea)]

    def on_resize(self, event: Resize) -> None:
        self._size_words(event.size.height)

    def _size_words(self, height: int) -> None:
        """The text gets what the other rows leave; where that isn't enough, the fields scroll."""
        room = height - _CHROME - (_NOTE if self._form.follow else 0)
        self.query_one("#form").styles.max_height = max(3, room)
        rows = len(self._form.params) - 1 + len(self._form.intro)
        for area in self.query(Words):
            area.styles.height = max(_LEAST_TEXT, min(_MOST_TEXT, room - rows))

    # Who reads it

    def on_field_changed(self, event: Field.Changed) -> None:
        self.say_problem("")
        if event.name == "audience":
            self._say_readers()
        if self._form.follow is not None:
            self._followed(event.name)

    def _followed(self, name: str) -> None:
        assert self._form.follow is not None
        field = self.query_one(f"#field-{name}", Field)
        try:
            value = field.read()
        # Half a word is no choice yet; the note stays that of the last one.
        except Wrong:
            return
        found = self._form.follow(name, str(value or ""))
        if found is None:
            return
        self._offer(found.offers)
        self.query_one("#note", Static).update(Content(found.note))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in a field goes on to the next, as Tab does."""
        event.stop()
        # Never sends: an Enter too many in the last field would.
        self.focus_next()

    def _audience(self) -> Audience:
        fields = self.query("#field-audience").results(PickField)
        chosen = next((f.read() for f in fields), None)
        return Audience(str(chosen)) if chosen else self._form.audience or Audience.INTERNAL

    def _say_readers(self) -> None:
        line = self.query_one("#readers", Static)
        line.display = self._form.readers is not None and bool(self.query(Words))
        if self._form.readers is None:
            return
        try:
            audience = self._audience()
        except Wrong:
            line.update(Content("Read by: choose who reads it"))
            return
        line.set_class(audience in PUBLIC, "-public")
        line.update(Content(f"The text is {self._form.readers(audience)}"))

    # The end

    def action_editor(self) -> None:
        for area in self.query(Words):
            try:
                area.text = edit(self.app, area.text, self._form.state_dir)
            except Failed as error:
                self.say_problem(error.failure.sentence)

    def action_send(self) -> None:
        values: dict[str, object] = {}
        for entry in self._entries():
            try:
                values[self._param_name(entry)] = self._value(entry)
            except Wrong as error:
                self.say_problem(str(error))
                self.set_focus(_entry(entry))
                return
        # Both have a preset, so they say nothing about whether anything is to be done.
        said = [n for n, v in values.items() if v and n not in ("audience", "mail")]
        problem = self._form.check(values) if said else "Nothing is filled in yet."
        if problem:
            self.say_problem(problem)
            return
        # Before the dismissal: the unmount would keep as a draft what is being sent.
        self._sent = True
        self.dismiss(values)

    def _param_name(self, entry: Field | TextArea) -> str:
        return (entry.id or "").removeprefix("field-")

    def _value(self, entry: Field | TextArea) -> object:
        if isinstance(entry, Field):
            return entry.read() if entry.usable else None
        text = entry.text.strip("\n")
        if text.strip():
            return text
        param = next(p for p in self._form.params if p.kind == "text")
        if param.required:
            raise Wrong(f"{param.label} is needed.")
        return None

    def action_cancel(self) -> None:
        if self._keep():
            self.notify("Your text is kept and stands here again next time.", markup=False)
        self.dismiss(None)

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        changed = event.text_area.text != self._written
        self._written = event.text_area.text
        # Not put off by each key: who types without a pause is kept as well.
        if changed and self._keeping is None:
            self._keeping = self.set_timer(KEEP_S, self._keep_typed)

    def _keep_typed(self) -> None:
        self._keeping = None
        if not self._sent:
            self._keep()

    def on_unmount(self) -> None:
        """The console may end under an open form: a lost line or a signal must not lose the text."""
        if not self._sent:
            self._keep()

    def _keep(self) -> bool:
        """Whether there was a text to keep, and it is kept."""
        text, form = self._written, self._form
        if form.draft is None:
            return False
        try:
            # A text that was deleted must not come back, and an untouched template is nobody's words.
            if not text.strip() or (form.template and text == form.text):
                self._drafts.drop(*form.draft)
                return False
            self._drafts.keep(*form.draft, text)
        except OSError as error:
            self.notify(f"Your text can't be kept: {error.strerror}.", severity="error", markup=False)
            return False
        return True


def _entry(field: Field | TextArea) -> Widget:
    """The part of it that takes keys."""
    return field.query_one(Input) if isinstance(field, Field) else field
