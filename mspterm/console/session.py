"""What one console holds: configuration and store from the start, the desk after the first frame."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mspterm.config.model import Config
from mspterm.console.commands import KeyMap, key_map
from mspterm.console.follow import Board
from mspterm.console.place import Left, PlaceFile
from mspterm.domain.filter import FilterError
from mspterm.domain.reasons import Failed, Failure, Reason
from mspterm.domain.views import DEFAULT_VIEWS, DomainView, view
from mspterm.store.connections import ConnectionState
from mspterm.store.store import Store

if TYPE_CHECKING:
    from mspterm.console.storm_watch import StormWatch
    from mspterm.desk.clockwork import Clockwork
    from mspterm.desk.desk import Desk
    from mspterm.desk.perform import Performer
    from mspterm.desk.planner import Planner
    from mspterm.desk.sync import Sync
    from mspterm.domain.circumstances import Entry

log = logging.getLogger(__name__)
RESTART_S = 60.0
_LOOKED = "console:looked"
_TOUR = "console:tour"


@dataclass(frozen=True, slots=True)
class Running:
    """The desk and what acts through it: httpx and keyring come with it, so it is made late."""

    desk: Desk
    planner: Planner
    performer: Performer
    sync: Sync


class Session:
    """One console's state beside its widgets. `clock` gives epoch seconds."""

    def __init__(
        self, config: Config, state_dir: Path, store: Store, *, read_only: bool, clock: Callable[[], float]
    ) -> None:
        self.config = config
        self.state_dir = state_dir
        self.store = store
        self.read_only = read_only
        self.clock = clock
        self.problems: list[str] = []
        self.board = Board(self._views(), clock)
        self.keys = self._keys()
        self.first_view = self._first_view()
        self.left = self._left()
        self.running: Running | None = None
        self.storms: StormWatch | None = None
        self._clockwork: Clockwork | None = None
        self.in_flight = 0
        self.sessions = 0
        self.doing = ""
        self._tasks: set[asyncio.Task[None]] = set()
        self._read_known()

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)

    def _keys(self) -> KeyMap:
        keys, problems = key_map(self.config.keys)
        self.problems += problems
        return keys

    def _views(self) -> tuple[DomainView, ...]:
        """The six defaults, then the config's; one of the same name takes a default's place."""
        made = {v.name: v for v in DEFAULT_VIEWS}
        for wanted in self.config.views:
            found = view(wanted.name, wanted.title, wanted.filter)
            if isinstance(found, FilterError):
                self.problems.append(f"[views.{wanted.name}] filter: {found.sentence} The view is left out.")
            else:
                made[wanted.name] = found
        return tuple(made.values())

    def _left(self) -> Left | None:
        """Where it was left, within the time that the config comes back to it."""
        hours = self.config.console.resume_hours
        try:
            return PlaceFile(self.state_dir).read(self.now, hours) if hours else None
        except Failed as error:
            self.problems.append(error.failure.sentence)
            return None

    def opening_view(self) -> DomainView:
        """The view that was left, while there is one of its name; else the first one."""
        name = self.left.place.view if self.left else ""
        return next((v for v in self.board.views if v.name == name), None) or self.first_view

    def _first_view(self) -> DomainView:
        wanted = self.config.console.view
        found = next((v for v in self.board.views if v.name == wanted), None)
        if found is None:
            self.problems.append(f"[console] view: there is no view {wanted}; all is shown.")
        return found or next(v for v in self.board.views if v.name == "all")

    def _read_known(self) -> None:
        """Who I am in each connection, and up to where I had looked, as the store remembers."""
        database = self.store.database
        known = {name: database.get(f"me:{name}") for name in self.config.connections}
        self.board.me = {name: self._ids(name, text) for name, text in known.items()}
        looked = database.get(_LOOKED)
        self.board.seen_revision = None if looked is None else int(looked)

    def _ids(self, name: str, known: str | None) -> frozenset[str]:
        ids = {self.config.connections[name].me, json.loads(known)[0] if known else None}
        return frozenset(i for i in ids if i)

    def looked(self) -> int:
        """All that the board holds has been seen; returns its revision."""
        self.board.looked()
        self.store.database.put(_LOOKED, str(self.board.revision))
        return self.board.revision

    def looked_first(self) -> bool:
        """At the very first start nothing was seen before: what the first full read brings isn't new."""
        if self.board.seen_revision is not None or not self.caught_up():
            return False
        self.looked()
        return True

    @property
    def clockwork(self) -> Clockwork:
        """The config's rules for clocks and triage; made when first asked for."""
        from mspterm.desk.clockwork import Clockwork

        if self._clockwork is None:
            self._clockwork = Clockwork(self.config)
        return self._clockwork

    @property
    def toured(self) -> bool:
        """Whether the tour was put away, in this state directory."""
        return self.store.database.get(_TOUR) is not None

    def put_tour_away(self) -> None:
        self.store.database.put(_TOUR, "away")

    # Connections

    @property
    def connection_names(self) -> list[str]:
        return [name for name, c in self.config.connections.items() if c.enabled]

    def states(self) -> list[ConnectionState]:
        return [self.store.connections.get(name) for name in self.connection_names]

    def caught_up(self) -> bool:
        """Whether every connection has been read in full at least once."""
        return all(state.full_at is not None for state in self.states())

    @property
    def lockdown(self) -> bool:
        return self.running is not None and self.running.desk.lockdown is not None

    @property
    def entry(self) -> Entry | None:
        """The client that is entered, while it is."""
        entry = None if self.running is None else self.running.desk.entry
        return entry if entry is not None and self.now < entry.until else None

    # The desk

    def open_desk(self, changed: Callable[[], None]) -> Running:
        """Imports and makes what acts; no call is made yet."""
        from mspterm.desk.desk import Desk
        from mspterm.desk.on_clear import OnClear
        from mspterm.desk.perform import Performer
        from mspterm.desk.planner import Planner
        from mspterm.desk.sync import Sync

        desk = Desk(
            self.config, self.state_dir, now=lambda: self.now, read_only=self.read_only, store=self.store
        )
        desk.must_enter = True
        performer = Performer(desk)
        sync = Sync(desk, changed=changed)
        planner = Planner(desk)
        clearing = OnClear(desk, planner, performer)

        async def caught_up(name: str) -> None:
            await performer.flush(name)
            await clearing.look(name)

        sync.flush = caught_up
        self.running = Running(desk, planner, performer, sync)
        return self.running

    def begin(self, told: Callable[[str], None], changed: Callable[[], None]) -> None:
        """Start following every connection, each in a task of its own."""
        from mspterm.secrets.harden import harden

        harden()
        running = self.open_desk(changed)
        left = running.performer.recover()
        if left:
            told(f"{left} writes were cut off when mspterm last ended: see `mspterm outbox list`.")
        for name in self.connection_names:
            self._start(self._follow(name, changed))
        for name in running.desk.serving("psa"):
            self._start(self._ask_me(name, changed))

    def watch_storms(self, changed: Callable[[], None]) -> None:
        """Start to group what belongs together."""
        from mspterm.console.storm_watch import StormWatch

        self.storms = StormWatch(self, changed)
        self._start(self.storms.run())
        self.storms.look()

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _follow(self, name: str, changed: Callable[[], None]) -> None:
        """One connection's feed. A fault of ours in it stops neither the console nor the others."""
        assert self.running is not None
        while True:
            try:
                await self.running.sync.follow(name)
            except Failed as error:
                failure = error.failure
            except Exception as error:
                log.exception("the feed of %s stopped", name)
                sentence = (
                    f"{name}: mspterm itself failed at reading it ({type(error).__name__}); see the log."
                )
                failure = Failure(Reason.UNKNOWN, sentence, name)
            self.store.connections.failed(name, failure, self.now)
            changed()
            await asyncio.sleep(RESTART_S)

    async def _ask_me(self, name: str, changed: Callable[[], None]) -> None:
        """Who I am there, for the views of mine; the feed says it when the connection is down."""
        assert self.running is not None
        if self.store.database.get(f"me:{name}") is None or not self.running.sync.led(name):
            try:
                await self.running.planner.me(name)
            except Failed:
                return
        ids = self._ids(name, self.store.database.get(f"me:{name}"))
        if ids != self.board.me.get(name):
            self.board.me = {**self.board.me, name: ids}
            self.board.recount()
            changed()

    def kick(self) -> Sequence[str]:
        """Ask every connection now; returns their names."""
        if self.running is None:
            return ()
        for name in self.connection_names:
            self.running.sync.kick(name)
        return self.connection_names

    def stop(self) -> None:
        """End the tasks and let others poll; waits for nothing."""
        for task in self._tasks:
            task.cancel()
        if self.running is not None:
            self.running.desk.seal()
            for name in self.connection_names:
                self.running.sync.release(name)
