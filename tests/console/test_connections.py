"""The overview of connections: budgets, brakes and what could not be read."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from mspterm.config.model import Connection
from mspterm.console.session import Session
from mspterm.console.texts import connection_lines
from tests.console.console_desk import NOW, config, filled, session

CW = Connection("rt", "connectwise", "https://na.example", settings={"company": "oak"})


def text(made: Session) -> str:
    return " ".join("".join(s.text for s in line.spans).strip() for line in connection_lines(made, 100))


async def test_a_budget_is_shown_with_its_use_its_rate_and_its_wait(tmp_path: Path) -> None:
    made = session(filled(tmp_path), tmp_path, config(rt=CW))
    pacer = made.open_desk(lambda: None).desk.pacer
    await pacer.turn("rt", "interactive")
    assert "1,000 calls in 60 s, of which we take 90%; used 1 of 900 (interactive 1)." in text(made)
    pacer.limited("rt", NOW + timedelta(seconds=90))
    shown = text(made)
    assert "used 1 of 450" in shown
    assert "down to 50% and rising" in shown
    assert "nothing is sent before" in shown


def test_what_could_not_be_read_is_counted_and_named(tmp_path: Path) -> None:
    made = session(filled(tmp_path), tmp_path)
    skipped = [(str(n), "no Subject") for n in range(23)]
    made.store.connections.caught_up("rt", NOW, None, full=True, skipped=skipped)
    shown = text(made)
    assert "23 items could not be read and are left out: 0: no Subject" in shown
    assert "and 3 more." in shown


def test_a_kind_without_a_connector_hides_no_other_line(tmp_path: Path) -> None:
    made = session(filled(tmp_path), tmp_path, config(rt=Connection("rt", "nothing", "https://x.example")))
    made.open_desk(lambda: None)
    assert "Last in step at" in text(made)
