"""`cache purge --client`: by any of its names, counted, and no more than it says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mspterm.cli.cache import purge_of
from mspterm.cli.session import DONE, FAILED
from mspterm.config.model import Client
from mspterm.desk.desk import Desk
from mspterm.desk.look import ticket_now
from mspterm.desk.sync import Sync
from mspterm.domain.text import SafeText
from tests.desk.vendor import Clock, a_desk, config, psa
from tests.store.store_rows import ticket


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    now = Clock()
    vendor = psa(now)
    vendor.tickets["4"] = ticket(4, client=SafeText("Elm & Sons"))
    made = a_desk(tmp_path, now, vendor, config=config(clients={"elm": Client("elm", ("Elm & Sons",))}))
    assert await Sync(made).once("rt") is None
    await ticket_now(made, "rt:4")
    yield made
    await made.aclose()


def draft(desk: Desk, name: str) -> Path:
    file = desk.state_dir / "drafts" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("half a sentence")
    return file


@pytest.mark.parametrize("name", ["elm", "Elm & Sons", "ELM & SONS"])
async def test_a_client_goes_by_any_of_its_names(
    desk: Desk, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    begun, other = draft(desk, "rt_4.note.txt"), draft(desk, "rt_41.note.txt")
    assert purge_of(desk, name) == DONE
    said = capsys.readouterr().err
    assert f"Forgotten of {name}: tickets 1, conversations 1, devices 0" in said
    assert ", drafts 1." in said
    assert [r.ref for r in desk.store.tickets.active()] == ["rt:1", "rt:2", "rt:3"]
    assert (begun.exists(), other.exists()) == (False, True)


async def test_a_name_that_nothing_is_of_is_said_so(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert purge_of(desk, "Elmo") == FAILED
    assert "Nothing in the store is of a client 'Elmo'" in capsys.readouterr().err
    assert desk.store.tickets.count_active() == 4


async def test_what_was_purged_is_asked_for_again_in_full(desk: Desk) -> None:
    purge_of(desk, "elm")
    await Sync(desk).once("rt")
    assert desk.store.tickets.get("rt:4") is not None


async def test_bodies_of_a_client_that_keeps_none_are_asked_for_each_time(tmp_path: Path) -> None:
    now = Clock()
    vendor = psa(now)
    clients = {"oak": Client("oak", ("Oak",), bodies="none")}
    made = a_desk(tmp_path, now, vendor, config=config(clients=clients))
    for _ in range(2):
        found = await ticket_now(made, "rt:1")
        assert found.description == "It is down"
        assert found.ticket.client == "oak"
    assert vendor.calls.count("ticket") == 2
    other = a_desk(tmp_path, now, vendor, config=config(clients=clients))
    assert other.store.tickets.get("rt:1") is not None
    assert other.store.tickets.detail("rt:1") is None
    for desk in (made, other):
        await desk.aclose()
