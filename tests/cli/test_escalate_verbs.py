"""Escalating by verbs: the draft to edit, what it lacks, and the ticket's path as text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mspterm.cli.rows import detail_rows, ticket_row
from mspterm.cli.ticket_text import ticket_text
from mspterm.config.model import Escalation
from mspterm.domain.route import move_line
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Note, Ticket, TicketDetail
from mspterm.store.store import Store
from tests.desk.vendor import Clock, a_desk, config, psa, rmm
from tests.store.store_rows import NOW, ticket
from tests.verbs import Cli

CONFIG = """
[connections.rt]
kind = "rt"
url = "http://127.0.0.1:9"
tiers = { "Service Desk" = "L1", "Tier 2" = "L2" }
"""
TOKEN = {"MSPTERM_SECRET_RT_TOKEN": "1-28-CANARY"}


def in_l1() -> Ticket:
    return replace(ticket(1), queue=SafeText("Service Desk"), tier="L1")


def test_a_draft_is_printed_and_says_by_itself_too_little(tmp_path: Path) -> None:
    cli = Cli(tmp_path)
    (tmp_path / "config.toml").write_text(CONFIG)
    store = Store(tmp_path / "state")
    store.tickets.put_detail(TicketDetail(in_l1(), SafeText("It is down")))
    store.close()
    drafted = cli("escalate", "rt:1", "--to", "tier:2", "--draft", env=TOKEN)
    assert drafted.status == 0
    assert drafted.out.startswith("## What happens\n\nTicket 1 (rt:1, P4, open)")
    done = cli("escalate", "rt:1", "--to", "tier:2", "--handoff", "-", stdin=drafted.out, env=TOKEN)
    assert done.status == 1
    assert "rt:1 can't leave L1 yet: the handoff says too little under What was tried" in done.err


def test_a_ticket_s_text_has_its_path_and_what_is_proposed(tmp_path: Path) -> None:
    now = Clock()
    rules = Escalation(tier_after={"L1": "30m"})
    desk = a_desk(tmp_path, now, psa(now), rmm(now), config=config(escalation=rules))
    moves = (("L1 Service Desk", "L2 Tier 2", False), ("L2 Tier 2", "L1 Service Desk", True))
    bodies = [move_line(before, after, down=down) for before, after, down in moves]
    notes = tuple(Note(body, NOW, SafeText("Ines"), "internal", SafeText(body)) for body in bodies)
    known = in_l1()
    detail = TicketDetail(known, SafeText("It is down"), notes)
    row = ticket_row(
        known, device_refs=(), stale=False, pending=0, now=NOW, remaining=desk.clockwork.remaining_s
    )
    lines = ticket_text(desk, known, detail, row | detail_rows(detail)).splitlines()
    assert [line for line in lines if line.startswith(("path", "propose"))] == [
        "propose   escalate to L2? it has been in L1 since 2026-11-24 01:10Z, longer than 30m",
        "path      2026-11-24 01:10Z  L1 Service Desk",
        "path      2026-11-24 02:10Z  L2 Tier 2",
        "path      2026-11-24 02:10Z  L1 Service Desk",
    ]
    desk.store.close()
