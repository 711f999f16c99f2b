"""Serves the sandbox on loopback until it is ended: by a signal or, when tied, by its parent's end."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO

import uvicorn

from mspterm.sandbox import config
from mspterm.sandbox.app import Options, Sandbox, make
from mspterm.sandbox.clock import Clock, wall
from mspterm.sandbox.faults import CONNECTWISE, NINJAONE

_HOST = "127.0.0.1"
# A console that keeps its connections open must not hold up the end.
_GRACE_S = 1


def serve(options: Options, config_out: Path, *, tied: bool, scratch: Path | None) -> int:
    """Serves until ended, and gives the exit status.

    `tied`: stdin is a pipe that the parent holds open as long as it lives. `scratch` is a folder that
    goes with the sandbox, since its parent may have been killed.

    Raises BadScenario, and OSError where the files can't be written.
    """
    sandbox = make(options, Clock(wall(), options.speed))
    # They listen before the config names them: who is quick waits, and is not refused.
    sockets = {vendor: _listener() for vendor in (CONNECTWISE, NINJAONE)}
    urls = {}
    for vendor, listener in sockets.items():
        port = listener.getsockname()[1]
        sandbox.ports[port] = vendor
        urls[vendor] = f"http://{_HOST}:{port}"
    # Only now, with the ports that the system has given.
    config.write(config_out, sandbox, urls[CONNECTWISE], urls[NINJAONE])
    try:
        return asyncio.run(_serve(sandbox, list(sockets.values()), config_out, tied=tied))
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)


def _listener() -> socket.socket:
    listener = socket.socket()
    # Any port that is free, so that two sandboxes can run side by side.
    listener.bind((_HOST, 0))
    listener.listen(128)
    return listener


class _Server(uvicorn.Server):
    """Says that it is ready only once it is, and ends with its parent."""

    def __init__(self, sandbox: Sandbox, ready: str) -> None:
        # Without its logs: stdout has `ready` alone, which the parent waits for.
        settings = uvicorn.Config(
            sandbox,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=_GRACE_S,
        )
        super().__init__(settings)
        self._ready = ready
        self.ended_by = 0

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Uvicorn's own would raise the signal again at the end, before anything is tidied away."""
        for number in (signal.SIGINT, signal.SIGTERM):
            # A tied sandbox ignores Ctrl+C already, and that must stay.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._signalled)
        yield

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self.ended_by = number
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # The reader may have gone already; that ends a tied sandbox, not this line.
        with suppress(OSError):
            sys.stdout.write(f"ready {self._ready}\n")
            sys.stdout.flush()


async def _serve(sandbox: Sandbox, sockets: list[socket.socket], config_out: Path, *, tied: bool) -> int:
    server = _Server(sandbox, str(config_out))
    if tied:
        _end_with_parent(server, sys.stdin.buffer)
    await server.serve(sockets=sockets)
    return 128 + server.ended_by if server.ended_by else 0


def _end_with_parent(server: uvicorn.Server, pipe: IO[bytes]) -> None:
    """The pipe ends when the parent closes it or dies, however it dies."""

    def watch() -> None:
        while pipe.read(1):
            pass
        # A flag that the loop looks at, so another thread may set it.
        server.should_exit = True

    threading.Thread(target=watch, name="parent", daemon=True).start()


def ignore_interrupts() -> None:
    """Ctrl+C at a console is the console's business; a tied sandbox ends when the console does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
