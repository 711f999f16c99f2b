"""The program: the console without a verb, else the verb, which never imports Textual."""

from __future__ import annotations

from typing import NoReturn

from mspterm.cli.root import Launcher, Options, cli


def main() -> NoReturn:
    """Run what the command line says and exit with its status."""
    cli.main(prog_name="mspterm", obj=Launcher(_open_console))
    raise SystemExit(0)


def _open_console(options: Options) -> int:
    from mspterm.console.start import run

    return run(options.config, options.state_dir, read_only=options.read_only)
