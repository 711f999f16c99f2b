"""One session in a terminal window of its own: `python -P -m mspterm.desk.ssh_window FOLDER`.

The console that opened the window prepared the folder, and records what came of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from mspterm.desk.lent import Ran, run_lent
from mspterm.domain.reasons import Failed

_ASKED, _ENDED = "session.json", "ended.json"
_LOOK_S = 0.3


def command(folder: Path, argv: Sequence[str], env: Mapping[str, str]) -> list[str]:
    """What the window runs; the session itself is in the folder. -P: nothing of where it starts is loaded."""
    handle = os.open(folder / _ASKED, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"argv": list(argv), "env": dict(env)}, file)
    return [sys.executable, "-P", "-m", __name__, str(folder)]


async def ended(folder: Path, pid: int) -> Ran | None:
    """What came of it, once the window's process has ended; None where that was killed."""
    found = None
    while found is None and _lives(pid):
        await asyncio.sleep(_LOOK_S)
        found = _read(folder)
    # Once more: between our last look and its end it may have written.
    return found or _read(folder)


def _read(folder: Path) -> Ran | None:
    try:
        return Ran(**json.loads((folder / _ENDED).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def main(folder: Path) -> None:
    asked = json.loads((folder / _ASKED).read_text(encoding="utf-8"))
    try:
        ran = asyncio.run(run_lent(asked["argv"], asked["env"], folder))
    except Failed as error:
        ran = Ran(255, error.failure.sentence)
    # The console may have been left meanwhile, and the folder with it.
    with contextlib.suppress(OSError):
        new = folder / f"{_ENDED}.new"
        new.write_text(json.dumps({"status": ran.status, "said": ran.said}), encoding="utf-8")
        # Whole or not there at all: the console reads it every moment.
        new.replace(folder / _ENDED)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
