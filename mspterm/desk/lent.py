"""A program of the system's with our terminal, which is put back in order after it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mspterm.domain.reasons import Reason, failed
from mspterm.domain.text import clean

# CAN and ST come first: in a string that was left open the terminal would swallow all that follows.
RESET = (
    "\x18\x1b\\\x1b[!p\x1b[?1l\x1b[?5l\x1b[?6l\x1b[?7h\x1b[?9l\x1b[?47l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l"
    "\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?1016l\x1b[?1049l\x1b[?2004l\x1b[?2026l\x1b[<u\x1b[>4m\x1b[4l\x1b>\x1b(B\x0f"
    "\x1b[?25h\x1b[0m\r\n"
)
"""Ends whatever a remote program may have left: strings, screens, mouse, paste, key and cursor modes."""
KEPT_CHARS = 8_000
_LINGER_S = 1.0


@dataclass(frozen=True, slots=True)
class Ran:
    """An exit status (minus a signal's number), and the end of what was said on stderr."""

    status: int
    said: str


async def run_lent(argv: Sequence[str], env: Mapping[str, str], folder: Path) -> Ran:
    """Runs `argv` in `folder` with our stdin and stdout. Its stderr is shown line by line, made safe.

    A signal that would end this process ends the program, so that what became of it is still recorded.
    Raises Failed where it can't be run.
    """
    with terminal_kept():
        try:
            process = await asyncio.create_subprocess_exec(
                *argv, cwd=folder, env=dict(env), stderr=asyncio.subprocess.PIPE
            )
        except OSError as error:
            sentence = f"{argv[0]} can't be run ({error.strerror}); install it, such as openssh-client."
            raise failed(Reason.NOT_FOUND, sentence) from error
        with _signals_left_to(process.terminate):
            return await _until_it_ends(process)


async def _until_it_ends(process: asyncio.subprocess.Process) -> Ran:
    assert process.stderr is not None
    said: list[str] = []
    reader = asyncio.create_task(_show(process.stderr, said))
    try:
        status = await process.wait()
        # What it started may hold its stderr open for longer.
        await asyncio.wait([reader], timeout=_LINGER_S)
    finally:
        # Also where we are cancelled: the program must not go on in a terminal that the shell has back.
        reader.cancel()
        if process.returncode is None:
            process.terminate()
    return Ran(status, "\n".join(said)[-KEPT_CHARS:])


async def _show(stream: asyncio.StreamReader, said: list[str]) -> None:
    """Each line on our stderr as it comes; the terminal is in raw mode, so it needs its return."""
    while raw := await _line(stream):
        text = clean(raw.decode(errors="replace").strip("\r\n"))
        said.append(text)
        # Bounded as it comes: a host decides how much it says before anybody has logged in.
        del said[:-200]
        with contextlib.suppress(OSError):
            os.write(2, f"{text}\r\n".encode())


async def _line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readline()
    except ValueError:  # a line over the stream's limit was dropped
        return b"...\n"


@contextlib.contextmanager
def _signals_left_to(end: Callable[[], None]) -> Iterator[None]:
    """The keyboard's signals are the program's alone; one that would end us unseen ends it first."""
    # Python lets only the main thread set handlers.
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ended(number: int, frame: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            end()

    before: dict[int, Any] = {signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None)}
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # Where somebody handles it already (the console's lifeline), they end us in order.
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            before[number] = signal.signal(number, ended)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if sys.platform == "win32":

    @contextlib.contextmanager
    def terminal_kept() -> Iterator[None]:
        """The terminal's modes are reset after."""
        try:
            yield
        finally:
            _reset()

else:
    import termios

    @contextlib.contextmanager
    def terminal_kept() -> Iterator[None]:
        """The terminal's settings are put back and its modes reset after."""
        settings = None
        # termios.error is no OSError. Without a terminal there is nothing to keep.
        with contextlib.suppress(OSError, termios.error):
            settings = termios.tcgetattr(0)
        try:
            yield
        finally:
            if settings is not None:
                with contextlib.suppress(OSError, termios.error):
                    # After what is still on its way out, which was written for the program's modes.
                    termios.tcsetattr(0, termios.TCSADRAIN, settings)
            _reset()


def _reset() -> None:
    with contextlib.suppress(OSError):
        # Into a pipe or file it would only be rubbish.
        if os.isatty(1):
            os.write(1, RESET.encode())
