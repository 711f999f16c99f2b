"""Hostile vendors through every screen of the real console in a pty: no byte gets out that the console
did not mean, nothing crashes, no action fires (security.md 2.2, DESIGN 5.1)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mspterm.console.filter_bar import FIELDS
from tests.terminal.fake_rt_server import MeshServer, RtServer
from tests.terminal.hostile import (
    ATTACKS,
    EVERYTHING,
    HostileRt,
    attack_by_device,
    lone_joiners,
    strays,
)
from tests.terminal.pty_harness import Terminal
from tests.terminal.real_console import MESH, RT, Home, click, place_of

MOUSE = "[console]\nmouse = true\n"
SEND, ESC, TAB, ENTER, END = "\x07", "\x1b", "\t", "\r", "\x1b[F"
FIELDS_OF_UPDATE = 9


class Desk:
    """The console on hostile servers, with what it wrote to them."""

    def __init__(self, home: Home, rt: RtServer, mesh: MeshServer | None) -> None:
        self.home, self.rt, self.mesh = home, rt, mesh

    def open(self, *, mouse: bool = False, size: tuple[int, int] = (160, 50)) -> Terminal:
        config = RT.format(url=self.rt.url) + (MESH.format(url=self.mesh.url) if self.mesh else "")
        self.home.write(config + (MOUSE if mouse else ""))
        terminal = self.home.console(size)
        terminal.wait_for(
            lambda: f"{len(ATTACKS)} tickets" in terminal.text() and "rt now" in terminal.text()
        )
        return terminal

    def writes(self) -> list[str]:
        asked = [f"{call.method} {call.path}" for call in self.rt.rt.sent()]
        sent = self.mesh.fake.received if self.mesh else []
        return asked + [m["action"] for m in sent if m["action"] in ("runcommands", "poweraction")]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Tickets alone: this needs nothing of ../shared."""
    with RtServer(HostileRt().fill()) as rt:
        yield Desk(Home(tmp_path), rt, None)


@pytest.fixture
def desk_with_devices(tmp_path: Path, shared: Path) -> Iterator[Desk]:
    with RtServer(HostileRt().fill()) as rt, MeshServer(shared) as mesh:
        attack_by_device(mesh.fake)
        yield Desk(Home(tmp_path), rt, mesh)


def step(terminal: Terminal, keys: str, wanted: str) -> None:
    """Press, and wait for what these keys bring."""
    terminal.send(keys)
    terminal.wait_for(wanted)


def find(terminal: Terminal, text: str) -> None:
    """Filter for `text`."""
    step(terminal, "/", FIELDS[:20])
    step(terminal, text, f"/ {text}")
    terminal.send(ENTER)
    terminal.wait_for(lambda: FIELDS[:20] not in terminal.text())


def dialog(terminal: Terminal, keys: str, title: str) -> None:
    """Open a dialog; keys that come before it stands there are dropped by design."""
    step(terminal, keys, title)
    terminal.settle(0.15)


def back(terminal: Terminal, gone: str) -> None:
    """Escape until `gone` is off the screen. A lone escape is told from a sequence by time alone."""
    terminal.send(ESC)
    terminal.wait_for(lambda: gone not in terminal.text())


def assert_unharmed(terminal: Terminal, *, mouse: bool = False) -> None:
    terminal.settle(0.15)
    sent = bytes(terminal.sent)
    assert strays(sent, mouse=mouse) == []
    assert lone_joiners(sent.decode()) == []
    assert not terminal.ended()


def leave(terminal: Terminal) -> None:
    """Quit, and see that the end brings nothing either."""
    terminal.settle(0.1)
    terminal.send("q")
    assert terminal.wait_end(5) == 0
    assert strays(bytes(terminal.sent), mouse=True) == []


def test_the_queue_its_filter_and_every_screen_beside_it(desk: Desk) -> None:
    with desk.open() as terminal:
        for literal in (
            "[@click=app.quit]x[/]~",
            "[bold red]rich[/bold red]",
            ":smile: :warning:",
            "C:\\x\\[/]",
        ):
            assert literal in terminal.text()
        assert "h12<U+202E>gpj.exe" in terminal.text()
        find(terminal, "h07")
        terminal.wait_for(" of 23")
        back(terminal, " of 23")
        step(terminal, "?", "Help")
        back(terminal, " Help ")
        step(terminal, ":", "A command")
        step(terminal, "claim", "Take it")
        back(terminal, "Take it")
        step(terminal, "C", "could not be read")
        back(terminal, "could not be read")
        step(terminal, "A", "23 marked")
        back(terminal, "23 marked")
        step(terminal, "oooooo", "by owner")
        assert_unharmed(terminal)
        leave(terminal)
    assert desk.writes() == []


