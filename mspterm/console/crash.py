"""Crash reports: a traceback without locals, with secrets masked, in a file that only the user reads."""

from __future__ import annotations

import os
import platform
import traceback
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from mspterm import __version__
from mspterm.domain.secret import Secret
from mspterm.domain.text import clean

# Shorter values would be masked all over the report and leave nothing to read.
_SHORTEST_MASKED = 4


class CrashReporter:
    """Writes reports to `folder`; `secrets` gives the values to mask, as they are known by then."""

    def __init__(
        self, folder: Path, secrets: Callable[[], Iterable[Secret]], now: Callable[[], datetime]
    ) -> None:
        self._folder = folder
        self._secrets = secrets
        self._now = now

    def record(self, error: BaseException | None) -> str:
        """Write what happened; one sentence for stderr, which names the report where it was written."""
        what = type(error).__name__ if error is not None else "an unknown error"
        try:
            path = self._write(self._report(error))
        except OSError as problem:
            return f"mspterm stopped at {what}, and no report could be written: {problem.strerror}."
        return f"mspterm stopped at {what}. The report, with known secrets masked, is {path}."

    def _report(self, error: BaseException | None) -> str:
        head = f"mspterm {__version__}, Python {platform.python_version()}, {platform.platform()}"
        # Source lines only: locals hold headers and tokens (reference/terminal.md 3d.5).
        body = "".join(traceback.format_exception(error)) if error is not None else "no exception\n"
        return masked(f"{head}\n{self._now().isoformat()}\n\n{body}", self._secrets())

    def _write(self, text: str) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"crash-{self._now():%Y%m%dT%H%M%S}-{os.getpid()}.txt"
        # Exclusive: never through a link or into a file that somebody put there before.
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        # A file name in the error may hold bytes that are no UTF-8, which must not stop the report.
        with os.fdopen(fd, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        return path


def masked(text: str, secrets: Iterable[Secret]) -> str:
    """`text` with every secret value in it replaced, and safe to print. The longest goes first: one
    may be the beginning of another."""
    values = {value for secret in secrets if len(value := secret.reveal()) >= _SHORTEST_MASKED}
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, "***")
    # Last: it may change characters of a secret, which would then not be found.
    return clean(text, multiline=True, limit=len(text) + 1)
