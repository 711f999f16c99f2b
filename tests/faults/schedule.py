"""One seeded night: actions, cuts, kills and restarts on tickets of its own, the server's records as judge."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mspterm.desk.journal import Journal
from mspterm.domain.action import Update
from mspterm.domain.secret import Secret
from mspterm.store.intents import Intent
from mspterm.store.store import Store
from tests.faults.judge import Judge
from tests.faults.lane import Ended, Lane
from tests.faults.life import KEY
from tests.faults.night import Night
from tests.faults.proxy import PASS, Proxy
from tests.faults.weather import weather

TIMEOUT_S, CALM_S = 1.0, 20.0
PATIENCE_S = 100.0
"""A server that asked for a pause has one: what waits goes after it."""
Step = dict[str, Any]
KINDS = ("note", "note", "note", "reply", "minutes", "status", "claim", "flush")


class Schedule:
    """Carries out one night in a state directory of its own."""

    def __init__(self, seed: int, judge: Judge, lanes: Sequence[Lane], proxy: Proxy, state: Path) -> None:
        self._rng = random.Random(seed)
        self._judge, self._lanes, self._proxy, self._state = judge, lanes, proxy, state
        self.night = Night(seed, judge.name)
        self._asked: Counter[str] = Counter()
        self._told: list[Step] = []
        self._tickets: list[str] = []
        self._timeout_s = TIMEOUT_S

    async def run(self) -> Night:
        seed = self.night.seed
        for n in range(self._rng.randint(1, 2)):
            self._tickets.append(await self._judge.new_ticket(f"fault night {seed}.{n}"))
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
        ref, kind = self._ref(self._rng.choice(self._tickets)), self._rng.choice(KINDS)
        if kind == "flush":
            return {"do": "flush"}
        self.night.asked += 1
        if kind == "claim":
            return {"do": "claim", "ref": ref, "owner": self._judge.me}
        # Now and then the same words again: two notes, not one that is doubled.
        again = self._rng.random() < 0.1 and self._asked
        text = max(self._asked) if again else f"night {self.night.seed} note {self.night.asked}"
        self._asked[text] += 1
        kinds: dict[str, Step] = {
            "reply": {"audience": "public"},
            "minutes": {"minutes": self._rng.randint(1, 9)},
            "status": {"status": self._rng.choice(self._judge.statuses)},
        }
        return {
            "do": "reply" if kind == "reply" else "note", "ref": ref, "text": text, **kinds.get(kind, {})
        }  # fmt: skip

    def _ref(self, ticket: str) -> str:
        return f"{self._judge.name}:{ticket}"

    async def _live(self, one: Lane, steps: list[Step], die_at: int | None = None) -> Ended:
        connection = self._judge.connection(self._proxy.url, self._timeout_s)
        ended = await one.live(
            state=str(self._state), connection=connection, secrets=dict(self._judge.secrets), steps=steps,
            die_at=die_at,
        )  # fmt: skip
        self._told += ended.told
        self.night.kills += ended.status == -9
        if ended.status not in (0, -9):
            self.night.wrong.append(f"ENDED a life ended with {ended.status}")
        return ended

    async def _calm(self) -> None:
        """The network is back: what waits must go by itself."""
        until = time.monotonic() + PATIENCE_S
        while True:
            await self._live(self._lanes[0], [{"do": "flush"}])
            free = _free(self._intents("queued", "uncertain"))
            if not free or time.monotonic() > until:
                break
            await asyncio.sleep(0.3)
        self.night.wrong += [f"STUCK {_text(i)!r} still waits: {i.reason}" for i in free]

    async def _decide(self) -> None:
        """A person looks at the server and says what becomes of each that is uncertain, half done, or
        held to be seen first."""
        until = time.monotonic() + PATIENCE_S
        before: Intent | None = None
        while time.monotonic() < until:
            left = self._intents("uncertain", "queued") + _half_done(self._intents("failed"))
            if not left:
                return
            first = left[0]
            if before == first:
                await asyncio.sleep(0.3)
            else:
                self.night.decided += first.state == "uncertain"
            before = first
            await self._live(self._lanes[0], [await self._decision(first), {"do": "flush"}])
        self.night.wrong.append(f"STUCK a person's decisions did not end it: {before}")

    async def _decision(self, intent: Intent) -> Step:
        ticket = intent.ref.partition(":")[2]
        if intent.action == "claim":
            arrived = (await self._judge.held(ticket)).owner == self._judge.me
            return {"do": "drop", "id": intent.intent_id, "arrived": arrived}
        there = (await self._judge.said(ticket))[_text(intent)]
        known = sum(_text(i) == _text(intent) and i.ref == intent.ref for i in self._intents("confirmed"))
        if intent.state == "uncertain" and there > known and _write(intent).status is None:
            return {"do": "drop", "id": intent.intent_id, "arrived": True}
        if intent.state != "failed" and there <= known and self._rng.random() < 0.1:
            return {"do": "drop", "id": intent.intent_id, "arrived": False}
        return {"do": "retry", "id": intent.intent_id}

    async def _compare(self) -> None:
        """The server's records against what the outbox and the journal say, and what was told."""
        every = self._intents()
        self.night.ends = dict(Counter(i.state for i in every))
        self.night.written = self.night.ends.get("confirmed", 0)
        for ticket in self._tickets:
            here = [i for i in every if i.ref == self._ref(ticket)]
            await self._texts(ticket, [i for i in here if i.state == "confirmed"])
            await self._fields(ticket, [i for i in here if i.state == "confirmed"])
        states = {i.intent_id: i.state for i in every}
        for told in self._told:
            intent_id, word = told.get("id"), told["state"]
            if intent_id and word == "done" and states[intent_id] != "confirmed":
                self.night.wrong.append(f"SILENT {intent_id}: told done, is {states[intent_id]}")
            if intent_id and word == "queued" and states[intent_id] not in ("confirmed", "cancelled"):
                self.night.wrong.append(f"LOST {intent_id}: told queued, is {states[intent_id]}")
        self._audit(states)

    async def _texts(self, ticket: str, confirmed: Sequence[Intent]) -> None:
        there, said = await self._judge.said(ticket), Counter(map(_text, confirmed))
        for text in self._asked:
            if there[text] < said[text]:
                self.night.wrong.append(f"LOST {text!r}: confirmed {said[text]}, there {there[text]}")
            if there[text] > said[text]:
                self.night.wrong.append(f"DOUBLED {text!r}: confirmed {said[text]}, there {there[text]}")

    async def _fields(self, ticket: str, confirmed: Sequence[Intent]) -> None:
        """Minutes, status and owner; of several statuses the order is the processes' own affair."""
        held, wrong = await self._judge.held(ticket), self.night.wrong
        minutes = sum(_write(i).minutes or 0 for i in confirmed)
        if held.minutes != minutes:
            kind = "LOST" if held.minutes < minutes else "DOUBLED"
            wrong.append(f"{kind} minutes of {ticket}: confirmed {minutes}, there {held.minutes}")
        statuses = {s for i in confirmed if (s := _write(i).status)}
        replied = any(i.action == "reply" for i in confirmed) and self._judge.reopens
        if statuses and held.status not in {*statuses, replied}:
            wrong.append(f"LOST status of {ticket}: confirmed {statuses}, is {held.status}")
        claimed = any(i.action == "claim" for i in confirmed)
        if claimed != (held.owner == self._judge.me):
            kind = "LOST" if claimed else "DOUBLED"
            wrong.append(f"{kind} claim of {ticket}: confirmed {claimed}, it is {held.owner}'s")

    def _audit(self, states: dict[str, str]) -> None:
        journal = Journal(self._state / "journal", Secret(KEY), None)
        found = journal.verify()
        if found.bad is not None:
            self.night.wrong.append(f"JOURNAL {found.bad}")
        last = {r["intent_id"]: r["state"] for _, _, r in journal.after("") if r["intent_id"]}
        expected = {"confirmed": ("done",), "failed": ("failed", "refused"), "cancelled": ("cancelled",)}
        for intent_id, state in states.items():
            if last.get(intent_id) not in expected.get(state, ()):
                self.night.wrong.append(f"JOURNAL {intent_id}: {state}, journalled {last.get(intent_id)}")

    def _intents(self, *states: str) -> list[Intent]:
        """Those in these states, all where none is named, oldest first."""
        store = Store(self._state)
        try:
            sql = "SELECT intent_id FROM intent ORDER BY rowid"
            rows = store.database.connection.execute(sql).fetchall()
            found = [store.intents.get(row[0]) for row in rows]
        finally:
            store.close()
        return [i for i in found if i is not None and (not states or i.state in states)]


def _write(intent: Intent) -> Update:
    assert isinstance(intent.write, Update)
    return intent.write


def _text(intent: Intent) -> str:
    return _write(intent).text or ""


def _free(left: list[Intent]) -> list[Intent]:
    """What nobody has to look at first, neither at itself nor at another one of its ticket."""
    stuck = {i.ref for i in left if i.state == "uncertain" or (i.reason or "").startswith("conflict: ")}
    return [i for i in left if i.ref not in stuck]


def _half_done(failed: list[Intent]) -> list[Intent]:
    """A text that is there and a status that is not: the rest is sent again when a person says so."""
    return [i for i in failed if i.action != "claim"]
