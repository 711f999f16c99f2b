"""What the config's rules make of a ticket, and that making it again changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mspterm.config.load import load
from mspterm.config.model import Client, Config, Connection
from mspterm.desk.clockwork import Clockwork
from mspterm.domain.order import sort_key
from mspterm.domain.row import ClockState, StatusClass
from mspterm.domain.storms import StormRules
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Clock, Note, Sla, Ticket, TicketDetail
from mspterm.domain.triage import Triage
from mspterm.store.codec import pack, unpack
from tests.store.store_rows import NOW, ticket

ROOT = Path(__file__).resolve().parents[2]
GOLD = {
    "calendar": "24x7",
    "agreements": ["Gold*"],
    "response": {"P4": "1h"},
    "resolution": {"P4": "4h", "P1": "1h"},
    "update": {"P4": "2h"},
    "pauses": {"waiting": ["resolution"]},
    "warn": [50, 100],
}
OAK = Client(
    "oak", agreement="Gold 24x7", excludes=("project",), rate="USD 225", authoriser="Dana", carrier="Comcast"
)


def works(**raw: Any) -> Clockwork:
    connection = Connection("rt", "rt", "https://rt.example", status_classes={"parked": "waiting"})
    return Clockwork(
        Config(connections={"rt": connection}, clients={"oak": OAK}, raw={"sla": {"gold": GOLD}} | raw)
    )


def bare(**fields: Any) -> Ticket:
    return ticket(7, sla=Sla(), client=SafeText("oak"), **fields)


def test_ours_is_the_clock_where_the_psa_gives_none() -> None:
    made = works().clocked(bare())
    assert made.agreement == "Gold 24x7"
    assert made.sla.resolution == Clock(ClockState.RUNNING, NOW + timedelta(hours=3), "calc", calendar="24x7")
    assert (made.sla.response.state, made.sla.response.met_at, made.sla.plan) == (
        ClockState.MET,
        None,
        Clock(),
    )


def test_the_psas_clock_stands_and_ours_is_kept_beside_it() -> None:
    psa = Sla(resolution=Clock(ClockState.RUNNING, NOW + timedelta(hours=1), "psa"))
    made = works().clocked(replace(bare(), sla=psa))
    clock = made.sla.resolution
    assert (clock.source, clock.due, clock.calc_due) == (
        "psa",
        NOW + timedelta(hours=1),
        NOW + timedelta(hours=3),
    )
    assert (clock.differs, clock.calendar) == (True, "24x7")
    same = replace(psa.resolution, due=NOW + timedelta(hours=3, seconds=50))
    assert not works().clocked(replace(bare(), sla=Sla(resolution=same))).sla.resolution.differs
    said = works().explained(made, NOW)
    assert any("psa" in line and "2:00:00 earlier than calculated" in line for line in said)


def test_a_psa_whose_due_times_nobody_keeps_is_left_out() -> None:
    connection = Connection("rt", "rt", "https://rt.example", psa_due=False)
    desk = Clockwork(Config(connections={"rt": connection}, raw={"sla": {"all": GOLD | {"agreements": []}}}))
    made = desk.clocked(ticket(1))
    assert (made.sla.resolution.source, made.sla.resolution.calc_due) == ("calc", None)


def test_once_more_changes_nothing_and_survives_the_store() -> None:
    desk = works()
    made = desk.clocked(bare())
    assert desk.clocked(made) == made
    assert desk.clocked(bare(), made) == made
    kept = unpack(pack(made), Ticket)
    assert kept == made
    assert desk.clocked(bare(observed_at=NOW), kept) == made


def test_a_pause_that_was_seen_moves_the_clock_and_the_rest_is_doubted() -> None:
    desk = works()
    first = desk.clocked(bare())
    at = NOW + timedelta(minutes=10)
    waits = desk.clocked(
        bare(status_class=StatusClass.WAITING, status=SafeText("stalled"), updated_at=at), first
    )
    assert waits.sla.resolution.state is ClockState.PAUSED
    again = desk.clocked(bare(updated_at=at + timedelta(hours=2)), waits)
    assert again.sla.resolution.due == NOW + timedelta(hours=5)
    assert any("are not known" in line for line in desk.explained(again, NOW))


def test_a_conversation_makes_it_exact_and_stays() -> None:
    desk = works()
    created = bare().created_at

    def note(minutes: int, body: str) -> Note:
        at = created + timedelta(minutes=minutes)
        return Note(str(minutes), at, SafeText("RT"), "system", SafeText(f"Status changed from {body}"))

    notes = (note(5, "new to parked"), note(35, "parked to open"))
    detail = TicketDetail(bare(), SafeText(""), notes)
    made = desk.clocked(bare(), None, detail)
    assert made.sla.resolution.due == NOW + timedelta(hours=3, minutes=30)
    assert made.sla.response.met_at == created + timedelta(minutes=5)
    assert desk.clocked(bare(), made) == made
    assert not any("are not known" in line for line in desk.explained(made, NOW))


def test_scope_coverage_and_place_come_with_it() -> None:
    desk = works()
    out = desk.clocked(bare(type="project", priority=1))
    assert (out.in_scope, out.scope_reason) == (False, "the agreement excludes project")
    assert desk.mark(out, NOW).lines()[-1] == "billable at USD 225, needs the OK of Dana"
    assert sort_key(out) < sort_key(replace(out, pull_s=0))
    assert "30 d earlier: it is a P1" in desk.why(out)
    assert desk.carriers() == {"oak": "Comcast"}


def test_warnings_and_remaining_time_are_asked_of_the_calendar() -> None:
    desk = works()
    made = desk.clocked(bare())
    assert [(w.target, w.percent, w.at) for w in desk.thresholds(made)] == [
        ("resolution", 50, NOW + timedelta(hours=1)),
        ("resolution", 100, NOW + timedelta(hours=3)),
    ]
    assert desk.remaining_s(made.sla.resolution, NOW) == 3 * 3600


def test_what_a_write_would_meet_is_known_before_it_is_made() -> None:
    desk = works()
    new = desk.clocked(bare(status_class=StatusClass.NEW, status=SafeText("new"), customer_replied_at=NOW))
    assert desk.would_meet(new, NOW) == ()
    assert desk.would_meet(new, NOW, status="open") == ("response",)
    assert desk.would_meet(new, NOW, public=True) == ("response", "update")
    assert desk.would_meet(new, NOW, status="resolved") == ("response", "resolution", "update")
    assert desk.would_meet(new, NOW, status="parked") == ("response",)
    opened = desk.clocked(bare())
    assert desk.would_meet(opened, NOW, status="open", public=True) == ()


def test_without_a_policy_the_psas_word_is_all_there_is() -> None:
    desk = Clockwork(Config())
    psa = ticket(1)
    made = desk.clocked(psa)
    assert made.sla == psa.sla
    whole = NOW + timedelta(hours=1) - made.created_at
    assert [w.at for w in desk.thresholds(made)][:1] == [made.created_at + whole / 2]
    assert desk.explained(made, NOW)[0] == "no [sla] policy of the config fits this ticket"
    assert desk.clocked(bare()).sla == Sla()


def test_a_policy_that_fits_no_more_takes_its_clocks_along() -> None:
    made = works().clocked(bare())
    assert Clockwork(Config()).clocked(made).sla == Sla()


def test_impossible_dates_and_broken_calendars_cost_the_clock_and_no_more() -> None:
    desk = works()
    ancient = bare(created_at=datetime.fromisoformat("0001-01-01T00:00:00Z"))
    made = desk.clocked(ancient)
    assert made.sla == Sla()
    assert "can't be counted" in desk.explained(made, NOW)[0]
    broken = works(calendars={"a": {"timezone": "Mars/X"}}, sla={"g": GOLD | {"calendar": "a"}})
    assert broken.clocked(bare()).sla == Sla()
    assert (
        desk.remaining_s(Clock(ClockState.RUNNING, ancient.created_at, "psa", calendar="24x7"), NOW) is None
    )


def test_the_example_is_the_default_and_its_policies_work(tmp_path: Path) -> None:
    lines = (ROOT / "config.example.toml").read_text().splitlines()
    file = tmp_path / "config.toml"
    file.write_text("\n".join(x[1:] if x.startswith("#") and x[1:2] not in (" ", ":") else x for x in lines))
    desk = Clockwork(load(file))
    assert [p.name for p in desk.policies] == ["around_the_clock", "standard"]
    assert replace(desk.triage, clients={}) == Triage()
    assert replace(desk.storms, providers=(), integrations=()) == replace(StormRules(), providers=())
    made = desk.clocked(ticket(1, sla=Sla(), priority=3))
    assert made.sla.resolution.calendar == "office"
