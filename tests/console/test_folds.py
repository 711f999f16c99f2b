"""A storm is one row that opens; a P1 is never behind another row."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mspterm.console.folds import Folded, Folding
from mspterm.console.next_ticket import why_lines
from mspterm.console.targets import chosen_targets
from mspterm.desk.actions import BY_NAME
from mspterm.domain.device import Alert, Maintenance
from mspterm.domain.order import row_of
from mspterm.domain.row import StatusClass, TicketRow
from mspterm.domain.storms import Storm
from mspterm.domain.text import SafeText
from mspterm.store.store import Store
from tests.console.console_desk import (
    NOW,
    console,
    filled,
    screen_lines,
    screen_text,
    secrets,
    session,
    ticket,
    until,
)
from tests.store.store_rows import device

__all__ = ["secrets"]
pytestmark = pytest.mark.usefixtures("secrets")
STORM = Storm("storm:rt:2", "site", "rt:3", ("rt:2", "rt:3", "rt:4", "rt:5"), (), "4 items of Oak")


def rows(*numbers: int) -> list[TicketRow]:
    return [row_of(ticket(n), device_names=(), pending=0, revision=n) for n in numbers]


def refs(found: list[TicketRow]) -> list[str]:
    return [row.ref for row in found]


def folded(listed: list[TicketRow], storms: list[Storm], opened: Collection[str], *said: Any) -> Folded:
    return Folding(storms, *said).folded(listed, opened)


def test_head_stands_for_the_others_at_its_own_place() -> None:
    found = folded(rows(1, 2, 3, 4, 5, 6), [STORM], ())
    assert refs(list(found.rows)) == ["rt:1", "rt:3", "rt:6"]
    assert (found.marks, found.hidden) == ({"rt:3": "[+4] "}, 3)


def test_opened_storm_has_the_others_beneath_its_head() -> None:
    found = folded(rows(1, 2, 3, 4, 5, 6), [STORM], {STORM.key})
    assert refs(list(found.rows)) == ["rt:1", "rt:3", "rt:2", "rt:4", "rt:5", "rt:6"]
    assert found.marks == {"rt:3": "[-4] ", "rt:2": "| ", "rt:4": "| ", "rt:5": "| "}
    assert found.hidden == 0


def test_view_without_the_head_folds_under_the_first_of_them() -> None:
    found = folded(rows(1, 4, 5), [STORM], ())
    assert refs(list(found.rows)) == ["rt:1", "rt:4"]
    assert found.marks == {"rt:4": "[+2] "}


def test_one_of_them_alone_is_no_storm() -> None:
    assert folded(rows(1, 4), [STORM], ()) == (rows(1, 4), {}, 0)


@pytest.mark.parametrize("known", [True, False])
def test_p1_keeps_its_row(known: bool) -> None:
    """Also one that became a P1 after the storm was found."""
    storm = replace(STORM, shown=("rt:4",) if known else ())
    listed = [replace(row, priority=1) if row.ref == "rt:4" else row for row in rows(2, 3, 4, 5)]
    found = folded(listed, [storm], ())
    assert refs(list(found.rows)) == ["rt:3", "rt:4"]
    assert found.marks == {"rt:3": "[+3] "}


def test_storm_does_not_sink_with_a_head_that_waits() -> None:
    listed = rows(2, 4, 5, 6, 3)
    listed[-1] = replace(listed[-1], status_class=StatusClass.WAITING, priority=1)
    found = folded(listed, [STORM], ())
    assert refs(list(found.rows)) == ["rt:2", "rt:6", "rt:3"]
    assert found.marks == {"rt:2": "[+3] "}
    assert Folding([STORM]).hidden(listed) == {"rt:4", "rt:5"}


def stormy(folder: Path) -> Store:
    store = filled(folder, 3)
    for n in range(20, 50):
        words = SafeText(f"KSL-WS{n:02d} is offline")
        made = ticket(n, summary=words, client=SafeText("Kestrel Logistics"), site=SafeText("Yard"))
        store.tickets.upsert(
            [replace(made, type="alert", source="alert", created_at=NOW, assignee=None, assignee_id=None)]
        )
    return store


async def test_storm_of_thirty_is_one_row_that_enter_opens(tmp_path: Path) -> None:
    async with console(session(stormy(tmp_path), tmp_path)) as (app, pilot):
        assert "33 tickets  [+] 29 folded" in await until(pilot, app, "29 folded")
        assert [row.number for row in app.main.queue.rows] == ["1", "2", "3", "20"]
        assert "[+30] KSL-WS20 is off" in screen_text(app)
        await pilot.press("end", "enter")
        await until(pilot, app, "[-30] KSL-WS20")
        assert len(app.main.queue.rows) == 33
        assert "folded" not in screen_lines(app)[1]
        await pilot.press("down", "left")
        await until(pilot, app, "29 folded")
        assert app.main.queue.cursor_ref == "rt:20"
        await pilot.press("right")
        await until(pilot, app, "| KSL-WS21")


async def test_why_names_the_cause_and_only_the_row_that_stands_for_it_is_next(tmp_path: Path) -> None:
    async with console(session(stormy(tmp_path), tmp_path)) as (app, pilot):
        await until(pilot, app, "29 folded")
        assert (
            "30 items of yard at kestrel logistics, within 0 minutes" in why_lines(app.session, "rt:20")[-1]
        )
        assert any("another row stands for" in line for line in why_lines(app.session, "rt:21"))


async def test_filter_finds_what_is_folded(tmp_path: Path) -> None:
    async with console(session(stormy(tmp_path), tmp_path)) as (app, pilot):
        await until(pilot, app, "29 folded")
        await pilot.press(*"/WS33", "enter")
        assert [row.number for row in app.main.queue.rows] == ["33"]


async def test_storm_that_comes_while_the_console_runs_folds(tmp_path: Path) -> None:
    async with console(session(filled(tmp_path, 3), tmp_path)) as (app, pilot):
        stormy(tmp_path)
        assert "33 tickets" in await until(pilot, app, "29 folded")


def test_what_matters_most_stands_before_the_words() -> None:
    """A cause that is back, then alerts without a ticket, then alerts that have gone."""
    listed, alerts = rows(1, 2, 3, 4), ("mesh:alert:a", "mesh:alert:b")
    loud = Storm("storm:rt:1", "device", "rt:1", ("rt:1", *alerts), (), "why", alerts)
    found = folded(listed, [loud], (), {"rt:3": "rt:77"}, {"rt:1", "rt:3", "rt:4"})
    assert found.marks == {"rt:1": "(+2 alerts) ", "rt:3": "(again #77) ", "rt:4": "(cleared) "}
    assert (found.rows, found.hidden) == (listed, 0)


@pytest.mark.parametrize(
    ("alerts", "again", "cleared", "mark"),
    [
        (("mesh:alert:a",), {}, (), "[+4 +1 alert] "),
        (("mesh:alert:a",), {"rt:5": "rt:77"}, (), "[+4 again #77] "),
        ((), {}, ("rt:2", "rt:3", "rt:4", "rt:5"), "[+4 cleared] "),
        ((), {}, ("rt:2", "rt:3"), "[+4] "),
    ],
)
def test_a_storms_row_says_the_same_of_all_of_it(
    alerts: tuple[str, ...], again: dict[str, str], cleared: tuple[str, ...], mark: str
) -> None:
    storm = replace(STORM, refs=(*STORM.refs, *alerts), alerts=alerts)
    assert folded(rows(2, 3, 4, 5), [storm], (), again, cleared).marks == {"rt:3": mark}


async def test_alerts_without_a_ticket_are_signs_and_those_of_a_device_in_maintenance_are_not(
    tmp_path: Path,
) -> None:
    store = stormy(tmp_path)
    quiet = Maintenance(NOW + timedelta(hours=1), SafeText("patches"))
    for number, maintenance in ((1, None), (2, None), (3, quiet)):
        made = device(f"KSL-CAM{number}", client=SafeText("Kestrel Logistics"), site=SafeText("Yard"))
        store.devices.upsert([replace(made, maintenance=maintenance)])
        words = SafeText(f"KSL-CAM{number} is offline")
        alert = Alert(f"mesh:alert:{number}", "mesh", str(number), made.ref, None, "major", words, NOW)
        store.devices.upsert_alerts([alert])
    async with console(session(store, tmp_path), (120, 40)) as (app, pilot):
        await until(pilot, app, "[+30 +2 alerts]")
        assert app.session.storms is not None
        assert dict(app.session.storms.quiet) == {
            "mesh:alert:3": "in maintenance until 2026-11-24 03:10Z: patches"
        }


async def test_a_cause_that_is_back_after_its_parents_end_says_which(tmp_path: Path) -> None:
    store = filled(tmp_path, 3)
    done = {"status": SafeText("resolved"), "status_class": StatusClass.RESOLVED, "client": SafeText("Oak")}
    down = {"summary": SafeText("OAK-FW01 is offline"), "site": SafeText("Plant"), "type": "alert"}
    parent = ticket(70, **done, **down, children=("rt:71", "rt:72"), updated_at=NOW - timedelta(hours=3))
    children = [ticket(n, **done, **down, parent="rt:70") for n in (71, 72)]
    fresh = ticket(80, client=SafeText("Oak"), **down, created_at=NOW - timedelta(hours=1))
    store.tickets.upsert([parent, *children, fresh])
    async with console(session(store, tmp_path), (120, 40)) as (app, pilot):
        await until(pilot, app, "(again #70)")
        assert any("Parent opens that again" in line for line in why_lines(app.session, "rt:80"))
        app.main.queue.go_to("rt:80")
        assert await chosen_targets(app, app.session, app.screen, BY_NAME["parent"]) == (
            ("rt:70", "rt:80"), None,
        )  # fmt: skip
