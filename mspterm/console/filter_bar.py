"""The second line: the filter, which narrows while it is typed, the sort, the marks, what is new."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.events import Key
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from mspterm.console.bar import Bar, Run, cut
from mspterm.domain.filter import Filter, FilterError, parse
from mspterm.domain.row import TicketRow

FIELDS = (
    'client: p: owner: status: queue: tier: contact: device: due:<1h age:>2d is:new  !not  a,b  "as text"'
)


class FilterBar(Horizontal):
    """Enter keeps the filter, Escape drops it."""

    DEFAULT_CSS = """
    FilterBar { height: 1; }
    FilterBar > Input { display: none; height: 1; border: none; padding: 0; width: 1fr; }
    FilterBar > Input:focus { border: none; }
    FilterBar > #slash { display: none; width: 2; }
    FilterBar.typing > Input, FilterBar.typing > #slash { display: block; }
    FilterBar.typing > #facts { display: none; }
    """

    class Changed(Message):
        """Another filter; or, where `error` is set, the text isn't one yet and the last one holds."""

        def __init__(self, filter_: Filter[TicketRow], error: FilterError | None) -> None:
            self.filter = filter_
            self.error = error
            super().__init__()

    class Left(Message):
        """Typing has ended."""

    def __init__(self, text: str = "") -> None:
        """`text`: the filter that holds at first; one that is none is dropped."""
        super().__init__(id="filter")
        parsed = parse(text)
        self._filter: Filter[TicketRow] = Filter((), ()) if isinstance(parsed, FilterError) else parsed
        self._came_from: Widget | None = None

    def compose(self) -> ComposeResult:
        yield Bar("muted", id="facts")
        slash = Bar("link", id="slash")
        slash.say([("/ ", "link")])
        yield slash
        yield Input(str(self._filter), compact=True, select_on_focus=False, id="text")

    @property
    def filter(self) -> Filter[TicketRow]:
        return self._filter

    @property
    def typing(self) -> bool:
        return self.has_class("typing")

    def edit(self) -> None:
        """Begin to type, at the end of what is there."""
        self.add_class("typing")
        self._came_from = self.screen.focused
        # At once and not by `focus()`, which comes later: the letters behind the key are for the input.
        self.screen.set_focus(self.query_one(Input))

    def clear(self) -> None:
        """No filter."""
        self.query_one(Input).value = ""
        self._take("")

    def facts(self, runs: Iterable[Run]) -> None:
        """What stands here while nobody types."""
        line = self.query_one("#facts", Bar)
        line.say(cut(list(runs), max(10, self.size.width)))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._take(event.value)

    def _take(self, text: str) -> None:
        parsed = parse(text)
        error = parsed if isinstance(parsed, FilterError) else None
        # Half a filter keeps the last whole one: the list must not flash empty at each letter.
        before, self._filter = self._filter, self._filter if isinstance(parsed, FilterError) else parsed
        # The input tells of its first value and of a reset, too; those change nothing.
        if error or self.typing or before != self._filter:
            self.post_message(self.Changed(self._filter, error))

    def on_key(self, event: Key) -> None:
        # Stopped here: as bindings Escape would undo another step, and Down move the cursor, too.
        if event.key in ("escape", "down", "enter") and self.typing:
            event.stop()
            event.prevent_default()
            if event.key == "escape":
                self.clear()
            self.leave()

    def leave(self) -> None:
        """End typing; what is no filter is dropped, what was one before stays."""
        self.remove_class("typing")
        self.query_one(Input).value = str(self._filter)
        # At once: the keys that come behind are for the list.
        self.screen.set_focus(self._came_from)
        self.post_message(self.Left())


def facts(
    filter_: Filter[TicketRow],
    sort: str,
    shown: int,
    of: int,
    marked: tuple[int, int],
    new: int,
    folded: int = 0,
) -> Sequence[Run]:
    """The second line's words: what narrows the list, and what is marked."""
    narrowed = bool(filter_.terms)
    runs: list[Run] = [(f" {shown} of {of} " if narrowed else f" {shown} tickets ", "text")]
    if narrowed:
        runs.append((f" / {filter_} ", "warning"))
    if folded:
        runs.append((f" [+] {folded} folded ", "muted"))
    if marked[0]:
        # Said because actions go to all marked ones, those that the filter hides among them.
        hidden = f", {marked[1]} of them hidden" if marked[1] else ""
        runs.append((f" * {marked[0]} marked{hidden} ", "new"))
    if new:
        runs.append((f" + {new} new ", "new"))
    runs.append((f" by {'due and priority' if sort == 'default' else sort} ", "muted"))
    return runs
