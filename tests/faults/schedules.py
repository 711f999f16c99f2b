"""Seeded random nights against the lab's RT: actions, cuts, kills and restarts, RT's own records as judge.

`python -m tests.faults.schedules --count 2000` runs more of them than CI does; see docs/faults.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mspterm.desk.journal import Journal
from mspterm.domain.action import Update
from mspterm.domain.secret import Secret
from mspterm.store.intents import Intent
from mspterm.store.store import Store
from tests.faults.lab import Judge
from tests.faults.lane import Ended, Lane, lane
from tests.faults.life import KEY
from tests.faults.proxy import PASS, Proxy, proxied
from tests.faults.weather import weather

TIMEOUT_S, CALM_S = 1.0, 20.0
PATIENCE = 12
Step = dict[str, Any]


@dataclass(slots=True)
class Night:
    """One schedule: what was asked for, what became of it, and what is wrong with that."""

    seed: int
    asked: Counter[str] = field(default_factory=Counter)
    told: list[Step] = field(default_factory=list)
    kills: int = 0
    unsure: int = 0
    wrong: list[str] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)


class Schedule:
    """Carries out one night on tickets of its own, in a state directory of its own."""

    def __init__(self, seed: int, judge: Judge, lanes: Sequence[Lane], proxy: Proxy, state: Path) -> None:
        self._rng = random.Random(seed)
        self._judge, self._lanes, self._proxy, self._state = judge, lanes, proxy, state
        self.night = Night(seed)
        self._tickets: list[str] = []
        self._timeout_s = TIMEOUT_S

    async def run(self) -> Night:
        count = self._rng.randint(1, 2)
        self._tickets = [
            await self._judge.new_ticket(f"fault night {self.night.seed}.{n}") for n in range(count)
        ]
        await self._live(self._lanes[0], [{"do": "look", "ref": self._ref(t)} for t in self._tickets])
        for number in range(self._rng.randint(1, 3)):
            await self._stormy(number)
        self._proxy.rule, self._timeout_s = (lambda _seen: PASS), CALM_S
        await self._calm()
        await self._decide()
        await self._compare()
        for ticket in self._tickets:
            await self._judge.resolve(ticket)
        return self.night

    async def _stormy(self, number: int) -> None:
        """One life in bad weather, or two at a time."""
        both = self._rng.random() < 0.25
        lives = []
        for one in self._lanes[: 1 + both]:
            often = self._rng.choice((0.05, 0.15, 0.3))
            self._proxy.rule = weather(f"{self.night.seed}.{number}", often, one.kill)
            die_at = self._rng.randrange(1, 160) if self._rng.random() < 0.3 else None
            steps = [self._step() for _ in range(self._rng.randint(1, 4))]
            lives.append(self._live(one, steps, die_at))
        await asyncio.gather(*lives)

    def _step(self) -> Step:
        ref = self._ref(self._rng.choice(self._tickets))
        kind = self._rng.choice(("note", "note", "note", "reply", "minutes", "status", "flush"))
        if kind == "flush":
            return {"do": "flush"}
        # Now and then the same words again: two notes, not one that is doubled.
        again = self._rng.random() < 0.1 and self.night.asked
        text = (
            max(self.night.asked)
            if again
            else f"night {self.night.seed} note {sum(self.night.asked.values())}"
        )
        self.night.asked[text] += 1
        kinds: dict[str, Step] = {
            "reply": {"audience": "public"},
            "minutes": {"minutes": self._rng.randint(1, 9)},
            "status": {"status": self._rng.choice(("open", "stalled"))},
        }
        more = kinds.get(kind, {})
        return {"do": "reply" if kind == "reply" else "note", "ref": ref, "text": text, **more}

    def _ref(self, ticket: str) -> str:
        return f"rt:{ticket}"

    async def _live(self, one: Lane, steps: list[Step], die_at: int | None = None) -> Ended:
        ended = await one.live(
            state=str(self._state), url=self._proxy.url, token=self._judge.token, timeout_s=self._timeout_s,
            steps=steps, die_at=die_at,
        )  # fmt: skip
        self.night.told += ended.told
        self.night.kills += ended.status == -9
        if ended.status not in (0, -9):
            self.night.wrong.append(f"a life ended with {ended.status}")
        return ended

    async def _calm(self) -> None:
        """The network is back: what waits must go by itself."""
        for _ in range(PATIENCE):
            await self._live(self._lanes[0], [{"do": "flush"}])
            if not _free(self._intents("queued") + self._intents("uncertain")):
                return
            await asyncio.sleep(0.3)
        free = _free(self._intents("queued") + self._intents("uncertain"))
        self.night.wrong += [f"{_text(i)} still waits: {i.reason}" for i in free]

    async def _decide(self) -> None:
        """A person looks at RT and says what becomes of each that is uncertain, or held to be seen."""
        for _ in range(PATIENCE):
            left = self._intents("uncertain") + self._intents("queued")
            if not left:
                return
            first = left[0]
            self.night.unsure += first.state == "uncertain"
            await self._live(self._lanes[0], [await self._decision(first), {"do": "flush"}])
        self.night.wrong.append("a person's decisions did not end it")

    async def _decision(self, intent: Intent) -> Step:
        there = (await self._judge.said(intent.ref.partition(":")[2]))[_text(intent)]
        known = sum(_text(i) == _text(intent) and i.ref == intent.ref for i in self._intents("confirmed"))
        if intent.state == "uncertain" and there > known:
            return {"do": "drop", "id": intent.intent_id, "arrived": True}
        if self._rng.random() < 0.1:
            return {"do": "drop", "id": intent.intent_id, "arrived": False}
        return {"do": "retry", "id": intent.intent_id}

    async def _compare(self) -> None:
        """RT's records against what the outbox and the journal say, and what the technician was told."""
        night, wrong = self.night, self.night.wrong
        for ticket in self._tickets:
            there = await self._judge.said(ticket)
            said = Counter(_text(i) for i in self._intents("confirmed") if i.ref == self._ref(ticket))
            for text in night.asked:
                if there[text] < said[text]:
                    wrong.append(f"LOST {text!r}: confirmed {said[text]}, there {there[text]}")
                if there[text] > said[text]:
                    wrong.append(f"DOUBLED or unseen {text!r}: confirmed {said[text]}, there {there[text]}")
        every = self._intents()
        night.ends.update(i.state for i in every)
        states = {i.intent_id: i.state for i in every}
        for told in night.told:
            if told.get("id") and told["state"] == "done" and states[told["id"]] != "confirmed":
                wrong.append(f"SILENT {told['id']}: told done, is {states[told['id']]}")
            if (
                told.get("id")
                and told["state"] == "queued"
                and states[told["id"]] not in ("confirmed", "cancelled")
            ):
                wrong.append(f"LOST {told['id']}: told queued, is {states[told['id']]}")
        self._audit(states)

    def _audit(self, states: dict[str, str]) -> None:
        journal = Journal(self._state / "journal", Secret(KEY), None)
        found = journal.verify()
        if found.bad is not None:
            self.night.wrong.append(f"JOURNAL {found.bad}")
        last = {r["intent_id"]: r["state"] for _, _, r in journal.after("") if r["intent_id"]}
        expected = {"confirmed": "done", "failed": "failed", "cancelled": "cancelled"}
        for intent_id, state in states.items():
            if last.get(intent_id) != expected.get(state):
                self.night.wrong.append(f"JOURNAL {intent_id}: {state}, journalled {last.get(intent_id)}")

    def _intents(self, state: str | None = None) -> list[Intent]:
        store = Store(self._state)
        try:
            rows = store.database.connection.execute(
                "SELECT intent_id FROM intent ORDER BY created_at"
            ).fetchall()
            found = [store.intents.get(row[0]) for row in rows]
        finally:
            store.close()
        return [i for i in found if i is not None and state in (None, i.state)]


