"""Lives one after another, in children of a process that has everything imported."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Ended:
    """`status` as the shell has it: -9 for a kill; `told` is what the technician got to see."""

    status: int
    told: list[dict[str, Any]]


class Lane:
    """One life at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._pid: int | None = None

    async def live(self, **life: Any) -> Ended:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(life).encode() + b"\n")
        await self._process.stdin.drain()
        told: list[dict[str, Any]] = []
        while True:
            assert self._process.stdout is not None
            said = json.loads(await self._process.stdout.readline())
            if "pid" in said:
                self._pid = said["pid"]
            elif "ended" in said:
                self._pid = None
                return Ended(said["ended"], told)
            else:
                told.append(said)

    async def kill(self) -> None:
        """SIGKILL to the life that is on."""
        if sys.platform != "win32" and self._pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)


@contextlib.asynccontextmanager
async def lane() -> AsyncIterator[Lane]:
    argv = (sys.executable, "-m", "tests.faults.life")
    process = await asyncio.create_subprocess_exec(
        *argv, cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield Lane(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            await process.stdin.wait_closed()
        await process.wait()
