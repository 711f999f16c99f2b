"""From a device to a session: where it goes, who is refused, and what the journal keeps."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mspterm.config.model import Client
from mspterm.desk.desk import Desk
from mspterm.desk.lent import Ran
from mspterm.desk.perform import Performer
from mspterm.desk.planner import Planner
from mspterm.desk.sessions import Ended
from mspterm.desk.ssh import Ssh, resolve
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Consent, State
from mspterm.domain.reasons import Failed, Reason
from mspterm.domain.ssh import DEVICE, JUMP, HostKey
from mspterm.domain.text import SafeText
from tests.desk.vendor import Clock, a_desk, config
from tests.domain.test_ssh import CHANGED, HOSTILE
from tests.store.store_rows import device, ticket

BLOB = "AAAAC3NzaC1lZDI1NTE5AAAAIIcHZ2V0sWxPzMBGmX2CDcmZNmdxJvMULYxyBPBqvUwK"
WEB = device("HVD-WEB01", client=SafeText("Harbor View"), ips=("127.0.0.1", "fe80::1", "10.20.0.11"))
SSH = {"user": "ines", "jump": "ops@jump.example:2222"}
CANARY = {"MSPTERM_SECRET_RT_TOKEN": "canary", "SSH_AUTH_SOCK": "/agent", "PATH": "/bin"}


class Front:
    """Answers as told, and keeps what the session would have been."""

    def __init__(self, ran: Ran | None = None) -> None:
        self.ran = ran or Ran(0, "")
        self.opened: list[tuple[Sequence[str], Mapping[str, str], str, int]] = []

    def typed(self, lines: Sequence[str], question: str) -> str:
        raise AssertionError(f"nobody should be asked: {lines}")

    async def session(self, argv: Sequence[str], env: Mapping[str, str], folder: Path) -> Ran:
        path = folder / "config"
        self.opened.append((argv, env, path.read_text(), stat.S_IMODE(path.stat().st_mode)))
        return self.ran


def ssh_desk(tmp_path: Path, now: Clock, held: Mapping[str, Any] = SSH, **options: Any) -> Desk:
    clients = {"hvd": Client("hvd", match=("Harbor View",))}
    made = a_desk(tmp_path, now, config=config(raw={"ssh": held}, clients=clients), **options)
    made.store.devices.upsert([WEB])
    made.store.tickets.upsert([ticket(1)])
    return made


def trusted(desk: Desk) -> Ssh:
    """With the keys of the device and its jump confirmed before."""
    ssh = Ssh(desk, Performer(desk), CANARY)
    target = resolve(desk, WEB, WEB.client)
    for alias in target.aliases.values():
        ssh.known(target).add(HostKey(alias, "ssh-ed25519", BLOB))
    return ssh


async def opened(desk: Desk, front: Front, phrase: str | None = "HVD-WEB01") -> Ended:
    plan = await Planner(desk).plan("ssh", (WEB.ref,), Wanted(attach="rt:1"))
    consent = Consent(phrase, plan.hash)
    return await trusted(desk).open(resolve(desk, WEB, WEB.client), plan, consent, front)


def journal(desk: Desk) -> list[dict[str, Any]]:
    files = sorted((desk.state_dir / "journal").glob("*.jsonl"))
    return [json.loads(line) for f in files for line in f.read_text().splitlines()]


def test_a_device_is_reached_by_config_and_inventory(tmp_path: Path, now: Clock) -> None:
    target = resolve(ssh_desk(tmp_path, now), WEB, WEB.client)
    assert str(target) == "ines@10.20.0.11 through ops@jump.example:2222"
    assert (target.client, target.folder) == ("hvd", "hvd")
    assert target.aliases[DEVICE].startswith("hvd/mesh-hvd-web01-")


@pytest.mark.parametrize(
    ("held", "goes"),
    [
        ({"clients": {"HVD": {"jump": "none", "user": "svc"}}}, "svc@10.20.0.11, directly"),
        ({"clients": {"Harbor View": {"port": 2200}}}, "ines@10.20.0.11:2200 through"),
        ({"devices": {"hvd-web01": {"host": "web.hvd"}}}, "ines@web.hvd through"),
        ({"devices": {WEB.ref: {"host": "a"}, WEB.name: {"host": "b"}}}, "ines@a through"),
    ],
)
def test_what_is_nearer_to_the_device_wins(
    tmp_path: Path, now: Clock, held: Mapping[str, Any], goes: str
) -> None:
    assert str(resolve(ssh_desk(tmp_path, now, {**SSH, **held}), WEB, WEB.client)).startswith(goes)


@pytest.mark.parametrize("name", [h for h in HOSTILE if h.strip("\x00\n ")])
def test_a_hostile_name_in_the_inventory_is_refused(tmp_path: Path, now: Clock, name: str) -> None:
    odd = replace(WEB, name=SafeText(name), ips=(name,))
    with pytest.raises(Failed, match=r"ssh\.devices") as caught:
        resolve(ssh_desk(tmp_path, now), odd, None)
    assert caught.value.failure.reason is Reason.REFUSED


def test_two_clients_with_the_same_address_have_their_own_keys(tmp_path: Path, now: Clock) -> None:
    desk = ssh_desk(tmp_path, now)
    one, other = (resolve(desk, WEB, name) for name in ("Harbor View", "Oakline"))
    ssh = Ssh(desk, Performer(desk), {})
    ssh.known(one).add(HostKey(one.aliases[DEVICE], "ssh-ed25519", BLOB))
    assert ssh.strangers(one) == [JUMP]
    assert ssh.strangers(other) == [JUMP, DEVICE]
    assert ssh.known(one).path != ssh.known(other).path
    assert stat.S_IMODE(ssh.known(one).path.stat().st_mode) == 0o600


async def test_a_session_is_recorded_before_and_after(tmp_path: Path, now: Clock) -> None:
    desk, front = ssh_desk(tmp_path, now), Front(Ran(3, ""))
    ended = await opened(desk, front)
    assert ended.result.outcome.state is State.DONE
    assert ended.minutes == 1
    [(argv, env, text, mode)] = front.opened
    assert argv == ("ssh", "-F", "config", "--", "mspterm-device")
    assert env == {
        "PATH": "/bin",
        "MSPTERM_TICKET": "rt:1",
        "MSPTERM_CLIENT": "hvd",
        "MSPTERM_DEVICE": "HVD-WEB01",
    }
    assert mode == 0o600
    assert not list((desk.state_dir / "ssh").glob("session-*"))
    before, after = journal(desk)
    assert (before["state"], after["state"]) == ("intent", "done")
    assert before["intent_id"] == after["intent_id"] == ended.result.intent_id
    assert before["refs"] == [WEB.ref, "rt:1"]
    assert before["more"]["to"] == "ines@10.20.0.11 through ops@jump.example:2222"
    assert before["more"]["argv"] == "ssh -F config -- mspterm-device"
    assert len(before["more"]["config_sha256"]) == 64
    assert after["more"]["exit"] == "3"
    assert "HostName 10.20.0.11" in text
    await desk.aclose()


async def test_a_changed_key_stops_and_is_on_record(tmp_path: Path, now: Clock) -> None:
    desk = ssh_desk(tmp_path, now)
    ended = await opened(desk, Front(Ran(255, CHANGED)))
    assert ended.result.outcome.state is State.REFUSED
    last = journal(desk)[-1]
    assert last["state"] == "refused"
    assert "not the one recorded" in last["reason"]
    assert last["more"]["offered_key"] == "SHA256:6GnVD3nNuq5ngRTqYuGcUoSdVgELjACGEMcPgCfjxbw"
    await desk.aclose()


async def test_a_key_that_is_not_the_inventorys_is_refused_before_anything_opens(
    tmp_path: Path, now: Clock
) -> None:
    pinned = {**SSH, "devices": {"HVD-WEB01": {"host_key": "SHA256:" + "a" * 43}}}
    desk, front = ssh_desk(tmp_path, now, pinned), Front()
    ended = await opened(desk, front)
    assert ended.result.outcome.state is State.REFUSED
    assert not front.opened
    assert journal(desk)[-1]["state"] == "refused"
    await desk.aclose()


@pytest.mark.parametrize("phrase", [None, "something else"])
async def test_without_the_devices_name_nothing_opens(tmp_path: Path, now: Clock, phrase: str | None) -> None:
    desk, front = ssh_desk(tmp_path, now), Front()
    ended = await opened(desk, front, phrase)
    assert ended.result.outcome.state is State.REFUSED
    assert "--confirm 'HVD-WEB01'" in str(ended.result.outcome.failure)
    assert (front.opened, [r["state"] for r in journal(desk)]) == ([], ["refused"])
    await desk.aclose()


async def test_read_only_and_lockdown_refuse(tmp_path: Path, now: Clock) -> None:
    desk, front = ssh_desk(tmp_path, now, read_only=True), Front()
    assert (await opened(desk, front)).result.outcome.state is State.REFUSED
    await desk.aclose()
    desk = ssh_desk(tmp_path, now)
    (desk.state_dir / "lockdown").touch()
    assert (await opened(desk, front)).result.outcome.state is State.REFUSED
    assert front.opened == []
    await desk.aclose()


async def test_an_unkeyed_journal_refuses(tmp_path: Path, now: Clock) -> None:
    desk, front = ssh_desk(tmp_path, now, key=None), Front()
    ended = await opened(desk, front)
    assert "the journal has no key" in str(ended.result.outcome.failure)
    assert front.opened == []
    await desk.aclose()


async def test_a_session_is_never_queued(tmp_path: Path, now: Clock) -> None:
    desk = ssh_desk(tmp_path, now)
    await opened(desk, Front(Ran(255, "ssh: connect to host h port 22: Connection refused")))
    assert desk.store.intents.listed(desk.now()) == []
    assert journal(desk)[-1]["state"] == "failed"
    await desk.aclose()


async def test_a_session_that_is_left_open_is_uncertain(tmp_path: Path, now: Clock) -> None:
    class Endless(Front):
        async def session(self, argv: Sequence[str], env: Mapping[str, str], folder: Path) -> Ran:
            begun.set()
            await asyncio.Event().wait()
            return Ran(0, "")

    begun, desk = asyncio.Event(), ssh_desk(tmp_path, now)
    task = asyncio.create_task(opened(desk, Endless()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [r["state"] for r in journal(desk)] == ["intent", "uncertain"]
    assert not list((desk.state_dir / "ssh").glob("session-*"))
    await desk.aclose()


async def test_do_not_touch_means_sessions_too(tmp_path: Path, now: Clock) -> None:
    desk = ssh_desk(tmp_path, now)
    desk.store.devices.upsert([replace(WEB, flags=("do-not-touch",))])
    front = Front()
    assert "do-not-touch" in str((await opened(desk, front)).result.outcome.failure)
    assert front.opened == []
    await desk.aclose()


async def test_the_rmms_terminal_is_planned_with_shell_and_user(tmp_path: Path, now: Clock) -> None:
    desk = ssh_desk(tmp_path, now)
    plan = await Planner(desk).plan("terminal", (WEB.ref,), Wanted(shell="powershell", run_as="user"))
    assert plan.lines == (
        "HVD-WEB01 (Harbor View): mesh's terminal, shell powershell, as the user logged on",
        "acting as: mesh has not said yet under whose name",
    )
    away = replace(WEB, ref="rt:x", connection="rt", url="https://rmm.example/x")
    desk.store.devices.upsert([away])
    with pytest.raises(Failed, match=r"Its own page is https://rmm\.example/x"):
        await Planner(desk).plan("terminal", ("rt:x",), Wanted())
    await desk.aclose()
