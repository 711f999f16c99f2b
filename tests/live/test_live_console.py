"""The console in a pty on the lab's RT and MeshCentral: the issue's second Show, key by key."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from mspterm.console.filter_bar import FIELDS
from tests.conftest import LabMesh, LabRt
from tests.live.test_live_verbs import CONFIG
from tests.terminal.hostile import strays
from tests.terminal.pty_harness import Terminal
from tests.terminal.real_console import RT, Home

pytestmark = pytest.mark.live

CLIENT, SIZE = "Harborview Dental Group", (120, 40)
SEND, ENTER, ESC, TAB = "\x07", "\r", "\x1b", "\t"
POLL = "poll_s = 2\n"


@dataclass(frozen=True, slots=True)
class Rt:
    """RT's REST as a technician that is not the console sees it."""

    lab: LabRt

    def ask(self, path: str, body: Any = None, **query: str) -> Any:
        url = f"{self.lab.url}/REST/2.0/{path}?{urllib.parse.urlencode(query)}"
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"token {self.lab.tokens['ines']}", "Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=30) as answer:
            return json.load(answer)

    def ticket(self, subject: str, **more: Any) -> str:
        made = self.ask("ticket", {
            "Queue": "Service Desk", "Subject": subject, "Requestor": "dana@hvd.test", "Content": "It is slow",
            "ContentType": "text/plain", "CustomFields": {"Client": CLIENT}, **more,
        })  # fmt: skip
        return str(made["id"])

    def asset(self, name: str) -> str:
        return str(self.ask("assets", query=f"Name = '{name}'", fields="Name")["items"][0]["id"])

    def texts(self, number: str, kind: str) -> list[str]:
        """The texts of all transactions of one type, oldest first."""
        history = self.ask(f"ticket/{number}/history", fields="Type", per_page="100")["items"]
        ids = [entry["id"] for entry in history if entry["Type"] == kind]
        parts = [self.ask(f"transaction/{id_}/attachments", fields="Content")["items"] for id_ in ids]
        return ["".join(part.get("Content") or "" for part in found) for found in parts]


@pytest.fixture
def rt(lab_rt: LabRt) -> Rt:
    return Rt(lab_rt)


@pytest.fixture
def home(tmp_path: Path, lab_rt: LabRt, lab_mesh: LabMesh) -> Home:
    secrets = {
        "MSPTERM_SECRET_RT_TOKEN": lab_rt.tokens["ines"],
        "MSPTERM_SECRET_MESH_PASSWORD": lab_mesh.password,
        "MSPTERM_SECRET_JOURNAL_KEY": "cafe0bad" * 8,
    }
    url = lab_mesh.url.replace("wss:", "https:")
    config = CONFIG.format(rt=lab_rt.url, mesh=url, user=lab_mesh.user, ca=lab_mesh.ca)
    return Home(tmp_path, secrets).write(config)


def step(terminal: Terminal, keys: str, wanted: str | Callable[[], bool], timeout: float = 20) -> None:
    """Press, wait for what these keys bring, and for the screen to stand."""
    terminal.send(keys)
    terminal.wait_for(wanted, timeout)
    terminal.settle(0.2)


def fill(terminal: Terminal, *fields: str) -> None:
    """Type each field's text, and go on with Tab."""
    for number, text in enumerate(fields):
        terminal.cost((TAB if number else "") + text, 0.2)


def opened_on(terminal: Terminal, number: str, word: str) -> None:
    """From the first frame to the ticket on the whole screen, by the filter."""
    terminal.wait_for(lambda: "Service Desk" in terminal.text(), 60)
    terminal.settle(0.3)
    step(terminal, "/", FIELDS[:20])
    step(terminal, word, lambda: f" {number} " in terminal.lines()[4])
    step(terminal, ENTER, " 1 of ")
    step(terminal, ENTER, "as of")
    terminal.wait_for("No notes yet.")


def load(terminal: Terminal) -> tuple[int, int] | None:
    """CPU and memory in percent, as the device screen shows them."""
    found = [re.search(rf"^{name} +(\d+)%", terminal.text(), re.MULTILINE) for name in ("CPU", "Memory")]
    cpu, memory = found
    return (int(cpu[1]), int(memory[1])) if cpu and memory else None


def test_an_incident_is_worked_from_the_queue_to_the_next_tier(home: Home, rt: Rt) -> None:
    word = f"c{uuid4().hex[:10]}"
    number = rt.ticket(
        f"Server DC01 disk D: below 5% free {word}",
        Owner="marcus",
        RefersTo=[f"asset:{rt.asset('HVD-DC01')}"],
    )
    with home.console(SIZE) as terminal:
        opened_on(terminal, number, word)
        assert "HVD-DC01 ● online" in terminal.text()
        _see_the_device(terminal)
        _claim(terminal)
        _update(terminal)
        _run(terminal)
        _escalate(terminal)
        step(terminal, ESC, " 1 of ")
        terminal.send("q")
        assert terminal.wait_end(5) == 0
        assert strays(bytes(terminal.sent)) == []
    theirs = rt.ask(f"ticket/{number}")
    assert (theirs["Owner"]["id"], theirs["Status"], theirs["TimeWorked"]) == ("ines", "open", "15")
    assert rt.ask(f"queue/{theirs['Queue']['id']}")["Name"] == "Tier 2"
    note, output, handoff = rt.texts(number, "Comment")
    assert note.strip() == "Looked at the log"
    assert "$ uname -a" in output
    assert "Linux HVD-DC01" in output
    assert all(part in handoff.casefold() for part in ("what happens", "tried", "hypothesis", "check first"))
    assert rt.texts(number, "Correspond") == []
    shown = json.loads(home.run("ticket", f"rt:{number}", "--json").stdout)
    assert shown["next_action_at"] is not None


