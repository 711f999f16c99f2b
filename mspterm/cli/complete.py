"""`complete bash | zsh | fish`: the script that the shell loads."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

VARIABLE = "_MSPTERM_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def complete(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash: mspterm complete bash > ~/.local/share/bash-completion/completions/mspterm
    zsh:  mspterm complete zsh > "${fpath[1]}/_mspterm"
    fish: mspterm complete fish > ~/.config/fish/completions/mspterm.fish
    """
    made = get_completion_class(shell)
    assert made is not None
    # The script's text alone: click's own way to it starts bash to learn its version.
    script = made(click.Group("mspterm"), {}, "mspterm", VARIABLE)
    click.echo(script.source_template % script.source_vars())
