"""What every screen of the console stands on: output gate, theme, crash report and lifeline, wired."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text
from textual.app import App
from textual.filter import LineFilter

from mspterm.console.crash import CrashReporter
from mspterm.console.key_line import KeyLine
from mspterm.console.lifeline import Lifeline
from mspterm.console.line_filter import OutputGate
from mspterm.console.terminal import Terminal, title
from mspterm.console.theme import load_theme
from mspterm.console.tty import has_job_control, stop_group
from mspterm.domain.reasons import Failed


class ConsoleApp(KeyLine[int]):
    """`theme` is the user's choice; a terminal that shows only its own colours overrides it."""

    def __init__(
        self,
        terminal: Terminal,
        crashes: CrashReporter,
        *,
        theme: str | None = None,
        own_themes: Path | None = None,
    ) -> None:
        # Textual picks its filter for NO_COLOR in its __init__, before any theme: set later, it sends greys.
        super().__init__(ansi_color=True if terminal.no_color else None)
        self.terminal = terminal
        self.lifeline = Lifeline(self)
        self._lent = False
        self._crashes = crashes
        self._own_themes = own_themes
        self._gate = OutputGate(no_color=terminal.no_color)
        self.use_theme(terminal.theme if theme is None or terminal.theme_fixed else theme)

    def use_theme(self, name: str) -> None:
        """Switch to one of our themes or the user's. Raises Failed where it is not there or broken."""
        self.register_theme(load_theme(name, self._own_themes))
        self.theme = name

    def on_ready(self) -> None:
        self.lifeline.after_first_frame()
        self.app_resume_signal.subscribe(self, self._resumed)

    def _resumed(self, app: App[Any]) -> None:
        # Textual repaints nothing after `fg`, and the shell has set a title of its own.
        self.screen.refresh(layout=True)
        self.write_sequence(title())

    def get_line_filters(self) -> Sequence[LineFilter]:
        # Last, so that it sees exactly what goes to the terminal.
        return (*super().get_line_filters(), self._gate)

    def exit(
        self,
        result: int | None = None,
        return_code: int = 0,
        message: RenderableType | None = None,
    ) -> None:
        # First: the grace runs from here, whatever of the exit hangs.
        self.lifeline.leaving(return_code)
        super().exit(result, return_code, message)

    @contextmanager
    def suspend(self) -> Iterator[None]:
        # Nothing may be written meanwhile: Textual's writer has ended, and a full queue of its would hold us.
        self._lent = True
        try:
            with self.batch_update(), self.lifeline.lent(), super().suspend():
                yield
        finally:
            self._lent = False
        # The editor, ssh or the shell has most likely set a title of its own.
        self.write_sequence(title())

    def write_sequence(self, sequence: str) -> None:
        """One of ours to the terminal, between two frames; nothing while it is lent."""
        if self._driver is not None and not self._lent:
            self._driver.write(sequence)

    def announce(self, text: str) -> None:
        """A notification of the desktop, where the terminal shows such (OSC 9). `text` is our own."""
        from mspterm.console.osc import osc9

        sequence = osc9(text)
        if sequence:
            self.write_sequence(sequence)

    def action_suspend_process(self) -> None:
        """Stop, with whoever started us, and give the terminal to the shell; `fg` brings it back."""
        if not has_job_control():
            self.notify("There is no shell behind this console to go to.", markup=False)
        elif self._driver is not None and self._driver.can_suspend:
            stop_group()

    def copy_to_clipboard(self, text: str) -> None:
        """Textual's own writes whatever length, and knows no tmux."""
        from mspterm.console.clipboard import copy

        async def send() -> None:
            try:
                await copy(text, self.write_sequence)
            except Failed as error:
                self.notify(error.failure.sentence, severity="warning", markup=False)

        # What an input pastes: no terminal gives its clipboard back.
        self._clipboard = text
        self.run_worker(send(), group="copy", exclusive=True)

    def bell(self) -> None:
        if not self._lent:
            super().bell()

    def panic(self, *renderables: RenderableType) -> None:
        """One sentence for what brought the app down; Textual's own output shows source and values."""
        # One crash brings down others on the way out; the first is the one to report.
        if not self._exit_renderables:
            self.lifeline.leaving(1)
            super().panic(Text(self._crashes.record(sys.exc_info()[1])))

    def _fatal_error(self) -> None:
        # Textual's prints a traceback with locals, tokens among them (reference/terminal.md 3d.5).
        self.panic()