def _see_the_device(terminal: Terminal) -> None:
    step(terminal, "d", lambda: load(terminal) is not None)
    first = load(terminal)
    terminal.wait_for(lambda: load(terminal) != first, 60)
    step(terminal, ESC, "No notes yet.")


def _claim(terminal: Terminal) -> None:
    step(terminal, "c", "this will happen")
    assert "Marcus Bell has" in terminal.text()
    assert "this takes it over" in terminal.text()
    fill(terminal, "take over")
    step(terminal, ENTER, "claim: done")
    terminal.wait_for("owner Ines Duarte")


def _update(terminal: Terminal) -> None:
    step(terminal, "u", "Update: ")
    # Text, read by, minutes, status, owner, priority, queue, next; RT leaves no choice of mail.
    fill(terminal, "Looked at the log", "", "15", "", "", "", "", "tomorrow 9:00")
    step(terminal, SEND, "this will happen")
    assert "internal, read by technicians only" in terminal.text()
    step(terminal, ENTER, "update: done")


def _run(terminal: Terminal) -> None:
    step(terminal, "E", "You are in ")
    step(terminal, "x", "Run command: ")
    fill(terminal, "uname -a")
    step(terminal, SEND, "this will happen")
    fill(terminal, "HVD-DC01")
    step(terminal, ENTER, "what became of it", 40)
    terminal.wait_for("Linux HVD-DC01", 5)
    step(terminal, ESC, lambda: "what became of it" not in terminal.text())


def _escalate(terminal: Terminal) -> None:
    step(terminal, "e", "Escalate: ")
    fill(terminal, "L2")
    step(terminal, SEND, "this will happen")
    step(terminal, ENTER, "escalate: done")


def test_a_device_that_goes_is_shown_offline_within_two_seconds(
    home: Home, lab_mesh: LabMesh, rt: Rt, shared: Path
) -> None:
    word = f"c{uuid4().hex[:10]}"
    number = rt.ticket(f"Laptop gone {word}", RefersTo=[f"asset:{rt.asset('KSL-LT-014')}"])
    agent = [str(shared / "lab" / "start-meshcentral.sh"), "agent-stop", str(lab_mesh.folder), "KSL-LT-014"]
    with home.console(SIZE) as terminal:
        opened_on(terminal, number, word)
        step(terminal, "d", "● online")
        try:
            subprocess.run(agent, check=True, timeout=30)
            stopped = time.monotonic()
            terminal.wait_for("○ OFFLINE", 10)
            assert time.monotonic() - stopped < 2
        finally:
            subprocess.run([agent[0], "agent-start", *agent[2:]], check=True, timeout=60)
        terminal.wait_for("● online", 60)


class Forwarder:
    """A line to RT that can be cut and mended; RT itself, which others use too, never notices."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._pairs: list[socket.socket] = []
        self.port = 0
        self.mend()

    def mend(self) -> None:
        self._server = socket.create_server(("127.0.0.1", self.port))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._server,), daemon=True).start()

    def cut(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        while self._pairs:
            end = self._pairs.pop()
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                near, _ = server.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._to))
            self._pairs += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=_carry, args=(source, sink), daemon=True).start()


def _carry(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.fixture
def line_to_rt(lab_rt: LabRt) -> Iterator[Forwarder]:
    forwarder = Forwarder(int(lab_rt.url.rsplit(":", 1)[1]))
    yield forwarder
    forwarder.cut()


def test_an_outage_keeps_queue_and_text_and_ends_by_itself(home: Home, rt: Rt, line_to_rt: Forwarder) -> None:
    word = f"c{uuid4().hex[:10]}"
    number = rt.ticket(f"Outage {word}")
    home.write(RT.format(url=f"http://127.0.0.1:{line_to_rt.port}") + POLL)
    with home.console(SIZE) as terminal:
        opened_on(terminal, number, word)
        line_to_rt.cut()
        terminal.wait_for(
            lambda: (
                re.search(r"! rt offline, data \w+ \w+, again \d\d:\d\d:\d\d", terminal.text()) is not None
            )
        )
        step(terminal, ESC, " 1 of ")
        assert word in terminal.text()
        step(terminal, "n", "Note: ")
        fill(terminal, f"written in the dark {word}")
        step(terminal, SEND, "this will happen")
        step(terminal, ENTER, "note: queued")
        said = " ".join("".join(c if c.isascii() else " " for c in terminal.text()).split())
        assert "goes by itself when rt answers" in said
        assert rt.texts(number, "Comment") == []
        line_to_rt.mend()
        terminal.wait_for(lambda: "! rt" not in terminal.text(), 90)
        terminal.wait_for(lambda: len(rt.texts(number, "Comment")) == 1, 60)
        step(terminal, "R", "Asking rt now.")
        terminal.send("q")
        assert terminal.wait_end(5) == 0
    assert [text.strip() for text in rt.texts(number, "Comment")] == [f"written in the dark {word}"]
    assert json.loads(home.run("outbox", "list", "--json").stdout)[-1]["state"] in ("confirmed", "sent")