def _text(intent: Intent) -> str:
    assert isinstance(intent.write, Update)
    return intent.write.text or ""


def _free(left: list[Intent]) -> list[Intent]:
    """What nobody has to look at first, neither at itself nor at another one of its ticket."""
    stuck = {i.ref for i in left if i.state == "uncertain" or (i.reason or "").startswith("conflict: ")}
    return [i for i in left if i.ref not in stuck]


async def nights(url: str, token: str, seeds: Sequence[int], *, lanes: int = 2) -> list[Night]:
    """Runs these seeds, several at a time."""
    judge, waiting, done = Judge(url, token), list(reversed(seeds)), list[Night]()
    folder = Path(tempfile.mkdtemp(prefix="mspterm-nights-"))

    async def work(pair: Sequence[Lane]) -> None:
        while waiting:
            seed = waiting.pop()
            state = folder / str(seed)
            async with proxied(url) as proxy:
                night = await Schedule(seed, judge, pair, proxy, state).run()
            done.append(night)
            if not night.wrong:
                shutil.rmtree(state)
            _progress(done, len(seeds))

    async with AsyncExitStack() as stack:
        pairs = [[await stack.enter_async_context(lane()) for _ in range(2)] for _ in range(lanes)]
        await asyncio.gather(*(work(pair) for pair in pairs))
    await judge.aclose()
    if not any(n.wrong for n in done):
        shutil.rmtree(folder)
    return done


def _progress(done: list[Night], count: int) -> None:
    if len(done) % 50 == 0 or done[-1].wrong:
        last = done[-1]
        sys.stderr.write(f"{len(done)}/{count} nights; seed {last.seed}: {last.wrong or 'clean'}\n")


def summary(done: Sequence[Night], seconds: float) -> str:
    ends = sum((n.ends for n in done), Counter[str]())
    asked, kills = sum(sum(n.asked.values()) for n in done), sum(n.kills for n in done)
    wrong = [f"seed {n.seed}: {w}" for n in done for w in n.wrong]
    lines = [
        f"{len(done)} nights in {seconds:.0f} s: {asked} writes asked for, {kills} kills,"
        f" {sum(n.unsure for n in done)} decisions about uncertain ones",
        f"ends: {dict(sorted(ends.items()))}",
        f"wrong: {len(wrong)}",
    ]
    return "\n".join([*lines, *wrong])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=2000)
    options.add_argument("--seed", type=int, default=1, help="the first one")
    options.add_argument("--lanes", type=int, default=3, help="nights at a time")
    options.add_argument("--lab", type=Path, default=Path(os.environ.get("MSPLAB", "/tmp/msplab")))
    chosen = options.parse_args()
    run = chosen.lab / "run" / "rt"
    url = f"http://127.0.0.1:{int((run / 'port').read_text())}"
    token = json.loads((run / "keys.json").read_text())["ines"]
    began = time.monotonic()
    seeds = range(chosen.seed, chosen.seed + chosen.count)
    done = asyncio.run(nights(url, token, seeds, lanes=chosen.lanes))
    sys.stdout.write(summary(done, time.monotonic() - began) + "\n")
    sys.exit(1 if any(n.wrong for n in done) else 0)


if __name__ == "__main__":
    main()
