"""The journal's files: one a month, read from the end, appended to whole lines or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

BLOCK = 65536


class Files:
    """`FOLDER/YYYY-MM.jsonl`. Whoever appends or sets aside holds the journal's lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> list[Path]:
        # What was set aside (.torn) is not the chain's; names of months sort as time does.
        return sorted(self.folder.glob("[0-9][0-9][0-9][0-9]-[0-9][0-9].jsonl"))

    def backwards(self) -> Iterator[tuple[Path, bytes]]:
        """Every whole line with its file, newest first."""
        for path in reversed(self.all()):
            lines = _backwards(path)
            # The first is what follows the last newline: no whole line, `torn` looks at that.
            next(lines)
            for line in lines:
                yield path, line

    def for_month(self, now: datetime) -> Path:
        """The file to append to: never an older one than the last, should the clock step back."""
        path = self.folder / f"{now:%Y-%m}.jsonl"
        return max([path, *self.all()[-1:]])

    def append(self, path: Path, data: bytes) -> None:
        """Writes whole lines to disk; what a full disk took of them is taken back. Raises OSError."""
        new = not path.exists()
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            size = os.fstat(handle).st_size
            try:
                _write_all(handle, data)
                os.fsync(handle)
            except OSError:
                # Half a record would be set aside by the next who appends, as if we had crashed.
                with contextlib.suppress(OSError):
                    os.ftruncate(handle, size)
                raise
        finally:
            os.close(handle)
        if new:
            _sync_folder(self.folder)

    def torn(self) -> tuple[Path, bytes] | None:
        """What stands after the last newline of the last file: the mark of a crash while writing."""
        for path in self.all()[-1:]:
            rest = next(_backwards(path))
            if rest:
                return path, rest
        return None

    def set_aside(self, path: Path, rest: bytes) -> Path:
        """Moves the torn end of a file to one beside it; a crash in between leaves it in both."""
        aside = path.with_suffix(".torn")
        # In this order: bytes that may be evidence are rather twice on disk than nowhere.
        self.append(aside, rest + b"\n")
        os.truncate(path, path.stat().st_size - len(rest))
        return aside

    def ends(self) -> list[tuple[Path, int]]:
        """Each file with its size now: what is appended later is not looked at."""
        return [(path, path.stat().st_size) for path in self.all()]


def lines_of(path: Path, end: int) -> Iterator[bytes]:
    """The lines of a file's first `end` bytes, each with its newline; the last may lack one."""
    with path.open("rb") as file:
        for line in file:
            end -= len(line)
            if end < 0:
                return
            yield line


def lines_from(path: Path, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """The whole lines between two places of a file, each with the place where it ends."""
    with path.open("rb") as file:
        file.seek(start)
        for line in file:
            start += len(line)
            if start > end or not line.endswith(b"\n"):
                return
            yield start, line


def _backwards(path: Path) -> Iterator[bytes]:
    """What follows the last newline, then every line from the last to the first."""
    with path.open("rb") as file:
        place, rest = file.seek(0, os.SEEK_END), b""
        while place > 0:
            step = min(BLOCK, place)
            place -= step
            file.seek(place)
            # The first piece may begin in the block before this one: it waits for that.
            first, *lines = (file.read(step) + rest).split(b"\n")
            yield from reversed(lines)
            rest = first
        yield rest


def _write_all(handle: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        # A write may take less than it was given, as on a disk that is nearly full.
        left = left[os.write(handle, left) :]


def _sync_folder(folder: Path) -> None:
    """The new file's name on disk too; Windows can't open a folder and needs none of it."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
