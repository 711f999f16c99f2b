"""Writes to devices: a command, a reboot, the notes. Each proven, or said to be uncertain."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime

from mspterm.connectors.meshcentral.inventory import Inventory
from mspterm.connectors.meshcentral.listener import Listener
from mspterm.connectors.meshcentral.mapping import AGENT, node_id
from mspterm.connectors.meshcentral.questions import Questions
from mspterm.connectors.meshcentral.refused import no_device
from mspterm.connectors.meshcentral.session import Session
from mspterm.connectors.meshcentral.wire import Frame, decode
from mspterm.domain.action import Outcome, Reboot, RunCommand, State
from mspterm.domain.reasons import Failed, Failure, Reason, failed
from mspterm.domain.text import SafeText, clean
from mspterm.net.faults import MaybeSent

OUTPUT_CHARS = 200_000
# Numbers of meshuser.js: a command's type, its runAsUser, a reset, and the right to that.
_SHELLS = {"auto": 0, "cmd": 1, "powershell": 2, "sh": 3}
_USER_ONLY = 2
_RESET = 3
_RESET_RIGHT = 0x40000
_MERGED = "stdout and stderr are merged and there is no exit code: MeshCentral gives none"
_TRIES = 3
# The server's words for a command that surely did not run; any others leave it uncertain.
_RESULTS: dict[str, tuple[State, Reason, str]] = {
    "Agent not connected": (
        State.FAILED,
        Reason.OFFLINE,
        "{device} is not connected to {name}; the command did not run.",
    ),
    "Access denied": (
        State.REFUSED,
        Reason.PERMISSION,
        "The account of {name} may not run commands on {device}; ask its administrator.",
    ),
    "Invalid command type": (
        State.REFUSED,
        Reason.REFUSED,
        "{device} has no such shell: cmd and powershell are for Windows, sh for the rest.",
    ),
}


class Actions:
    """The writes of one connection. One command at a time goes to a device: an agent that is busy
    drops a second one without a word (seen on 1.1.55)."""

    def __init__(
        self,
        session: Session,
        questions: Questions,
        inventory: Inventory,
        *,
        name: str,
        now: Callable[[], datetime],
        reboot_wait_s: float,
    ) -> None:
        self._session = session
        self._questions = questions
        self._inventory = inventory
        self._name = name
        self._now = now
        self._reboot_wait_s = reboot_wait_s
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def run(self, write: RunCommand, nodeid: str) -> Outcome:
        """Runs one command line and returns its output. `timeout_s` counts from its sending."""
        async with self._turns[nodeid]:
            try:
                question = {
                    "action": "runcommands",
                    "nodeids": [nodeid],
                    "type": _SHELLS[write.shell],
                    "cmds": await self._script(write, nodeid),
                    "runAsUser": _USER_ONLY if write.run_as == "user" else 0,
                    "reply": True,
                }
                # By its id and no `Answer`: the output of any session of this account comes here too.
                data = await self._session.ask(question, kind="action", timeout_s=write.timeout_s)
            except MaybeSent as e:
                return self._uncertain(write.ref, self._no_output(write, nodeid, e.failure))
            except Failed as e:
                return Outcome(write.ref, State.FAILED, e.failure)
        frame = decode(data, Frame)
        text = frame.result if isinstance(frame.result, str) else ""
        if frame.type == "runcommands":
            cut = (f"cut after {OUTPUT_CHARS} characters",) if len(text) > OUTPUT_CHARS else ()
            output = clean(text, multiline=True, limit=OUTPUT_CHARS)
            return Outcome(write.ref, State.DONE, detail=(_MERGED, *cut), output=output)
        return self._refused(write.ref, nodeid, text)

    async def _script(self, write: RunCommand, nodeid: str) -> str:
        """What the agent writes to the shell. Its sh sends stderr where stdout goes: the agent reads them
        as two pipes, and loses the end of stderr where the command is over first (seen on 1.1.55). A
        user's shell has a terminal, where they are one already."""
        if write.run_as == "user" or write.shell not in ("sh", "auto"):
            return write.command
        if write.shell == "auto":
            known = self._inventory.known.get(nodeid) or await self._inventory.refresh(nodeid)
            # An unknown system is taken for Windows, whose cmd the extra line would break.
            if known is None or "Windows" in (known.node.osdesc or "Windows?"):
                return write.command
        return f"exec 2>&1\n{write.command}"

    async def reboot(self, write: Reboot, nodeid: str) -> Outcome:
        """Resets a device that is online, and waits to see it go down: the server's "ok" means nothing."""
        try:
            known = await self._inventory.refresh(nodeid)
            if known is None:
                return Outcome(write.ref, State.FAILED, no_device(self._name, nodeid))
            if not (known.node.conn or 0) & AGENT:
                sentence = (
                    f"{self._inventory.name(nodeid)} is not connected to {self._name}; nothing was sent."
                )
                return Outcome(write.ref, State.FAILED, Failure(Reason.OFFLINE, sentence, self._name))
            # Looked for first, as a reset without the right is ignored in silence.
            _, rights = await self._questions.system(nodeid, "action")
            if rights is not None and not rights & _RESET_RIGHT:
                sentence = f"The account of {self._name} may not reset {self._inventory.name(nodeid)}."
                return Outcome(write.ref, State.REFUSED, Failure(Reason.PERMISSION, sentence, self._name))
            return await self._reset(write, nodeid)
        except Failed as e:
            return Outcome(write.ref, State.FAILED, e.failure)

    async def set_notes(self, nodeid: str, text: str) -> SafeText:
        """Replaces the device's notes and returns them as the server has them then.

        The server never answers this, so it is proven by reading. Raises Failed, with reason unknown
        where it still has other notes.
        """
        if node_id(nodeid) is None:
            raise Failed(no_device(self._name, nodeid))
        await self._session.tell({"action": "setNotes", "id": nodeid, "notes": text})
        for _ in range(_TRIES):
            if (found := await self._questions.notes(nodeid)) == text:
                return clean(found, multiline=True)
        device = self._inventory.name(nodeid)
        sentence = f"{self._name} did not keep the notes of {device}; this account may not edit them."
        raise failed(Reason.UNKNOWN, sentence, self._name)

    async def _reset(self, write: Reboot, nodeid: str) -> Outcome:
        # Before the reset is sent: the device may be gone sooner than the answer is here.
        async with self._session.listen() as pushed:
            question = {"action": "poweraction", "nodeids": [nodeid], "actiontype": _RESET}
            try:
                await self._session.ask(question, kind="action")
                went_down = await self._down(pushed, nodeid)
            except MaybeSent:
                went_down = False
        if went_down:
            return Outcome(write.ref, State.DONE, detail=(f"went down at {self._now():%H:%M:%S} UTC",))
        sentence = (
            f"A reset was sent to {self._inventory.name(nodeid)} but it was not seen going down in "
            f"{self._reboot_wait_s:g} s; look at the device before you send another."
        )
        return self._uncertain(write.ref, sentence)

    async def _down(self, pushed: Listener, nodeid: str) -> bool:
        """Whether the device's agent was seen leaving in time."""
        try:
            async with asyncio.timeout(self._reboot_wait_s):
                while True:
                    event = await pushed.next()
                    about = event.action == "nodeconnect" and event.nodeid == nodeid
                    if about and not (event.conn or 0) & AGENT:
                        return True
        except (TimeoutError, Failed):
            return False

    def _no_output(self, write: RunCommand, nodeid: str, failure: Failure) -> str:
        device = self._inventory.name(nodeid)
        if failure.reason is Reason.OFFLINE:
            return f"The command was sent to {device}, then {self._name} was lost: it may still run."
        who = " (perhaps nobody is logged on there)" if write.run_as == "user" else ""
        return (
            f"Sent to {device}, no answer in {write.timeout_s:g} s{who}: it may still run, or its agent was "
            f"busy and dropped it. MeshCentral names no job to ask for; look there before you send it again."
        )

    def _uncertain(self, ref: str, sentence: str) -> Outcome:
        return Outcome(ref, State.UNCERTAIN, Failure(Reason.UNKNOWN, sentence, self._name))

    def _refused(self, ref: str, nodeid: str, result: str) -> Outcome:
        if result in ("Invalid nodeid", "Invalid domain"):
            return Outcome(ref, State.FAILED, no_device(self._name, nodeid))
        device = self._inventory.name(nodeid)
        if result not in _RESULTS:
            answer = clean(result, limit=80)
            return self._uncertain(ref, f"{self._name} answered {answer!r} for {device}; look there.")
        state, reason, sentence = _RESULTS[result]
        return Outcome(
            ref, state, Failure(reason, sentence.format(device=device, name=self._name), self._name)
        )
