"""A terminal for tests and benches: runs a command in a pty, answers Textual's queries as a real
terminal does, counts every byte, and shows the screen as text.

Waiting is always for something: a byte pattern, silence measured from the last byte, or the end.
"""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

import pyte

from tests.canary import WATCH

# What a terminal answers: synchronised output and in-band resize not recognised as set but known,
# Kitty's keyboard flags off, and a VT220's primary attributes.
_ANSWERS: Mapping[bytes, bytes] = {
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",
    b"\x1b[?2048$p": b"\x1b[?2048;0$y",
    b"\x1b[?u": b"\x1b[?0u",
    b"\x1b[c": b"\x1b[?62;22c",
}
_QUERY = re.compile(b"|".join(re.escape(query) for query in _ANSWERS))
_PYTE_UNKNOWN = re.compile(r"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1b\]22;\w*\x07|\u200d")
# What was read may end inside a character or a sequence; the rest comes with the next read.
_CUT = re.compile(rb"(\x1b(\[[0-?]*[ -/]*|\][^\x07\x1b]*|[()%#])?|[\xc0-\xff][\x80-\xbf]{0,2})\Z")


class Silent(Exception):
    """What was waited for did not come in time."""


class Terminal:
    """One command in one pty. `sent` is every byte that it wrote."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        size: tuple[int, int] = (200, 50),
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        ignore: Sequence[signal.Signals] = (),
    ) -> None:
        self.sent = bytearray()
        self._what = " ".join(argv[-3:])
        WATCH.learn(env or {})
        self._answered = 0
        self._drawn = 0
        self._screen = pyte.Screen(*size)
        self._pen = pyte.Stream(self._screen)
        self.size = size
        self.last_byte = self.started = time.monotonic()
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            _become(argv, env, cwd, ignore)
        self.resize(*size)
        self._status: int | None = None

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is None:
            os.kill(self.pid, signal.SIGKILL)
            _, self._status = os.waitpid(self.pid, 0)
        if self.master >= 0:
            self.hang_up()
        WATCH.look(bytes(self.sent), f"bytes of a terminal of {self._what}")
        WATCH.look(self.text(), f"screen of a terminal of {self._what}")

    def resize(self, columns: int, rows: int) -> None:
        self.size = (columns, rows)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def send(self, keys: str | bytes) -> None:
        os.write(self.master, keys.encode() if isinstance(keys, str) else keys)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def hang_up(self) -> None:
        """Close the master: the terminal goes away."""
        os.close(self.master)
        self.master = -1

    def settings(self) -> list[Any]:
        """The line's termios settings."""
        return termios.tcgetattr(self.master)

    def read(self, seconds: float) -> bool:
        """Take what comes within `seconds`; False: nothing came, or the other end has gone."""
        if not select.select([self.master], [], [], max(0.0, seconds))[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError as error:
            if error.errno == errno.EIO:
                return False
            raise
        self.sent += data
        self.last_byte = time.monotonic()
        self._answer()
        return bool(data)

    def _answer(self) -> None:
        for found in _QUERY.finditer(self.sent, self._answered):
            self._answered = found.end()
            os.write(self.master, _ANSWERS[found[0]])

    def settle(self, quiet: float = 0.3, timeout: float = 20.0) -> int:
        """Read until nothing has come for `quiet` seconds; how many bytes came."""
        before, until = len(self.sent), time.monotonic() + timeout
        while self.read(quiet):
            if time.monotonic() > until:
                raise Silent(f"still writing after {timeout} s")
        return len(self.sent) - before

    def wait_for(self, wanted: str | Callable[[], bool], timeout: float = 20.0) -> float:
        """Read until `wanted` is on the screen (or holds); seconds since the start."""
        until = time.monotonic() + timeout
        holds = wanted if callable(wanted) else lambda: wanted in self.text()
        while not holds():
            left = until - time.monotonic()
            if left <= 0 or (not self.read(min(left, 1.0)) and self.ended()):
                if holds():
                    break
                raise Silent(f"{wanted!r} did not come; on screen:\n{self.text()}")
        return time.monotonic() - self.started

    def cost(self, keys: str | bytes, quiet: float = 0.3) -> int:
        """Bytes that `keys` bring."""
        self.send(keys)
        return self.settle(quiet)

    def wait_stalled(self, quiet: float = 0.3) -> None:
        """Let the line fill up, reading nothing, until what waits in it grows no more."""
        waiting, since = -1, time.monotonic()
        while time.monotonic() - since < quiet:
            now = struct.unpack("i", fcntl.ioctl(self.master, termios.FIONREAD, b"\0" * 4))[0]
            if now != waiting:
                waiting, since = now, time.monotonic()
            select.select([], [], [], 0.02)

    def ended(self) -> bool:
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = status if pid else None
        return self._status is not None

    def wait_end(self, timeout: float = 10.0, *, reading: bool = True) -> int:
        """The exit status (negative for a signal's death), reading meanwhile unless stalled."""
        until = time.monotonic() + timeout
        while not self.ended():
            if time.monotonic() > until:
                raise Silent(f"still running after {timeout} s; on screen:\n{self.text()}")
            if not (reading and self.master >= 0 and self.read(0.02)):
                select.select([], [], [], 0.02)
        if reading and self.master >= 0:
            self.settle(0.05)
        return os.waitstatus_to_exitcode(self._status or 0)

    def lines(self) -> list[str]:
        """The screen's lines, as pyte draws all bytes so far."""
        return list(self.screen().display)

    def text(self) -> str:
        return "\n".join(self.lines())

    def screen(self) -> pyte.Screen:
        """What pyte makes of all bytes so far; the same screen each time, drawn on."""
        if (self._screen.columns, self._screen.lines) != self.size:
            self._screen.resize(self.size[1], self.size[0])
        cut = _CUT.search(self.sent, self._drawn)
        end = cut.start() if cut and not _whole(cut[0]) else len(self.sent)
        new, self._drawn = self.sent[self._drawn : end], end
        # pyte prints the tail of Kitty's and DECRQM sequences as text, and drops all behind a joiner.
        self._pen.feed(_PYTE_UNKNOWN.sub("", new.decode("utf-8", "replace")))
        return self._screen


def _whole(tail: bytes) -> bool:
    """Whether the last bytes are a character that only looked cut."""
    try:
        return tail[:1] != b"\x1b" and bool(tail.decode())
    except UnicodeDecodeError:
        return False


def _become(
    argv: Sequence[str], env: Mapping[str, str] | None, cwd: str | None, ignore: Sequence[signal.Signals]
) -> None:
    for number in ignore:
        signal.signal(number, signal.SIG_IGN)
    if cwd is not None:
        os.chdir(cwd)
    try:
        os.execvpe(argv[0], list(argv), dict(os.environ if env is None else env))
    finally:
        os._exit(127)


def environment(**changes: str) -> dict[str, str]:
    """This process's environment as a truecolor xterm's, without what would change the drawing."""
    # pytest-xdist gives its workers COLUMNS, which goes before the terminal's own size.
    dropped = (
        "NO_COLOR", "COLORFGBG", "TMUX", "SSH_CONNECTION", "SSH_TTY", "PYTHONSTARTUP", "COLUMNS", "LINES",
    )  # fmt: skip
    kept = {k: v for k, v in os.environ.items() if k not in dropped and not k.startswith("TEXTUAL")}
    return {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", **changes}
