"""Calls that may hang, made in daemon threads: nothing waits for them longer than it wants to.

An executor won't do: the interpreter joins its threads at exit, hung ones too.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def start(work: Callable[[], T]) -> Future[T]:
    """Begins `work` in a daemon thread of its own."""
    future: Future[T] = Future()
    # From here on cancelling the waiter leaves the future alone, so its result can always be set.
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            future.set_result(work())
        # Whatever it is: a future that is never settled would be waited for without an end.
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name="mspterm-credentials", daemon=True).start()
    return future


async def aside(work: Callable[[], T]) -> T:
    """Awaits `work` done in a daemon thread, so that neither the loop nor its end waits for it."""
    return await asyncio.wrap_future(start(work))
