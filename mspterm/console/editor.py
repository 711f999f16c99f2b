"""A long text in the person's own editor, with the terminal given back as it was."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from mspterm.domain.reasons import Reason, failed
from mspterm.domain.secret import without_secrets

FALLBACKS = ("sensible-editor", "editor", "nano", "vi", "notepad.exe")


def editor_command(env: Mapping[str, str] = os.environ) -> list[str]:
    """$VISUAL, else $EDITOR, as an argument list, else the first editor that is installed.

    Raises Failed where there is none, or where the variable can't be split into words.
    """
    for name in ("VISUAL", "EDITOR"):
        if env.get(name, "").strip():
            try:
                return shlex.split(env[name], posix=os.name != "nt")
            except ValueError as error:
                raise failed(
                    Reason.BAD_DATA, f"${name} can't be read ({error}); correct its quotes."
                ) from error
    found = next((path for f in FALLBACKS if (path := shutil.which(f))), None)
    if found is None:
        raise failed(Reason.NOT_FOUND, "No editor is installed; set $EDITOR to the one you use.")
    return [found]


def edit(app: App[Any], text: str, state_dir: Path, *, command: list[str] | None = None) -> str:
    """The text as the person left it in the editor. The temporary file is theirs alone and is
    removed whatever happens.

    Raises Failed where no editor could be run, or it ended with an error: the text stands then.
    """
    words = command or editor_command()
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    # In the state directory and not in /tmp: editors leave swap and backup files beside it.
    with tempfile.TemporaryDirectory(prefix="edit-", dir=state_dir) as folder:
        path = Path(folder) / "text.md"
        # Made before it is written: `write_text` alone goes by the umask.
        path.touch(mode=0o600)
        path.write_text(f"{text}\n" if text else "", encoding="utf-8")
        status = _run(app, [*words, str(path)])
        if status != 0:
            raise failed(
                Reason.UNKNOWN, f"{words[0]} ended with status {status}; the text is as it was before."
            )
        # An editor set to Latin-1 must not cost the text; most add a line feed at the end.
        return path.read_text(encoding="utf-8", errors="replace").rstrip("\n")


def _run(app: App[Any], argv: list[str]) -> int:
    # A test or a web front end has no terminal to lend; the editor may have its own window.
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(SuspendNotSupported):
            stack.enter_context(app.suspend())
        # Our credentials are no business of an editor and its plug-ins.
        try:
            return subprocess.run(argv, env=without_secrets(os.environ), check=False).returncode
        except OSError as error:
            raise failed(
                Reason.NOT_FOUND, f"{argv[0]} can't be run: {error.strerror}; set $EDITOR."
            ) from error
