"""Many seeded nights, on the lab's RT and on the sandbox's ConnectWise by turns.

`python -m tests.faults.schedules --count 2000` runs more of them than CI does; see docs/faults.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from tests.faults.boxed import CwJudge, boxed
from tests.faults.judge import Judge
from tests.faults.lab import RtJudge
from tests.faults.lane import Lane, lane
from tests.faults.night import Night, append, read, summary
from tests.faults.proxy import proxied
from tests.faults.schedule import Schedule

SERVERS = ("rt", "sandbox")


def server_of(seed: int, servers: Sequence[str] = SERVERS) -> str:
    """Whose night a seed is: it always is the same one's."""
    return servers[seed % len(servers)]


async def nights(
    judges: Mapping[str, Judge], seeds: Iterable[int], *, lanes: int = 2, result: Path | None = None
) -> list[Night]:
    """Runs these seeds, several at a time, each on the server that is its own of those in `judges`.

    Each night is appended to `result` when it is over.
    """
    waiting, done, names = list(reversed(list(seeds))), list[Night](), tuple(judges)
    count, folder = len(waiting), Path(tempfile.mkdtemp(prefix="mspterm-nights-"))

    async def work(pair: Sequence[Lane]) -> None:
        while waiting:
            seed = waiting.pop()
            judge, state = judges[server_of(seed, names)], folder / str(seed)
            async with proxied(judge.url) as proxy:
                night = await Schedule(seed, judge, pair, proxy, state).run()
            done.append(night)
            if result is not None:
                append(result, night)
            if not night.wrong:
                shutil.rmtree(state)
            _progress(done, count, state)

    async with AsyncExitStack() as stack:
        pairs = [[await stack.enter_async_context(lane()) for _ in range(2)] for _ in range(lanes)]
        await asyncio.gather(*(work(pair) for pair in pairs))
    if not any(n.wrong for n in done):
        shutil.rmtree(folder)
    return done


def _progress(done: list[Night], count: int, state: Path) -> None:
    last = done[-1]
    if last.wrong:
        sys.stderr.write(f"seed {last.seed} on {last.on}, kept in {state}: {last.wrong}\n")
    elif len(done) % 50 == 0:
        sys.stderr.write(f"{len(done)}/{count} nights; seed {last.seed} is over\n")


async def _run(seeds: Sequence[int], lanes: int, lab: Path, result: Path | None) -> list[Night]:
    run = lab / "run" / "rt"
    url = f"http://127.0.0.1:{int((run / 'port').read_text())}"
    rt = RtJudge(url, json.loads((run / "keys.json").read_text())["ines"])
    async with boxed() as box:
        judges: dict[str, Judge] = {"rt": rt, "sandbox": CwJudge(box)}
        try:
            return await nights(judges, seeds, lanes=lanes, result=result)
        finally:
            for judge in judges.values():
                await judge.aclose()


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=2000)
    options.add_argument("--seed", type=int, default=1, help="the first one")
    options.add_argument("--on", choices=SERVERS, help="only the nights of this server")
    options.add_argument("--lanes", type=int, default=3, help="nights at a time")
    options.add_argument("--lab", type=Path, default=Path(os.environ.get("MSPLAB", "/tmp/msplab")))
    options.add_argument("--result", type=Path, help="a line for each night; those in it are not run again")
    options.add_argument("--sum", type=Path, nargs="+", metavar="RESULT", help="only sum such files up")
    return options.parse_args()


def main() -> None:
    chosen, began = _options(), time.monotonic()
    if chosen.sum:
        done, spent = read(chosen.sum), None
    else:
        known = {n.seed for n in read([chosen.result] if chosen.result else [])}
        wanted = range(chosen.seed, chosen.seed + chosen.count)
        seeds = [s for s in wanted if s not in known and chosen.on in (None, server_of(s))]
        sys.stderr.write(f"seeds {chosen.seed} to {wanted[-1]}: {len(seeds)} to run\n")
        done = asyncio.run(_run(seeds, chosen.lanes, chosen.lab, chosen.result))
        spent = time.monotonic() - began
    sys.stdout.write(summary(done, spent) + "\n")
    sys.exit(1 if any(n.wrong for n in done) else 0)


if __name__ == "__main__":
    main()
