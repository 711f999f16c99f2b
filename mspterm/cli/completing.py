"""Words for the shell's completion that the configuration knows."""

from __future__ import annotations

import click


def connections(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The connections' names, and the journal; none where the file can't be read."""
    # Here: the verbs that import this do without them, and each TAB is a whole start of the program.
    from mspterm.cli.root import Launcher
    from mspterm.config.kinds import RESERVED
    from mspterm.config.load import ConfigError, load

    launcher = ctx.find_object(Launcher)
    try:
        names = [*load(launcher.options.config if launcher else None).connections, RESERVED]
    except ConfigError:
        return []
    return [name for name in names if name.startswith(incomplete)]
