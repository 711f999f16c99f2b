"""Files for this user alone: written whole or not at all, and read only where nobody else could."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from mspterm.domain.reasons import Reason, failed

# Windows has no such flag.
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_private(path: Path) -> bytes | None:
    """The file's content, None where there is no file.

    Raises Failed where it is a link, not ours, or readable by others, as is its directory.
    """
    try:
        handle = os.open(path, os.O_RDONLY | _NO_FOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise failed(Reason.REFUSED, f"{path} can't be read ({error.strerror}).") from None
    # What is open is judged, not the name: another file could take that between a look and the reading.
    with os.fdopen(handle, "rb") as file:
        check(path.parent, os.stat(path.parent), _OTHERS)
        check(path, os.fstat(file.fileno()), _OTHERS)
        return file.read()


def write_private(path: Path, content: bytes) -> None:
    """Puts `content` in the file's place, 0600 in a directory of 0700. Raises Failed where it can't."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        check(path.parent, os.stat(path.parent), _OTHERS)
        replace_whole(path, content)
    except OSError as error:
        raise failed(Reason.REFUSED, f"{path} can't be written ({error.strerror}).") from None


def replace_whole(path: Path, content: bytes) -> None:
    """The new content or the old one, whenever the power fails; 0600. Raises OSError."""
    # Beside it, as a rename is atomic only within one file system; the pid keeps two processes apart.
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _NO_FOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            # Before the rename: the name must never lead to content that a power cut has not let arrive.
            os.fsync(file.fileno())
        os.replace(new, path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    _settle(path.parent)


def check_unwritable(path: Path) -> None:
    """Raises Failed where others could change what is there, or put another in its place, and
    FileNotFoundError where nothing is there."""
    # lstat, so that a link is refused: the modes of its target don't say who can turn it elsewhere.
    check(path, os.lstat(path), _OTHERS_WRITE)
    check_folder(path.parent)


def check_folder(folder: Path) -> None:
    """Raises Failed where others could put a file there, and FileNotFoundError where it isn't."""
    check(folder, os.stat(folder), _OTHERS_WRITE)


def check(path: Path, facts: os.stat_result, forbidden: int) -> None:
    """Raises Failed where `facts` are not those of a file or directory that is ours alone.

    On Windows a profile's directories are the user's own; modes say nothing there.
    """
    if not (stat.S_ISREG(facts.st_mode) or stat.S_ISDIR(facts.st_mode)):
        raise failed(Reason.REFUSED, f"{path} is no plain file: mspterm follows no link there; remove it.")
    if sys.platform != "win32":
        if facts.st_uid != os.geteuid():
            raise failed(Reason.REFUSED, f"{path} belongs to another user: it is not used.")
        if facts.st_mode & forbidden:
            verb = "use" if forbidden & stat.S_IRGRP else "change"
            wanted = "700" if stat.S_ISDIR(facts.st_mode) else "600"
            sentence = f"Others can {verb} {path}: it is not used until you `chmod {wanted} {path}`."
            raise failed(Reason.REFUSED, sentence)


def _settle(folder: Path) -> None:
    if sys.platform != "win32":
        # A rename is on the disk only when its folder is.
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