def test_tickets_with_their_conversations(desk: Desk) -> None:
    with desk.open() as terminal:
        step(terminal, ENTER, "PUBLIC h")
        terminal.cost("V", 0.1)
        step(terminal, END, "Open on DEV")
        step(terminal, ESC, "by due and priority")
        seen = set()
        # Each third: the fields in the head hold the attacks of the six behind it.
        for _ in range(0, len(ATTACKS), 3):
            step(terminal, ENTER, "PUBLIC h")
            seen.add(terminal.lines()[0].split()[0])
            step(terminal, ESC, "by due and priority")
            terminal.cost("jjj", 0.05)
        assert len(seen) == len(range(0, len(ATTACKS), 3))
        assert_unharmed(terminal)
        leave(terminal)
    assert desk.writes() == []


def test_every_dialog_on_a_ticket(desk: Desk) -> None:
    with desk.open() as terminal:
        dialog(terminal, "u", "Update: ")
        terminal.wait_for("Read by")
        for _ in range(FIELDS_OF_UPDATE):
            terminal.cost(TAB, 0.1)
        back(terminal, "Update: ")
        for key, title in (("s", "Status: "), ("a", "Assign: "), ("t", "Time: "), ("e", "Escalate: ")):
            dialog(terminal, key, title)
            terminal.cost("h" + TAB, 0.1)
            back(terminal, title)
        dialog(terminal, "N", "New ticket: ")
        terminal.cost("h07" + TAB + TAB, 0.2)
        back(terminal, "New ticket: ")
        dialog(terminal, "c", "this will happen")
        back(terminal, "this will happen")
        assert_unharmed(terminal)
        leave(terminal)
    assert desk.writes() == []


def test_a_write_that_the_server_answers_with_an_attack(desk: Desk) -> None:
    desk.rt.rt.before[r"POST /ticket/1/comment"] = httpx.Response(403, json={"message": EVERYTHING})
    desk.rt.rt.before[r"POST /ticket/1/correspond"] = httpx.Response(200, json=[EVERYTHING])
    with desk.open() as terminal:
        for key, title in (("n", "Note: "), ("r", "Reply: ")):
            dialog(terminal, key, title)
            terminal.cost("seen", 0.15)
            dialog(terminal, SEND, "this will happen")
            terminal.send(ENTER)
            terminal.wait_for("Your text is kept")
            terminal.settle(0.1)
        step(terminal, "M", "Messages")
        back(terminal, "Messages ")
        assert_unharmed(terminal)
        leave(terminal)
    assert desk.writes() == ["POST /ticket/1/comment", "POST /ticket/1/correspond"]


def test_a_device_and_a_commands_output(desk_with_devices: Desk) -> None:
    desk = desk_with_devices
    with desk.open() as terminal:
        terminal.wait_for("mesh now")
        step(terminal, ENTER, "PUBLIC h")
        terminal.wait_for("online")
        step(terminal, "d", "Events")
        terminal.wait_for("h22")
        for _ in range(3):
            terminal.cost("\x1b[6~", 0.1)
        step(terminal, "E", "You are in ")
        dialog(terminal, "x", "Run command: ")
        terminal.cost("uname", 0.15)
        dialog(terminal, SEND, "this will happen")
        phrase = terminal.text().split("Type  ")[1].split("  to go on")[0]
        terminal.send(phrase + ENTER)
        terminal.wait_for("what became of it")
        terminal.settle(0.1)
        terminal.cost(END, 0.1)
        assert_unharmed(terminal)
        back(terminal, "what became of it")
        step(terminal, ESC, "PUBLIC h")
        step(terminal, ESC, "by due and priority")
        leave(terminal)
    assert desk.writes() == ["POST /ticket/1/comment", "runcommands"]


# Where a click would act if the text were markup or a link.
CLICKED = ("[@click=app.quit]x", "[@click=app.act('claim')]y", "[link=https://evil.test]l", "h07link")


def test_a_click_on_an_attack_does_nothing_but_select(desk: Desk) -> None:
    with desk.open(mouse=True) as terminal:
        for place in CLICKED:
            click(terminal, place)
            terminal.settle(0.15)
        step(terminal, ENTER, "PUBLIC h")
        for place in CLICKED:
            click(terminal, place)
            terminal.settle(0.15)
            assert place_of(terminal, place)
        assert "PUBLIC h" in terminal.text()
        assert_unharmed(terminal, mouse=True)
    assert desk.writes() == []
