"""The copy key: what it offers, where it goes, and the plain text where it goes nowhere."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from textual.pilot import Pilot

from mspterm.console.app import MsptermApp
from mspterm.console.copying import Part, parts, show_plain
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Contact, Note, TicketDetail
from mspterm.store.store import Store
from tests.console.console_desk import NOW, console, filled, secrets, session, ticket, until, until_told

__all__ = ["secrets"]
pytestmark = pytest.mark.usefixtures("secrets")
URL = "http://rt.example/Ticket/Display.html?id=1"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Ticket 1 with an address, a contact and a conversation; and no tmux around us."""
    for name in ("TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)
    made = filled(tmp_path)
    one = ticket(1, url=URL, contact=Contact(SafeText("Jo Park"), (SafeText("+1 555 0123"),)))
    notes = (
        Note("1", NOW, SafeText("Tom Okafor"), "internal", SafeText("Swapped the drum.")),
        Note("2", NOW, SafeText("RT"), "system", SafeText("Status changed")),
    )
    made.tickets.put_detail(TicketDetail(one, SafeText("Blank pages\nsince noon"), notes))
    return made


def written(app: MsptermApp, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What goes to the terminal from now on."""
    sent: list[str] = []
    assert app._driver is not None
    monkeypatch.setattr(app._driver, "write", sent.append)
    return sent


def copied(sent: list[str]) -> list[str]:
    return [sequence for sequence in sent if "]52;" in sequence]


def test_of_a_ticket_what_is_wanted_most_comes_first(store: Store) -> None:
    assert parts(store, ["rt:1"]) == [
        Part("Number, summary, address", f"#1 Printer 1 prints blank pages\n{URL}"),
        Part("Address", URL),
        Part("Reference", "rt:1"),
        Part("Summary", "Printer 1 prints blank pages"),
        Part("Client", "Harborview Dental"),
        Part("Contact", "Jo Park +1 555 0123"),
        Part("Description", "Blank pages\nsince noon"),
        Part("Last note, by Tom Okafor", "Swapped the drum."),
    ]


def test_of_several_their_addresses_or_references(store: Store) -> None:
    both = parts(store, ["rt:1", "rt:2", "rt:99"])
    assert [part.text for part in both] == [
        f"#1 Printer 1 prints blank pages\n{URL}\n#2 Printer 2 prints blank pages",
        "rt:1 rt:2",
    ]


async def test_y_and_enter_send_it_to_the_clipboard(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(session(store, tmp_path)) as (app, pilot):
        await chosen(app, pilot, "")
        sent = written(app, monkeypatch)
        await pilot.press("enter")
        await until_told(pilot, app, "sent to the terminal's clipboard")
        headline = f"#1 Printer 1 prints blank pages\n{URL}"
        assert copied(sent) == [f"\x1b]52;c;{base64.b64encode(headline.encode()).decode()}\x07"]


async def test_nothing_is_sent_before_a_choice(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(session(store, tmp_path)) as (app, pilot):
        sent = written(app, monkeypatch)
        await chosen(app, pilot, "")
        await pilot.press("escape")
        await pilot.pause()
        assert copied(sent) == []
        assert app.screen is app.main


async def chosen(app: MsptermApp, pilot: Pilot[int], words: str) -> None:
    await pilot.press("y")
    await until(pilot, app, "Show it plain")
    await pilot.press(*words)
    await pilot.pause()


async def test_the_plain_text_stands_alone(store: Store, tmp_path: Path) -> None:
    asked: list[str] = []
    async with console(session(store, tmp_path)) as (app, _):
        await show_plain(app, f"{URL}?{'x' * 200}\nnext", asked.append)
    assert asked == [f"\n{URL}?{'x' * 200}\nnext\n\n[Enter goes back to mspterm] "]


async def test_what_is_on_a_page_is_copied_whole(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(session(store, tmp_path)) as (app, pilot):
        await pilot.press("M")
        app.tell("A word to keep")
        await pilot.press("escape", "M", "y")
        await until(pilot, app, "All of this text")
        sent = written(app, monkeypatch)
        await pilot.press("enter")
        await until_told(pilot, app, "All of this text: sent to")
        assert b"A word to keep" in base64.b64decode(
            copied(sent)[0].removeprefix("\x1b]52;c;").rstrip("\x07")
        )
