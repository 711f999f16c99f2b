"""An alert that clears: its ticket is told once, and ended where no human touched it; by itself only if asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mspterm.connectors.base import Batch
from mspterm.desk.desk import Desk
from mspterm.desk.on_clear import OnClear
from mspterm.desk.perform import Performer
from mspterm.desk.planner import Planner
from mspterm.desk.sync import Sync
from mspterm.desk.ties import KEPT, keep, of_tickets, open_alerts, renew, severity, ties
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Consent, Update
from mspterm.domain.device import Alert, Maintenance
from mspterm.domain.reasons import Failed
from mspterm.domain.row import StatusClass
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Note, TicketDetail
from mspterm.store.store import Store
from tests.desk.vendor import Clock, Vendor, a_desk, config, psa, rmm
from tests.store.store_rows import NOW, asset, ticket

Make = Callable[..., Any]
NEW: dict[str, Any] = {
    "status": SafeText("new"),
    "status_class": StatusClass.NEW,
    "type": "alert",
    "summary": SafeText("OAK-DC01 is offline"),
    "created_at": NOW,
    "asset_ids": ("7",),
}
ON = Alert(
    "mesh:alert:a1", "mesh", "a1", "mesh:OAK-DC01", None, "critical", SafeText("OAK-DC01 is offline"), NOW
)


class Talking(Vendor):
    """A PSA whose tickets hold a conversation."""

    notes: tuple[Note, ...] = ()

    async def ticket(self, id: str) -> TicketDetail:
        return replace(await super().ticket(id), notes=self.notes)


class Site:
    """One host, one alert on it, and the ticket that it opened."""

    def __init__(self, folder: Path, now: Clock, on_clear: str, **options: Any) -> None:
        self.rt = Talking("rt", psa(now).manifest, now)
        self.rt.tickets = {"1": ticket(1, **NEW)}
        self.rt.batches = [Batch(assets=(asset(7, "OAK-DC01"),))]
        self.mesh = rmm(now)
        settings = config(raw={"storms": {"on_clear": on_clear}})
        self.desk: Desk = a_desk(folder, now, self.rt, self.mesh, config=settings, **options)
        self.performer = Performer(self.desk)
        self.duty = OnClear(self.desk, Planner(self.desk), self.performer)

    async def alert(self, *, on: bool) -> None:
        """The RMM read with the alert on or gone."""
        for name in ("rt", "mesh"):
            await Sync(self.desk).once(name)
        store = self.desk.store.devices
        store.upsert_alerts([ON]) if on else store.gone([ON.ref])
        await self.duty.look("mesh")

    @property
    def written(self) -> list[Update]:
        return [w for w in self.rt.written if isinstance(w, Update)]


@pytest.fixture
def site(tmp_path: Path, now: Clock) -> Make:
    def make(on_clear: str = "show", **options: Any) -> Site:
        return Site(tmp_path, now, on_clear, **options)

    return make


async def test_alert_and_ticket_find_each_other_and_the_ticket_knows_when_it_cleared(site: Make) -> None:
    one = site()
    await one.alert(on=True)
    [tie] = of_tickets(one.desk.store)["rt:1"]
    assert (tie.alert, tie.cleared_at) == ("mesh:alert:a1", None)
    await one.alert(on=False)
    [tie] = of_tickets(one.desk.store)["rt:1"]
    assert tie.cleared_at is not None
    assert one.written == []
    renew(one.desk.store, one.desk.clockwork, "mesh", one.desk.now() + KEPT + timedelta(hours=1))
    assert of_tickets(one.desk.store) == {}


async def test_two_processes_that_tie_at_once_lose_neither(site: Make) -> None:
    one = site()
    await one.alert(on=True)
    store, other = one.desk.store, Store(one.desk.state_dir)
    [tie] = of_tickets(store)["rt:1"]
    theirs = replace(tie, alert="ninja:alert:b2", ticket="rt:2")

    def between(statement: str) -> None:
        # Before the lock is taken, and whatever was read before that is old by now.
        if statement == "BEGIN IMMEDIATE" and len(ties(other)) == 1:
            keep(other, {t.alert: t for t in (tie, theirs)})

    store.devices.gone([ON.ref])
    store.database.connection.set_trace_callback(between)
    renew(store, one.desk.clockwork, "mesh", one.desk.now())
    store.database.connection.set_trace_callback(None)
    assert of_tickets(store).keys() == {"rt:1", "rt:2"}
    other.close()


@pytest.mark.parametrize(("mode", "status"), [("comment", None), ("close", "resolved")])
async def test_by_itself_only_where_the_config_says_so_and_once(
    site: Make, mode: str, status: str | None
) -> None:
    one = site(mode)
    await one.alert(on=True)
    await one.alert(on=False)
    await one.alert(on=False)
    [write] = one.written
    assert write.status == status
    assert write.text.startswith("Alert cleared at 2026-11-24 02:1")
    assert write.text.endswith("OAK-DC01 is offline [alert a1]")
    records = [e for _, _, e in (await one.desk.journal()).after("") if e["state"] == "done"]
    assert [r["action"] for r in records] == ["on clear"]


async def test_a_ticket_that_a_human_touched_is_told_and_stays_open(site: Make) -> None:
    one = site("close")
    await one.alert(on=True)
    one.rt.notes = (Note("5", NOW, SafeText("Tom"), "internal", SafeText("on it")),)
    await one.alert(on=False)
    assert [w.status for w in one.written] == [None]


@pytest.mark.parametrize("body", ["Alert cleared: x [alert a1]", "NinjaOne: Agent offline has cleared."])
async def test_what_another_desk_or_the_rmm_said_is_not_said_again(site: Make, body: str) -> None:
    one = site("comment")
    await one.alert(on=True)
    one.rt.notes = (Note("5", NOW + timedelta(minutes=1), SafeText("x"), "internal", SafeText(body)),)
    await one.alert(on=False)
    assert one.written == []


async def test_two_processes_of_one_user_tell_it_once(site: Make) -> None:
    one = site("comment")
    await one.alert(on=True)
    one.desk.store.connections.lease("clear:mesh:alert:a1", "another process", one.desk.now(), 60)
    await one.alert(on=False)
    assert one.written == []


async def test_a_read_only_session_leaves_it_to_others(site: Make) -> None:
    one = site("comment", read_only=True)
    await one.alert(on=True)
    await one.alert(on=False)
    assert one.written == []
    owner = one.desk.presence.token()
    assert one.desk.store.connections.lease("clear:mesh:alert:a1", owner, one.desk.now(), 60) == 1


async def test_the_key_comments_and_ends_it_and_refuses_while_the_alert_is_on(site: Make) -> None:
    one = site()
    await one.alert(on=True)
    planner = Planner(one.desk)
    with pytest.raises(Failed, match="No alert of rt:1 is known to have cleared"):
        await planner.plan("cleared", ["rt:1"], Wanted())
    await one.alert(on=False)
    plan = await planner.plan("cleared", ["rt:1"], Wanted())
    await one.performer.perform(plan, Consent(plan_hash=plan.hash))
    assert [(w.status, w.text is None) for w in one.written] == [("resolved", False)]
    await one.alert(on=False)
    assert [t.told for t in of_tickets(one.desk.store)["rt:1"]] == [True]


async def test_maintenance_of_the_rmm_quiets_the_alert(site: Make, now: Clock) -> None:
    one = site()
    [dc, other] = one.mesh.batches[0].devices
    muted = replace(dc, maintenance=Maintenance(NOW + timedelta(days=1), SafeText("patches")))
    one.mesh.batches = [Batch(devices=(muted, other))]
    await one.alert(on=True)
    [tie] = of_tickets(one.desk.store)["rt:1"]
    assert tie.quiet == "in maintenance until 2026-11-25 02:10Z: patches"
    [alert] = open_alerts(one.desk)
    assert (alert.ticket_ref, severity(one.desk, alert)) == ("rt:1", "critical (quiet)")
