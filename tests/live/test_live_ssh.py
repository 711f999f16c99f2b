"""Sessions through a real jump host: two sshd on loopback, with throw-away keys."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mspterm.config.model import Config, Connection
from mspterm.desk.desk import Desk
from mspterm.desk.lent import Ran
from mspterm.desk.perform import Performer
from mspterm.desk.planner import Planner
from mspterm.desk.sessions import Ended
from mspterm.desk.ssh import Ssh, resolve
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Consent, State
from mspterm.domain.device import Device
from mspterm.domain.text import SafeText
from mspterm.secrets.chain import Credentials
from tests.console.console_desk import ticket
from tests.live.sshd import Sshd, make_key, missing, sshd
from tests.store.store_rows import asset
from tests.terminal.pty_harness import Terminal
from tests.terminal.real_console import MESH, RT, SECRETS, Home

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(missing() is not None, reason=missing() or ""),
]
ASK_ALL = "echo agent=[$SSH_AUTH_SOCK] about=$MSPTERM_TICKET/$MSPTERM_DEVICE from=$SSH_CONNECTION; exit 7\n"
NAME = "HVD-WEB01"


@dataclass
class Lab:
    folder: Path
    key: Path
    jump: Sshd
    device: Sshd
    agent: str

    def ssh_table(self, **changes: Any) -> dict[str, Any]:
        common = {"user": "root", "jump": f"root@127.0.0.1:{self.jump.port}", "identity_file": self.key}
        devices = {NAME: {"host": "127.0.0.1", "port": self.device.port}}
        return {**common, "agent": True, "devices": devices, **changes}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("sshd")
    make_key(folder / "key")
    allowed = folder / "key.pub"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(folder / "agent")], stdout=subprocess.DEVNULL)
    try:
        with sshd(folder / "jump", allowed) as jump, sshd(folder / "device", allowed) as device:
            subprocess.run(
                ["ssh-add", "-q", str(folder / "key")],
                env={**os.environ, "SSH_AUTH_SOCK": str(folder / "agent")},
                check=True,
            )
            yield Lab(folder, folder / "key", jump, device, str(folder / "agent"))
    finally:
        agent.terminate()
        agent.wait(10)


@dataclass
class Scripted:
    """A person who types `answer` when asked about a key, and `script` in the session."""

    answer: str = ""
    script: str = ASK_ALL
    asked: list[str] = field(default_factory=list)
    output: str = ""

    def typed(self, lines: Sequence[str], question: str) -> str:
        self.asked.append("\n".join(lines))
        if self.answer == "as shown":
            return lines[1].split()[-1][-8:]
        return self.answer

    async def session(self, argv: Sequence[str], env: Mapping[str, str], folder: Path) -> Ran:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *argv, cwd=folder, env=env, stdin=pipe, stdout=pipe, stderr=pipe
        )
        out, err = await process.communicate(self.script.encode())
        self.output = out.decode()
        return Ran(process.returncode or 0, err.decode())


def make_desk(state: Path, held: Mapping[str, Any]) -> Desk:
    mesh = Connection("mesh", "meshcentral", "https://127.0.0.1:1")
    desk = Desk(
        Config(connections={"mesh": mesh}, raw={"ssh": held}),
        state,
        credentials=Credentials({"MSPTERM_SECRET_JOURNAL_KEY": "cafe0bad" * 8}),
    )
    known = Device(
        f"mesh:{NAME}", "mesh", NAME, SafeText(NAME), datetime.now(UTC), client=SafeText("Harbor View")
    )
    desk.store.devices.upsert([known])
    return desk


@pytest.fixture
async def desk(tmp_path: Path, lab: Lab) -> AsyncIterator[Desk]:
    made = make_desk(tmp_path / "state of %h", lab.ssh_table())
    yield made
    await made.aclose()


async def opened(desk: Desk, lab: Lab, front: Scripted) -> Ended:
    plan = await Planner(desk).plan("ssh", (f"mesh:{NAME}",), Wanted())
    device, client = Planner(desk).device(NAME)
    ssh = Ssh(desk, Performer(desk), {**os.environ, "SSH_AUTH_SOCK": lab.agent})
    target = resolve(desk, device, client)
    return await ssh.open(target, plan, Consent(NAME, plan.hash), front)


def last_record(desk: Desk) -> dict[str, Any]:
    [file] = (desk.state_dir / "journal").glob("*.jsonl")
    found: dict[str, Any] = json.loads(file.read_text().splitlines()[-1])
    return found


async def test_the_session_goes_through_the_jump_and_takes_no_agent_along(desk: Desk, lab: Lab) -> None:
    front = Scripted(answer="as shown")
    ended = await opened(desk, lab, front)
    assert ended.result.outcome.state is State.DONE, ended.result
    assert [lab.jump.fingerprint in front.asked[0], lab.device.fingerprint in front.asked[1]] == [True, True]
    assert f"agent=[] about=/{NAME}" in front.output
    assert "Accepted publickey" in lab.jump.log
    assert "Accepted publickey" in lab.device.log
    assert last_record(desk)["more"]["exit"] == "7"
    again = Scripted()
    await opened(desk, lab, again)
    assert (again.asked, f"about=/{NAME}" in again.output) == ([], True)


async def test_the_agent_is_not_used_unless_chosen(tmp_path: Path, lab: Lab) -> None:
    """The only key is in the agent: without `agent = true` nobody gets in, with it they do."""
    for agent, state in ((False, State.FAILED), (True, State.DONE)):
        held = {**lab.ssh_table(jump="none", agent=agent), "identity_file": lab.folder / "no-such-key"}
        if agent:
            held["identity_file"] = lab.folder / "key.pub"
        made = make_desk(tmp_path / str(agent), held)
        assert (await opened(made, lab, Scripted("as shown"))).result.outcome.state is state
        await made.aclose()


async def test_an_unknown_key_is_refused_where_it_is_not_typed(desk: Desk, lab: Lab) -> None:
    front = Scripted(answer="yes")
    ended = await opened(desk, lab, front)
    assert ended.result.outcome.state is State.REFUSED
    assert "was not confirmed" in last_record(desk)["reason"]
    assert front.output == ""


async def test_a_changed_key_of_the_device_is_a_hard_stop(desk: Desk, lab: Lab, tmp_path: Path) -> None:
    await opened(desk, lab, Scripted("as shown"))
    with sshd(tmp_path / "other", lab.folder / "key.pub") as other:
        desk.config.raw["ssh"]["devices"][NAME]["port"] = other.port
        front = Scripted("as shown")
        ended = await opened(desk, lab, front)
    assert ended.result.outcome.state is State.REFUSED
    assert (front.asked, front.output) == ([], "")
    record = last_record(desk)
    assert "is not the one recorded" in record["reason"]
    assert record["more"]["offered_key"] == other.fingerprint
    assert "Accepted" not in other.log


async def test_a_changed_key_of_the_jump_is_a_hard_stop(tmp_path: Path, lab: Lab) -> None:
    with sshd(tmp_path / "jump", lab.folder / "key.pub") as first:
        desk = make_desk(tmp_path / "state", lab.ssh_table(jump=f"root@127.0.0.1:{first.port}"))
        assert (await opened(desk, lab, Scripted("as shown"))).result.outcome.state is State.DONE
    with sshd(tmp_path / "jump2", lab.folder / "key.pub", port=first.port) as second:
        front = Scripted("as shown")
        ended = await opened(desk, lab, front)
        assert "Accepted" not in second.log
    assert ended.result.outcome.state is State.REFUSED
    assert (front.asked, front.output) == ([], "")
    assert "/jump-" in last_record(desk)["reason"]
    await desk.aclose()


async def test_a_key_that_the_inventory_has_needs_no_question(tmp_path: Path, lab: Lab) -> None:
    table = lab.ssh_table(jump="none")
    table["devices"][NAME]["host_key"] = lab.device.fingerprint
    made = make_desk(tmp_path / "right", table)
    front = Scripted()
    assert (await opened(made, lab, front)).result.outcome.state is State.DONE
    assert front.asked == []
    await made.aclose()
    table["devices"][NAME]["host_key"] = lab.jump.fingerprint
    made = make_desk(tmp_path / "wrong", table)
    ended = await opened(made, lab, front)
    assert ended.result.outcome.state is State.REFUSED
    assert "somebody in between" in str(ended.result.outcome.failure)
    await made.aclose()


@pytest.mark.parametrize(
    "host", ["-oProxyCommand=touch {pwned}", "a;touch {pwned}", "$(touch {pwned})", "../.."]
)
async def test_a_hostile_inventory_runs_nothing(tmp_path: Path, lab: Lab, host: str) -> None:
    pwned = tmp_path / "pwned"
    made = make_desk(tmp_path / "state", lab.ssh_table(devices={}))
    name = SafeText(host.format(pwned=pwned))
    made.store.devices.upsert([Device("mesh:x", "mesh", "x", name, datetime.now(UTC))])
    with pytest.raises(Exception, match="no address that ssh may be given"):
        await Planner(made).plan("ssh", ("mesh:x",), Wanted())
    assert not pwned.exists()
    await made.aclose()


def home_with(lab: Lab, folder: Path) -> Home:
    """A technician whose RMM is away; what it said is in the store."""
    home = Home(folder, {**SECRETS, "SSH_AUTH_SOCK": lab.agent})
    home.write(
        RT.format(url="http://127.0.0.1:1")
        + MESH.format(url="wss://127.0.0.1:1")
        + f"[ssh]\nuser='root'\njump='root@127.0.0.1:{lab.jump.port}'\nidentity_file='{lab.key}'\n"
        + f"[ssh.devices.{NAME}]\nhost='127.0.0.1'\nport={lab.device.port}\n"
    )
    desk = make_desk(home.state, {})
    desk.store.devices.upsert_assets([asset(1, NAME)])
    desk.store.devices.tie({"rt:asset:1": f"mesh:{NAME}"})
    desk.store.tickets.upsert([ticket(7, asset_ids=("1",))])
    desk.store.connections.caught_up("rt", datetime.now(UTC), "cursor", full=True, skipped=[])
    desk.store.connections.caught_up("mesh", datetime.now(UTC), "cursor", full=True, skipped=[])
    desk.store.close()
    return home


def confirm_keys(lab: Lab, terminal: Terminal) -> None:
    for server in (lab.jump, lab.device):
        terminal.wait_for(server.fingerprint)
        terminal.send(f"{server.fingerprint[-8:]}\r")


def in_the_session(terminal: Terminal, *after: str) -> None:
    """A command in the far shell, then what leaves its terminal in disorder, and out."""
    terminal.wait_for(f"{socket.gethostname()}:")
    terminal.send("echo a''b=$SSH_AUTH_SOCK.$MSPTERM_DEVICE.$MSPTERM_TICKET\r")
    terminal.wait_for("ab=." + ".".join((NAME, *after)))
    terminal.send("printf '\\033[?1000h\\033[?25l'; exit\r")


def test_the_verb_in_a_terminal_from_confirmation_to_a_terminal_in_order(lab: Lab, tmp_path: Path) -> None:
    home = home_with(lab, tmp_path)
    argv = [sys.executable, "-m", "mspterm", "ssh", NAME]
    with Terminal(argv, env=home.env(), size=(120, 40)) as terminal:
        terminal.wait_for("to confirm")
        terminal.send(f"{NAME}\r")
        confirm_keys(lab, terminal)
        in_the_session(terminal)
        assert terminal.wait_end(30) == 0
        sent = bytes(terminal.sent)
    for mode in (b"1000", b"25"):
        on, off = (b"h", b"l") if mode == b"25" else (b"l", b"h")
        assert sent.rindex(b"\x1b[?" + mode + on) > sent.rindex(b"\x1b[?" + mode + off)
    assert b"ssh done" in sent
    assert not list((home.state / "ssh").glob("session-*"))


@pytest.mark.parametrize("end", ["SIGTERM", "hang up"])
def test_what_ends_the_verb_leaves_no_session_unrecorded(lab: Lab, tmp_path: Path, end: str) -> None:
    home = home_with(lab, tmp_path)
    with Terminal([sys.executable, "-m", "mspterm", "ssh", NAME], env=home.env(), size=(120, 40)) as terminal:
        terminal.wait_for("to confirm")
        terminal.send(f"{NAME}\r")
        confirm_keys(lab, terminal)
        terminal.wait_for(f"{socket.gethostname()}:")
        if end == "SIGTERM":
            terminal.signal(signal.SIGTERM)
        else:
            terminal.hang_up()
        assert terminal.wait_end(10) == 1
    [file] = (home.state / "journal").glob("*.jsonl")
    records = [json.loads(line) for line in file.read_text().splitlines()]
    assert [r["state"] for r in records if r["action"] == "ssh"] == ["intent", "failed"]
    assert not list((home.state / "ssh").glob("session-*"))


def test_the_verb_without_a_terminal_asks_nobody(lab: Lab, tmp_path: Path) -> None:
    home = home_with(lab, tmp_path)
    done = home.run("ssh", NAME)
    assert done.returncode == 1
    assert f"--confirm '{NAME}'".encode() in done.stderr
    done = home.run("ssh", NAME, "--confirm", NAME)
    assert done.returncode == 1
    assert b"add --fingerprint" in done.stderr
    assert lab.jump.fingerprint.encode() in done.stderr


def start_ssh(terminal: Terminal) -> None:
    """From the first frame to the confirmed session on the device of ticket 7."""
    terminal.wait_for("[6 All 1]", 60)
    terminal.settle(1.0)
    terminal.send("E")
    terminal.wait_for("You are in ")
    terminal.send("S")
    terminal.wait_for("to go on:")
    terminal.settle(0.3)
    terminal.send(NAME)
    terminal.settle(0.3)
    terminal.send("\x07")


def check_the_offer(terminal: Terminal, home: Home) -> None:
    """Back in the console, the update of the ticket is filled in, and the journal is complete."""
    terminal.wait_for(f"SSH session on {NAME}, 1 min")
    terminal.wait_for("#7")
    [file] = (home.state / "journal").glob("*.jsonl")
    records = [json.loads(line) for line in file.read_text().splitlines()]
    assert [r["state"] for r in records if r["action"] == "ssh"][-2:] == ["intent", "done"]
    assert [f"mesh:{NAME}", "rt:7"] in [r["refs"] for r in records]
    assert not list((home.state / "ssh").glob("session-*"))


def test_from_the_console_by_lending_the_terminal(lab: Lab, tmp_path: Path) -> None:
    home = home_with(lab, tmp_path)
    with home.console() as terminal:
        start_ssh(terminal)
        confirm_keys(lab, terminal)
        in_the_session(terminal, "rt:7")
        check_the_offer(terminal, home)
        assert terminal.sent.rindex(b"\x1b[?1000l") > terminal.sent.rindex(b"\x1b[?1000h")


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_from_the_console_in_a_window_of_tmux(lab: Lab, tmp_path: Path) -> None:
    home = home_with(lab, tmp_path)
    with home.console() as terminal:
        start_ssh(terminal)
        confirm_keys(lab, terminal)
        in_the_session(terminal, "rt:7")
        check_the_offer(terminal, home)
    tmux = ["tmux", "-L", f"mspterm-test-{os.getpid()}", "-f", "/dev/null"]
    console = [sys.executable, "-m", "mspterm"]
    try:
        with Terminal(
            [*tmux, "new-session", "-s", "m", *console], env=home.env(), size=(120, 40)
        ) as terminal:
            start_ssh(terminal)
            terminal.wait_for(":hvd-web01*")
            in_the_session(terminal, "rt:7")
            check_the_offer(terminal, home)
            windows = subprocess.run(
                [*tmux, "list-windows", "-F", "#{window_name}"], capture_output=True, text=True, check=True
            )
            assert len(windows.stdout.split()) == 1
    finally:
        subprocess.run([*tmux, "kill-server"], check=False, capture_output=True)
