"""One life of an mspterm process, to be cut short: the desk on a connection, doing what it is told.

Run as `python -m tests.faults.life` it waits for lives, one JSON a line, and forks a child for each:
a child costs milliseconds where a new interpreter costs half a second.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from mspterm.config.kinds import secret_variable
from mspterm.config.model import Config, Connection
from mspterm.desk.desk import Desk
from mspterm.desk.look import ticket_now
from mspterm.desk.perform import Performer
from mspterm.domain.action import Audience, Consent, Plan, Update
from mspterm.domain.reasons import Failed
from mspterm.domain.spec import Risk
from mspterm.secrets.backends import Backend
from mspterm.secrets.chain import Credentials
from mspterm.secrets.os_keyring import OsKeyring
from tests.faults.judge import Told

KEY = "5e" * 32


def no_keyring() -> Backend:
    raise ConnectionError


Secrets = Mapping[str, Mapping[str, str]]
"""By connection, then by field."""


def desk_for(state: Path, connections: Sequence[Told], secrets: Secrets, **more: Any) -> Desk:
    """A desk whose secrets and journal key come from the environment."""
    made = {told["name"]: Connection(**told) for told in connections}
    env = {
        secret_variable(name, field): value
        for name, fields in secrets.items()
        for field, value in fields.items()
    }
    env["MSPTERM_SECRET_JOURNAL_KEY"] = KEY
    credentials = Credentials(env, OsKeyring(make=no_keyring))
    return Desk(Config(connections=made), state, credentials=credentials, **more)


def plan(step: dict[str, Any]) -> Plan:
    write = Update(
        step["ref"],
        text=step.get("text"),
        audience=Audience(step.get("audience", "internal")),
        minutes=step.get("minutes"),
        status=step.get("status"),
        owner=step.get("owner"),
        expected_owner="" if "owner" in step else None,
    )
    # Without targets, as what waits is judged anew: nobody has looked at the ticket here.
    return Plan(step["do"], Risk.ROUTINE, (write,), ())


async def _do(desk: Desk, performer: Performer, step: dict[str, Any]) -> dict[str, Any]:
    """One step; what a technician is told of it."""
    match step["do"]:
        case "look":
            await ticket_now(desk, step["ref"])
            return {"state": "done"}
        case "flush":
            for name in desk.connections:
                await performer.flush(name)
            return {"state": "done"}
        case "retry":
            return {"state": (await performer.retry(step["id"])).state.value}
        case "drop":
            await performer.drop(step["id"], arrived=step["arrived"])
            return {"state": "done"}
    made = plan(step)
    [result] = await performer.perform(made, Consent(plan_hash=made.hash))
    return {"state": result.outcome.state.value, "id": result.intent_id, "why": str(result.outcome.failure)}


async def live(life: dict[str, Any]) -> None:
    desk = desk_for(Path(life["state"]), [life["connection"]], {life["connection"]["name"]: life["secrets"]})
    if life.get("die_at"):
        _die_at(desk, life["die_at"])
    if life.get("die_in"):
        _die_in(desk, life["die_in"])
    performer = Performer(desk)
    performer.recover()
    for step in life["steps"]:
        try:
            told = await _do(desk, performer, step)
        except Failed as error:
            told = {"state": "refused", "why": str(error.failure)}
        _say({"step": step, **told})
    await desk.aclose()


def _die_at(desk: Desk, number: int) -> None:
    """Kills this process before its so-manieth statement in the store: between any two steps."""
    left = number

    def count(_statement: str) -> None:
        nonlocal left
        left -= 1
        if sys.platform != "win32" and left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    desk.store.database.connection.set_trace_callback(count)


def _die_in(desk: Desk, state: str) -> None:
    """Kills this process as soon as a write is on disk in that state of the outbox."""
    path = desk.store.database.path
    other = sqlite3.connect(path, isolation_level=None)

    def look(_statement: str) -> None:
        found = other.execute("SELECT 1 FROM intent WHERE state = ?", (state,)).fetchone()
        if sys.platform != "win32" and found is not None:
            os.kill(os.getpid(), signal.SIGKILL)

    desk.store.database.connection.set_trace_callback(look)


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _fork() -> int:
    if sys.platform == "win32":
        raise NotImplementedError
    else:  # noqa: RET506 - so that types are checked on Windows too
        return os.fork()


def main() -> None:
    for line in sys.stdin:
        pid = _fork()
        if pid == 0:
            status = 70
            try:
                asyncio.run(live(json.loads(line)))
                status = 0
            finally:
                sys.stdout.flush()
                os._exit(status)
        _say({"pid": pid})
        _, status = os.waitpid(pid, 0)
        _say({"ended": os.waitstatus_to_exitcode(status)})


if __name__ == "__main__":
    # Before the first fork, as its first use would import it in every child.
    for kind in ("rt", "connectwise"):
        import_module(f"mspterm.connectors.{kind}.connector")
    main()
