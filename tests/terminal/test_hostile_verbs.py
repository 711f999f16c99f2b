"""Hostile vendors through every plain verb: stdout and stderr hold printing characters and line feeds."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import httpx
import pytest

from tests.connectors.fake_meshcentral import NODE
from tests.terminal.fake_rt_server import MeshServer, RtServer
from tests.terminal.forked_verbs import Verbs
from tests.terminal.hostile import ATTACKS, EVERYTHING, HostileRt, attack_by_device
from tests.terminal.real_console import MESH, RT, Home

READS = (
    ("tickets",),
    ("tickets", "--view", "all", "--filter", "h07"),
    ("ticket", "rt:1"),
    ("ticket", "rt:17"),
    ("devices",),
    ("device", f"mesh:{NODE}"),
    ("alerts",),
    ("sla", "explain", "rt:1"),
    ("config", "show"),
    ("auth", "status"),
    ("auth", "test"),
)
PLANS = (
    ("claim", *(f"rt:{n}" for n in (1, 5, 13, 17, 18, 20)), "--dry-run"),
    ("note", "rt:1", "--text", EVERYTHING.replace("\0", ""), "--dry-run"),
    ("reply", "rt:1", "--text", "x", "--dry-run"),
    ("update", "rt:18", "--text", "x", "--minutes", "5", "--priority", "1", "--dry-run"),
    ("escalate", "rt:1", "--to", "queue:h05", "--dry-run"),
    ("run", f"mesh:{NODE}", "--attach", "rt:1", "--dry-run", "--", "uname"),
    ("reboot", f"mesh:{NODE}", "--dry-run"),
    ("new", "--client", "x", "--summary", EVERYTHING.replace("\0", "").replace("\n", " "), "--dry-run"),
)
ERRORS = (
    ("ticket", "rt:999"),
    ("ticket", "\x1b]0;pwned\x07:1"),
    ("device", "\x1b[31mred\u202e"),
    ("tickets", "--view", "\x1b]52;c;eA==\x07"),
    ("tickets", "--filter", "p:\x1b[2J\u200b"),
    ("status", "rt:1", "\x9b31mno such"),
    ("assign", "rt:1", "\x1b]8;;x\x1b\\ghost"),
    ("update", "rt:1", "--queue", "[/b]\u202e"),
    ("\x1b[31mverb",),
    ("note", "rt:1", "--\x1b[31moption"),
)


class Desk:
    def __init__(self, verbs: Verbs, rt: RtServer, mesh: MeshServer) -> None:
        self.verbs, self.rt, self.mesh = verbs, rt, mesh

    def __call__(self, *argv: str, status: int | None = None) -> CompletedProcess[bytes]:
        done = self.verbs.run(*argv)
        assert hidden(done.stdout) == [], argv
        assert hidden(done.stderr) == [], argv
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        if status is not None:
            assert done.returncode == status, done.stderr.decode()
        return done


def hidden(output: bytes) -> list[str]:
    """What is neither a line feed nor a character that prints. An emoji's joiner is part of one."""
    text = output.decode("utf-8").replace("\U0001f469\u200d\U0001f4bb", "")
    bad = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return [
        ascii(c)
        for c in text
        if c != "\n" and (unicodedata.category(c) in bad or 0xE0000 <= ord(c) <= 0xE0FFF)
    ]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Iterator[Desk]:
    with RtServer(HostileRt().fill()) as rt, MeshServer(shared) as mesh:
        attack_by_device(mesh.fake)
        home = Home(tmp_path_factory.mktemp("home"))
        home.write(RT.format(url=rt.url) + MESH.format(url=mesh.url))
        with Verbs(home.env()) as verbs:
            yield Desk(verbs, rt, mesh)


def writes(desk: Desk) -> list[str]:
    return [f"{call.method} {call.path}" for call in desk.rt.rt.sent()]


def test_every_reading_verb(desk: Desk) -> None:
    for argv in READS:
        done = desk(*argv)
        assert done.stdout, argv
        if argv[0] in ("tickets", "ticket", "devices", "device", "alerts"):
            assert json.loads(desk(*argv, "--json").stdout) is not None
    assert writes(desk) == []


def test_what_was_attacked_with_can_be_read(desk: Desk) -> None:
    table = desk("tickets", status=0).stdout.decode()
    for shown in (
        "[@click=app.quit]x[/]",
        "[bold red]rich[/bold red]",
        ":smile: :warning:",
        "C:\\x\\[/]",
        "<U+202E>",
    ):
        assert shown in table
    found = json.loads(desk("tickets", "--json", status=0).stdout)
    assert len(found) == len(ATTACKS)
    assert not any(hidden(str(t["summary"]).encode()) for t in found)


def test_plans(desk: Desk) -> None:
    for argv in PLANS:
        desk(*argv)
    desk(*PLANS[0], "--json", status=0)
    assert writes(desk) == []


def test_errors(desk: Desk) -> None:
    for argv in ERRORS:
        assert desk(*argv).returncode in (1, 2), argv


def test_a_write_that_is_answered_with_an_attack_reaches_journal_and_outbox(desk: Desk) -> None:
    desk.rt.rt.before[r"POST /ticket/2/comment"] = httpx.Response(403, json={"message": EVERYTHING})
    assert desk("note", "rt:2", "--text", "seen").returncode == 1
    desk.rt.rt.before[r"PUT /ticket/2"] = httpx.Response(200, json=[EVERYTHING])
    assert desk("status", "rt:2", "stalled").returncode in (1, 5)
    for argv in (("audit", "show"), ("audit", "verify"), ("outbox", "list")):
        assert desk(*argv).stdout
    for told in (("audit", "show", "--json"), ("outbox", "list", "--json")):
        assert json.loads(desk(*told, status=0).stdout)
    assert sorted(set(writes(desk))) == ["POST /ticket/2/comment", "PUT /ticket/2"]


def test_a_commands_output(desk: Desk) -> None:
    found = json.loads(desk("device", f"mesh:{NODE}", "--json", status=0).stdout)
    done = desk("run", f"mesh:{NODE}", "--confirm", found["name"], "--", "uname", status=0)
    assert b"[@click=app.quit]x[/]" in done.stdout


def test_a_server_that_is_gone_or_answers_nonsense(desk: Desk) -> None:
    for answer in (
        httpx.Response(500, text=EVERYTHING),
        httpx.Response(403, json={"message": EVERYTHING}),
        httpx.Response(200, text=f"<html>{EVERYTHING}</html>"),
        httpx.Response(302, headers={"Location": "https://evil.test/[/b]"}),
    ):
        desk.rt.rt.before[r"GET /tickets"] = answer
        done = desk("ticket", "rt:3")
        assert done.returncode in (0, 1, 3)
