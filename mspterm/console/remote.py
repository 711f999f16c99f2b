"""Sessions on devices from the console: ssh in the lent terminal or a tmux window, the RMM's own inside."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from mspterm.console.session import Running
from mspterm.desk import ssh_window
from mspterm.desk.lent import Ran
from mspterm.desk.sessions import Came, Ended, Sessions
from mspterm.desk.ssh import Here, Ssh, resolve
from mspterm.desk.terminal import with_terminal
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Audience, Consent, OpenSession, Outcome, Plan, State
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.ssh import slug
from mspterm.domain.text import clean

# What its client needs to find its server; no secret of our environment goes along.
_TMUX_NEEDS = ("PATH", "HOME", "LANG", "TERM", "TMUX", "TMUX_PANE", "TMUX_TMPDIR")


async def open_session(app: App[Any], running: Running, plan: Plan, consent: Consent) -> Ended:
    """Holds the session that the plan is for. Raises Failed where the journal can't be written."""
    [write] = plan.writes
    assert isinstance(write, OpenSession)
    if write.by == "terminal":
        return await _rmm_terminal(app, running, plan, consent, write)
    device, client = running.planner.device(write.ref)
    target = resolve(running.desk, device, client)
    ssh = Ssh(running.desk, running.performer)
    # A key that is new is confirmed where ssh may ask for a password, too: in our own terminal.
    if os.environ.get("TMUX") and not ssh.strangers(target):
        return await ssh.open(target, plan, consent, TmuxWindow(slug(device.name.casefold())))
    with lent(app):
        _say(f"{device.name}: ssh {target}. exit ends it and brings mspterm back.")
        return await ssh.open(target, plan, consent, Here(_ask_below))


def update_of(ended: Ended, plan: Plan) -> Wanted | None:
    """The update to offer after a session for a ticket."""
    [write] = plan.writes
    assert isinstance(write, OpenSession)
    if ended.result.outcome.state is not State.DONE or write.ticket is None:
        return None
    what = "SSH" if write.by == "ssh" else "Terminal"
    text = f"{what} session on {plan.targets[0].name}, {ended.minutes} min:\n"
    return Wanted(text=text, minutes=ended.minutes, audience=Audience.INTERNAL, attach=write.ticket)


@contextlib.contextmanager
def lent(app: App[Any]) -> Iterator[None]:
    """The terminal is another program's; the loop goes on."""
    with contextlib.ExitStack() as stack:
        # A test or a web front end has no terminal to lend.
        with contextlib.suppress(SuspendNotSupported):
            stack.enter_context(app.suspend())
        yield


def _say(line: str) -> None:
    # Cleaned here, as nothing of Textual's stands between this and the terminal.
    sys.stdout.write(f"{clean(line)}\n")
    sys.stdout.flush()


def _ask_below(lines: Sequence[str], question: str) -> str:
    for line in lines:
        _say(line)
    try:
        return input(f"{question}: ")
    # The end of input is a no to this key and not the end of the console.
    except (EOFError, KeyboardInterrupt):
        return ""


@dataclass(frozen=True, slots=True)
class TmuxWindow:
    """A new window of the tmux that we run in. tmux reads its name as a format: it must be a slug."""

    name: str

    def typed(self, lines: Sequence[str], question: str) -> str:
        # A key may have gone from the file since it was looked for; nobody can be asked over there.
        raise failed(Reason.REFUSED, f"{' '.join(lines[:2])} Open it again to confirm the key.")

    async def session(self, argv: Sequence[str], env: Mapping[str, str], folder: Path) -> Ran:
        command = ssh_window.command(folder, argv, env)
        process = await asyncio.create_subprocess_exec(
            "tmux", "new-window", "-P", "-F", "#{pane_pid}", "-n", self.name, *command,
            env={name: os.environ[name] for name in _TMUX_NEEDS if name in os.environ},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        if process.returncode:
            said = clean(err.decode(errors="replace").strip(), limit=200)
            raise failed(Reason.UNKNOWN, f"tmux opened no window for the session: {said}.")
        ran = await ssh_window.ended(folder, int(out))
        # Neither done nor failed: who killed the window may have typed anything before.
        if ran is None:
            raise failed(Reason.UNKNOWN, "The session's window was killed; what was done in it is not known.")
        return ran


async def _rmm_terminal(
    app: App[Any], running: Running, plan: Plan, consent: Consent, write: OpenSession
) -> Ended:
    from mspterm.console.terminal_screen import TerminalScreen

    name, _, id_ = write.ref.partition(":")
    more: dict[str, str] = {"to": write.where, "shell": write.shell, "run_as": write.run_as}

    async def work() -> Came:
        connector = await with_terminal(running.desk, name)
        terminal = await connector.open_terminal(
            id_, shell=write.shell, run_as=write.run_as, columns=app.size.width, rows=app.size.height - 1
        )
        try:
            await app.push_screen_wait(TerminalScreen(terminal, plan.lines[0]))
        # Also where the console ends over it: a shell left open at the RMM stays logged on.
        finally:
            await terminal.aclose()
        return Came(Outcome(write.ref, State.DONE), {"recorded": "there" if terminal.recorded else "no"})

    return await Sessions(running.desk, running.performer).hold(plan, consent, work, more)
