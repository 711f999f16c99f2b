"""A device's terminal by MeshCentral's relay: one more websocket, to which its agent is called.

Read from 1.1.55 (meshrelay.js, agents/meshcore.js): text frames are control, binary ones the terminal.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from urllib.parse import quote, urlencode

import msgspec

from mspterm.config.model import Connection
from mspterm.connectors.meshcentral.session import Answer, Session
from mspterm.connectors.meshcentral.urls import relay_path, relay_url
from mspterm.connectors.meshcentral.wire import Control, Cookies, decode
from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.domain.text import clean
from mspterm.net.ws import Socket, open_socket

CONTROL = "102938"
"""What marks a text frame as control, not as the terminal's."""
_PROTOCOLS = {
    ("system", False): "1",
    ("system", True): "6",
    ("user", False): "8",
    ("user", True): "9",
}
"""By run-as, and whether it is PowerShell."""
# Its frames are a device's, hence hostile, and bounded closer than the server's lists.
_MAX_FRAME = 4 * 1024 * 1024


class MeshTerminal:
    """One open terminal. What `read` gives is the device's word as it came: show it by way of a terminal
    emulator, never as it is."""

    def __init__(self, name: str, socket: Socket, *, recorded: bool) -> None:
        self._name = name
        self._socket = socket
        self.recorded = recorded

    async def read(self) -> bytes:
        """What the device sends next; empty when the session has ended. Notices of the agent (it waits
        for its user's consent, say) are lines of their own."""
        while True:
            try:
                frame = await self._socket.receive_frame()
            except Failed as error:
                if error.failure.reason is Reason.OFFLINE:
                    return b""
                raise
            data = frame if isinstance(frame, bytes) else await self._heard(frame)
            if data:
                return data

    async def _heard(self, text: str) -> bytes:
        control = _control(text)
        if control is None:
            return text.encode()
        if control.type == "ping":
            await self._tell(type="pong")
        if control.type == "console" and isinstance(control.msg, str):
            return f"\r\n[{clean(control.msg, limit=200)}]\r\n".encode()
        return b""

    async def write(self, data: bytes) -> None:
        await self._socket.send(data)

    async def resize(self, columns: int, rows: int) -> None:
        await self._tell(type="termsize", cols=columns, rows=rows)

    async def aclose(self) -> None:
        await self._socket.close()

    async def begin(self, protocol: str, columns: int, rows: int) -> None:
        """Asks the agent for its shell."""
        await self._tell(type="options", cols=columns, rows=rows)
        await self._socket.send(protocol)

    async def _tell(self, **what: object) -> None:
        await self._socket.send(msgspec.json.encode({"ctrlChannel": CONTROL, **what}).decode())


async def open_terminal(
    session: Session, connection: Connection, nodeid: str, device: str, *, shell: str, run_as: str,
    columns: int, rows: int,
) -> MeshTerminal:  # fmt: skip
    """The terminal of one device, its shell asked for. Raises Failed where its agent doesn't come."""
    protocol = _PROTOCOLS[run_as, shell == "powershell"]
    data = await session.ask({"action": "authcookie"}, Answer("authcookie"))
    try:
        cookies = decode(data, Cookies)
    except msgspec.MsgspecError:
        sentence = f"{connection.name} gave no way to a terminal; this account may not open one."
        raise failed(Reason.PERMISSION, sentence, connection.name) from None
    tunnel = secrets.token_hex(6)
    own = {"browser": "1", "p": "1", "nodeid": nodeid, "id": tunnel, "auth": cookies.cookie}
    socket = await open_socket(
        connection, f"{relay_url(connection)}?{urlencode(own)}", headers={}, max_bytes=_MAX_FRAME
    )
    theirs = f"p=1&nodeid={quote(nodeid, safe='')}&id={tunnel}&rauth={cookies.rcookie}"
    call = {
        "action": "msg",
        "type": "tunnel",
        "nodeid": nodeid,
        "usage": 1,
        "value": f"*{relay_path(connection)}?{theirs}",
    }
    try:
        recorded = await _joined(session, socket, connection, call, device)
        terminal = MeshTerminal(connection.name, socket, recorded=recorded)
        await terminal.begin(protocol, columns, rows)
    # Also when cancelled: a shell must not be left waiting there for nobody.
    except BaseException:
        await socket.close()
        raise
    return terminal


async def _joined(
    session: Session, socket: Socket, connection: Connection, call: dict[str, object], device: str
) -> bool:
    """Whether the session is recorded there, once the agent has come."""
    # Only a refusal is answered: where it is passed on, the agent comes to the relay.
    refusal = asyncio.create_task(session.ask(call))
    coming = asyncio.create_task(_both_there(socket))
    try:
        await asyncio.wait(
            (refusal, coming), timeout=connection.timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        if coming.done():
            return coming.result()
    finally:
        for task in (refusal, coming):
            task.cancel()
            # Awaited as well: asyncio complains of an exception that nobody has taken.
            with contextlib.suppress(Failed, asyncio.CancelledError):
                await task
    sentence = (
        f"The agent of {device} did not come: it is offline, or the account of {connection.name} may not."
    )
    raise failed(Reason.OFFLINE, sentence, connection.name)


async def _both_there(socket: Socket) -> bool:
    while (frame := await socket.receive_frame()) not in ("c", "cr"):
        pass
    return frame == "cr"


def _control(text: str) -> Control | None:
    try:
        found = decode(text, Control)
    except msgspec.MsgspecError:
        return None
    return found if found.ctrl_channel == CONTROL else None
