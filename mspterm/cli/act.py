"""The verbs that act on devices."""

from __future__ import annotations

from typing import Any

import click

from mspterm.cli.lifts import lifted, no_look_option
from mspterm.cli.perform import perform
from mspterm.cli.read import know_devices
from mspterm.cli.session import USAGE, complain, fetch, refresh, run
from mspterm.cli.write import written
from mspterm.desk.desk import Desk
from mspterm.desk.planner import Planner
from mspterm.desk.wanted import Wanted
from mspterm.domain.reasons import failed


class _BeforeCommand(click.Command):
    """Parses what stands before the first `--`; what follows is the command line as typed."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # click swallows the `--` itself: devices and command could not be told apart after it.
        place = args.index("--") if "--" in args else len(args)
        ctx.meta[COMMAND] = " ".join(args[place + 1 :])
        return super().parse_args(ctx, args[:place])


COMMAND = "mspterm.command"


@click.command("run", cls=_BeforeCommand)
@click.argument("devices", nargs=-1)
@click.option("--script", help="A script of the RMM by id.")
@click.option("--param", multiple=True, help="A script's parameter, K=V.")
@click.option("--attach", help="The ticket that gets the output as an internal note.")
@click.option("--shell", type=click.Choice(["auto", "sh", "powershell", "cmd"]), default="auto")
@click.option("--as", "run_as", type=click.Choice(["system", "user"]), default="system")
@written
@lifted
@no_look_option
@click.pass_context
def run_(
    ctx: click.Context, /, devices: tuple[str, ...], script: str | None, param: tuple[str, ...], attach: str | None,
    shell: str, run_as: str, **how: Any,
) -> None:  # fmt: skip
    """Run a command on devices by their RMM: DEVICE... -- COMMAND."""
    command = str(ctx.meta[COMMAND])
    if not devices or bool(command) == bool(script) or (param and not script):
        complain("run: DEVICE... and either -- COMMAND or --script ID [--param K=V] are needed.")
        raise SystemExit(USAGE)
    said = " ".join(param) if script else command
    wanted = Wanted(command=said, script=script, shell=shell, run_as=run_as, attach=attach)

    async def verb(desk: Desk) -> int:
        # The guard judges by this: who is logged on, maintenance, flags.
        await see(desk, devices)
        if attach is not None:
            failure = await fetch(desk, attach)
            if failure is not None and desk.store.tickets.get(attach) is None:
                raise failed(failure.reason, failure.sentence, failure.connection)
        refs = [Planner(desk).device(d)[0].ref for d in devices]
        return await perform(desk, "run", refs, wanted, **how)

    run(verb)


async def see(desk: Desk, devices: tuple[str, ...]) -> None:
    """The devices' state as it is now: on a fresh store one whole run, else what is stale."""
    await know_devices(desk)
    names = {Planner(desk).device(d)[0].connection for d in devices}
    await refresh(desk, sorted(names))


@click.command()
@click.argument("devices", nargs=-1, required=True)
@written
@lifted
@no_look_option
def reboot(devices: tuple[str, ...], **how: Any) -> None:
    """Restart devices, behind the guard."""

    async def verb(desk: Desk) -> int:
        await see(desk, devices)
        refs = [Planner(desk).device(d)[0].ref for d in devices]
        return await perform(desk, "reboot", refs, Wanted(), **how)

    run(verb)
