"""Plans of what is done on devices: commands, restarts, sessions."""

from __future__ import annotations

from collections.abc import Sequence

from mspterm.connectors.base import HasScripts
from mspterm.desk.desk import split_ref
from mspterm.desk.directory import Directory
from mspterm.desk.ssh import plan_ssh
from mspterm.desk.terminal import plan_terminal
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Plan, RunCommand
from mspterm.domain.device import Device
from mspterm.domain.planning import plan_reboot, plan_run
from mspterm.domain.reasons import Failed, Reason, failed


async def plan_command(book: Directory, refs: Sequence[str], wanted: Wanted) -> Plan:
    if not wanted.command and not wanted.script:
        raise failed(Reason.REFUSED, "run: the command is missing (run DEVICE -- COMMAND).")
    # Looked for before anything runs: output that has nowhere to go would be lost.
    if wanted.attach:
        book.tickets([wanted.attach])
    devices = book.devices(refs, "script" if wanted.script else "run")
    command = RunCommand(
        "", wanted.command or "", wanted.shell, wanted.run_as, wanted.attach, script=wanted.script
    )
    title = await _title(book, devices[0][0], wanted.script) if wanted.script else None
    return plan_run(devices, command, title)


async def _title(book: Directory, device: Device, script: str) -> str:
    """A script by the name it has in the RMM's library, where that tells: its id says nothing to people."""
    try:
        connector = await book.desk.connector(device.connection)
        known = await connector.scripts(split_ref(device.ref)[1]) if isinstance(connector, HasScripts) else ()
    except Failed:
        return script
    return next((f"{s.name} ({s.id})" for s in known if s.id == script), script)


async def plan_restart(book: Directory, refs: Sequence[str], wanted: Wanted) -> Plan:
    return plan_reboot(book.devices(refs, "reboot"))


async def plan_ssh_session(book: Directory, refs: Sequence[str], wanted: Wanted) -> Plan:
    return plan_ssh(book.desk, *_session_on(book, refs, wanted))


async def plan_terminal_session(book: Directory, refs: Sequence[str], wanted: Wanted) -> Plan:
    on = _session_on(book, refs, wanted)
    return plan_terminal(book.desk, *on, shell=wanted.shell, run_as=wanted.run_as)


def _session_on(
    book: Directory, refs: Sequence[str], wanted: Wanted
) -> tuple[Device, str | None, str | None]:
    if len(refs) != 1:
        raise failed(Reason.REFUSED, "A session is on one device.")
    if wanted.attach:
        book.tickets([wanted.attach])
    return *book.device(refs[0]), wanted.attach
