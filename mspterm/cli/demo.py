"""`mspterm demo` and `mspterm sandbox`: the made-up MSP, whose servers run in a process of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from mspterm.cli.root import Launcher, Options
from mspterm.domain.secret import without_secrets
from mspterm.secrets.backends import KEYRING_SWITCH

_MOST = 100_000
_ENVIRONMENT = "export "
_LOG = "servers.log"


def _asked(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of both verbs."""
    count = click.IntRange(1, _MOST)
    for option in (
        click.option("--still", is_flag=True, help="Nothing happens by itself."),
        click.option(
            "--speed", type=click.FloatRange(0.1, 1000), help="60: what takes an hour happens in a minute."
        ),
        click.option("--devices", type=count, metavar="N", help="Devices there are. [40]"),
        click.option("--tickets", type=count, metavar="N", help="Open tickets at the start. [60]"),
        click.option("--seed", type=int, metavar="N", help="The same number, the same story. [1]"),
        click.option(
            "--scenario",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="A TOML file that says what is to happen when.",
        ),
    ):
        command = option(command)
    return command


def _command(config_out: Path, options: dict[str, Any]) -> list[str]:
    # -P: a folder that happens to hold a module of some name is not to be run.
    command = [sys.executable, "-P", "-m", "mspterm.sandbox", "--config-out", str(config_out)]
    for name, value in options.items():
        if value is True:
            command.append(f"--{name}")
        elif value not in (None, False):
            command += [f"--{name}", str(value)]
    return command


@click.command(help="Serve the made-up MSP on loopback until ended; prints `ready FILE` once it does.")
@click.option(
    "--config-out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Where the configuration goes; its secrets go to FILE.env beside it.",
)
@_asked
@click.pass_context
def sandbox(ctx: click.Context, /, config_out: Path, **options: Any) -> None:
    command = _command(config_out, options)
    if sys.platform == "win32":
        # Windows' exec starts another process and ends this one, and the shell's prompt comes back.
        ctx.exit(subprocess.call(command, env=without_secrets(os.environ)))
    # In this process's place: one process, which every signal reaches.
    os.execve(command[0], command, without_secrets(os.environ))


@click.command(help="Open the console on a made-up MSP: nothing to configure, nothing left behind.")
@_asked
@click.pass_context
def demo(ctx: click.Context, /, **options: Any) -> None:
    launcher = ctx.find_object(Launcher)
    assert launcher is not None
    scratch = Path(tempfile.mkdtemp(prefix="mspterm-demo-"))
    config = scratch / "mspterm.toml"
    server = _start(_command(config, options), scratch)
    try:
        if not _is_ready(server):
            said = (scratch / _LOG).read_text(encoding="utf-8", errors="replace").strip()
            raise click.ClickException(f"The demo's servers did not start: {said.splitlines()[-1:]}")
        _take_secrets(config.with_name(config.name + ".env"))
        status = launcher.open_console(Options(config, scratch / "state", launcher.options.read_only))
    finally:
        # Where the console ends the process itself, the pipe's end does this.
        _stop(server)
        shutil.rmtree(scratch, ignore_errors=True)
    ctx.exit(status)


def _start(command: list[str], scratch: Path) -> subprocess.Popen[bytes]:
    """The servers hold on to our end of a pipe: they see us go however we go, and take the scratch
    folder with them. A session of their own keeps the terminal's signals from them."""
    with (scratch / _LOG).open("wb") as log:
        return subprocess.Popen(
            [*command, "--tied", "--scratch", str(scratch)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            # A made-up MSP has no use for real credentials, and its log is a plain file.
            env=without_secrets(os.environ),
            start_new_session=True,
        )


def _is_ready(server: subprocess.Popen[bytes]) -> bool:
    assert server.stdout is not None
    # An end of the pipe reads as an empty line: it could not start, and nobody waits for it.
    return server.stdout.readline().startswith(b"ready ")


def _take_secrets(file: Path) -> None:
    """Into this process's environment, in place of any that the user has for the same names."""
    for line in file.read_text(encoding="utf-8").splitlines():
        name, _, value = line.removeprefix(_ENVIRONMENT).partition("=")
        os.environ[name] = value
    # A game leaves nothing in the user's keyring, not even its journal's head.
    os.environ[KEYRING_SWITCH] = "off"


def _stop(server: subprocess.Popen[bytes]) -> None:
    assert server.stdin is not None
    server.stdin.close()
    try:
        # All of mspterm ends within 5 s of a signal, this included.
        server.wait(3)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
