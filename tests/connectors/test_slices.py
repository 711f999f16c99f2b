"""Long lists don't keep the event loop: a key in the middle of a page is not late."""

from __future__ import annotations

import asyncio

from mspterm.connectors.slices import ROWS, in_slices


async def test_others_have_a_turn_after_each_slice() -> None:
    seen: list[int] = []
    turns: list[int] = []

    async def key() -> None:
        while True:
            turns.append(len(seen))
            await asyncio.sleep(0)

    pressing = asyncio.create_task(key())
    async for row in in_slices(range(4 * ROWS)):
        seen.append(row)
    pressing.cancel()
    assert seen == list(range(4 * ROWS))
    assert turns[:4] == [ROWS, 2 * ROWS, 3 * ROWS, 4 * ROWS]
