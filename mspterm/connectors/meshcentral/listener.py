"""A queue of what the server pushes, for one reader."""

from __future__ import annotations

import asyncio

from mspterm.connectors.meshcentral.wire import Event
from mspterm.domain.reasons import Failed, Reason, failed

QUEUE = 10_000


class Listener:
    """What the server pushes, in order. Ends by raising Failed when the connection is lost."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._queue: asyncio.Queue[Event | Failed] = asyncio.Queue(QUEUE)

    def tell(self, item: Event | Failed) -> None:
        """Adds an item; a reader so slow that thousands wait is failed and has to read all anew."""
        if self._queue.full():
            # Emptied, so that the failure is what is read next.
            while not self._queue.empty():
                self._queue.get_nowait()
            item = failed(
                Reason.OFFLINE, f"{self._name} pushed faster than was read; it is read anew.", self._name
            )
        self._queue.put_nowait(item)

    async def next(self) -> Event:
        item = await self._queue.get()
        if isinstance(item, Failed):
            # Put back, so that who asks again gets the same end and doesn't wait for ever.
            self._queue.put_nowait(item)
            raise item
        return item

    def waiting(self) -> bool:
        return not self._queue.empty()
