"""The program: the console without a verb, else the verb, which never imports Textual."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from mspterm.cli.root import Options


def main() -> NoReturn:
    """Run what the command line says and exit with its status."""
    if len(sys.argv) == 1 and "_MSPTERM_COMPLETE" not in os.environ:
        # Without arguments there is nothing for click to read: a tenth of the time to the first frame.
        raise SystemExit(_console(None, None, read_only=False))
    from mspterm.cli.root import Launcher, cli

    cli.main(prog_name="mspterm", obj=Launcher(_open_console))
    raise SystemExit(0)


def _open_console(options: Options) -> int:
    return _console(options.config, options.state_dir, read_only=options.read_only)


def _console(config: Path | None, state_dir: Path | None, *, read_only: bool) -> int:
    # Nothing of what is imported is garbage; the console collects again after its first frame.
    gc.disable()
    from mspterm.console.start import run

    return run(config, state_dir, read_only=read_only)
