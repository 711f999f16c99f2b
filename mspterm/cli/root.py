"""The verbs, each loaded only when it is run: `--help` imports click and nothing more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mspterm import __version__

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# Names and helps stand here once more, in step with the modules: --help must import none of them.
VERBS: dict[str, tuple[str, str, str]] = {
    "demo": ("mspterm.cli.demo", "demo", "The console on a made-up MSP that lives: nothing to configure."),
    "sandbox": ("mspterm.cli.demo", "sandbox", "Only the made-up MSP's servers, until ended."),
    "tickets": ("mspterm.cli.read", "tickets", "List tickets: the queue over every PSA."),
    "ticket": ("mspterm.cli.read", "ticket", "One ticket with its conversation, asked of the server."),
    "devices": ("mspterm.cli.read", "devices", "List the devices that the RMM systems know."),
    "device": ("mspterm.cli.read", "device", "One device with all its RMM gives, asked of the server."),
    "alerts": ("mspterm.cli.read", "alerts", "List open alerts."),
    "new": ("mspterm.cli.write", "new", "Create a ticket."),
    "update": ("mspterm.cli.write", "update", "Text, time, status, owner, queue and next date in one go."),
    "claim": ("mspterm.cli.write", "claim", "Take tickets: owner, and the status that work has begun."),
    "note": ("mspterm.cli.write", "note", "Write an internal note."),
    "reply": ("mspterm.cli.write", "reply", "Write to the client."),
    "status": ("mspterm.cli.write", "status", "Set the status: REF... NAME."),
    "assign": ("mspterm.cli.write", "assign", "Give tickets to a technician: REF... WHO."),
    "time": ("mspterm.cli.write", "time_", "Book minutes: REF MINUTES."),
    "escalate": ("mspterm.cli.write", "escalate", "Move a ticket to another tier or queue with a handoff."),
    "parent": ("mspterm.cli.parent", "parent", "Make one ticket the parent of others: REF CHILD..."),
    "cleared": (
        "mspterm.cli.parent",
        "cleared",
        "Tell tickets that their alert has cleared; close untouched ones.",
    ),
    "incident": ("mspterm.cli.write", "incident", "Suspected security incident: REF on or off."),
    "call": ("mspterm.cli.write", "call", "Record whom you called: REF WHOM RESULT."),
    "verify": ("mspterm.cli.write", "verify", "Record how a caller was verified."),
    "run": ("mspterm.cli.act", "run_", "Run a command on devices: DEVICE... -- COMMAND."),
    "reboot": ("mspterm.cli.act", "reboot", "Restart a device."),
    "ssh": ("mspterm.cli.ssh", "ssh", "A shell on a device, through its client's jump host."),
    "approve": ("mspterm.cli.approve", "approve", "Sign a colleague's plan above the caps: FILE."),
    "sla": ("mspterm.cli.sla", "sla", "Evaluate SLA cases; explain a ticket's clock."),
    "outbox": ("mspterm.cli.outbox", "outbox", "Writes that wait, failed or are uncertain."),
    "audit": ("mspterm.cli.audit", "audit", "The journal of everything that was done."),
    "lockdown": ("mspterm.cli.lockdown", "lockdown", "Stop every write of this user on this host: on, off."),
    "init": ("mspterm.cli.init", "init", "First run: pick systems, enter credentials, write the config."),
    "doctor": (
        "mspterm.cli.doctor",
        "doctor",
        "Terminal, credentials, TLS, clock, connections, permissions.",
    ),
    "auth": ("mspterm.cli.auth", "auth", "Credentials: login, status, test, move, unlock, rotate..."),
    "config": ("mspterm.cli.config", "config", "The configuration: check, show, path, schema."),
    "complete": ("mspterm.cli.complete", "complete", "Completion for the shell: bash, zsh, fish."),
    "cache": ("mspterm.cli.cache", "cache", "The store of what was last known: purge."),
}


@dataclass(frozen=True, slots=True)
class Options:
    """The options that stand before the verb; paths as given, None where not."""

    config: Path | None = None
    state_dir: Path | None = None
    read_only: bool = False


@dataclass(slots=True)
class Launcher:
    """What main hands to click: how the console is opened, and the options once they are read."""

    open_console: Callable[[Options], int]
    options: Options = Options()


class LazyVerbs(click.Group):
    """A group that knows its commands' names and one-line helps without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = VERBS.get(cmd_name)
        if entry is None:
            return None
        command: Any = getattr(import_module(entry[0]), entry[1])
        assert isinstance(command, click.Command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Verbs from the table; click's own way imports them all."""
        from click.shell_completion import CompletionItem

        verbs = [CompletionItem(n, help=e[2]) for n, e in VERBS.items() if n.startswith(incomplete)]
        return verbs + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(name, entry[2]) for name, entry in VERBS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS:
            ctx.fail(f"No such verb {args[0]!r}.{_nearest(args[0])}")
        return super().resolve_command(ctx, args)


def _nearest(word: str) -> str:
    # Only at a typing error: it costs every other start.
    from difflib import get_close_matches

    near = get_close_matches(word, VERBS, 1)
    return f" Did you mean {near[0]}?" if near else ""


@click.group(
    cls=LazyVerbs,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="The on-call engineer's console for an MSP. Without a verb it opens the console.",
)
@click.version_option(__version__, prog_name="mspterm", message="%(prog)s %(version)s")
@click.option(
    "--config", type=click.Path(path_type=Path), envvar="MSPTERM_CONFIG", help="The configuration file."
)
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path),
    envvar="MSPTERM_STATE_DIR",
    help="Where store and journal are.",
)
@click.option("--read-only", is_flag=True, help="No write leaves this process, whatever is asked.")
@click.pass_context
def cli(ctx: click.Context, config: Path | None, state_dir: Path | None, read_only: bool) -> None:
    launcher = ctx.find_object(Launcher)
    assert launcher is not None
    launcher.options = Options(config, state_dir, read_only)
    if ctx.invoked_subcommand is None:
        ctx.exit(launcher.open_console(launcher.options))
