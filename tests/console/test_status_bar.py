"""What the bottom line says of each connection."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from mspterm.console.bar import width_of
from mspterm.console.session import Session
from mspterm.console.status_bar import StatusBar
from mspterm.domain.reasons import Failure, Reason
from mspterm.store.store import Store
from tests.console.console_desk import NOW, Hands, config, session


def said(made: Session, width: int = 80) -> str:
    runs = StatusBar(made).runs(width)
    assert width_of(runs) <= width
    return "".join(text for text, _ in runs)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "rt now"), (20, "rt 15s"), (70, "rt 1m"), (130, "rt 2m"), (400, "rt 5m")]
)
def test_age_steps(store: Store, tmp_path: Path, seconds: float, words: str) -> None:
    clock = Hands()
    store.connections.caught_up("rt", NOW, "c", full=True, skipped=[])
    clock.at = NOW + timedelta(seconds=seconds)
    assert words in said(session(store, tmp_path, clock=clock))


def test_never_answered_yet(store: Store, tmp_path: Path) -> None:
    assert said(session(store, tmp_path)) == " rt asking... "


def test_failure_names_reason_age_and_next_try(store: Store, tmp_path: Path) -> None:
    store.connections.caught_up("rt", NOW - timedelta(minutes=11), "c", full=True, skipped=[])
    retry = NOW + timedelta(seconds=30)
    store.connections.failed("rt", Failure(Reason.RATE_LIMIT, "rt asked us to wait.", "rt", retry), NOW)
    words = f"! rt rate limit, data 10m old, again {retry.astimezone():%H:%M:%S}"
    assert words in said(session(store, tmp_path))
    assert "(rt asked us to wait.)" in said(session(store, tmp_path), 120)


def test_skipped_items_and_a_skewed_clock(store: Store, tmp_path: Path) -> None:
    store.connections.caught_up("rt", NOW, "c", full=True, skipped=[("7", "no subject")])
    store.connections.skewed("rt", -95.0)
    assert "rt now 1 unreadable clock 95s behind" in said(session(store, tmp_path))
    store.connections.skewed("rt", 12.0)
    assert "clock" not in said(session(store, tmp_path))


def test_identity_stands_at_the_right_and_gives_way(store: Store, tmp_path: Path) -> None:
    store.connections.caught_up("rt", NOW, "c", full=True, skipped=[])
    store.connections.acts_as("rt", "Ines Duarte (personal)")
    assert said(session(store, tmp_path)).endswith("as Ines Duarte ")
    assert "Ines" not in said(session(store, tmp_path), 20)
    store.connections.acts_as("rt", "desk-bot (shared)")
    assert said(session(store, tmp_path)).endswith("acting as desk-bot (shared) ")


def test_read_only_and_what_is_on_its_way_come_first(store: Store, tmp_path: Path) -> None:
    made = session(store, tmp_path, read_only=True)
    made.in_flight = 2
    assert said(made).startswith(" READ-ONLY  2 being sent ")


def test_no_connections(store: Store, tmp_path: Path) -> None:
    from mspterm.config.model import Config

    assert "mspterm init" in said(session(store, tmp_path, Config()))
    assert config().connections
