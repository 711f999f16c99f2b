"""The console as an app: what is anywhere, which screen is open, and actions from key to outcome."""

from __future__ import annotations

import gc
import os
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.console import RenderableType
from textual import on
from textual.binding import Binding, BindingType
from textual.screen import Screen

from mspterm.console.base_app import ConsoleApp
from mspterm.console.commands import Where, bindings, textual_keymap
from mspterm.console.crash import CrashReporter
from mspterm.console.main_screen import MainScreen
from mspterm.console.session import Session
from mspterm.console.status_bar import StatusBar
from mspterm.console.terminal import Terminal
from mspterm.desk.actions import BY_NAME
from mspterm.domain.spec import ActionSpec

if TYPE_CHECKING:
    from mspterm.console.come_back import Keeper
    from mspterm.console.device_pane import History
    from mspterm.domain.action import Result

SOON_S = 0.1
"""Changes of the store within this time are painted together."""
_KEPT_MESSAGES = 200
_SEVERITY = {"failed": "error", "breach": "error", "warning": "warning"}


class MsptermApp(ConsoleApp, inherit_bindings=False):
    """One console over one session."""

    TITLE = "mspterm"
    # Textual's palette offers themes and screenshots; ours is made of the action table, with reasons.
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings((Where.ANYWHERE,), actions=True),
        Binding("ctrl+c", "quit", "Quit", show=False, id="interrupt"),
    ]
    CSS = """
    ToastRack { margin-bottom: 3; }
    Toast { max-width: 100; padding: 0 1; margin-top: 0; }
    """

    def __init__(
        self, session: Session, terminal: Terminal, crashes: CrashReporter, *, own_themes: Path | None = None
    ) -> None:
        super().__init__(terminal, crashes, theme=session.config.console.theme, own_themes=own_themes)
        self.session = session
        self.messages: deque[tuple[str, str, str]] = deque(maxlen=_KEPT_MESSAGES)
        self._changing = False
        self._history: History | None = None
        self._keeper: Keeper | None = None
        self.command_keys = session.keys
        self.set_keymap(textual_keymap(session.keys))

    def get_default_screen(self) -> Screen[None]:
        return MainScreen(self.session, self.unavailable)

    @property
    def main(self) -> MainScreen:
        screen = self.screen_stack[0]
        assert isinstance(screen, MainScreen)
        return screen

    # Start: the first frame, then the rows, then the desk

    def on_mount(self) -> None:
        # The first frame has one page of rows, read by the index; the whole list comes behind it.
        self.call_after_refresh(self._read_rows)

    def _read_rows(self) -> None:
        self.main.load()
        if self.session.left is not None:
            from mspterm.console.come_back import put_back

            put_back(self.main, self.session)
        for problem in self.session.problems:
            self.tell(problem, "warning")
        # Feeds begin when the rows are on screen, so that no connector import delays them.
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.session.begin(lambda text: self.tell(text, "warning"), self.changed)
        self.session.watch_storms(self._storms_changed)
        # What is there by now stays: left out of every collection, it delays no key.
        gc.freeze()
        # `main` turned it off: a collection in the middle of the imports costs the first frame.
        gc.enable()
        self.look()
        self._keep_place()

    def _keep_place(self) -> None:
        from mspterm.console.come_back import Keeper, open_again

        open_again(self)
        self._keeper = Keeper(self)
        self._keeper.begin()

    def exit(
        self, result: int | None = None, return_code: int = 0, message: RenderableType | None = None
    ) -> None:
        super().exit(result, return_code, message)
        # The lifeline has its grace by now: a state directory that hangs holds nobody.
        if self._keeper is not None:
            self._keeper.left(return_code)

    def on_unmount(self) -> None:
        self.session.stop()

    # The store

    def changed(self) -> None:
        """Something in the store has changed in this process; painted soon, with what else changes."""
        # A feed reports each of its batches; one repaint for all of them is what the wire can take.
        if not self._changing:
            self._changing = True
            self.set_timer(SOON_S, self._follow)

    def _follow(self) -> None:
        self._changing = False
        if self._shows:
            self.main.follow()
            self.look()

    def _storms_changed(self) -> None:
        if self._shows:
            self.main.show_rows(anew=False)

    def look(self) -> None:
        """The open screen's bars, anew."""
        from mspterm.console.key_bar import KeyBar

        if self._shows:
            for bar in (*self.screen.query(StatusBar), *self.screen.query(KeyBar)):
                bar.look()

    @property
    def _shows(self) -> bool:
        """Whether there still are screens: while the app ends, a feed or a write may yet report."""
        return bool(self.screen_stack)

    def tell(self, text: str, role: str = "text") -> None:
        """One sentence as a notification, kept among the messages."""
        self.messages.append((f"{self.session.now.astimezone():%H:%M:%S}", text, role))
        severity = _SEVERITY.get(role, "information")
        timeout = 5 if severity == "information" else 12
        # No markup: a sentence may quote a vendor, and Textual crashes on a stray bracket (#6155).
        if self._shows:
            self.notify(text, severity=severity, timeout=timeout, markup=False)  # type: ignore[arg-type]

    @on(MainScreen.MoreOnFire)
    def _alarm(self, event: MainScreen.MoreOnFire) -> None:
        """The bell and a notification of the desktop, for this alone."""
        settings = self.session.config.console
        if settings.bell:
            self.bell()
        if settings.notify:
            self.announce(f"mspterm: {event.count} on fire")

    # Screens

    @on(MainScreen.Opened)
    def _open(self, event: MainScreen.Opened) -> None:
        self.open_ticket(event.ref)

    def open_ticket(self, ref: str) -> None:
        from mspterm.console.opened import OpenedTicket

        if self.session.running is not None:
            self.main.looked_at(ref)
            self.push_screen(OpenedTicket(self.session, self.session.running.desk, ref, self.unavailable))

    def open_device(self, ref: str) -> None:
        from mspterm.console.device_pane import History
        from mspterm.console.opened import OpenedDevice

        running = self.session.running
        if running is not None:
            self._history = self._history or History()
            plain = os.environ.get("TERM") == "linux"  # its font has no braille and few blocks
            # Taken before the push, while the ticket that this was opened from is still the screen.
            attach = getattr(self.screen, "ref", None)
            self.push_screen(
                OpenedDevice(
                    self.session,
                    running.desk,
                    ref,
                    self.unavailable,
                    history=self._history,
                    plain=plain,
                    attach=attach,
                )
            )

    def on_ticket_pane_device_wanted(self, event: object) -> None:
        self.open_device(getattr(event, "ref", ""))

    def on_ticket_pane_ticket_wanted(self, event: object) -> None:
        self.open_ticket(getattr(event, "ref", ""))

    def on_device_pane_ticket_wanted(self, event: object) -> None:
        self.open_ticket(getattr(event, "ref", ""))

    def action_help(self) -> None:
        from mspterm.console.help_screen import help_lines
        from mspterm.console.texts import TextScreen

        barred = [(s.title, why) for s in BY_NAME.values() if (why := self.unavailable(s))]
        self.push_screen(TextScreen("Help", lambda width: help_lines(self.session.keys, barred, width)))

    def action_connections(self) -> None:
        from mspterm.console.texts import TextScreen, connection_lines

        self.push_screen(TextScreen("Connections", lambda width: connection_lines(self.session, width)))

    def action_outbox(self) -> None:
        from mspterm.console.outbox_screen import OutboxScreen

        if self.session.running is not None:
            self.push_screen(OutboxScreen(self, self.session.running))

    def action_messages(self) -> None:
        from mspterm.console.texts import TextScreen, message_lines

        self.push_screen(TextScreen("Messages", lambda width: message_lines(self.messages, width)))

    def action_palette(self) -> None:
        from mspterm.console.palette import Palette, commands

        screen = self.screen

        async def chosen(action: str | None) -> None:
            if action:
                # In the screen below: the queue's own actions are not the app's.
                await self.run_action(action, screen)

        self.push_screen(Palette("A command", commands(self.session.keys, self.unavailable)), chosen)

    def action_refresh(self) -> None:
        names = self.session.kick()
        if names:
            self.tell(f"Asking {', '.join(names)} now.")

    async def action_quit(self) -> None:
        """Leave; what that would cut off is said first."""
        from mspterm.console.leaving import warned

        if not warned(self):
            self.exit(0)

    def action_copy(self) -> None:
        from mspterm.console.copying import choose

        self.run_worker(choose(self), group="copy", exclusive=True)

    # Actions

    def unavailable(self, spec: ActionSpec) -> str | None:
        """Why the action can't be done on what the screen under any dialog shows; None where it can."""
        from mspterm.console.targets import unavailable

        under = (s for s in reversed(self.screen_stack) if not s.is_modal)
        return unavailable(self.session, next(under, None), spec)

    def action_act(self, name: str) -> None:
        """Start the action on what is marked, under the cursor, or open."""
        spec = BY_NAME[name]
        why = self.unavailable(spec)
        if self.session.doing:
            self.tell(f"{self.session.doing}; one after the other.", "warning")
        elif why:
            self.tell(f"{spec.title}: {why}.", "warning")
            self.run_worker(self._record_forbidden(spec))
        else:
            # A form is on its way, so letters typed ahead are for it and not for the list.
            if spec.params:
                self.hold_keys()
            # Never exclusive: that would cancel the write of the action before while it is on its way.
            self.run_worker(self._act(spec), group="act", exit_on_error=True)

    async def _record_forbidden(self, spec: ActionSpec) -> None:
        from mspterm.console.refusing import record_forbidden

        await record_forbidden(self.session, self.screen, spec)

    async def _act(self, spec: ActionSpec) -> None:
        from mspterm.console.targets import chosen_targets

        targets = await chosen_targets(self, self.session, self.screen, spec)
        if targets is None:
            self.let_keys_go()
            return
        await self.perform(spec, *targets)

    async def perform(
        self, spec: ActionSpec, refs: tuple[str, ...], attach: str | None, because: Sequence[str] = ()
    ) -> Sequence[Result]:
        """The action from its dialog to its results. `because` is shown where it is confirmed."""
        from mspterm.console.acting import Acting
        from mspterm.console.drafts import Drafts

        assert self.session.running is not None
        drafts = Drafts(self.session.state_dir)
        acting = Acting(
            self,
            self.session.running,
            drafts,
            tell=self.tell,
            flying=self._flying,
            doing=self._doing,
            holding=self._holding,
        )
        results = await acting.run(spec, refs, attach, because)
        # Where no dialog came, keys typed ahead would wait out their patience for one.
        self.let_keys_go()
        self._follow()
        # Own writes are no news: without this the row would be marked as new to whoever wrote it.
        for result in results:
            self.main.looked_at(result.outcome.created_ref or result.outcome.ref)
        return results

    # One ticket

    def action_next(self) -> None:
        """Go to the ticket to take next, and claim it."""
        from mspterm.console.triage_keys import take_next

        if self.session.doing:
            self.tell(f"{self.session.doing}; one after the other.", "warning")
        else:
            self.run_worker(take_next(self), group="act", exit_on_error=True)

    def action_why(self) -> None:
        from mspterm.console.triage_keys import show_why

        show_why(self)

    def action_skip(self) -> None:
        from mspterm.console.triage_keys import ask_to_skip

        ask_to_skip(self)

    def action_client(self) -> None:
        from mspterm.console.triage_keys import show_client

        show_client(self)

    def action_enter(self) -> None:
        """Enter the client of what is shown, for disruptive work."""
        from mspterm.console.entering import enter_shown

        enter_shown(self)

    def _flying(self, step: int) -> None:
        self.session.in_flight += step
        self.look()

    def _holding(self, step: int) -> None:
        self.session.sessions += step
        self.look()

    def _doing(self, what: str) -> None:
        self.session.doing = what
        self.look()
