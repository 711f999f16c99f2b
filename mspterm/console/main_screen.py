"""The queue: views, filter, list, preview, and the bars around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.events import Resize
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

from mspterm.console.bar import Bar
from mspterm.console.commands import VIEW_KEYS, Where, bindings
from mspterm.console.filter_bar import FIELDS, FilterBar, facts
from mspterm.console.key_bar import KeyBar, Unavailable
from mspterm.console.nothing import Nothing
from mspterm.console.preview import Divider, Preview
from mspterm.console.queue_list import QueueList
from mspterm.console.quiet import QuietScreen
from mspterm.console.session import Session
from mspterm.console.status_bar import StatusBar
from mspterm.console.tabs import Tabs
from mspterm.console.why_empty import why_empty
from mspterm.domain.row import TicketRow
from mspterm.domain.views import DomainView

LOOK_S = 0.5
"""How often another process's changes are looked for."""
REST_S = 0.4
"""The cursor must rest this long for what depends on its ticket: a held arrow key sends nothing for it."""
TOGETHER_S = 5.0
"""Instants this close together are taken in at once: with 50,000 tickets there are two or three a second."""
FIRST_PAGE = 100
WIDE, HIGH = 170, 36
"""From here on the preview has room beside, or below, the list."""


class MainScreen(QuietScreen[None]):
    """Follows the store by revision and shows one view of it."""

    DEFAULT_CSS = """
    MainScreen { layout: vertical; }
    #body { height: 1fr; layout: vertical; }
    #body > Preview, #body > Divider { display: none; width: 1; }
    #body.below > Preview { display: block; width: 1fr; height: 12; }
    #body.beside { layout: horizontal; }
    #body.beside > Preview { display: block; width: 70; }
    #body.beside > Divider { display: block; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings((Where.QUEUE,)),
        *(Binding(key, f"view({int(key) - 1})", f"View {key}", show=False) for key in VIEW_KEYS),
    ]

    class Opened(Message):
        """A ticket is to be shown whole."""

        def __init__(self, ref: str) -> None:
            self.ref = ref
            super().__init__()

    class MoreOnFire(Message):
        """`count` tickets are on fire, and it were fewer."""

        def __init__(self, count: int) -> None:
            self.count = count
            super().__init__()

    def __init__(self, session: Session, unavailable: Unavailable) -> None:
        super().__init__()
        self._session = session
        self._unavailable = unavailable
        self.view = session.opening_view()
        self.sort = session.left.place.sort if session.left else "default"
        self._as_left = session.left is not None
        self._loaded = False
        self._previewed = True
        self._data_version = 0
        self._instant: Timer | None = None
        self._passed_at = 0.0
        self._rest: Timer | None = None
        self._burning: int | None = None
        # Mounted when first needed: the first frame is quicker by a widget.
        self._typing = Bar("muted", id="typing")
        self._listed: Sequence[TicketRow] = ()
        self._folded = 0
        self._unfolded: set[str] = set()

    def compose(self) -> ComposeResult:
        yield Tabs(self._session.board.views, self.view)
        yield FilterBar(self._session.left.place.filter if self._session.left else "")
        with Container(id="body"):
            yield QueueList(self._session.clock, id="queue")
            yield Divider()
            yield Preview(self._session)
        if not self._session.toured:
            yield self._tour()
        yield StatusBar(self._session)
        yield KeyBar(self._session.keys, (Where.QUEUE, Where.LIST), self._unavailable)

    @property
    def queue(self) -> QueueList:
        return self.query_one(QueueList)

    @property
    def filter_bar(self) -> FilterBar:
        return self.query_one(FilterBar)

    # From the store to the screen

    def on_mount(self) -> None:
        """Paint the first page as it was last known; all else waits until it is on screen."""
        self.set_focus(self.queue)
        if self._session.board.seen_revision is not None:
            self.queue.looked(self._session.board.seen_revision)
        plain = self.view.name == "all" and not self.filter_bar.filter.terms and self.sort == "default"
        page = self._session.store.rows.page(FIRST_PAGE) if plain else []
        self.queue.set_nothing(Nothing.LOADING, "Reading what was last known ...")
        self.queue.set_rows(page)

    def load(self) -> None:
        """Read all rows, and from now on follow the store."""
        from mspterm.domain.order import SORTS

        self.sort = self.sort if self.sort in SORTS else "default"
        self._session.board.load(self._session.store)
        self._data_version = self._session.store.database.changed_elsewhere()
        self._loaded = True
        self.show_rows(anew=False)
        self.set_interval(LOOK_S, self.look)

    def look(self) -> None:
        """See whether another process has changed the store; costs microseconds where none has."""
        version = self._session.store.database.changed_elsewhere()
        if version != self._data_version:
            self._data_version = version
            self.follow()

    def follow(self) -> None:
        """Take in what changed, by whomever."""
        if not self._loaded:
            return
        changed = self._session.board.follow(self._session.store)
        if changed and self._session.storms is not None:
            self._session.storms.look()
        if self._session.looked_first():
            self.queue.looked(self._session.board.revision)
        if changed:
            self.show_rows(anew=False)
        else:
            self._say_nothing()
        self.query_one(StatusBar).look()

    def pass_time(self) -> None:
        """Take in what time alone has moved: the counts, and the list where it holds other rows."""
        self._passed_at = self._session.clock()
        if self._session.board.pass_time():
            self.show_rows(anew=False)
        else:
            self._say_counts()

    def show_rows(self, *, anew: bool) -> None:
        """The view's rows into the list; `anew` for another view, filter or sort."""
        board = self._session.board
        self._listed = board.shown(self.view, self.filter_bar.filter, self.sort)
        self._say_nothing()
        (self.queue.set_rows if anew else self.queue.apply)(self._fold(self._listed))
        self._say_counts()
        self._say_facts()
        self._await_rest()

    def _say_counts(self) -> None:
        self.query_one(Tabs).show(self.view, self._session.board.counts)
        self._wait_for_instant()
        self._ring()

    def _fold(self, rows: Sequence[TicketRow]) -> Sequence[TicketRow]:
        """Each storm as one row; what a filter finds stands alone."""
        watch = self._session.storms
        if watch is None or self.filter_bar.filter.terms:
            self.queue.folds, self._folded = {}, 0
            return rows
        shown, self.queue.folds, self._folded = watch.folding.folded(rows, self._unfolded)
        return shown

    @on(QueueList.Unfolded)
    def _unfold(self, event: QueueList.Unfolded) -> None:
        event.stop()
        self._open_storm(event.ref, event.open)
        self.show_rows(anew=False)

    def _open_storm(self, ref: str, open: bool) -> None:
        storm = self._session.storms.folding.storm_of(ref) if self._session.storms else None
        if storm is not None and open:
            self._unfolded.add(storm.key)
        elif storm is not None:
            self._unfolded.discard(storm.key)
            self.queue.go_to(next((r for r in storm.refs if self.queue.folds.get(r, "")[:1] == "["), ref))

    def _ring(self) -> None:
        """The alarm where more is on fire than before; what burns at the start is no news."""
        burning = self._session.board.counts.get("fire", 0)
        if self._burning is not None and burning > self._burning:
            self.post_message(self.MoreOnFire(burning))
        self._burning = burning

    def _await_rest(self) -> None:
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(REST_S, self._rested)

    def _rested(self) -> None:
        self.query_one(Preview).show(self.queue.cursor_ref)
        self.query_one(KeyBar).look()

    def _say_facts(self) -> None:
        board, queue, rows = self._session.board, self.queue, self._listed
        marked = (len(queue.selected), queue.hidden_selected)
        of = board.counts.get(self.view.name, len(rows))
        narrowed = facts(self.filter_bar.filter, self.sort, len(rows), of, marked, board.new, self._folded)
        self.filter_bar.facts([*self._left(), *narrowed])

    def _left(self) -> list[tuple[str, str]]:
        """That this is not how the console opens: nobody may be fooled by last night's filter."""
        left = self._session.left
        if left is None or not self._as_left or not self._narrowed:
            return []
        return [(f" as left at {left.at.astimezone():%H:%M}, Esc undoes ", "new")]

    @property
    def _narrowed(self) -> bool:
        apart = self.sort != "default" or self.view.name != self._session.first_view.name
        return apart or bool(self.filter_bar.filter.terms or self.queue.selected)

    def _wait_for_instant(self) -> None:
        if self._instant is not None:
            self._instant.stop()
        at = self._session.board.next_instant()
        if at is not None:
            wait = max(at, self._passed_at + TOGETHER_S) - self._session.clock()
            self._instant = self.set_timer(max(0.25, wait), self.pass_time)

    def _say_nothing(self) -> None:
        self.queue.set_nothing(*why_empty(self._session, self.view, self.filter_bar.filter))

    # The layout

    def on_resize(self, event: Resize) -> None:
        self._lay_out(event.size.width, event.size.height)

    def _lay_out(self, width: int, height: int) -> None:
        body = self.query_one("#body")
        beside = self._previewed and width >= WIDE
        body.set_class(beside, "beside")
        body.set_class(self._previewed and not beside and height >= HIGH, "below")
        self._await_rest()

    def action_preview(self) -> None:
        self._previewed = not self._previewed
        self._lay_out(self.size.width, self.size.height)
        if self.size.width < WIDE and self.size.height < HIGH:
            self.app.notify(
                f"The preview needs {WIDE} columns or {HIGH} rows; Enter opens the ticket.", markup=False
            )

    def _tour(self) -> Widget:
        from mspterm.console.tour import Tour

        return Tour(self._session.keys)

    def action_tour(self) -> None:
        """Put the tour away, for good; or show it once more."""
        shown = self.query("#tour")
        if shown:
            shown.remove()
            self._session.put_tour_away()
        else:
            self.mount(self._tour(), before="#status")

    # Views, sort, filter, marks

    def action_view(self, number: int) -> None:
        views = self._session.board.views
        if number < len(views):
            self._show_view(views[number])

    def action_next_view(self, step: int = 1) -> None:
        views = self._session.board.views
        at = next(n for n, v in enumerate(views) if v.name == self.view.name)
        self._show_view(views[(at + step) % len(views)])

    def action_previous_view(self) -> None:
        self.action_next_view(-1)

    def _show_view(self, view: DomainView) -> None:
        if view.name != self.view.name:
            self.view, self._as_left = view, False
            self.show_rows(anew=True)

    def action_sort(self) -> None:
        from mspterm.domain.order import SORTS

        names = list(SORTS)
        self.sort = names[(names.index(self.sort) + 1) % len(names)]
        self._as_left = False
        self.show_rows(anew=True)

    def action_filter(self) -> None:
        self._as_left = False
        self.filter_bar.edit()
        self._say_typing([(f"  {FIELDS}", "muted")])
        if not self._typing.is_attached:
            self.mount(self._typing, after=self.filter_bar)
        self._typing.display = True

    def _say_typing(self, runs: Sequence[tuple[str, str]]) -> None:
        self._typing.say(runs)

    @on(FilterBar.Changed)
    def _filtered(self, event: FilterBar.Changed) -> None:
        event.stop()
        if event.error:
            self._say_typing([(f"  ! {event.error.sentence}", "failed")])
        else:
            self._say_typing([(f"  {FIELDS}", "muted")])
        self.show_rows(anew=True)

    @on(FilterBar.Left)
    def _left_filter(self, event: FilterBar.Left) -> None:
        event.stop()
        self._typing.display = False
        self.show_rows(anew=False)

    def action_mark_all(self) -> None:
        self.queue.action_select_all()

    def action_back(self) -> None:
        if self.queue.selected:
            self.queue.action_clear_selection()
        elif self.filter_bar.filter.terms:
            self.filter_bar.clear()
        elif self._as_left and self._narrowed:
            self.sort = "default"
            self._show_view(self._session.first_view)
            self.show_rows(anew=True)

    def action_seen(self) -> None:
        self.queue.looked(self._session.looked())
        self.show_rows(anew=False)

    def looked_at(self, ref: str) -> None:
        """The ticket has been seen as it is now."""
        self._session.board.looked_at(ref)
        self.queue.looked_at(ref)
        self._say_facts()

    async def action_quit(self) -> None:
        await self.app.action_quit()

    @on(QueueList.CursorMoved)
    def _moved(self, event: QueueList.CursorMoved) -> None:
        self._await_rest()

    @on(QueueList.SelectionChanged)
    def _marked(self, event: QueueList.SelectionChanged) -> None:
        self._say_facts()
        self._await_rest()

    @on(QueueList.Opened)
    def _opened(self, event: QueueList.Opened) -> None:
        event.stop()
        self.looked_at(event.ref)
        self.post_message(self.Opened(event.ref))

    def show_ticket(self, ref: str) -> None:
        """The cursor on this ticket, in all of the queue where view or filter leave it out."""
        if not self.queue.go_to(ref):
            self.filter_bar.clear()
            self._open_storm(ref, True)
            self.view = next(v for v in self._session.board.views if v.name == "all")
            self.show_rows(anew=True)
            self.queue.go_to(ref)

    # For actions

    def targets(self) -> tuple[str, ...]:
        """The marked tickets, else the one under the cursor."""
        if self.queue.selected:
            return tuple(sorted(self.queue.selected))
        return (self.queue.cursor_ref,) if self.queue.cursor_ref else ()
