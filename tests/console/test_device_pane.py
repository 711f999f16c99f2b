"""A device on screen: its state follows the store, its readings run while it is looked at."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from textual.screen import Screen

from mspterm.console.device_pane import History
from mspterm.console.device_screen import DeviceScreen
from mspterm.console.sparkline import bar, power_strip, sparkline
from mspterm.domain.device import DeviceDetail, DeviceEvent, Disk, Interface, PowerSpan, Sample
from mspterm.domain.reasons import Failure, Reason
from mspterm.domain.text import SafeText
from tests.console.pane_app import Room, a_room, lines, push, shown, text, until, until_text
from tests.store.store_rows import NOW, device

REF = "mesh:OAK-DC01"


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return a_room(tmp_path)


def full() -> DeviceDetail:
    disk = Disk(SafeText("D:"), 500_000_000_000, 20_000_000_000)
    return DeviceDetail(
        device("OAK-DC01", user=None, ips=("10.0.0.5",), booted_at=NOW - timedelta(days=3), disks=(disk,)),
        event_log=(DeviceEvent(NOW - timedelta(minutes=3), SafeText("Agent connected")),),
        power=(PowerSpan(NOW - timedelta(hours=4), None, "on"),),
        interfaces=(Interface(SafeText("eth0"), SafeText("02:00"), ("10.0.0.5",), "10.0.0.1"),),
        notes=SafeText("Call first"),
        unavailable={"patches": "it does not know them."},
    )


def row_with(room: Room, words: str) -> str:
    return next(row for row in lines(room.app) if words in row)


async def test_shows_what_the_rmm_gives_and_says_what_it_does_not(room: Room) -> None:
    room.mesh.device_details["OAK-DC01"] = full()
    async with shown(room, DeviceScreen(room.desk, REF), size=(100, 40)) as pilot:
        painted = await until_text(pilot, "Agent connected")
        assert "● online" in painted
        assert "Oak" in row_with(room, "● online")
        assert "4% free of 500 GB LOW" in row_with(room, "D:")
        assert "eth0" in painted
        assert "on since" in row_with(room, "Power")
        assert "#1 P4 open" in row_with(room, "Tickets")
        assert "Call first" in painted
        assert "no patches: it does not know them." in painted


async def test_goes_offline_on_screen_when_the_push_reaches_the_store(room: Room) -> None:
    async with shown(room, DeviceScreen(room.desk, REF)) as pilot:
        await until_text(pilot, "● online")
        await until(pilot, lambda: room.mesh.reading == 1)
        push(room, online=False)
        await until_text(pilot, "○ OFFLINE")
        await until(pilot, lambda: room.mesh.reading == 0)


async def test_draws_live_readings_only_while_it_is_on_screen(room: Room) -> None:
    history = History()
    async with shown(room, DeviceScreen(room.desk, REF, history=history)) as pilot:
        for percent in (None, 50.0, 97.0):
            room.mesh.samples.put_nowait(Sample(room.now(), percent, 10.0))
        await until_text(pilot, "97%")
        assert row_with(room, "CPU").rstrip().endswith(" ▅█")
        await room.app.push_screen(Screen())
        await until(pilot, lambda: room.mesh.reading == 0)
        room.app.pop_screen()
        room.app.pop_screen()
        await pilot.pause()
        await room.app.push_screen(DeviceScreen(room.desk, REF, history=history))
        await until_text(pilot, "97%")
    assert len(history.of(REF)) == 3


async def test_a_failure_of_the_rmm_is_named_and_the_row_stays(room: Room) -> None:
    room.mesh.away = Failure(Reason.OFFLINE, "mesh does not answer.", "mesh")
    async with shown(room, DeviceScreen(room.desk, REF)) as pilot:
        painted = await until_text(pilot, "mesh does not answer.")
        assert "OAK-DC01" in painted
        assert "● online" in painted


async def test_an_asset_of_the_psa_alone_is_shown_as_such(room: Room) -> None:
    async with shown(room, DeviceScreen(room.desk, "rt:asset:8")) as pilot:
        painted = await until_text(pilot, "OAK-UPS")
        assert "in the PSA only" in painted
        assert "serial S-8" in painted
        assert "no RMM device is tied to it" in painted
        assert room.mesh.calls == []


async def test_a_digit_opens_a_ticket_of_the_device(room: Room) -> None:
    async with shown(room, DeviceScreen(room.desk, REF)) as pilot:
        await until_text(pilot, "#1 P4 open")
        await pilot.press("1")
        await pilot.pause()
    assert room.app.wanted == ["rt:1"]


async def test_plain_terminals_get_ascii(room: Room) -> None:
    room.mesh.device_details["OAK-DC01"] = full()
    async with shown(room, DeviceScreen(room.desk, REF, plain=True), size=(100, 40)) as pilot:
        room.mesh.samples.put_nowait(Sample(room.now(), 99.0, 1.0))
        await until_text(pilot, "Agent connected")
        await until_text(pilot, "99%")
        assert row_with(room, "CPU").endswith("@")
        assert "█" not in text(room.app)


def test_a_sparkline_has_a_gap_where_nothing_was_given() -> None:
    assert sparkline([0, None, 50, 100], 6) == "  ▁ ▅█"
    assert sparkline([1, 99], 1, plain=True) == "@"


def test_a_bar_never_leaves_its_cells() -> None:
    assert bar(250, 4) == "████"
    assert bar(-5, 4, plain=True) == "...."


def test_the_power_strip_is_blank_where_nothing_is_known() -> None:
    spans = [
        PowerSpan(NOW - timedelta(hours=3), NOW - timedelta(hours=1), "on"),
        PowerSpan(NOW - timedelta(hours=1), None, "off"),
    ]
    assert power_strip(spans, NOW - timedelta(hours=4), NOW, 4, plain=True) == " ##_"
