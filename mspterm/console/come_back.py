"""The console as it was left: put back at the start, and written down while it is used."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from mspterm.console.drafts import Drafts
from mspterm.console.main_screen import MainScreen
from mspterm.console.opened import OpenedDevice, OpenedTicket
from mspterm.console.place import KEEP_S, Place, PlaceFile
from mspterm.console.session import Session
from mspterm.desk.actions import BY_NAME

if TYPE_CHECKING:
    from mspterm.console.app import MsptermApp

log = logging.getLogger(__name__)
_DRAFTS_OF = timedelta(days=7)
_NAMED = 3


class Keeper:
    """Writes down where one app is. Begin it when everything has been put back."""

    def __init__(self, app: MsptermApp) -> None:
        self._app = app
        self._file = PlaceFile(app.session.state_dir)
        self._kept: Place | None = None
        self._fails = False

    def begin(self) -> None:
        # What was put back counts as written, so that an idle console writes nothing.
        self._kept = place_of(self._app)
        self._app.set_interval(KEEP_S, self.look)

    def look(self) -> None:
        """Write, where it differs from what was written."""
        # While the app ends its widgets go one by one, and a timer may yet fire.
        if self._kept is not None and self._app.screen_stack and self._app.main.is_running:
            place = place_of(self._app)
            if place != self._kept:
                self._write(place)

    def left(self, status: int) -> None:
        """The app ends: write when. Who leaves by a key is done with what was open."""
        if self._kept is not None and self._app.screen_stack:
            place = place_of(self._app)
            # A signal or a dropped line is nobody's wish: what was open then comes back.
            self._write(replace(place, open=()) if status == 0 else place)

    def _write(self, place: Place) -> None:
        # Also where it fails: a full disk is not tried again each second, only when the place changes.
        self._kept = place
        try:
            self._file.write(place, self._app.session.now)
        except OSError as error:
            if not self._fails:
                log.warning("where the console is left can't be kept: %s", error)
            self._fails = True


def place_of(app: MsptermApp) -> Place:
    """Where the app is now."""
    main = app.main
    opened = tuple(s.ref for s in app.screen_stack if isinstance(s, OpenedTicket | OpenedDevice))
    return Place(
        view=main.view.name,
        filter=str(main.filter_bar.filter),
        sort=main.sort,
        cursor=main.queue.cursor_ref,
        marked=tuple(sorted(main.queue.selected)),
        open=opened,
    )


def put_back(main: MainScreen, session: Session) -> None:
    """Cursor and marks, once the rows are read. View, filter and sort stand there from the first frame."""
    left = session.left
    assert left is not None
    # A ticket closed meanwhile must not stay marked: an action would go to what nobody sees.
    marked = frozenset(row.ref for row in session.board.rows).intersection(left.place.marked)
    if marked:
        main.queue.select(marked)
    # Whoever has moved the cursor since the first frame keeps it where it is.
    if left.place.cursor is not None and main.queue.place[0] <= 1:
        main.queue.go_to(left.place.cursor)


def open_again(app: MsptermApp) -> None:
    """What was open, as far as it still exists, and a word on texts that were never sent."""
    left, store = app.session.left, app.session.store
    # A key typed during the start may have opened something, and what was open would cover it.
    for ref in left.place.open if left is not None and app.screen is app.main else ():
        if store.tickets.get(ref) is not None:
            app.open_ticket(ref)
        elif store.devices.get(ref) or store.devices.asset(ref):
            app.open_device(ref)
        else:
            break
    waiting = Drafts(app.session.state_dir).waiting(since=app.session.now - _DRAFTS_OF)
    if waiting:
        named = ", ".join(
            f"{BY_NAME[a].title if a in BY_NAME else a} {on}".strip() for a, on in waiting[:_NAMED]
        )
        more = f" and {len(waiting) - _NAMED} more" if len(waiting) > _NAMED else ""
        app.tell(f"Unsent text is kept: {named}{more}. The same action there brings it back.", "warning")
