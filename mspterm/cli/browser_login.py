"""`auth login --browser`: a person's login by the browser, which may be on another machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping

import click

from mspterm.config.model import Connection
from mspterm.connectors.ninjaone.login import Asked, begin, code_of, redeem
from mspterm.desk.desk import utc_now
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.secret import Secret

LIMIT_S = 300.0
_PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nmspterm has it: close this page.\n"


def by_browser(connection: Connection, secrets: Mapping[str, Secret]) -> dict[str, Secret]:
    """The fields that a login by browser gives. Raises Failed where this kind has none, or none came."""
    port = connection.settings.get("redirect_port")
    if connection.kind != "ninjaone" or port is None:
        what = "redirect_port is not set" if connection.kind == "ninjaone" else "its kind has no such login"
        raise failed(Reason.REFUSED, f"{connection.name}: no login by browser: {what}.", connection.name)
    return {"refresh_token": asyncio.run(_login(connection, secrets, int(port)))}


async def _login(connection: Connection, secrets: Mapping[str, Secret], port: int) -> Secret:
    asked = begin(connection, port)
    come: asyncio.Future[Secret] = asyncio.get_running_loop().create_future()

    def arrived(address: str) -> None:
        code = code_of(asked, address)
        if code is not None and not come.done():
            come.set_result(code)

    try:
        # Loopback only: the address that comes in carries the login's code.
        server = await asyncio.start_server(_answering(arrived), "127.0.0.1", port)
    except OSError as error:
        sentence = f"Port {port} of {connection.name} can't be listened on ({error.strerror})."
        raise failed(Reason.REFUSED, sentence, connection.name) from None
    async with server:
        _say(asked, port)
        with _pasted(arrived):
            try:
                code = await asyncio.wait_for(come, LIMIT_S)
            except TimeoutError:
                sentence = f"No login at {connection.name} came within {LIMIT_S / 60:g} minutes."
                raise failed(Reason.AUTH, sentence, connection.name) from None
    return await redeem(connection, secrets, asked, code, utc_now)


def _say(asked: Asked, port: int) -> None:
    click.echo(f"Open this page in a browser and log in:\n\n{asked.url}\n", err=True)
    click.echo(
        f"Where the browser is on another machine, first `ssh -L {port}:127.0.0.1:{port}` to this one there, "
        "or paste here the address that it ends on.",
        err=True,
    )


def _answering(
    arrived: Callable[[str], None],
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = await reader.readuntil(b"\r\n\r\n")
            words = head.split(b"\r\n", 1)[0].decode("latin-1").split()
            # The page goes out first: once the code has arrived the server is closed.
            writer.write(_PAGE)
            await writer.drain()
            writer.close()
            arrived(words[1] if len(words) > 1 else "")

    return answer


@contextlib.contextmanager
def _pasted(arrived: Callable[[str], None]) -> Iterator[None]:
    """Lines typed meanwhile. A thread that reads stdin could not be ended."""
    loop = asyncio.get_running_loop()

    def read() -> None:
        # Not sys.stdin: a line that is left in its buffer would never wake the loop.
        typed = os.read(0, 65_536).decode(errors="replace")
        if not typed:
            # At the end of input it would be called for ever.
            loop.remove_reader(0)
        arrived(typed)

    # Windows' loop can't watch stdin; there the port alone must do.
    watched = sys.platform != "win32" and sys.stdin.isatty()
    if watched:
        loop.add_reader(0, read)
    try:
        yield
    finally:
        if watched:
            loop.remove_reader(0)
