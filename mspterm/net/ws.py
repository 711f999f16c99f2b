"""One websocket, opened and closed within bounds, its failures as reasons. Knows no vendor."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as dial
from websockets.exceptions import (
    ConnectionClosed,
    InvalidProxy,
    InvalidStatus,
    ProxyError,
    WebSocketException,
)
from websockets.frames import CloseCode

from mspterm.config.model import Connection
from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.net import tls
from mspterm.net.faults import bad_data, status_failure, wire_failure

MAX_BYTES = 64 * 1024 * 1024
"""The largest message taken: MeshCentral's device list for thousands of devices passes 1 MiB."""

CLOSE_S = 1.0

_log = logging.getLogger(__name__)

# At debug level websockets logs the request's headers and every frame: credentials and bodies.
_SILENT = logging.Logger("mspterm.net.ws.silent", logging.CRITICAL + 1)


class _Dial(dial):
    """Opens without following a redirect: the next host would be sent the credentials."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class Socket:
    """One open websocket. Made by `open_socket`."""

    def __init__(self, name: str, wire: ClientConnection) -> None:
        self._name = name
        self._wire = wire

    async def send(self, text: str | bytes) -> None:
        """Sends one message, text or binary. Raises Failed(offline) when the connection is gone."""
        try:
            await self._wire.send(text)
        except ConnectionClosed as e:
            raise _lost(self._name, e) from e

    async def receive(self) -> bytes:
        """The next message, as the UTF-8 it came in.

        Raises Failed: offline when the connection is gone, bad data for one over the size cap.
        """
        try:
            return await self._wire.recv(decode=False)
        except ConnectionClosed as e:
            raise _lost(self._name, e) from e

    async def receive_frame(self) -> str | bytes:
        """The next message as the kind it came as: text or binary. Raises as `receive` does."""
        try:
            return await self._wire.recv()
        except ConnectionClosed as e:
            raise _lost(self._name, e) from e

    async def close(self) -> None:
        """Closes, and drops the connection where the other side doesn't answer within a second."""
        try:
            async with asyncio.timeout(2 * CLOSE_S):
                await self._wire.close()
        except TimeoutError:
            pass
        finally:
            # Also after a time-out: the socket goes, whatever the other side does.
            self._wire.transport.abort()


async def open_socket(
    connection: Connection,
    url: str,
    *,
    headers: Mapping[str, str],
    max_bytes: int = MAX_BYTES,
    ping_s: float = 20.0,
) -> Socket:
    """Opens `url` (ws or wss) with the connection's TLS settings, proxy and `timeout_s`.

    Pings the server every `ping_s` seconds and gives the connection up when one is not answered
    in as long. Raises Failed with a sentence that says what to do.
    """
    where = urlsplit(url)
    secure = where.scheme == "wss"
    _log.debug("%s: opening %s%s", connection.name, where.netloc, where.path)
    try:
        wire = await _Dial(
            url,
            ssl=tls.context(connection) if secure else None,
            additional_headers=headers,
            user_agent_header="mspterm",
            # True: the environment's proxy, which httpx takes by itself.
            proxy=connection.proxy or True,
            open_timeout=connection.timeout_s,
            ping_interval=ping_s,
            ping_timeout=ping_s,
            close_timeout=CLOSE_S,
            max_size=max_bytes,
            logger=_SILENT,
        )
    # ImportError is what websockets raises for a SOCKS proxy whose package isn't installed.
    except (OSError, TimeoutError, WebSocketException, ImportError, ValueError) as e:
        failure = _not_opened(connection, where.hostname or "", where.path, e)
        _log.debug("%s: not opened: %s", connection.name, failure.failure.reason)
        raise failure from e
    return Socket(connection.name, wire)


def _lost(name: str, error: ConnectionClosed) -> Failed:
    if error.sent is not None and error.sent.code == CloseCode.MESSAGE_TOO_BIG:
        return failed(Reason.BAD_DATA, f"{name} sent a message over the size limit and was cut off.", name)
    return failed(
        Reason.OFFLINE, f"The connection to {name} was lost; it is opened again at the next use.", name
    )


def _not_opened(connection: Connection, host: str, path: str, error: Exception) -> Failed:
    name = connection.name
    if isinstance(error, InvalidStatus):
        return _refused(name, host, path, error.response.status_code)
    if isinstance(error, (ProxyError, InvalidProxy, ImportError)):
        sentence = f"The proxy on the way to {host} failed; check the proxy setting of {name}."
    # Before OSError, of which these two and TimeoutError are kinds.
    elif isinstance(error, (ssl.SSLError, socket.gaierror)):
        return Failed(wire_failure(name, host, error))
    elif isinstance(error, TimeoutError):
        sentence = f"{host} did not answer in time; check the network or VPN on the way to {name}."
    elif isinstance(error, (OSError, EOFError)):
        sentence = (
            f"No connection to {host}; is the server of {name} running, and is its port open from here?"
        )
    else:
        return bad_data(name, host, "answered, but not as a websocket")
    return failed(Reason.OFFLINE, sentence, name)


def _refused(name: str, host: str, path: str, status: int) -> Failed:
    if status == 404:
        return failed(Reason.NOT_FOUND, f"{host} has nothing at {path}; check the url of {name}.", name)
    if status < 400:
        return bad_data(name, host, f"answered {status} where it should have opened a websocket")
    return Failed(status_failure(name, host, status, None))
