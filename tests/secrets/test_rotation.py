"""Refresh tokens that rotate: kept atomically, renewed by one process at a time."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from mspterm.domain.reasons import Failed, Reason
from mspterm.domain.secret import Secret
from mspterm.secrets.answer import Answer, State
from mspterm.secrets.chain import Credentials

ROOT = Path(__file__).resolve().parents[2]


class Box:
    """A backend in memory."""

    name, title = "keyring", "the keyring"

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], Secret] = {}

    def get(self, connection: str, field: str) -> Answer:
        found = self.held.get((connection, field))
        return Answer(State.FOUND if found else State.ABSENT, "", found)

    def set(self, connection: str, field: str, secret: Secret) -> Answer:
        self.held[connection, field] = secret
        return Answer(State.STORED, "stored")

    def delete(self, connection: str, field: str) -> Answer:
        return Answer(State.DELETED if self.held.pop((connection, field), None) else State.ABSENT, "")


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def chain(box: Box, tmp_path: Path) -> Credentials:
    return Credentials({"XDG_STATE_HOME": str(tmp_path)}, box)


async def test_each_new_token_replaces_the_one_before(chain: Credentials, box: Box) -> None:
    box.held["ninja", "refresh_token"] = Secret("r0")
    keep = chain.keeper("ninja", {"refresh_token": Secret("r0")}).keep
    for token in ("r1", "r2"):
        await keep("refresh_token", Secret(token))
        assert box.held["ninja", "refresh_token"] == Secret(token)


async def test_a_newer_token_of_another_process_stays(chain: Credentials, box: Box) -> None:
    keep = chain.keeper("ninja", {"refresh_token": Secret("r0")}).keep
    box.held["ninja", "refresh_token"] = Secret("theirs")
    with pytest.raises(Failed, match="another mspterm has renewed") as caught:
        await keep("refresh_token", Secret("r1"))
    assert caught.value.failure.reason is Reason.CONFLICT
    assert box.held["ninja", "refresh_token"] == Secret("theirs")


def test_a_token_of_the_environment_is_not_stored_under_it(box: Box, tmp_path: Path) -> None:
    env = {"XDG_STATE_HOME": str(tmp_path), "MSPTERM_SECRET_NINJA_REFRESH_TOKEN": "CANARY"}
    with pytest.raises(Failed, match="can't be renewed") as caught:
        Credentials(env, box).rotate("ninja", "refresh_token", Secret("CANARY"), Secret("r1"))
    assert "CANARY" not in str(caught.value)
    assert box.held == {}


async def test_who_renews_next_sees_what_the_one_before_stored(chain: Credentials, box: Box) -> None:
    box.held["ninja", "refresh_token"] = Secret("r0")
    used: list[Secret | None] = []

    async def renew(number: int) -> None:
        async with chain.renewing("ninja", "refresh_token") as newest:
            used.append(newest)
            await asyncio.sleep(0)
            chain.rotate("ninja", "refresh_token", newest, Secret(f"r{len(used)}"))

    await asyncio.gather(*map(renew, range(4)))
    assert used == [Secret(f"r{n}") for n in range(4)]


async def test_two_connectors_that_renew_in_turn_never_use_an_old_one(chain: Credentials, box: Box) -> None:
    box.held["ninja", "refresh_token"] = Secret("r0")
    keepers = [chain.keeper("ninja", {"refresh_token": Secret("r0")}) for _ in range(2)]
    used = []
    for number in range(1, 5):
        keeper = keepers[number % 2]
        async with keeper.renewing("refresh_token") as newest:
            used.append(newest)
            await keeper.keep("refresh_token", Secret(f"r{number}"))
    assert used == [Secret(f"r{number}") for number in range(4)]
    assert box.held["ninja", "refresh_token"] == Secret("r4")


def test_processes_renew_one_after_another(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("0")
    code = textwrap.dedent(
        """
        import asyncio, pathlib, sys
        from mspterm.secrets.chain import Credentials
        file = pathlib.Path(sys.argv[1])
        async def main():
            for _ in range(20):
                async with Credentials().renewing("ninja", "refresh_token"):
                    number = int(file.read_text())
                    await asyncio.sleep(0)
                    file.write_text(str(number + 1))
        asyncio.run(main())
        """
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path)}
    env["MSPTERM_SECRET_NINJA_REFRESH_TOKEN"] = "x"
    argv = [sys.executable, "-c", code, str(tmp_path / "token")]
    running = [subprocess.Popen(argv, env=env) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert (tmp_path / "token").read_text() == "60"
