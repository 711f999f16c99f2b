"""A console that is open while a client is purged by the command line."""

from __future__ import annotations

from pathlib import Path

from mspterm.store.store import Store
from tests.console.console_desk import filled, session
from tests.store.store_rows import ticket


def test_what_was_purged_leaves_an_open_console_too(tmp_path: Path) -> None:
    made = session(filled(tmp_path), tmp_path)
    made.board.load(made.store)
    assert made.board.size == 12
    gone = next(iter(made.board.rows)).client
    verb = Store(tmp_path)
    verb.purge_client(lambda client, connection: client == gone)
    assert made.board.follow(made.store)
    assert made.board.size == 8
    assert gone not in {r.client for r in made.board.rows}
    verb.tickets.upsert([ticket(99)])
    assert made.board.follow(made.store)
    assert made.board.size == 9
    verb.close()
