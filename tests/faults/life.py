"""One life of an mspterm process, to be cut short: the desk on a connection, doing what it is told.

Run as `python -m tests.faults.life` it waits for lives, one JSON a line, and forks a child for each:
a child costs milliseconds where a new interpreter costs half a second.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from mspterm.config.model import Config, Connection
from mspterm.desk.desk import Desk
from mspterm.desk.look import ticket_now
from mspterm.desk.perform import Performer
from mspterm.domain.action import Audience, Consent, Plan, Target, Update
from mspterm.domain.reasons import Failed
from mspterm.domain.spec import Risk
from mspterm.secrets.backends import Backend
from mspterm.secrets.chain import Credentials
from mspterm.secrets.os_keyring import OsKeyring

KEY = "5e" * 32


def no_keyring() -> Backend:
    raise ConnectionError


def desk_for(state: Path, url: str, token: str, timeout_s: float) -> Desk:
    rt = Connection("rt", "rt", url, client_from="cf:Client", timeout_s=timeout_s, me="ines")
    env = {"MSPTERM_SECRET_RT_TOKEN": token, "MSPTERM_SECRET_JOURNAL_KEY": KEY}
    credentials = Credentials(env, OsKeyring(make=no_keyring))
    return Desk(Config(connections={"rt": rt}), state, credentials=credentials)


def plan(step: dict[str, Any]) -> Plan:
    write = Update(
        step["ref"],
        text=step["text"],
        audience=Audience(step.get("audience", "internal")),
        minutes=step.get("minutes"),
        status=step.get("status"),
    )
    return Plan(step["do"], Risk.ROUTINE, (write,), (Target(step["ref"], step["ref"], None),))


async def _do(desk: Desk, performer: Performer, step: dict[str, Any]) -> dict[str, Any]:
    """One step; what a technician is told of it."""
    match step["do"]:
        case "look":
            await ticket_now(desk, step["ref"])
            return {"state": "done"}
        case "flush":
            await performer.flush("rt")
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
    desk = desk_for(Path(life["state"]), life["url"], life["token"], life["timeout_s"])
    if life.get("die_at"):
        _die_at(desk, life["die_at"])
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
    import_module("mspterm.connectors.rt.connector")
    main()
