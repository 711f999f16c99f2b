"""The client card: every fact with whose word it is, and how old."""

from __future__ import annotations

from pathlib import Path

import pytest

from mspterm.config.model import Client
from mspterm.console.client_card import card_lines
from mspterm.domain.text import SafeText
from tests.console.console_desk import config, console, filled, secrets, session, ticket, until

__all__ = ["secrets"]
pytestmark = pytest.mark.usefixtures("secrets")
OAK = Client(
    "Oakline Manufacturing",
    agreement="Managed 8x5",
    coverage="day",
    rate="180 EUR/h",
    authoriser="Frank Oake",
    authoriser_phone="+1 555 0199",
    raci={"network": {"responsible": "their own IT", "informed": "us"}},
    baa=True,
    notice_h=48,
    incident_contact="Mara Oake, +1 555 0198",
    freezes=(("2026-11-20", "2026-11-30", "year-end close"),),
    access=("Circuit id 44-1201",),
    source="IT Glue, Oakline overview",
    reviewed_on="2026-10-01",
    from_dir=frozenset({"agreement", "baa", "notice_h"}),
)


def card(tmp_path: Path, client: Client | None, width: int = 80) -> list[str]:
    clients = {client.name: client} if client else {}
    made = session(filled(tmp_path), tmp_path, config(clients=clients))
    about = ticket(3, client=SafeText("Oakline Manufacturing"), agreement=SafeText("AGR-7"))
    lines = card_lines(made, about, width)
    return ["".join(span.text for span in row.spans).rstrip() for row in lines]


def row(lines: list[str], label: str) -> str:
    return next(" ".join(line.split()) for line in lines if line.strip().startswith(label))


def test_each_fact_says_whose_word_it_is(tmp_path: Path) -> None:
    lines = card(tmp_path, OAK)
    assert row(lines, "agreement") == "agreement Managed 8x5 [clients_dir]"
    assert row(lines, "rate outside") == "rate outside 180 EUR/h [your config]"
    assert row(lines, "may authorise") == "may authorise Frank Oake, +1 555 0199 [your config]"
    assert row(lines, "notice within") == "notice within 48 h [clients_dir]"
    assert row(lines, "network") == "network responsible their own IT, informed us [your config]"
    assert row(lines, "change freeze").startswith("change freeze 2026-11-20 to 2026-11-30: year-end close")
    assert row(lines, "Facts from") == "Facts from IT Glue, Oakline overview, reviewed on 2026-10-01."


def test_old_and_undated_facts_are_told(tmp_path: Path) -> None:
    old = Client("Oakline Manufacturing", plan="Gold", source="wiki", reviewed_on="2025-01-31")
    assert row(card(tmp_path / "a", old), "Facts from").endswith("2025-01-31: a year and more ago.")
    undated = Client("Oakline Manufacturing", plan="Gold")
    assert "nobody has said when" in row(card(tmp_path / "b", undated), "Facts from")


def test_unreadable_directory_is_told_above_all_else(tmp_path: Path) -> None:
    doubted = Client("Oakline Manufacturing", doubt="oak.toml:3: no such key")
    assert "! Its facts in clients_dir can't be read: oak.toml:3" in "\n".join(card(tmp_path, doubted))


def test_client_without_facts_has_what_the_psa_says(tmp_path: Path) -> None:
    lines = card(tmp_path, None)
    assert any("Nobody has written its facts down" in line for line in lines)
    assert row(lines, "agreement") == "agreement AGR-7 [PSA]"


def test_no_line_is_wider_than_the_screen(tmp_path: Path) -> None:
    long = Client("Oakline Manufacturing", notes="word " * 60, access=("x" * 200,))
    assert max(len(line) for line in card(tmp_path, long, 60)) <= 60


async def test_i_shows_the_card_of_the_ticket_and_escape_comes_back(tmp_path: Path) -> None:
    settings = config(clients={OAK.name: OAK})
    async with console(session(filled(tmp_path), tmp_path, settings)) as (app, pilot):
        await pilot.press("down", "down", "enter")
        await until(pilot, app, "#3 Printer 3")
        await pilot.press("i")
        assert "Managed 8x5" in await until(pilot, app, "Client card")
        await pilot.press("escape")
        await until(pilot, app, "#3 Printer 3")
