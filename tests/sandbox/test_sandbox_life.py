"""What happens by itself, and what actions bring about."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from mspterm.sandbox import catalogue as desk
from mspterm.sandbox import incidents, monitor, scenario, unfolding
from mspterm.sandbox.app import Options
from mspterm.sandbox.clients import CLIENT_CODED
from mspterm.sandbox.devices import Maintenance
from mspterm.sandbox.draw import Draw
from mspterm.sandbox.scenario import BadScenario, Happening, Scenario
from tests.sandbox.bench import BEGAN, Bench, change

FILE_SERVER = 1021


def new_tickets(bench: Bench, word: str = "") -> list[str]:
    found = (t for t in bench.world.tickets_changed.values() if not bench.world.is_seeded(t.id))
    return [ticket.summary for ticket in found if word in ticket.summary]


def test_an_outage_at_one_site_makes_a_storm_of_thirty_and_ends(bench: Bench) -> None:
    site = CLIENT_CODED["KSL"].sites[0].id
    incidents.outage(bench.sandbox.life, BEGAN, site)
    bench.run(240)
    world = bench.world
    storm = [t for t in world.tickets_changed.values() if not world.is_seeded(t.id)]
    assert len(storm) == 30
    assert {(t.client, t.site, desk.SOURCES[t.source]) for t in storm} == {(22, site, "NinjaOne")}
    down = [number for number in world.device_ids if (d := world.device(number)) and d.site == site]
    assert all(world.edit_device(number).offline for number in down)
    taken = world.edit(storm[0].id)
    taken.owner = desk.ME.id
    bench.run(1500)
    assert not any(world.edit_device(number).offline for number in down)
    assert not taken.is_closed
    assert all(t.is_closed for t in storm if t.id != taken.id)


async def test_a_disk_fills_step_by_step_until_somebody_makes_room(bench: Bench) -> None:
    world = bench.world
    device = world.edit_device(FILE_SERVER)
    monitor.clear_all(world, BEGAN, FILE_SERVER, "disk", "before the test")
    device.volumes[-1].free = device.volumes[-1].capacity // 2
    free = [device.volumes[-1].free]
    incidents.disk_fills(bench.sandbox.life, BEGAN, device)
    while device.volumes[-1].free_percent >= 5:
        bench.run(30, step=30)
        free.append(device.volumes[-1].free)
    assert len(free) > 4
    assert free == sorted(free, reverse=True)
    assert [a.detail for a in world.alerts.values() if a.device == FILE_SERVER and a.kind == "disk"] == ["D"]
    assert len(new_tickets(bench, "disk D: below 5 % free")) == 1
    async with bench.ninjaone() as rmm:
        await bench.as_technician(rmm)
        await rmm.post(f"/v2/device/{FILE_SERVER}/script/run", json={"type": "SCRIPT", "id": 11})
    bench.run(60)
    assert device.volumes[-1].free_percent > 15
    assert not any(a.device == FILE_SERVER and a.kind == "disk" for a in world.alerts.values())


def test_an_alert_that_clears_closes_only_what_nobody_touched(bench: Bench) -> None:
    world, device = bench.world, bench.world.edit_device(1001)
    tickets = [monitor.open_ticket(world, BEGAN, device, "cpu", f"High load {n}", "body") for n in (1, 2)]
    alerts = [monitor.fire(world, BEGAN, device, "cpu", "", "High load", t.id) for t in tickets]
    tickets[0].owner = desk.ME.id
    for alert in alerts:
        monitor.clear(world, BEGAN, alert, "Back to normal.")
    assert [ticket.is_closed for ticket in tickets] == [False, True]
    for ticket in tickets:
        assert world.notes(ticket)[-1].text == "NinjaOne: CPU load has cleared. Back to normal."


def test_muted_devices_do_not_alert(bench: Bench) -> None:
    world, device = bench.world, bench.world.edit_device(1001)
    before = len(world.alerts)
    device.maintenance = Maintenance(BEGAN, BEGAN + timedelta(hours=1), "", ("ALERTS",))
    monitor.fire(world, BEGAN, device, "cpu", "", "High load")
    assert len(world.alerts) == before
    monitor.fire(world, BEGAN + timedelta(hours=1), device, "cpu", "", "High load")
    assert len(world.alerts) == before + 1


def test_an_alert_flaps_and_ends(bench: Bench) -> None:
    world = bench.world
    before = set(world.alerts)
    unfolding.flap(bench.sandbox.life, BEGAN, Draw(3, "flap"))
    fired = [a for a in world.activities if a.code == "TRIGGERED" and a.at == BEGAN]
    assert len(fired) == 1
    bench.run(1200)
    assert set(world.alerts) == before
    assert sum(a.code == "RESET" for a in world.activities) >= 1


async def test_a_customer_who_is_written_to_answers(bench: Bench) -> None:
    bench.sandbox.life.listeners.append(partial(unfolding.answers, bench.sandbox.life))
    async with bench.connectwise() as psa:
        path = f"/service/tickets/{bench.first_open}"
        await psa.patch(path, json=[change("status", {"name": "Waiting on Client"})])
        note = {"text": "Can you test?", "detailDescriptionFlag": True, "processNotifications": True}
        for _ in range(4):
            await psa.post(f"{path}/notes", json=note)
        bench.run(300)
        row = (await psa.get(path)).json()
        notes = (await psa.get(f"{path}/notes")).json()
    assert row["customerUpdatedFlag"] is True
    assert row["status"]["name"] == "Client Responded"
    assert "contact" in notes[-1]
    assert row["_info"]["updatedBy"] == "customer"


async def test_one_ticket_breaches_unless_it_is_taken() -> None:
    bench = Bench(Options())
    async with bench.connectwise() as psa:
        path = f"/service/tickets/{bench.first_open}"
        assert (await psa.get(path)).json()["isInSla"] is True
        bench.run(600)
        late = (await psa.get(path)).json()
    assert late["isInSla"] is False
    assert "owner" not in late


def test_a_quarter_of_an_hour_has_everything_in_it() -> None:
    bench = Bench(Options())
    statuses: set[int] = set()
    throttled = 0
    for _ in range(360):
        bench.run(5, step=5)
        faults = bench.sandbox.life.faults
        statuses.add(faults.broken.get("connectwise", 0))
        throttled += any(faults.retry_after(v, bench.hand.at) for v in ("connectwise", "ninjaone"))
    world = bench.world
    by_source = {desk.SOURCES[t.source] for t in world.tickets_changed.values() if not world.is_seeded(t.id)}
    assert by_source >= {"Phone", "Email Connector", "NinjaOne"}
    assert statuses == {0, 1}
    assert throttled > 0
    codes = {activity.code for activity in world.activities}
    assert codes >= {"TRIGGERED", "RESET", "NODE_UPDATED", "NINJA_BACKUP_BACKUPJOB_STARTED"}
    assert len(new_tickets(bench, "(Joliet Depot)")) + len(new_tickets(bench, "agent offline")) >= 30
    assert any(note.contact for notes in world.notes_added.values() for note in notes if not note.issue)
    assert any(t.is_closed and world.is_seeded(t.id) for t in world.tickets_changed.values())


def test_a_scenario_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "night.toml"
    path.write_text(
        'background = false\n[[event]]\nat = 5\nkind = "outage"\nclient = "OAK"\nsite = 1\n'
        '[[event]]\nat = 9\nkind = "disk"\ndevice = "SMB-FS01"\n'
    )
    read = scenario.read(path)
    assert read == Scenario(
        (Happening(5, "outage", client="OAK", site=1), Happening(9, "disk", device="SMB-FS01")),
        background=False,
    )
    bench = Bench(Options(scenario=path))
    bench.run(300)
    assert len(new_tickets(bench, "no answer to ping (Plant 2)")) == 29
    assert len(new_tickets(bench, "SMB-FS01: disk")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "[[event]\n",
        "event = 3\n",
        '[event]\nat = 5\nkind = "call"\n',
        'background = "no"\n',
        "speed = 3\n",
        "[[event]]\nat = 5\n",
        '[[event]]\nat = 5\nkind = "flood"\n',
        '[[event]]\nat = 5\nkind = "disk"\nplace = 1\n',
        '[[event]]\nat = 5\nkind = "outage"\nclient = "NONE"\n',
        '[[event]]\nat = 5\nkind = "outage"\nclient = "KSL"\nsite = 2\n',
        '[[event]]\nat = 5\nkind = "down"\nvendor = "halo"\n',
    ],
)
def test_a_scenario_that_is_wrong_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(BadScenario, match=r"wrong\.toml"):
        scenario.read(path)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('at = "soon"\nkind = "call"', "event 2: at is a number of seconds"),
        ('at = true\nkind = "call"', "event 2: at is a number of seconds"),
        ('at = inf\nkind = "call"', "event 2: at is a number of seconds"),
        ('at = -1\nkind = "call"', "event 2: at is a number of seconds"),
        ("at = 5\nkind = []", "event 2: kind is a text in quotes"),
        ('at = 5\nkind = "agent"\nseconds = "9"', "event 2: seconds is a number of seconds"),
        ('at = 5\nkind = "outage"\nclient = "KSL"\nsite = 0.5', "event 2: site is a whole number"),
        ('at = 5\nkind = "disk"\ndevice = 7', "event 2: device is a text in quotes"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named_with_its_event(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(f'[[event]]\nat = 1\nkind = "call"\n[[event]]\n{text}\n')
    with pytest.raises(BadScenario, match=re.escape(f"{path}: {named}")):
        scenario.read(path)
